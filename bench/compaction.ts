/**
 * What the removal of old rows costs the appends beside it: the time from an append to its commit on the embedded store,
 * first alone, then while all but the newest rows are removed batch by batch. One JSON line. With a PostgreSQL URL as the
 * argument the same there.
 */
import path from 'node:path';
import { type CompactionReport, compact } from '../src/app/store/compaction.ts';
import { systemTime } from '../src/core/clock.ts';
import { pgliteStore } from '../src/journal/pglite-journal.ts';
import { postgresStore } from '../src/journal/postgres-journal.ts';
import { EMPTY_HEAD, sealRows } from '../src/journal/row-hash.ts';
import { draft } from '../tests/support/journal-rows.ts';
import { makeTempDir, removeTempDir } from '../tests/support/temp.ts';
import { appender, figures } from './append-latency.ts';

const ROWS = 20_000;
const ACTORS = 200;
const ALONE_MS = 10_000;
/** About what a position's row holds. */
const SNAPSHOT = JSON.stringify({ value: 'open', context: { note: 'x'.repeat(3_000) } });

const [, , url] = process.argv;
const dir = makeTempDir('bench-compaction');
const store =
  url === undefined
    ? pgliteStore({ dir: path.join(dir, 'journal'), account: 'bench' })
    : postgresStore({ url, account: `bench-${Date.now()}`, allowNonDurable: true });
await store.open();
const filling = sealRows(
  EMPTY_HEAD,
  1,
  Array.from({ length: ROWS }, (_, i) =>
    draft(`scanner/${i % ACTORS}`, Math.floor(i / ACTORS) + 1, {
      ...{ at: i * 1_000, snapshot: SNAPSHOT },
      cause: JSON.stringify({ kind: 'input', phase: 'market', at: i }),
    }),
  ),
);
await store.restore({
  batches: (async function* () {
    for (let at = 0; at < ROWS; at += 1_000) yield filling.slice(at, at + 1_000);
  })(),
  end: () => ({ settledN: ROWS, meta: {} }),
});
const lease = await store.acquireLease('bench', 600_000);
const appendUntil = await appender(store, lease, ROWS, (seq) =>
  draft('bench', seq, {
    ...{ at: ROWS * 1_000, snapshot: SNAPSHOT },
    cause: JSON.stringify({ kind: 'input', phase: 'market', at: ROWS + seq }),
  }),
);

const until = performance.now() + ALONE_MS;
const alone = await appendUntil(() => performance.now() > until);
const before = await store.size();
let report: CompactionReport | undefined;
const began = performance.now();
const done = compact({
  store,
  account: 'bench',
  keepMs: 1_000_000,
  time: systemTime(),
  beside: 'trading',
}).then((result) => {
  report = result;
});
const beside = await appendUntil(() => report !== undefined);
await done;
const seconds = Math.round((performance.now() - began) / 100) / 10;
const after = await store.size();
await store.close();
removeTempDir(dir);
const { removed, batches, carried } = report ?? {};
console.log(
  JSON.stringify({
    ...{ bench: 'compaction', store: url === undefined ? 'embedded' : 'postgres', removed, batches, carried },
    ...{ seconds, bytesBefore: before.bytes, bytesAfter: after.bytes },
    ...{ alone: figures(alone), beside: figures(beside) },
  }),
);
