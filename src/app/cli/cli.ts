/**
 * The command line: words in, one exit code out. It parses, loads the configuration and hands over; what a
 * command does is its handler's. Every error a person can meet ends here, in one form.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type LoadOptions, loadConfig } from '../../config/load.ts';
import { isSecretVariable } from '../../config/secrets.ts';
import { BulkheadError, errorText, isBulkheadError } from '../../core/errors.ts';
import { parseWords } from '../../operator/parse-command.ts';
import { loadWhole, type Whole } from '../compose/open-secrets.ts';
import { configAsked } from '../config/config-flags.ts';
import { type ExchangeOptions, exchangeOptions } from '../exchange/exchange-flags.ts';
import { inspectOptions } from '../inspect/inspect-flags.ts';
import { GROUPINGS, type Grouping } from '../results/statistics.ts';
import { rulesChoice } from '../rules/rule-flags.ts';
import { type SimulateCommand, simulateOptions } from '../simulation/simulate-flags.ts';
import { statusPath } from '../status/status-file.ts';
import { VERSION } from '../version.ts';
import { EXPORT_FORMATS, EXPORT_KINDS, findCommand } from './cli-commands.ts';
import { commandHelp, generalHelp } from './cli-help.ts';
import { type ParsedCommand, parseCommand, usage } from './cli-parse.ts';
import type {
  BackupOptions,
  CommandOptions,
  CompactOptions,
  ConfigOptions,
  DoctorOptions,
  ExplainOptions,
  ExportOptions,
  HandoverOptions,
  InspectOptions,
  Io,
  KillOptions,
  MigrateOptions,
  ReleaseOptions,
  ReplayOptions,
  RestoreOptions,
  RulesOptions,
  RunOptions,
  SayOptions,
  StatsOptions,
  StatusOptions,
} from './io.ts';
import { backupChoice, compactChoice, replayChoice, restoreChoice } from './past-flags.ts';

/** What the commands do; the composition root hands these in. Each answers with the exit code. */
export interface Handlers {
  run(options: RunOptions, io: Io): Promise<number>;
  status(options: StatusOptions, io: Io): Promise<number>;
  export(options: ExportOptions, io: Io): Promise<number>;
  replay(options: ReplayOptions, io: Io): Promise<number>;
  backup(options: BackupOptions, io: Io): Promise<number>;
  compact(options: CompactOptions, io: Io): Promise<number>;
  restore(options: RestoreOptions, io: Io): Promise<number>;
  explain(options: ExplainOptions, io: Io): Promise<number>;
  stats(options: StatsOptions, io: Io): Promise<number>;
  rules(options: RulesOptions, io: Io): Promise<number>;
  config(options: ConfigOptions, io: Io): Promise<number>;
  say(options: SayOptions, io: Io): Promise<number>;
  kill(options: KillOptions, io: Io): Promise<number>;
  release(options: ReleaseOptions, io: Io): Promise<number>;
  breakers(options: CommandOptions, io: Io): Promise<number>;
  exchange(options: ExchangeOptions, io: Io): Promise<number>;
  simulate(options: SimulateCommand, io: Io): Promise<number>;
  doctor(options: DoctorOptions, io: Io): Promise<number>;
  migrate(options: MigrateOptions, io: Io): Promise<number>;
  inspect(options: InspectOptions, io: Io): Promise<number>;
  handover(options: HandoverOptions, io: Io): Promise<number>;
}

export async function runCli(argv: readonly string[], io: Io, handlers: Handlers): Promise<number> {
  try {
    return await dispatch(parseCommand(argv), io, handlers);
  } catch (error) {
    return report(error, argv.includes('--json'), io);
  }
}

