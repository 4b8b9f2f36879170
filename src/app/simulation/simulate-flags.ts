/** The flags of `bulkhead simulate` as its options. */
import { freshSeed } from '../../core/random.ts';
import { didYouMean } from '../../core/suggest.ts';
import { type Moded, moded } from '../../domain/position-key.ts';
import { type ParsedCommand, usage } from '../cli/cli-parse.ts';
import { FAULT_SETS, type FaultSet } from './fault-plan.ts';

export interface SimulateCommand extends Moded {
  readonly seeds: readonly number[];
  readonly hours: number;
  readonly symbols: number;
  readonly faults: readonly FaultSet[];
  readonly workers: number | undefined;
  readonly trace: boolean;
  readonly json: boolean;
  /** Looks for the shortest command that shows a failure again. */
  readonly shrink: boolean;
}

const FRESH_SEEDS = 8;
const HIGHEST_SEED = 4_294_967_295;
const MOST_SEEDS = 1_000_000;
const MOST_HOURS = 240;
const MOST_SYMBOLS = 200;

export function simulateOptions({ flags }: ParsedCommand): SimulateCommand {
  const text = (name: string): string | undefined => {
    const value = flags.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const one = text('seed');
  const range = text('seeds');
  if (one !== undefined && range !== undefined)
    throw usage('--seed and --seeds exclude each other.', 'One seed, or a range such as 1..100.');
  const seeds = one === undefined ? seedRange(range) : [whole('seed', one, 0, HIGHEST_SEED)];
  if (flags.has('trace') && seeds.length !== 1)
    throw usage('--trace is for one seed.', 'Name it with --seed S.');
  const workers = text('workers');
  return {
    seeds,
    hours: hoursOf(text('hours')),
    symbols: whole('symbols', text('symbols') ?? '35', 1, MOST_SYMBOLS),
    faults: faultSets(text('faults') ?? 'all'),
    workers: workers === undefined ? undefined : whole('workers', workers, 1, 64),
    ...moded(flags.has('hedge') ? 'hedge' : 'one-way'),
    trace: flags.has('trace'),
    json: flags.has('json'),
    shrink: !flags.has('no-shrink'),
  };
}

function seedRange(text: string | undefined): number[] {
  if (text === undefined) return Array.from({ length: FRESH_SEEDS }, () => freshSeed());
  const match = /^(\d+)\.\.(\d+)$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  const count = to - from + 1;
  if (!match || to > HIGHEST_SEED || count < 1 || count > MOST_SEEDS)
    throw usage(`--seeds ${text} is no range of seeds.`, 'Such as 1..100.');
  return Array.from({ length: count }, (_, i) => from + i);
}

function whole(name: string, text: string, from: number, to: number): number {
  if (/^\d+$/.test(text) && Number(text) >= from && Number(text) <= to) return Number(text);
  throw usage(
    `--${name} ${text} is not a whole number from ${from} to ${to}.`,
    'See bulkhead simulate --help.',
  );
}

function hoursOf(text = '2'): number {
  const hours = text.trim() === '' ? Number.NaN : Number(text);
  if (hours > 0 && hours <= MOST_HOURS) return hours;
  throw usage(
    `--hours ${text} is no number above 0, up to ${MOST_HOURS}.`,
    'Of simulated time, such as 0.5.',
  );
}

function faultSets(text: string): FaultSet[] {
  if (text === 'all') return [...FAULT_SETS];
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const known = FAULT_SETS.find((set) => set === name.trim());
    if (known) return known;
    throw usage(
      `--faults: there is no set "${name}".`,
      `${didYouMean(name, FAULT_SETS)} all, none, or some of: ${FAULT_SETS.join(', ')}.`.trimStart(),
    );
  });
}
