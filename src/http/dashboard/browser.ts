/** The browser's own clock, network and memory: the one place of the page that knows them. */

export const now = (): number => Date.now(); // ambient-ok: a page lives in its reader's time

/** Of this origin only; no cookies, so that a foreign page can borrow nothing. */
export const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(path, { cache: 'no-store', credentials: 'omit', ...init }); // ambient-ok: the page's only network

export const later = (afterMs: number, act: () => void): (() => void) => {
  const timer = setTimeout(act, afterMs); // ambient-ok: waits of a page
  return () => clearTimeout(timer);
};

export const freshId = (): string => crypto.randomUUID(); // ambient-ok: names a click of a person

/** Of this tab, until it is closed. */
export const memory = {
  get: (key: string): string | null => sessionStorage.getItem(key),
  set: (key: string, value: string | null): void =>
    value === null ? sessionStorage.removeItem(key) : sessionStorage.setItem(key, value),
};

/** Of this browser. */
export const habits = {
  get: (key: string): string | null => localStorage.getItem(key),
  set: (key: string, value: string): void => localStorage.setItem(key, value),
};
