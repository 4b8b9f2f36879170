/**
 * Writes journal rows until it is killed, and prints the n of each row once it is durable.
 *
 *     journal-writer-child.ts pglite <dir>  |  journal-writer-child.ts postgres <url>
 */
import { writeSync } from 'node:fs';
import { systemTime } from '../../src/core/clock.ts';
import type { JournalStore } from '../../src/journal/journal.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { pgliteStore } from '../../src/journal/pglite-journal.ts';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { draft } from './journal-rows.ts';

const ACTORS = 8;
const [engine, place = ''] = process.argv.slice(2);
const store: JournalStore =
  engine === 'pglite'
    ? pgliteStore({ dir: place, account: 'child', checkpointMs: 200 })
    : postgresStore({ url: place, account: 'child', allowNonDurable: true });
await store.open();
const lease = await store.acquireLease('child', 60_000);
const writer = new JournalWriter(store, lease, await store.head(), { time: systemTime() });
const lastSeqs = new Map((await store.liveRows()).map((row) => [row.actor, row.seq]));

function next(actor: string, seq: number): void {
  writer.append(draft(actor, seq), (row) => {
    writeSync(1, `${row.n}\n`);
    next(actor, seq + 1);
  });
}

for (let index = 0; index < ACTORS; index++) {
  const actor = `actor/${index}`;
  next(actor, (lastSeqs.get(actor) ?? 0) + 1);
}
