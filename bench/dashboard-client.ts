/**
 * A browser that has the overview open, and a Prometheus beside it, as a server meets them: the stream, each view as often
 * as the page reads it (again after each trade), a scrape every 15 seconds; all of it so many times faster.
 */
import { FrameReader } from '../src/http/dashboard/event-frames.ts';

/** What the overview reads, and how often; the page waits for an answer first, so this is the most it asks. */
const VIEWS: readonly (readonly [path: string, everyMs: number])[] = [
  ['equity', 15_000],
  ['profit?by=total', 15_000],
  ['risk', 5_000],
  ['decisions', 5_000],
];
const SCRAPE_EVERY_MS = 15_000;
const TURN_MS = 4;

export class DashboardClient {
  statuses = 0;
  answers = 0;
  scrapes = 0;
  readonly #url: string;
  readonly #speed: number;
  readonly #abort = new AbortController();
  readonly #begun = performance.now();
  readonly #asked = new Map<string, number>();
  readonly #turning: NodeJS.Timeout;

  constructor(url: string, speed: number) {
    this.#url = url;
    this.#speed = speed;
    this.#turning = setInterval(() => this.#turn(), TURN_MS);
    void this.#follow();
  }

  close(): void {
    clearInterval(this.#turning);
    this.#abort.abort();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const response = await fetch(`${this.#url}/api/stream`, { signal });
      const frames = new FrameReader();
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? [])
        for (const { type } of frames.push(decoder.decode(chunk as Uint8Array, { stream: true }))) {
          if (type === 'status') this.statuses += 1;
          if (type === 'trade') for (const [path] of VIEWS) void this.#read(path);
        }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** What became due since the last turn. */
  #turn(): void {
    const elapsedMs = (performance.now() - this.#begun) * this.#speed;
    const due = (what: string, everyMs: number, act: () => void): void => {
      const wanted = Math.floor(elapsedMs / everyMs);
      for (let i = this.#asked.get(what) ?? 0; i < wanted; i++) act();
      this.#asked.set(what, wanted);
    };
    for (const [path, everyMs] of VIEWS) due(path, everyMs, () => void this.#read(path));
    due('metrics', SCRAPE_EVERY_MS, () => void this.#scrape());
  }

  async #read(path: string): Promise<void> {
    if (await this.#get(`/api/${path}`)) this.answers += 1;
  }

  async #scrape(): Promise<void> {
    if (await this.#get('/metrics')) this.scrapes += 1;
  }

  async #get(path: string): Promise<boolean> {
    const { signal } = this.#abort;
    try {
      const response = await fetch(this.#url + path, { signal });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return true;
    } catch (error) {
      if (!signal.aborted) throw error;
      return false;
    }
  }
}
