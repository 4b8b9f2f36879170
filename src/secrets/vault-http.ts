/**
 * One request to Vault's HTTP API, and what came back.
 *
 * Invariants: it ends within its deadline, body included; an answer is bounded; a redirect is never followed, since it
 * would carry the token elsewhere.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface VaultRequest {
  readonly method: 'GET' | 'POST';
  /** Such as auth/token/lookup-self, behind /v1/. */
  readonly path: string;
  readonly token?: string;
  readonly body?: object;
}

export interface VaultAnswer {
  readonly status: number;
  readonly text: string;
}

export type AskVault = (request: VaultRequest) => Promise<VaultAnswer>;

export interface VaultAddress {
  readonly address: string;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
}

const LARGEST_ANSWER_BYTES = 1_048_576;

/** Rejects where nothing came back. */
export function askVault({ address, namespace, timeoutMs }: VaultAddress): AskVault {
  return ({ method, path, token, body }) =>
    new Promise((resolve, reject) => {
      const url = new URL(`/v1/${path}`, address);
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const headers = {
        accept: 'application/json',
        // Agents and proxies refuse what a page could have them ask.
        'x-vault-request': 'true',
        ...(token === undefined ? {} : { 'x-vault-token': token }),
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
        ...(bytes ? { 'content-type': 'application/json', 'content-length': bytes.length } : {}),
      };
      const signal = AbortSignal.timeout(timeoutMs);
      const fail = (error: Error): void =>
        reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error);
      const outgoing = send(url, { method, headers, signal, agent: false }, (response) => {
        const pieces: Buffer[] = [];
        let size = 0;
        response.on('data', (piece: Buffer) => {
          size += piece.length;
          if (size > LARGEST_ANSWER_BYTES) outgoing.destroy(new Error('the answer is larger than 1 MB'));
          else pieces.push(piece);
        });
        response.on('error', fail);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
        );
      });
      outgoing.on('error', fail);
      outgoing.end(bytes);
    });
}
