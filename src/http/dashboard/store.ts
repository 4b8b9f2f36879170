/**
 * What the page knows. One store, changed by replacing parts of it; who shows a part is drawn anew when that part
 * changes, at most once a frame.
 */
import type { Notice, RowLine } from '../../operator/feed.ts';
import type { StatusDocument } from '../../operator/status-document.ts';
import { useEffect, useState } from './ui.ts';

export interface Toast {
  readonly id: string;
  readonly text: string;
  readonly bad: boolean;
}

export interface PageState {
  readonly status: StatusDocument | null;
  /** Of the stream that carries what happens. */
  readonly link: 'connecting' | 'live' | 'lost';
  /** Newest first. */
  readonly notices: readonly Notice[];
  readonly rows: readonly RowLine[];
  /** Rises with everything that may have changed a view; `reset` with a stream that could not be resumed. */
  readonly version: { readonly trades: number; readonly commands: number; readonly reset: number };
  readonly hasToken: boolean;
  readonly askForToken: boolean;
  readonly toasts: readonly Toast[];
}

let state: PageState = {
  status: null,
  link: 'connecting',
  notices: [],
  rows: [],
  version: { trades: 0, commands: 0, reset: 0 },
  hasToken: false,
  askForToken: false,
  toasts: [],
};
const listeners = new Set<() => void>();
let isDue = false;

export const current = (): PageState => state;

export function change(next: Partial<PageState> | ((state: PageState) => Partial<PageState>)): void {
  state = { ...state, ...(typeof next === 'function' ? next(state) : next) };
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    for (const listener of listeners) listener();
  });
}

/** Draws the caller anew when what it picks is another. */
export function usePart<T>(pick: (state: PageState) => T): T {
  const [part, setPart] = useState(() => pick(state));
  useEffect(() => {
    const look = () => setPart(() => pick(state));
    listeners.add(look);
    look();
    return () => {
      listeners.delete(look);
    };
  }, []);
  return part;
}
