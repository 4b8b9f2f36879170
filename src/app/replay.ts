/**
 * `bulkhead replay`: verifies the journal's hash chain and rebuilds every actor from its events, up to a row or
 * a moment. With --verify each rebuilt snapshot must equal the journaled one byte for byte.
 */

import type { MachineRegistry } from '../../supervisors/machine-registry.ts';
import { type Mismatch, Replay } from '../../supervisors/replay.ts';
import { BulkheadError } from '../core/errors.ts';
import { stateText } from '../core/state-text.ts';
import { instanceAt, readInstances } from '../journal/instances.ts';
import type { JournalStore } from '../journal/journal.ts';
import { EMPTY_HEAD, verifyChain } from '../journal/row-hash.ts';
import { machineRegistry } from './compose.ts';
import { remoteRegistry } from './compose-live.ts';
import type { Io, ReplayOptions, ReplayTarget } from './io.ts';
import { createStore } from './open-store.ts';
import { ProgressBar } from './render-progress.ts';
import { columns } from './render-text.ts';
import { type RunIdentity, readIdentity } from './run-identity.ts';

const PAGE_ROWS = 1_000;
const MISMATCHES_SHOWN = 20;

interface Outcome {
  readonly replay: Replay;
  readonly mismatches: readonly Mismatch[];
  readonly last: { readonly n: number; readonly at: number; readonly hash: string } | undefined;
}

export async function replay(options: ReplayOptions, io: Io): Promise<number> {
  const store = await createStore(options, io, 'require');
  try {
    await store.open();
    const outcome = await replayRows(store, options, io);
    report(outcome, options, io);
    if (outcome.mismatches.length === 0) return 0;
  } finally {
    await store.close();
  }
  throw new BulkheadError('STORE_CORRUPT', 'The journal and its replay differ.', {
    hint: 'A machine changed without a new version, or the journal was altered. Run the version that wrote it.',
  });
}

async function replayRows(store: JournalStore, options: ReplayOptions, io: Io): Promise<Outcome> {
  const identity = await readIdentity(store);
  if (!identity) throw emptyJournal(options.config.data.dir);
  const registry = registryOf(identity);
  const instances = await readInstances(store);
  const machines = new Replay(registry, (n) => instanceAt(instances, n));
  const mismatches: Mismatch[] = [];
  const head = await store.head();
  const bar = progressBar(options, io);
  let chain = EMPTY_HEAD;
  let last: Outcome['last'];
  for (let isOver = false; !isOver; ) {
    const page = await store.rowsAfter(chain.n, PAGE_ROWS);
    const wanted = page.filter((row) => isWanted(row, options.to));
    isOver = wanted.length < page.length || page.length === 0;
    chain = verifyChain(wanted, chain);
    for (const row of wanted) {
      last = row;
      const differing = machines.take(row);
      if (options.verify && mismatches.length < MISMATCHES_SHOWN) mismatches.push(...differing);
    }
    bar.update({ done: chain.n, total: head.n });
  }
  bar.end();
  return { replay: machines, mismatches, last };
}

/** The machines as the journal was begun with them, whichever venue it trades on. */
function registryOf(identity: RunIdentity): MachineRegistry {
  const { venue } = identity;
  if (venue) return remoteRegistry({ ...identity, venue }).registry;
  return machineRegistry(identity, identity.instruments).registry;
}

function isWanted(row: { readonly n: number; readonly at: number }, to: ReplayTarget | undefined): boolean {
  if (to === undefined) return true;
  return 'n' in to ? row.n <= to.n : row.at <= to.at;
}

function report({ replay: machines, mismatches, last }: Outcome, options: ReplayOptions, io: Io): void {
  const actors = [...machines.rows.values()].map((row) => ({
    actor: row.actor,
    seq: row.seq,
    n: row.n,
    final: row.final,
    state: stateOf(row.snapshot),
  }));
  if (options.json) {
    const { n = 0, at = null, hash = null } = last ?? {};
    io.stdout.write(
      `${JSON.stringify({ n, at, hash, rows: machines.rowCount, foreignRows: machines.foreignRows, verified: options.verify, mismatches, actors })}\n`,
    );
    return;
  }
  const alive = actors.filter(({ final }) => !final);
  const rows = alive.map(({ actor, state, seq, n }) => [actor, state, String(seq), String(n)]);
  const table = columns(['actor', 'state', 'seq', 'row'], rows, new Set([2, 3]));
  io.stdout.write(`${table.join('\n')}\n\n`);
  for (const { n, actor, what, detail } of mismatches)
    io.stdout.write(`row ${n} ${actor}: ${what} differs: ${detail}\n`);
  const upTo =
    last === undefined
      ? 'The journal is empty'
      : `${machines.rowCount} rows, the last of ${new Date(last.at).toISOString()}, hash ${last.hash.slice(0, 16)}`;
  const verdict = options.verify
    ? `; ${mismatches.length === 0 ? 'every snapshot agrees byte for byte' : 'they differ'}`
    : '';
  const { foreignRows } = machines;
  const given =
    foreignRows > 0 ? `; ${foreignRows} rows of other machine versions are taken as they stand` : '';
  io.stdout.write(`${upTo}: the hash chain holds${verdict}${given}.\n`);
}

function stateOf(snapshot: string | null): string {
  if (snapshot === null) return 'engine';
  const { value } = JSON.parse(snapshot) as { value?: unknown };
  return value === undefined ? 'engine' : stateText(value);
}

const progressBar = ({ json, quiet }: ReplayOptions, io: Io): ProgressBar =>
  new ProgressBar({
    label: 'replay',
    output: io.stderr,
    enabled: io.stderrIsTty && !json && !quiet,
    columns: io.columns,
    monotonic: io.time.monotonic,
  });

const emptyJournal = (dir: string): BulkheadError =>
  new BulkheadError('NOT_FOUND', `There is no run in ${dir} yet.`, {
    hint: 'Start one with "bulkhead run", or name another folder with --data-dir.',
  });
