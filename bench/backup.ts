/**
 * What a backup costs the appends beside it: the time from an append to its commit on the embedded store, first alone,
 * then while a backup reads, seals, stores and is verified by restoring. One JSON line.
 */
import path from 'node:path';
import { takeBackup } from '../src/app/store/backup-job.ts';
import { newIdentity } from '../src/backup/seal.ts';
import { systemTime } from '../src/core/clock.ts';
import { pgliteStore } from '../src/journal/pglite-journal.ts';
import { EMPTY_HEAD, sealRows } from '../src/journal/row-hash.ts';
import { draft, drafts } from '../tests/support/journal-rows.ts';
import { makeTempDir, removeTempDir } from '../tests/support/temp.ts';
import { appender, figures } from './append-latency.ts';

const ROWS = 20_000;
const ALONE_MS = 10_000;

const dir = makeTempDir('bench-backup');
const store = pgliteStore({ dir: path.join(dir, 'journal'), account: 'main' });
await store.open();
const filling = sealRows(EMPTY_HEAD, 1, drafts('filler', ROWS));
await store.restore({
  batches: (async function* () {
    for (let at = 0; at < ROWS; at += 1_000) yield filling.slice(at, at + 1_000);
  })(),
  end: () => ({ settledN: ROWS, meta: {} }),
});
const lease = await store.acquireLease('bench', 600_000);
const appendUntil = await appender(store, lease, ROWS, (seq) => draft('bench', seq));

const until = performance.now() + ALONE_MS;
const alone = await appendUntil(() => performance.now() > until);
let report: Awaited<ReturnType<typeof takeBackup>> | undefined;
const began = performance.now();
const taken = takeBackup({
  ...{ store, account: 'main', keep: 1, verify: true, time: systemTime(), beside: 'trading' },
  place: { kind: 'folder', folder: path.join(dir, 'place') },
  key: { kind: 'identity', text: (await newIdentity()).identity },
}).then((result) => {
  report = result;
});
const beside = await appendUntil(() => report !== undefined);
await taken;
const backupSeconds = Math.round((performance.now() - began) / 100) / 10;
await store.close();
removeTempDir(dir);
const { rows, bytes, verified } = report ?? {};
console.log(
  JSON.stringify({
    bench: 'backup',
    rows,
    bytes,
    verified,
    backupSeconds,
    alone: figures(alone),
    beside: figures(beside),
  }),
);
