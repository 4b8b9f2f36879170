/**
 * What a running account's store needs now and then, by the clock or because a person asks from another process (which
 * cannot open an embedded store that this one has open): backups, and the removal of old rows.
 *
 * Invariants: one of them at a time, so neither pulls rows away from under the other; what fails costs the run nothing
 * but a line in its log, and is tried again; what a person asked for is answered in a file of its own.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backupsOf } from '../../backup/backup-place.ts';
import type { Config } from '../../config/schema.ts';
import type { TimerHandle } from '../../core/clock.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';
import type { RunOptions } from '../cli/io.ts';
import type { BackupReport } from '../compose/open-backup-thread.ts';
import { archiveTo, openPlace, type PlaceSpec, placeOf, sealKeyOf } from '../compose/open-backups.ts';
import type { Session } from '../run/run-session.ts';
import { takeBackup } from './backup-job.ts';
import { type CompactionReport, compact } from './compaction.ts';

const FOLDER = 'backups-wanted';
const WANTED = '.wanted.json';
const ANSWER = '.answer.json';
const LOOK_EVERY_MS = 500;
const TRY_AGAIN_MS = 600_000;
/** A start has other things to do at first. */
const FIRST_COMPACTION_MS = 60_000;

export interface BackupWish {
  /** Absolute, or s3://…; absent: as configured. */
  readonly place?: string;
  readonly verify: boolean;
}

/** Old rows are to go, those too that are younger than configured. */
export interface CompactionWish {
  readonly compact: { readonly keepMs: number; readonly archive: boolean; readonly dryRun: boolean };
}

export type DeskAnswer<Report> =
  | { readonly report: Report }
  | {
      readonly error: {
        readonly code: BulkheadError['code'];
        readonly message: string;
        readonly hint?: string;
      };
    };

/** Leaves the wish for the run that has the folder open; the id names its answer. */
export function leaveWish(dataDir: string, wish: BackupWish | CompactionWish): string {
  const id = freshId('wish');
  mkdirSync(join(dataDir, FOLDER), { recursive: true });
  writeWhole(join(dataDir, FOLDER, id + WANTED), wish);
  return id;
}

/** Undefined: not yet. It is taken away with the reading. */
export function deskAnswer<Report>(dataDir: string, id: string): DeskAnswer<Report> | undefined {
  const file = join(dataDir, FOLDER, id + ANSWER);
  try {
    const answer = JSON.parse(readFileSync(file, 'utf8')) as DeskAnswer<Report>;
    rmSync(file, { force: true });
    return answer;
  } catch {
    return undefined;
  }
}

/** Throws CONFIG_INVALID when a schedule lacks its place or its key. */
export function checkSchedule(
  { config, secrets }: Pick<RunOptions, 'config' | 'secrets'>,
  cwd: string,
): void {
  if (config.backup.everyMs === 0 && !(config.retention.keepMs > 0 && config.retention.archive)) return;
  placeOf(config, secrets, cwd, undefined);
  sealKeyOf(secrets);
}

export class BackupDesk {
  readonly #session: Session;
  readonly #folder: string;
  readonly #abort = new AbortController();
  #timer: TimerHandle | undefined;
  #working = false;
  /** Real time, epoch ms; undefined: no schedule. */
  #dueAt: number | undefined;
  /** The same, of the removal of old rows. */
  #compactAt: number | undefined;
  /** How often and where, in one word; and of the removal how often and up to which age. */
  #known = '';
  #knownRetention = '';

  /** Throws CONFIG_INVALID when a schedule lacks its place or its key. */
  constructor(session: Session) {
    this.#session = session;
    this.#folder = join(session.folder.path, FOLDER);
    checkSchedule(session.options, session.io.cwd);
  }

