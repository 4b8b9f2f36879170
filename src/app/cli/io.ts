/** What a command may touch of the world around it; tests hand in their own. */
import type { Config } from '../../config/schema.ts';
import type { Env, Secrets } from '../../config/secrets.ts';
import type { Time } from '../../core/clock.ts';
import type { Command } from '../../domain/command.ts';
import type { JournalStore } from '../../journal/journal.ts';
import type { ConfigCommand } from '../../operator/command.ts';
import type { MarketWindow } from '../compose/open-market.ts';
import type { SecretSource } from '../compose/open-secrets.ts';
import type { Grouping } from '../results/statistics.ts';

export interface Output {
  write(text: string): unknown;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Env;
  readonly cwd: string;
  /** Of standard output and standard error: may the screen be redrawn there? */
  readonly isTty: boolean;
  readonly stderrIsTty: boolean;
  /** One of the standard streams was a terminal that is not there any more; absent: there was none. */
  readonly isTerminalGone?: () => boolean;
  readonly columns: number;
  readonly rows: number;
  readonly time: Time;
  readonly pid: number;
  /** May a run serve its page here? */
  readonly mayListen?: boolean;
  /** Keys that a person presses, one by one; absent where standard input is no terminal. */
  readonly keys?: () => AsyncIterable<string>;
}

/** What every command with a configuration gets. */
export interface CommandOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  /** Where they are read again; absent: they cannot change. */
  readonly secretSource?: SecretSource;
  readonly configFile: string | undefined;
  /** Reads file, variables and flags again. */
  readonly reload?: () => Config;
  /** Machine-readable lines on standard output. */
  readonly json: boolean;
  readonly quiet: boolean;
}

export type RunOptions = CommandOptions;

/** A row's number, or the last row at or before a moment. */
export type ReplayTarget = { readonly n: number } | { readonly at: number };

/** The same, or the last row of a position's life: "BTCUSDT/3", or a symbol for its newest. */
export type ReplayMoment = ReplayTarget | { readonly position: string };

export interface ReplayOptions extends CommandOptions {
  readonly to: ReplayMoment | undefined;
  readonly from: ReplayMoment | undefined;
  readonly verify: boolean;
  /** Old rows are run by the present machines, too. */
  readonly machines: boolean;
  readonly step: boolean;
  /** Only its rows: an actor, or "BTCUSDT/3". */
  readonly actor: string | undefined;
  readonly diff: ReplayMoment | undefined;
  readonly againstVenue: boolean;
  /** Writes a repair plan there. */
  readonly plan: string | undefined;
  /** Executes what was approved in that one. */
  readonly apply: string | undefined;
  /** key=value each; empty: no what-if. */
  readonly whatIf: readonly string[];
}

export interface BackupOptions extends CommandOptions {
  /** Absent: backup.to. */
  readonly place: string | undefined;
  readonly list: boolean;
  /** Only this one is verified, and none taken. */
  readonly verifyName: string | undefined;
  /** Of the backup that is taken; absent: backup.verify. */
  readonly verify: boolean | undefined;
  /** Writes a new key there, and does nothing else. */
  readonly newKey: string | undefined;
}

export interface CompactOptions extends CommandOptions {
  /** Rows older than this may go. */
  readonly keepMs: number;
  /** Only says what would go. */
  readonly dryRun: boolean;
}

export interface RestoreOptions extends CommandOptions {
  /** A file, a name in the place of the backups, or "latest". */
  readonly backup: string;
  readonly place: string | undefined;
  readonly to: ReplayTarget | undefined;
}

export type ExportKind = 'trades' | 'orders' | 'fills' | 'equity' | 'journal';
export type ExportFormat = 'csv' | 'json';

export interface ExportOptions extends CommandOptions {
  readonly what: ExportKind;
  readonly format: ExportFormat;
  /** Absent: standard output. */
  readonly out: string | undefined;
}

export interface InspectOptions {
  /** Modules that export statecharts; none: the machines of this program. */
  readonly modules: readonly string[];
  readonly port: number;
  readonly json: boolean;
}

export interface StatusOptions extends CommandOptions {
  /** Only the exit code and one line, for a container's health check. */
  readonly health: boolean;
}

export interface ExplainOptions extends CommandOptions {
  /** An actor, "BTCUSDT/3", or a symbol for its newest life. */
  readonly position: string;
}

export interface StatsOptions extends CommandOptions {
  /** Absent: every grouping. */
  readonly by: Grouping | undefined;
}

export interface RulesOptions extends CommandOptions {
  readonly window: MarketWindow;
  /** Names of rules, or their first parts; empty: all. */
  readonly only: readonly string[];
  /** How many runs at a time; absent: what processors and memory allow. */
  readonly jobs: number | undefined;
}

export type ConfigAsked =
  | { readonly kind: 'show'; readonly part: string }
  | { readonly kind: 'versions'; readonly limit: number }
  /** From the version before, where `from` is not named. */
  | { readonly kind: 'diff'; readonly to: number; readonly from: number | undefined }
  | { readonly kind: 'change'; readonly command: ConfigCommand };

export interface ConfigOptions extends CommandOptions {
  readonly asked: ConfigAsked;
}

/** What a person asks of the run that uses the data folder. */
export interface SayOptions extends CommandOptions {
  readonly command: Command;
}

export interface KillOptions extends CommandOptions {
  /** Everything on the account, whoever opened it. */
  readonly accountWide: boolean;
  readonly reason: string;
}

/** Of the kill switch. */
export interface ReleaseOptions extends CommandOptions {
  readonly reason: string;
}

export interface HandoverOptions extends CommandOptions {
  /** Also without a standby that is ready. */
  readonly force: boolean;
}

export type MigrateOptions = CommandOptions;

/** The doctor looks at a configuration that may be wrong, so it loads it itself. */
export interface DoctorOptions {
  readonly load: () => CommandOptions | Promise<CommandOptions>;
  readonly json: boolean;
}

/**
 * The account's store, constructed and not yet opened: opening checks it, and may refuse. 'require' leaves the
 * schema of a server alone; the embedded store always migrates itself. 'existing' is the same, and makes no embedded
 * store where there is none (NOT_FOUND): a mistyped folder must not read like one in which nothing was traded.
 */
export type CreateStore = (
  options: CommandOptions,
  io: Io,
  how: 'apply' | 'require' | 'existing',
) => Promise<JournalStore>;
