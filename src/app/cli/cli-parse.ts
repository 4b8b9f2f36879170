/** From words to a command with its flags; anything not in the table is a USAGE error that says what was meant. */
import { parseArgs } from 'node:util';
import { BulkheadError } from '../../core/errors.ts';
import { didYouMean } from '../../core/suggest.ts';
import { COMMANDS, findCommand } from './cli-commands.ts';
import { type CommandSpec, type FlagSpec, HELP } from './cli-spec.ts';

export interface ParsedCommand {
  readonly command: CommandSpec;
  /** By flag name; a switch that was given is true. */
  readonly flags: ReadonlyMap<string, string | true>;
  readonly args: readonly string[];
}

export function usage(message: string, hint: string): BulkheadError {
  return new BulkheadError('USAGE', message, { hint });
}

const ALIASES: Readonly<Record<string, string>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
};

export function parseCommand(argv: readonly string[]): ParsedCommand {
  const [first = 'help', ...rest] = argv;
  const name = ALIASES[first] ?? first;
  const command = findCommand(name);
  if (!command) throw unknownCommand(first);
  return parseFlags(command, rest);
}

function unknownCommand(name: string): BulkheadError {
  const names = COMMANDS.map((known) => known.name);
  const what = name.startsWith('-')
    ? 'A command must come before the flags'
    : `There is no command "${name}"`;
  return usage(
    `${what}. ${didYouMean(name, names)}`.trim(),
    `Commands: ${names.join(', ')}. Try: bulkhead help`,
  );
}

function parseFlags(command: CommandSpec, argv: readonly string[]): ParsedCommand {
  const specs = [...command.flags, HELP];
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(
        specs.map((spec) => [spec.name, { type: spec.value ? 'string' : 'boolean' } as const]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
  });
  const flags = new Map<string, string | true>();
  const args: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') args.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = specs.find((known) => known.name === token.name);
    if (!spec) throw unknownFlag(command, token.rawName, specs);
    if (flags.has(spec.name)) throw usage(`${token.rawName} is given twice.`, helpHint(command));
    flags.set(spec.name, valueOfFlag(command, spec, token.value, token.inlineValue === true));
  }
  const [min, max] = command.arity ?? [0, 0];
  if (!flags.has('help') && (args.length < min || args.length > max)) throw wrongArity(command, args);
  return { command, flags, args };
}

const helpHint = (command: CommandSpec): string => `Try: bulkhead ${command.name} --help`;

function unknownFlag(command: CommandSpec, rawName: string, specs: readonly FlagSpec[]): BulkheadError {
  const known = specs.map((spec) => `--${spec.name}`);
  return usage(
    `bulkhead ${command.name} has no flag ${rawName}. ${didYouMean(rawName, known)}`.trim(),
    helpHint(command),
  );
}

function valueOfFlag(
  command: CommandSpec,
  spec: FlagSpec,
  value: string | undefined,
  inline: boolean,
): string | true {
  if (spec.value === undefined) {
    if (value !== undefined) throw usage(`--${spec.name} is a switch and takes no value.`, helpHint(command));
    return true;
  }
  const isNextFlag = !inline && value !== undefined && /^-(?!\d|$)/.test(value);
  if (value === undefined || value === '' || isNextFlag) {
    throw usage(`--${spec.name} needs a value: --${spec.name} ${spec.value}`, helpHint(command));
  }
  return value;
}

function wrongArity(command: CommandSpec, args: readonly string[]): BulkheadError {
  if (command.args === undefined) {
    return usage(`bulkhead ${command.name} takes no argument "${args[0]}".`, helpHint(command));
  }
  const [min] = command.arity ?? [0];
  const tooFew = args.length === 0 ? 'needs an argument' : 'needs more arguments';
  const what = args.length < min ? tooFew : 'takes no more than';
  return usage(`bulkhead ${command.name} ${what}: ${command.args}`, helpHint(command));
}

/** Epoch ms. A time without a zone would mean something else on every machine: undefined. */
export function momentOf(text: string): number | undefined {
  const at = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
