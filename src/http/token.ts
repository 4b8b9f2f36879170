/** The token of the controls: given by the environment, or minted once into the data folder, for its owner's eyes alone. */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BulkheadError, errorText } from '../core/errors.ts';
import { freshSecret } from '../core/ids.ts';

export interface HttpToken {
  readonly token: string;
  /** Where a person finds it; never the token itself. */
  readonly source: string;
}

/** Where a token is found that a person gave. */
export const GIVEN = 'BULKHEAD_HTTP_TOKEN';
const FILE = 'http-token';
const SHORTEST = 16;

export function httpToken(dataDir: string, given: string | undefined): HttpToken {
  if (given !== undefined) {
    insistOnToken(given, GIVEN);
    return { token: given, source: GIVEN };
  }
  const path = join(dataDir, FILE);
  const token = read(path) ?? mint(path);
  insistOnToken(token, path);
  return { token, source: path };
}

export function insistOnToken(token: string, source: string): void {
  if (token.length >= SHORTEST && !/\s/.test(token)) return;
  throw new BulkheadError(
    'CONFIG_INVALID',
    `The token of ${source} is shorter than ${SHORTEST} characters.`,
    {
      hint: 'Take a long random one, such as "openssl rand -base64 32" makes; or remove it, and one is minted.',
    },
  );
}

function read(path: string): string | undefined {
  try {
    const token = readFileSync(path, 'utf8').trim();
    chmodSync(path, 0o600);
    return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new BulkheadError('CONFIG_INVALID', `${path} cannot be read: ${errorText(error)}`, {
      hint: 'Make it readable for the user who runs Bulkhead, or delete it: a new one is minted.',
    });
  }
}

function mint(path: string): string {
  const token = freshSecret();
  try {
    writeFileSync(`${path}.tmp`, `${token}\n`, { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${path} cannot be written: ${errorText(error)}`, {
      hint: 'Give the user who runs Bulkhead write access to the data folder.',
    });
  }
  return token;
}