async function dispatch(parsed: ParsedCommand, io: Io, handlers: Handlers): Promise<number> {
  const { command, flags } = parsed;
  if (flags.has('help')) return print(io, commandHelp(command));
  switch (command.name) {
    case 'run':
      return handlers.run(await commandOptions(parsed, io), io);
    case 'status':
      return handlers.status({ ...plainOptions(parsed, io), health: flags.has('health') }, io);
    case 'export':
      return handlers.export({ ...(await commandOptions(parsed, io)), ...exportChoice(parsed) }, io);
    case 'replay':
      return handlers.replay({ ...(await commandOptions(parsed, io)), ...replayChoice(parsed) }, io);
    case 'backup':
      return handlers.backup({ ...(await commandOptions(parsed, io)), ...backupChoice(parsed) }, io);
    case 'compact': {
      const common = await commandOptions(parsed, io);
      return handlers.compact({ ...common, ...compactChoice(parsed, common.config) }, io);
    }
    case 'restore':
      return handlers.restore({ ...(await commandOptions(parsed, io)), ...restoreChoice(parsed) }, io);
    case 'explain':
      return handlers.explain({ ...(await commandOptions(parsed, io)), position: parsed.args[0] ?? '' }, io);
    case 'stats':
      return handlers.stats({ ...(await commandOptions(parsed, io)), by: grouping(flags.get('by')) }, io);
    case 'rules':
      return handlers.rules({ ...plainOptions(parsed, io), ...rulesChoice(parsed.flags) }, io);
    case 'config':
      return handlers.config({ ...(await commandOptions(parsed, io)), asked: configAsked(parsed) }, io);
    case 'kill':
      return handlers.kill(
        {
          ...(await urgentOptions(parsed, io)),
          accountWide: flags.has('account-wide'),
          reason: textOf(flags.get('reason')) ?? 'no reason given',
        },
        io,
      );
    case 'breakers':
      return handlers.breakers(plainOptions(parsed, io), io);
    case 'exchange':
      return handlers.exchange(exchangeOptions(parsed, io.cwd), io);
    case 'simulate':
      return handlers.simulate(simulateOptions(parsed), io);
    case 'doctor':
      return handlers.doctor({ load: () => commandOptions(parsed, io), json: flags.has('json') }, io);
    case 'handover':
      return handlers.handover({ ...(await commandOptions(parsed, io)), force: flags.has('force') }, io);
    case 'migrate':
      return handlers.migrate(await commandOptions(parsed, io), io);
    case 'inspect':
      return handlers.inspect(inspectOptions(parsed), io);
    case 'version':
      return print(io, versionText(flags.has('json')));
    case 'help':
      return help(parsed, io);
    default:
      return say(parsed, io, handlers);
  }
}

const NEED_REASON: ReadonlySet<string> = new Set(['release', 'trip', 'lock']);

/** What is asked of a run; `release` without a breaker is the kill switch, which needs no run. */
function say(parsed: ParsedCommand, io: Io, handlers: Handlers): Promise<number> {
  const { command, args, flags } = parsed;
  const reason = textOf(flags.get('reason'));
  if (command.name === 'release' && args.length === 0)
    return handlers.release({ ...plainOptions(parsed, io), reason: reasonOf(parsed) }, io);
  if (NEED_REASON.has(command.name)) reasonOf(parsed);
  const words = [command.name, ...args, ...(reason === undefined ? [] : [reason])];
  return handlers.say({ ...plainOptions(parsed, io), command: parseWords(words) }, io);
}

async function commandOptions(parsed: ParsedCommand, io: Io): Promise<CommandOptions> {
  const load = loadOptions(parsed, io);
  return optionsOf(parsed, load, await loadWhole(load, io.time));
}

/** For what needs no secrets: none is missed, Vault is not asked. */
function plainOptions(parsed: ParsedCommand, io: Io): CommandOptions {
  const load = { ...loadOptions(parsed, io), isWithoutSecrets: true };
  return optionsOf(parsed, load, loadConfig(load));
}

/** For what must be done whether or not Vault is there, or the configuration in order: with what is at hand. */
async function urgentOptions(parsed: ParsedCommand, io: Io): Promise<CommandOptions> {
  const load = { ...loadOptions(parsed, io), isWithoutSecrets: true };
  try {
    return optionsOf(parsed, load, await loadWhole(load, io.time));
  } catch (error) {
    if (isBulkheadError(error, 'CONFIG_INVALID')) return recalledOptions(parsed, io, error);
    if (!isBulkheadError(error, 'VAULT_UNREACHABLE') && !isBulkheadError(error, 'VAULT_REFUSED')) throw error;
    io.stderr.write(`bulkhead: ${error.message}\n  Going on without what it holds.\n`);
    return plainOptions(parsed, io);
  }
}

/** Flags, secrets, and what the data folder remembers of its run; the error, where that is not its folder. */
function recalledOptions(parsed: ParsedCommand, io: Io, error: BulkheadError): CommandOptions {
  const { flags = [] } = loadOptions(parsed, io);
  const secrets = Object.fromEntries(Object.entries(io.env).filter(([name]) => isSecretVariable(name)));
  const load = { env: secrets, cwd: NO_FOLDER, flags, isWithoutSecrets: true };
  const loaded = loadConfig(load);
  const dataDir = resolve(io.cwd, loaded.config.data.dir);
  if (!existsSync(statusPath(dataDir))) throw error;
  io.stderr.write(`bulkhead: ${error.message}\n  Going on with what ${dataDir} knows of its venue.\n`);
  return optionsOf(parsed, load, loaded);
}

