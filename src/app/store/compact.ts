/**
 * `bulkhead compact`: removes a journal's oldest rows, beside a run or without one. With an embedded store a run that
 * has it open does it.
 */
import { isBulkheadError } from '../../core/errors.ts';
import type { JournalStore } from '../../journal/journal.ts';
import type { CompactOptions, CreateStore, Io } from '../cli/io.ts';
import { moment } from '../cli/render-text.ts';
import { archiveTo } from '../compose/open-backups.ts';
import { askDesk } from '../requests/ask-desk.ts';
import { type CompactionReport, compact } from './compaction.ts';

export async function compactCommand(
  options: CompactOptions,
  io: Io,
  createStore: CreateStore,
): Promise<number> {
  const store = await createStore(options, io, 'existing');
  let report: CompactionReport;
  try {
    report = await done(options, io, store);
  } finally {
    await store.close();
  }
  io.stdout.write(options.json ? `${JSON.stringify(report)}\n` : text(report, options));
  return 0;
}

async function done(options: CompactOptions, io: Io, store: JournalStore): Promise<CompactionReport> {
  const { config, secrets, keepMs, dryRun } = options;
  const { archive } = config.retention;
  try {
    await store.open();
  } catch (error) {
    if (!isBulkheadError(error, 'STORE_LOCKED')) throw error;
    return askDesk(config, io, { compact: { keepMs, archive, dryRun } }, error);
  }
  // On PostgreSQL somebody may trade beside it.
  const beside = config.store.engine === 'postgres' ? 'trading' : 'nothing';
  return compact({
    ...{ store, account: config.account, keepMs, dryRun, time: io.time, beside },
    ...(archive ? { archive: archiveTo(config, secrets, io.cwd) } : {}),
  });
}

function text(report: CompactionReport, { dryRun }: CompactOptions): string {
  const { removed, anchorN, anchorAt, carried, archived, targetN } = report;
  if (dryRun)
    return targetN > anchorN
      ? `Rows ${anchorN + 1} to about ${targetN} would go, but for what living actors need and statistics keep.\n`
      : 'Nothing would go: no row is old enough, or the younger ones still need them.\n';
  const kept = archived === null ? '' : ` They are kept in ${archived}.`;
  if (removed === 0)
    return 'Nothing was removed: no row is old enough, or the younger ones still need them.\n';
  return `${removed} rows are removed; the journal begins after row ${anchorN} (${moment(anchorAt)}), with ${carried} rows carried over it.${kept}\n`;
}
