/** Asking the runtime, and telling it. Every answer that is not good becomes an error with words for people. */
import type { Command } from '../../domain/command.ts';
import type { OperatorAnswer } from '../../operator/operator.ts';
import { ask, freshId, habits, memory, now } from './browser.ts';
import { change } from './store.ts';

const TOKEN = 'bulkhead-token';
const NAME = 'bulkhead-name';
/** Of who gave none. */
const NAMELESS = 'dashboard';

/** Beside whatever is done from this browser. */
export const setName = (name: string): void => habits.set(NAME, name);
export const nameGiven = (): string => habits.get(NAME) ?? '';

export const setToken = (token: string | null): void => {
  memory.set(TOKEN, token);
  change({ hasToken: token !== null });
};

export const authorization = (): Record<string, string> => {
  const token = memory.get(TOKEN);
  return token === null ? {} : { Authorization: `Bearer ${token}` };
};

export class Refused extends Error {
  readonly status: number;
  readonly hint: string;
  constructor(status: number, message: string, hint = '') {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined | null>>;

export function address(path: string, query: Query = {}): string {
  const words = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  );
  const text = new URLSearchParams(words.map(([key, value]) => [key, String(value)])).toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Where nobody answers; what the browser calls it is no word for people. */
const asked = (path: string): Promise<Response> =>
  ask(path, { headers: authorization() }).catch(() => {
    throw new Refused(0, 'The runtime does not answer; it is asked again.');
  });

export async function read<T>(view: string, query: Query = {}): Promise<T> {
  const response = await asked(address(`/api/${view}`, query));
  const body = (await response.json().catch(() => ({}))) as {
    data?: T;
    error?: { message?: string; hint?: string };
  };
  if (response.status === 401) change({ askForToken: true });
  if (!response.ok || !('data' in body))
    throw new Refused(response.status, body.error?.message ?? `HTTP ${response.status}`, body.error?.hint);
  return body.data as T;
}

export async function text(path: string): Promise<string> {
  const response = await asked(path);
  if (!response.ok) throw new Refused(response.status, `${path}: HTTP ${response.status}`);
  return response.text();
}

/** A click has one id, kept while it is confirmed or tried again, so it can do its work only once. */
export const newCommandId = (): string => `page:${freshId()}`;

export async function tell(id: string, command: Command, confirmed: boolean): Promise<OperatorAnswer> {
  const response = await ask('/api/commands', {
    method: 'POST',
    headers: { ...authorization(), 'Content-Type': 'application/json' },
    body: JSON.stringify({ id, command, confirmed, issuedAt: now(), by: nameGiven() || NAMELESS }),
  });
  const body = (await response.json().catch(() => ({}))) as {
    data?: OperatorAnswer;
    error?: { message?: string; hint?: string };
  };
  if (response.status === 401) {
    setToken(null);
    change({ askForToken: true });
  }
  if (!response.ok || !body.data)
    throw new Refused(response.status, body.error?.message ?? `HTTP ${response.status}`, body.error?.hint);
  return body.data;
}
