/**
 * `bulkhead restore`: a backup into an empty store, to its end or to a row or moment before it.
 *
 * Invariants: the journal gets a new installation's name, so that no order id comes again; orders that were about to
 * leave at the cut are marked, because the life that is lost may have sent them; all is restored, or nothing.
 */
import { createReadStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { backupsOf } from '../../backup/backup-place.ts';
import { unseal } from '../../backup/seal.ts';
import { BulkheadError } from '../../core/errors.ts';
import { reincarnated } from '../../journal/instances.ts';
import type { JournalStore } from '../../journal/journal.ts';
import { invalid, openArchive } from '../../journal/journal-archive.ts';
import { beforeAnchor, readChain } from '../../journal/journal-beginning.ts';
import type { CreateStore, Io, ReplayTarget, RestoreOptions } from '../cli/io.ts';
import { openPlace, placeOf, sealKeyOf } from '../compose/open-backups.ts';
import { openDataFolder } from '../run/data-folder.ts';
import { RestoredRows } from './restored-rows.ts';
import { RESTORED_KEY } from './restored-run.ts';

interface Source {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export async function restore(options: RestoreOptions, io: Io, createStore: CreateStore): Promise<number> {
  const { config, secrets, to } = options;
  const key = sealKeyOf(secrets);
  const source = await sourceOf(options, io);
  const { header, start, batches } = await openArchive(await unseal(source.bytes, key));
  if (header.after && !start) throw invalid('it does not say what its rows follow');
  // Nobody may begin a run here meanwhile.
  const folder = openDataFolder(config.data.dir, io.cwd);
  const store = await createStore(options, io, 'apply');
  try {
    await store.open();
    const rows = new RestoredRows();
    let instance = '';
    await store.restore({
      ...(start ? { start } : {}),
      batches: rows.upTo(batches, to),
      end: () => {
        const n = rows.last?.n ?? 0;
        if (n === 0) throw start && to ? beforeAnchor('That', start.anchor) : nothingThere(header.head.n);
        const next = reincarnated(header.meta, n);
        instance = next.instance;
        return {
          settledN: rows.settledN,
          meta: { ...next.meta, [RESTORED_KEY]: String(n) },
          // Those that were in force by then: a later one's effects stand in rows that are not restored.
          configVersions: (header.configVersions ?? []).filter((version) => version.n <= n),
        };
      },
    });
    const { n, hash } = await verified(store, rows);
    const { account } = config;
    const of = { n: header.head.n, account: header.account, at: header.createdAt };
    const result = {
      ...{ restored: source.name, n, hash, of, account, instance, at: rows.last?.at ?? 0 },
      ...{ after: start?.anchor.n ?? 0, isPiece: header.isPiece === true },
      endsBefore: n === of.n && to !== undefined && (rows.last ? isBefore(rows.last, to) : false),
    };
    io.stdout.write(options.json ? `${JSON.stringify(result)}\n` : text(result));
  } finally {
    await store.close();
    folder.release();
  }
  return 0;
}

/** A file, a name in the place of the backups, or the newest there. */
async function sourceOf({ config, secrets, backup, place: named }: RestoreOptions, io: Io): Promise<Source> {
  const file = resolve(io.cwd, backup);
  if (existsSync(file)) return { name: file, bytes: createReadStream(file) };
  const place = await openPlace(placeOf(config, secrets, io.cwd, named));
  if (backup !== 'latest') return { name: backup, bytes: await place.read(backup) };
  const [newest] = await backupsOf(place, config.account);
  if (newest) return { name: newest.name, bytes: await place.read(newest.name) };
  throw new BulkheadError('NOT_FOUND', `There is no backup of account ${config.account} in ${place.name}.`, {
    hint: 'Name the place with --place, or the account in the configuration.',
  });
}

/** What now stands in the store, read back. */
async function verified(store: JournalStore, rows: RestoredRows) {
  const chain = await readChain(store);
  if (chain.hash === rows.last?.hash && chain.n === rows.last.n) return chain;
  throw new BulkheadError('STORE_CORRUPT', `The store holds ${chain.n} rows, ${rows.count} were restored.`, {
    hint: 'Restore into another folder or database.',
  });
}

interface Result {
  readonly restored: string;
  readonly n: number;
  readonly at: number;
  readonly of: { readonly n: number };
  readonly account: string;
  readonly instance: string;
  /** The row that its rows follow. */
  readonly after: number;
  readonly isPiece: boolean;
  /** What was asked for lies beyond it. */
  readonly endsBefore: boolean;
}

function text({ restored, n, at, of, account, instance, after, isPiece, endsBefore }: Result): string {
  const which = after === 0 ? `${n} of ${of.n} rows` : `rows ${after + 1} to ${n} of ${of.n}`;
  const next = isPiece
    ? 'These rows were put aside when they were removed: look at them ("bulkhead replay"), and do not trade with them. The journal itself goes on without them.'
    : 'Make sure that no other process trades this account, then start the run: it compares itself with the venue first.';
  return [
    `Account ${account} is restored from ${restored}: ${which}, the last of ${new Date(at).toISOString()}; the hash chain holds.`,
    ...(endsBefore ? ['The backup ends there, before what --to names: a newer one may reach further.'] : []),
    `It is now ${instance}: no order id of before can come again.`,
    next,
    '',
  ].join('\n');
}

const isBefore = (last: { readonly n: number; readonly at: number }, to: ReplayTarget): boolean =>
  'n' in to ? last.n < to.n : last.at < to.at;

const nothingThere = (n: number): BulkheadError =>
  new BulkheadError('NOT_FOUND', 'There is no row up to that one or that moment.', {
    hint: `The backup holds rows 1 to ${n}.`,
  });
