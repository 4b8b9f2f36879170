/** Takes secrets out of whatever is about to be shown: logs, errors, statuses. Pure; never throws on plain data. */

const STARS = '***';
const SECRET_NAME = /pass(word|wd)?$|secret|token|api_?key|credential|private_?key|authorization|cookie/i;
const URL_CREDENTIALS = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi;
const MAX_DEPTH = 8;
/** Shorter values would star out innocent text. */
export const SHORTEST_SECRET = 4;

/** A copy without secrets, of plain values only; errors become their name, message, code and stack. */
export function redact(value: unknown, secrets: readonly string[], depth = 0): unknown {
  if (typeof value === 'string') return redactText(value, secrets);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, secrets, depth + 1));
  const source = value instanceof Error ? errorFields(value) : value;
  return Object.fromEntries(
    Object.entries(source).map(([name, field]) => [
      name,
      SECRET_NAME.test(name) && field !== undefined ? STARS : redact(field, secrets, depth + 1),
    ]),
  );
}

export function redactText(text: string, secrets: readonly string[] = []): string {
  const starred = secrets.reduce((result, secret) => result.replaceAll(secret, STARS), text);
  return starred.replace(URL_CREDENTIALS, `$1${STARS}@`);
}

function errorFields(error: Error): object {
  const { name, message, stack, cause } = error;
  return { ...error, name, message, stack, ...(cause === undefined ? {} : { cause }) };
}

/** A value as it may be shown under its name. */
export const mask = (name: string, text: string): string =>
  SECRET_NAME.test(name) ? STARS : redactText(text);