  async start(): Promise<void> {
    let scheduled: Promise<void> | undefined;
    this.#session.running.follow(({ backup, retention }) => {
      scheduled = this.#schedule(backup);
      this.#scheduleCompaction(retention);
    });
    await scheduled;
    this.#look();
  }

  /** Something of it is under way. */
  get isWorking(): boolean {
    return this.#working;
  }

  stop(): void {
    this.#abort.abort();
    this.#timer?.cancel();
  }

  /** A schedule that is other than before counts from the newest backup there is. */
  async #schedule({ everyMs, to = '' }: Config['backup']): Promise<void> {
    const schedule = `${everyMs} ${to}`;
    if (schedule === this.#known) return;
    this.#known = schedule;
    this.#dueAt = undefined;
    if (everyMs === 0) return;
    const { io, log } = this.#session;
    const dueAt = await this.#nextDue(everyMs).catch((error: unknown) => {
      log.error('the place of the backups cannot be read', { reason: errorText(error) });
      return io.time.clock.now() + TRY_AGAIN_MS;
    });
    if (schedule === this.#known) this.#dueAt = dueAt;
  }

  /** A retention that is other than before works a minute from now: who set a wrong one can take it back. */
  #scheduleCompaction({ keepMs, everyMs }: Config['retention']): void {
    const schedule = `${keepMs} ${everyMs}`;
    if (schedule === this.#knownRetention) return;
    this.#knownRetention = schedule;
    this.#compactAt = keepMs > 0 ? this.#session.io.time.clock.now() + FIRST_COMPACTION_MS : undefined;
  }

  async #nextDue(everyMs: number): Promise<number> {
    const { options, io } = this.#session;
    const { config, secrets } = options;
    const place = await openPlace(placeOf(config, secrets, io.cwd, undefined));
    const [newest] = await backupsOf(place, config.account);
    return newest === undefined ? io.time.clock.now() : newest.at + everyMs;
  }

  #look(): void {
    if (this.#abort.signal.aborted) return;
    this.#timer = this.#session.io.time.timers.set(LOOK_EVERY_MS, () => this.#look());
    if (this.#working) return;
    const { io, options } = this.#session;
    const [wish] = this.#wishes();
    const now = io.time.clock.now();
    const isDue = (at: number | undefined): boolean => at !== undefined && now >= at;
    const work = (): Promise<void> | undefined => {
      if (wish !== undefined) return this.#answer(wish);
      if (isDue(this.#dueAt)) return this.#scheduled(options.config.backup.everyMs);
      return isDue(this.#compactAt) ? this.#compactBySchedule() : undefined;
    };
    const begun = work();
    if (!begun) return;
    this.#working = true;
    void begun.finally(() => {
      this.#working = false;
    });
  }

  async #scheduled(everyMs: number): Promise<void> {
    const { io, log } = this.#session;
    const { clock } = io.time;
    this.#dueAt = clock.now() + everyMs;
    try {
      await this.#take(undefined, this.#session.options.config.backup.verify);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#dueAt = clock.now() + Math.min(everyMs, TRY_AGAIN_MS);
      log.error('the backup failed', { reason: errorText(error) });
    }
  }

  async #compactBySchedule(): Promise<void> {
    const { options, io, log } = this.#session;
    const { keepMs, everyMs, archive } = options.config.retention;
    this.#compactAt = io.time.clock.now() + everyMs;
    try {
      await this.#compact({ keepMs, archive, dryRun: false });
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#compactAt = io.time.clock.now() + Math.min(everyMs, TRY_AGAIN_MS);
      log.error('old rows could not be removed', { reason: errorText(error) });
    }
  }

  async #compact({ keepMs, archive, dryRun }: CompactionWish['compact']): Promise<CompactionReport> {
    const { options, io, store, log } = this.#session;
    const { config, secrets } = options;
    const began = io.time.monotonic.now();
    const report = await compact({
      ...{ store, account: config.account, keepMs, dryRun, time: io.time, beside: 'trading' },
      ...(archive ? { archive: archiveTo(config, secrets, io.cwd) } : {}),
      signal: this.#abort.signal,
    });
    const ms = Math.round(io.time.monotonic.now() - began);
    if (report.removed > 0) log.info('old rows removed', { ...report, ms });
    return report;
  }

  async #answer(id: string): Promise<void> {
    const wanted = join(this.#folder, id + WANTED);
    let answer: DeskAnswer<BackupReport | CompactionReport>;
    try {
      const wish = JSON.parse(readFileSync(wanted, 'utf8')) as BackupWish | CompactionWish;
      const report =
        'compact' in wish ? await this.#compact(wish.compact) : await this.#take(wish.place, wish.verify);
      answer = { report };
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const known = error instanceof BulkheadError ? error : undefined;
      const { code = 'INTERNAL', message = errorText(error), hint } = known ?? {};
      answer = { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
      this.#session.log.error('what was asked for failed', { reason: message });
    }
    writeWhole(join(this.#folder, id + ANSWER), answer);
    rmSync(wanted, { force: true });
  }

  async #take(named: string | undefined, verify: boolean): Promise<BackupReport> {
    const { options, io, store, log } = this.#session;
    const { config, secrets } = options;
    const place: PlaceSpec = placeOf(config, secrets, io.cwd, named);
    const began = io.time.monotonic.now();
    const report = await takeBackup({
      ...{ store, account: config.account, place, key: sealKeyOf(secrets), verify },
      keep: config.backup.keep,
      time: io.time,
      beside: 'trading',
      signal: this.#abort.signal,
    });
    const { name, bytes, rows, verified } = report;
    const ms = Math.round(io.time.monotonic.now() - began);
    log.info('backup taken', { name, bytes, rows, verified, ms });
    return report;
  }

  #wishes(): string[] {
    // Twice a second: a folder that is not there is cheaper asked for than run into.
    if (!existsSync(this.#folder)) return [];
    try {
      const names = readdirSync(this.#folder).filter((name) => name.endsWith(WANTED));
      return names.sort().map((name) => name.slice(0, -WANTED.length));
    } catch {
      // Nobody has asked yet.
      return [];
    }
  }
}

function writeWhole(path: string, content: object): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(content));
  renameSync(`${path}.tmp`, path);
}
