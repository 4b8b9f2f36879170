/**
 * Writes journal rows and removes old ones until it is killed: by somebody else, or by itself right before or after its
 * k-th batch. Prints the n of each row once it is durable, and "cut N" after each batch.
 *
 *     compaction-child.ts pglite <dir> | postgres <url>  [k before|after]
 */
import { writeSync } from 'node:fs';
import { compact } from '../../src/app/store/compaction.ts';
import { systemTime } from '../../src/core/clock.ts';
import type { JournalStore } from '../../src/journal/journal.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { pgliteStore } from '../../src/journal/pglite-journal.ts';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { draft } from './journal-rows.ts';

const [engine, place = '', crashAt, when] = process.argv.slice(2);
const time = systemTime();
const store: JournalStore =
  engine === 'pglite'
    ? pgliteStore({ dir: place, account: 'child', checkpointMs: 200 })
    : postgresStore({ url: place, account: 'child', allowNonDurable: true });
await store.open();
const lease = await store.acquireLease('child', 60_000);
const head = await store.head();
const writer = new JournalWriter(store, lease, head, { time, initialSettledN: head.n });
const seqs = new Map((await store.liveRows()).map((row) => [row.actor, row.seq]));
/** Runtime's time: one second a row, so that "older than" is a number of rows. */
let at = head.n * 1_000;
let life = head.n;

/** Eight actors that stay, one an engine; and lives that begin and end. */
function next(actor: string): void {
  const seq = (seqs.get(actor) ?? 0) + 1;
  seqs.set(actor, seq);
  at += 1_000;
  const isPosition = actor.startsWith('position/');
  const final = isPosition && seq === 3;
  const row = draft(actor, seq, {
    ...{ at, final, cause: JSON.stringify({ kind: 'input', phase: 'market', at }) },
    snapshot: actor === 'venue' && seq % 9 !== 1 ? null : JSON.stringify({ value: `${actor} ${seq}` }),
  });
  if (final) life += 1;
  writer.append(row, ({ n }) => {
    writer.setSettled(n);
    writeSync(1, `${n}\n`);
    next(final ? `position/X/BOTH/${life}` : actor);
  });
}

const position = [...seqs.keys()].find((actor) => actor.startsWith('position/')) ?? `position/X/BOTH/${life}`;
for (const actor of ['venue', 'a', 'b', 'c', position]) next(actor);

let batches = 0;
const watched: JournalStore = new Proxy(store, {
  get(target, name) {
    if (name !== 'cut') {
      const member = Reflect.get(target, name) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    }
    return async (cut: Parameters<JournalStore['cut']>[0]) => {
      batches += 1;
      const isHere = String(batches) === crashAt;
      if (isHere && when === 'before') process.kill(process.pid, 'SIGKILL');
      const done = await target.cut(cut);
      if (isHere && when === 'after') process.kill(process.pid, 'SIGKILL');
      writeSync(1, `cut ${cut.to.n}\n`);
      return done;
    };
  },
});
for (;;) {
  await compact({ store: watched, account: 'child', keepMs: 50_000, time, beside: 'trading', batchRows: 20 });
  await new Promise((resolve) => setTimeout(resolve, 5));
}
