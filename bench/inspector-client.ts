/** The page of bench/inspector.ts, in a process of its own: follows every actor until it is told that it is over. */
import { FrameReader } from '../src/http/dashboard/event-frames.ts';
import type { RowLine } from '../src/operator/feed.ts';

export interface Followed {
  /** Of the live stream. */
  readonly rows: number;
  readonly answers: number;
}

const FRAME_MS = 16;
const [url = '', pace = '0'] = process.argv.slice(2);

/** The newest row of each actor that was not asked about yet. */
const fresh = new Map<string, { n: number; seq: number; before: number }>();
const last = new Map<string, number>();
let rows = 0;
let answers = 0;

async function listen(): Promise<void> {
  const response = await fetch(`${url}/api/stream`);
  const frames = new FrameReader();
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? [])
    for (const { type, data } of frames.push(decoder.decode(chunk as Uint8Array, { stream: true }))) {
      if (type === 'hello') process.send?.('ready');
      if (type !== 'row') continue;
      rows += 1;
      const { actor, n, seq } = JSON.parse(data) as RowLine;
      fresh.set(actor, { n, seq, before: last.get(actor) ?? n });
      last.set(actor, n);
    }
}

async function ask(path: string): Promise<void> {
  const response = await fetch(`${url}/api/${path}`);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  answers += 1;
}

/** The stream is one request; a page draws at most once a frame. */
async function look(): Promise<never> {
  const begun = performance.now();
  for (let asked = 1; ; ) {
    await new Promise((resolve) => setTimeout(resolve, FRAME_MS));
    const allowed = Number(pace) * ((performance.now() - begun) / 60_000);
    for (const [actor, { n, seq, before }] of fresh) {
      if (asked + 3 > allowed) break;
      asked += 3;
      fresh.delete(actor);
      const of = `actor=${encodeURIComponent(actor)}`;
      await Promise.all([
        ask(`actor/rows?${of}&afterSeq=${Math.max(0, seq - 1)}&limit=500`),
        ask(`actor/at?${of}&n=${n}`),
        ask(`actor/at?${of}&n=${before}`),
      ]);
    }
  }
}

process.on('disconnect', () => process.exit());

/** What is still on its way is read first. */
process.once('message', async (made) => {
  const asked = answers;
  for (let i = 0; i < 100 && rows < Number(made); i++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const said: Followed = { rows, answers: asked };
  process.send?.(said, () => process.exit(0));
});
await Promise.all([listen().catch(() => undefined), look()]);
