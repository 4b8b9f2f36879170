/** What a client may say on a socket, and the venue's answers, refusals included. */
import type { Json } from '../../core/json.ts';

export interface StreamCommand {
  readonly method: 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'LIST_SUBSCRIPTIONS' | 'SET_PROPERTY' | 'GET_PROPERTY';
  readonly params: readonly Json[];
  readonly id: number | string | null;
}

const METHODS = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'] as const;

/** The command, or the text of the refusal. */
export function readCommand(text: string): StreamCommand | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refusal(3, 'Invalid JSON: expected value at line 1 column 1', undefined);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refusal(2, 'Invalid request: request must be an object', undefined);
  const { method, params = [], id = null } = value as Record<string, Json>;
  const known = METHODS.find((name) => name === method);
  if (!known)
    return refusal(
      2,
      `Invalid request: unknown variant \`${String(method).slice(0, 40)}\`, expected one of ${METHODS.map((name) => `\`${name}\``).join(', ')}`,
      id,
    );
  if (id !== null && typeof id !== 'number' && typeof id !== 'string')
    return refusal(2, 'Invalid request: request ID must be an unsigned integer or a string', undefined);
  if (!Array.isArray(params)) return refusal(2, 'Invalid request: params must be an array', id);
  const isSubscription = known === 'SUBSCRIBE' || known === 'UNSUBSCRIBE';
  if (isSubscription && !params.every((name) => typeof name === 'string' && name !== ''))
    return refusal(2, 'Invalid request: stream names must be texts', id);
  if (isSubscription && params.length === 0) return refusal(2, 'Invalid request: params is empty', id);
  return { method: known, params, id };
}

export const result = (value: Json, id: StreamCommand['id']): string => JSON.stringify({ result: value, id });

const refusal = (code: number, msg: string, id: Json | undefined): string =>
  JSON.stringify({ error: { code, msg }, ...(id === undefined || id === null ? {} : { id }) });
