/**
 * A secret in Vault's KV engine, version 2: logs in, keeps the token alive, reads the newest version.
 *
 * Invariants: a token is renewed before it ends and, where it cannot be, a new one is fetched; credentials are read anew
 * for each login, so a file that an agent renews is taken up; a refused token is logged in anew once, never in a loop;
 * no error holds a credential, a token or a value.
 */
import type { Monotonic } from '../core/clock.ts';
import { BulkheadError, errorText } from '../core/errors.ts';
import { redactText } from '../core/redact.ts';
import {
  errorsOf,
  parseAnswer,
  readAuth,
  readLookup,
  readSecretAnswer,
  UnreadableAnswer,
  type VaultSecret,
  type VaultToken,
} from './vault-answers.ts';
import type { AskVault, VaultAnswer, VaultRequest } from './vault-http.ts';

export type VaultCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'approle'; readonly roleId: string; readonly secretId: string | undefined }
  | { readonly kind: 'kubernetes'; readonly role: string; readonly jwt: string };

export interface VaultOptions {
  /** For messages. */
  readonly address: string;
  readonly mount: string;
  readonly path: string;
  /** Of the login; absent: the kind's own name. */
  readonly authMount: string | undefined;
  /** Anew for each login. Throws a BulkheadError. */
  readonly credentials: () => VaultCredentials;
  readonly ask: AskVault;
  readonly monotonic: Monotonic;
}

/** A token is renewed when so much of its life is left. */
const RENEW_AT = 1 / 3;

interface Held extends VaultToken {
  /** Monotonic; infinite: never. */
  readonly endsAt: number;
  readonly renewAt: number;
}

export class Vault {
  readonly #options: VaultOptions;
  #held: Held | undefined;
  /** What must be in no text. */
  #unspeakable: readonly string[] = [];

  constructor(options: VaultOptions) {
    this.#options = options;
  }

  /** In words, for people. */
  get where(): string {
    const { address, mount, path } = this.#options;
    return `${address} ${mount}/${path}`;
  }

  /** When the token wants attention, in ms from now; undefined: it does not end. */
  get dueInMs(): number | undefined {
    if (!this.#held || this.#held.endsAt === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(0, this.#held.renewAt - this.#options.monotonic.now());
  }

  /** When a token that cannot be renewed ends, in ms from now; undefined: somebody sees to it. */
  get endsInMs(): number | undefined {
    const { endsAt = Number.POSITIVE_INFINITY, renewable = true } = this.#held ?? {};
    const isFinal = !renewable && endsAt !== Number.POSITIVE_INFINITY;
    return isFinal ? Math.max(0, endsAt - this.#options.monotonic.now()) : undefined;
  }

  /** The newest version. Throws VAULT_UNREACHABLE or VAULT_REFUSED. */
  async read(): Promise<VaultSecret> {
    const isFresh = await this.#keepToken();
    const { mount, path } = this.#options;
    const request: VaultRequest = { method: 'GET', path: `${mount}/data/${path}` };
    let answer = await this.#asked(request);
    // Revoked, or ended earlier than it said.
    if (answer.status === 403 && !isFresh) {
      await this.#logIn();
      answer = await this.#asked(request);
    }
    const secret = answer.status === 404 ? undefined : this.#understood(answer, request, readSecretAnswer);
    if (secret) return secret;
    throw new BulkheadError(
      'VAULT_REFUSED',
      `There is no secret at ${this.where}, or its newest version was deleted.`,
      {
        hint: 'Correct vault.mount and vault.path, or write it: vault kv put -mount=MOUNT PATH apiKey=…',
      },
    );
  }

  /** True: it was fetched just now. */
  async #keepToken(): Promise<boolean> {
    const now = this.#options.monotonic.now();
    if (!this.#held || now >= this.#held.endsAt) {
      await this.#logIn();
      return true;
    }
    if (now < this.#held.renewAt) return false;
    if (this.#held.renewable && (await this.#renewed(this.#held))) return false;
    // A token that cannot be renewed is used to its end, unless a new one can be had.
    await this.#logIn().catch((error: unknown) => {
      if (!this.#held || this.#options.monotonic.now() >= this.#held.endsAt) throw error;
    });
    return true;
  }

  /** Its newest life may be as long as before, or shorter: at its longest it cannot be renewed any more. */
  async #renewed(held: Held): Promise<boolean> {
    const request: VaultRequest = { method: 'POST', path: 'auth/token/renew-self', body: {} };
    const answer = await this.#asked(request);
    if (answer.status === 400 || answer.status === 403) return false;
    const renewed = this.#understood(answer, request, readAuth);
    this.#hold(renewed);
    return renewed.ttlMs === 0 || renewed.ttlMs > held.ttlMs * RENEW_AT;
  }

  async #logIn(): Promise<void> {
    const credentials = this.#options.credentials();
    if (credentials.kind === 'token') {
      this.#unspeakable = [credentials.token];
      const request: VaultRequest = {
        method: 'GET',
        path: 'auth/token/lookup-self',
        token: credentials.token,
      };
      const answer = await this.#asked(request);
      this.#hold(this.#understood(answer, request, (fields) => readLookup(fields, credentials.token)));
      return;
    }
    const { kind } = credentials;
    const body =
      kind === 'approle'
        ? {
            role_id: credentials.roleId,
            ...(credentials.secretId === undefined ? {} : { secret_id: credentials.secretId }),
          }
        : { role: credentials.role, jwt: credentials.jwt };
    this.#unspeakable = Object.values(body);
    const request: VaultRequest = {
      method: 'POST',
      path: `auth/${this.#options.authMount ?? kind}/login`,
      token: '',
      body,
    };
    this.#hold(this.#understood(await this.#asked(request), request, readAuth));
  }

