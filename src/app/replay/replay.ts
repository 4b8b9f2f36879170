/**
 * `bulkhead replay`, plain: verifies the journal's hash chain and rebuilds every actor from its events, up to a row or
 * a moment. With --verify each rebuilt snapshot must equal the journaled one byte for byte. What else can be done with
 * the past is in replay/.
 */

import { type Mismatch, Replay } from '../../../supervisors/replay.ts';
import { BulkheadError } from '../../core/errors.ts';
import { stateText } from '../../core/state-text.ts';
import type { JournalAnchor } from '../../journal/cut-types.ts';
import { instanceAt, readInstances } from '../../journal/instances.ts';
import type { JournalHead } from '../../journal/journal.ts';
import { readBeginning } from '../../journal/journal-beginning.ts';
import { verifyChain } from '../../journal/row-hash.ts';
import type { Io, ReplayOptions } from '../cli/io.ts';
import { ProgressBar } from '../cli/render-progress.ts';
import { columns } from '../cli/render-text.ts';
import { createStore, noRun } from '../compose/open-store.ts';
import { openVenue } from '../compose/open-venue.ts';
import { openToLook } from '../results/look.ts';
import { readIdentity } from '../run/run-identity.ts';
import { applyPlan, type Past, registryOf, replayPast, rowOf } from './past.ts';

const PAGE_ROWS = 1_000;
const MISMATCHES_SHOWN = 20;

interface Outcome {
  readonly anchor: JournalAnchor;
  readonly replay: Replay;
  readonly mismatches: readonly Mismatch[];
  readonly last: { readonly n: number; readonly at: number; readonly hash: string } | undefined;
}

export async function replay(options: ReplayOptions, io: Io): Promise<number> {
  const store = await createStore(options, io, 'existing');
  const opened = async (): Promise<typeof store> => {
    await openToLook(store, options, io);
    return store;
  };
  try {
    if (options.apply !== undefined) return await applyPlan(opened, options, io, options.apply);
    await opened();
    const identity = await readIdentity(store);
    if (!identity) throw noRun(options.config.data.dir);
    const past = { store, identity, options, io, venue: openVenue };
    const answer = await replayPast(past);
    if (answer !== undefined) return answer;
    const to = options.to === undefined ? (await store.head()).n : await rowOf(past, options.to);
    const outcome = await replayRows(past, to);
    report(outcome, options, io);
    if (outcome.mismatches.length === 0 || options.machines) return 0;
  } finally {
    await store.close();
  }
  throw new BulkheadError('STORE_CORRUPT', 'The journal and its replay differ.', {
    hint: 'A machine changed without a new version, or the journal was altered. Run the version that wrote it.',
  });
}

async function replayRows({ store, identity, options, io }: Past, to: number): Promise<Outcome> {
  const instances = await readInstances(store);
  const carry = options.machines;
  const machines = new Replay(registryOf(identity), (n) => instanceAt(instances, n), { carry });
  const mismatches: Mismatch[] = [];
  const bar = progressBar(options, io);
  const { anchor, rows: carried } = await readBeginning(store);
  machines.seed(carried);
  let chain: JournalHead = anchor;
  let last: Outcome['last'];
  while (chain.n < to) {
    const page = await store.rowsAfter(chain.n, Math.min(PAGE_ROWS, to - chain.n));
    if (page.length === 0) break;
    chain = verifyChain(page, chain);
    for (const row of page) {
      last = row;
      const differing = machines.take(row);
      if ((options.verify || carry) && mismatches.length < MISMATCHES_SHOWN) mismatches.push(...differing);
    }
    bar.update({ done: chain.n, total: to });
  }
  bar.end();
  return { anchor, replay: machines, mismatches, last };
}

function report(
  { anchor, replay: machines, mismatches, last }: Outcome,
  options: ReplayOptions,
  io: Io,
): void {
  const actors = [...machines.rows.values()].map((row) => ({
    actor: row.actor,
    seq: row.seq,
    n: row.n,
    final: row.final,
    state: stateOf(row.snapshot),
  }));
  if (options.json) {
    const { n = 0, at = null, hash = null } = last ?? {};
    const begins = anchor.n === 0 ? null : anchor;
    io.stdout.write(
      `${JSON.stringify({ n, at, hash, begins, rows: machines.rowCount, foreignRows: machines.foreignRows, verified: options.verify, mismatches, actors })}\n`,
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
  const agrees = mismatches.length === 0 ? 'every snapshot agrees byte for byte' : 'they differ';
  const verdict = options.verify || options.machines ? `; ${agrees}` : '';
  const { foreignRows } = machines;
  const how = options.machines ? 'were run by the present ones' : 'are taken as they stand';
  const given = foreignRows > 0 ? `; ${foreignRows} rows of other machine versions ${how}` : '';
  io.stdout.write(`${upTo}: the hash chain holds${verdict}${given}.\n${beginningText(anchor)}`);
}

/** What was cut, and what stands for it. */
function beginningText({ n, at, cutAt, removed, carried, seal }: JournalAnchor): string {
  if (n === 0) return '';
  const [of, by] = [new Date(at).toISOString(), new Date(cutAt).toISOString()];
  return `It begins after row ${n} (${of}): ${removed} rows up to there are removed, by ${by} the last of them; the ${carried} carried over it match their hashes and the seal ${seal.slice(0, 16)}.\n`;
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
