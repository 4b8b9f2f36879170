/**
 * The one stream of what becomes durable. It is read with fetch, since an EventSource can carry no token; after a
 * loss it is taken up where it stopped, and what could not be kept is said by `reset`: then every view is read anew.
 */
import type { Notice, RowLine } from '../../operator/feed.ts';
import type { StatusDocument } from '../../operator/status-document.ts';
import { address, authorization } from './api.ts';
import { ask, later } from './browser.ts';
import { FrameReader } from './event-frames.ts';
import { change } from './store.ts';

const KEPT_NOTICES = 200;
const KEPT_ROWS = 500;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** The server says something at least each 15 s. */
const SILENT_MS = 40_000;

const rise = (name: 'trades' | 'commands' | 'reset') =>
  change(({ version }) => ({ version: { ...version, [name]: version[name] + 1 } }));

const HEARD: Readonly<Record<string, (data: never) => void>> = {
  status: (status: StatusDocument) => change({ status }),
  notice: (notice: Notice) =>
    change(({ notices }) => ({ notices: [notice, ...notices].slice(0, KEPT_NOTICES) })),
  row: (row: RowLine) => change(({ rows }) => ({ rows: [row, ...rows].slice(0, KEPT_ROWS) })),
  trade: () => rise('trades'),
  command: () => rise('commands'),
  reset: () => rise('reset'),
};

let lastId: string | null = null;

/** For as long as the page is open. */
export async function follow(): Promise<never> {
  for (let failures = 0; ; failures++) {
    const heard = await listen().catch(() => false);
    if (heard) failures = 0;
    change({ link: 'lost' });
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 8), LONGEST_PAUSE_MS);
    await new Promise<void>((resolve) => later(pauseMs, resolve));
  }
}

/** Until the stream ends; true when it said anything. */
async function listen(): Promise<boolean> {
  const stop = new AbortController();
  let cancel = later(SILENT_MS, () => stop.abort());
  const headers = { ...authorization(), ...(lastId === null ? {} : { 'Last-Event-ID': lastId }) };
  const response = await ask(address('/api/stream'), { headers, signal: stop.signal });
  if (response.status === 401) change({ askForToken: true });
  if (!response.ok || !response.body) return false;
  change({ link: 'live' });
  const frames = new FrameReader();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      cancel();
      cancel = later(SILENT_MS, () => stop.abort());
      for (const { id, type, data } of frames.push(value)) {
        if (id !== null) lastId = id;
        HEARD[type]?.(JSON.parse(data) as never);
      }
    }
  } finally {
    cancel();
  }
}