  #hold(token: VaultToken): void {
    const now = this.#options.monotonic.now();
    const endsAt = token.ttlMs === 0 ? Number.POSITIVE_INFINITY : now + token.ttlMs;
    this.#unspeakable = [...new Set([...this.#unspeakable, token.token])];
    const renewAt = token.ttlMs === 0 ? endsAt : now + token.ttlMs * (1 - RENEW_AT);
    this.#held = { ...token, endsAt, renewAt };
  }

  async #asked({ token = this.#held?.token ?? '', ...request }: VaultRequest): Promise<VaultAnswer> {
    const { ask } = this.#options;
    try {
      return await ask({ ...request, ...(token === '' ? {} : { token }) });
    } catch (error) {
      throw this.#unreachable(request, this.#safe(errorText(error)), error);
    }
  }

  #understood<T>(
    answer: VaultAnswer,
    request: VaultRequest,
    read: (fields: Readonly<Record<string, unknown>>) => T,
  ): T {
    const { status, text } = answer;
    if (status === 200) {
      try {
        return read(parseAnswer(text));
      } catch (error) {
        if (!(error instanceof UnreadableAnswer)) throw error;
        throw this.#unreachable(request, `an answer that cannot be read: ${error.message}`);
      }
    }
    const said = this.#safe(errorsOf(text));
    const words = `HTTP ${status}${said === '' ? '' : `, "${said}"`}`;
    if (status === 503) throw this.#unreachable(request, `${words} (sealed, or not ready)`);
    if (status >= 300 && status < 400)
      throw this.#unreachable(request, `${words}: it leads elsewhere, and the token is not carried there`);
    if (status === 429 || status >= 472) throw this.#unreachable(request, words);
    throw new BulkheadError('VAULT_REFUSED', `Vault at ${this.where} refuses ${request.path}: ${words}.`, {
      hint:
        request.path.endsWith('/login') || request.path.startsWith('auth/')
          ? 'Check vault.auth and its credentials: the token may have ended, or the role is another.'
          : 'Its policy must allow "read" on that path; the token may also have ended.',
    });
  }

  #unreachable(request: Pick<VaultRequest, 'path'>, why: string, cause?: unknown): BulkheadError {
    return new BulkheadError(
      'VAULT_UNREACHABLE',
      `Vault at ${this.where} cannot be asked (${request.path}): ${why}.`,
      {
        hint: 'Check vault.address and the network, and whether Vault is unsealed.',
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }

  #safe(text: string): string {
    return redactText(
      text,
      this.#unspeakable.filter((secret) => secret !== ''),
    );
  }
}