/** No configuration file lies there. */
const NO_FOLDER = '/nonexistent';

function optionsOf(
  { flags }: ParsedCommand,
  load: LoadOptions,
  { config, secrets, file, secretSource }: Whole,
): CommandOptions {
  return {
    ...{ config, secrets, configFile: file, json: flags.has('json'), quiet: flags.has('quiet') },
    // The file that was read stays the one: that it is gone is no wish for the defaults.
    reload: () => loadConfig(file === undefined ? load : { ...load, file }).config,
    ...(secretSource ? { secretSource } : {}),
  };
}

function loadOptions({ command, flags }: ParsedCommand, io: Io): LoadOptions {
  const named = flags.get('config');
  const values: { path: string; value: unknown; flag: string }[] = [];
  for (const spec of command.flags) {
    const value = flags.get(spec.name);
    if (spec.key === undefined || value === undefined) continue;
    values.push({ path: spec.key, value: readFlag(spec.name, value), flag: `--${spec.name}` });
    // Naming a recording is choosing it.
    if (spec.name === 'recording')
      values.push({ path: 'market.source', value: 'recorded', flag: '--recording' });
  }
  return { env: io.env, cwd: io.cwd, flags: values, ...(typeof named === 'string' ? { file: named } : {}) };
}

/** A flag's text as its key understands it; the configuration judges it. */
function readFlag(name: string, value: string | true): unknown {
  if (value === true) return true;
  if (name === 'symbols') return value.split(',').map((symbol) => symbol.trim());
  const isNumber =
    (name === 'speed' || name === 'seed' || name === 'time-factor') &&
    value.trim() !== '' &&
    !Number.isNaN(Number(value));
  return isNumber ? Number(value) : value;
}

function exportChoice({ args, flags }: ParsedCommand): Pick<ExportOptions, 'what' | 'format' | 'out'> {
  const what = EXPORT_KINDS.find((kind) => kind === args[0]);
  if (!what)
    throw usage(`There is nothing called "${args[0]}" to export.`, `One of: ${EXPORT_KINDS.join(', ')}.`);
  const said = flags.get('format');
  const asked = flags.has('json') ? 'json' : 'csv';
  if (flags.has('json') && said !== undefined && said !== 'json')
    throw usage(`--json and --format ${said} contradict each other.`, 'Name one of them.');
  const named = said ?? asked;
  const format = EXPORT_FORMATS.find((known) => known === named);
  if (!format) throw usage(`--format ${named} is not known.`, `One of: ${EXPORT_FORMATS.join(', ')}.`);
  const out = flags.get('out');
  return { what, format, out: typeof out === 'string' ? out : undefined };
}

const textOf = (value: string | true | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** What a person overrides they answer for. */
function reasonOf({ command, flags }: ParsedCommand): string {
  const reason = textOf(flags.get('reason'));
  if (reason !== undefined) return reason;
  throw usage(
    `bulkhead ${command.name} needs a reason: --reason WHY`,
    'It is kept in the journal, with your name.',
  );
}

function grouping(value: string | true | undefined): Grouping | undefined {
  const known = GROUPINGS.find((name) => name === value);
  if (value !== undefined && known === undefined)
    throw usage(`--by ${value} is no grouping.`, `One of: ${GROUPINGS.join(', ')}.`);
  return known;
}

function help(parsed: ParsedCommand, io: Io): number {
  const [topic] = parsed.args;
  if (topic === undefined) return print(io, generalHelp());
  return print(io, commandHelp(findCommand(topic) ?? parseCommand([topic]).command));
}

function versionText(json: boolean): string {
  const versions = { bulkhead: VERSION, node: process.version };
  return json ? `${JSON.stringify(versions)}\n` : `bulkhead ${VERSION} (Node ${process.version})\n`;
}

function print(io: Io, text: string): number {
  io.stdout.write(text);
  return 0;
}

/** The one form in which an error reaches a person, or with --json a program: always on standard error. */
export function report(error: unknown, json: boolean, io: Io): number {
  const known = error instanceof BulkheadError ? error : undefined;
  const code = known?.code ?? 'INTERNAL';
  const message = known?.message ?? errorText(error);
  const hint = known?.hint ?? 'This is a defect in Bulkhead. Please report it with the lines above.';
  if (json) {
    io.stderr.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  } else {
    if (!known && error instanceof Error && error.stack) io.stderr.write(`${error.stack}\n`);
    io.stderr.write(`bulkhead: ${message}\n  ${hint} [${code}]\n`);
  }
  return known?.exitCode ?? 70;
}
