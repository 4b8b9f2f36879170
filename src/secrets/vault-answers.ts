/**
 * What Vault answers, read out of its JSON. Pure.
 *
 * Invariants: whatever comes, the result is well-formed or an UnreadableAnswer; no text of ours holds a value of theirs
 * but their words on errors.
 */

/** Of the engine KV, version 2. */
export interface VaultSecret {
  readonly version: number;
  readonly fields: Readonly<Record<string, string>>;
}

export interface VaultToken {
  readonly token: string;
  /** 0: it never ends. */
  readonly ttlMs: number;
  readonly renewable: boolean;
}

/** Nothing in it is what it should be. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

const MOST_FIELDS = 100;
const LONGEST_VALUE = 65_536;
const LONGEST_WORDS = 200;
/** Ten years: what says more is no number of seconds. */
const LONGEST_TTL_S = 315_360_000;

type Fields = Readonly<Record<string, unknown>>;

export const parseAnswer = (text: string): Fields => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnreadableAnswer('it is not JSON');
  }
  return fieldsOf(value, 'the answer');
};

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new UnreadableAnswer(`${what} is not an object`);
}

/** Undefined: there is none, or its newest version was deleted. */
export function readSecretAnswer(answer: Fields): VaultSecret | undefined {
  const outer = fieldsOf(answer.data, 'data');
  const metadata = fieldsOf(outer.metadata, 'data.metadata');
  const { version } = metadata;
  if (!Number.isSafeInteger(version) || (version as number) < 1)
    throw new UnreadableAnswer('data.metadata.version is no version; the engine must be KV version 2');
  if (outer.data === null || outer.data === undefined) return undefined;
  const data = fieldsOf(outer.data, 'data.data');
  const entries = Object.entries(data);
  if (entries.length > MOST_FIELDS) throw new UnreadableAnswer(`the secret has ${entries.length} fields`);
  const fields = entries.map(([name, value]): [string, string] => {
    if (typeof value !== 'string' || value === '' || value.length > LONGEST_VALUE)
      throw new UnreadableAnswer(`the field "${name.slice(0, 40)}" is no text`);
    return [name, value];
  });
  return { version: version as number, fields: Object.fromEntries(fields) };
}

/** Of a login or a renewal. */
export function readAuth(answer: Fields): VaultToken {
  const auth = fieldsOf(answer.auth, 'auth');
  return tokenOf(auth.client_token, auth.lease_duration, auth.renewable);
}

/** Of a look at one's own token. */
export function readLookup(answer: Fields, token: string): VaultToken {
  const data = fieldsOf(answer.data, 'data');
  return tokenOf(token, data.ttl, data.renewable ?? false);
}

function tokenOf(token: unknown, ttlS: unknown, renewable: unknown): VaultToken {
  // It becomes a header: nothing but what one may hold.
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(token))
    throw new UnreadableAnswer('the token is no text');
  if (!Number.isSafeInteger(ttlS) || (ttlS as number) < 0 || (ttlS as number) > LONGEST_TTL_S)
    throw new UnreadableAnswer('the token has no sound time to live');
  if (typeof renewable !== 'boolean')
    throw new UnreadableAnswer('nobody says whether the token is renewable');
  return { token, ttlMs: (ttlS as number) * 1_000, renewable };
}

/** Vault's own words on what is wrong; empty where it says none. */
export function errorsOf(text: string): string {
  try {
    const { errors } = parseAnswer(text);
    if (!Array.isArray(errors)) return '';
    const words = errors.filter((word): word is string => typeof word === 'string').join('; ');
    return words.replace(/\s+/g, ' ').trim().slice(0, LONGEST_WORDS);
  } catch {
    return '';
  }
}
