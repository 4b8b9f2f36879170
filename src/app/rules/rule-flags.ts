/** The flags of `bulkhead rules` that are no keys of the configuration. */
import { TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import { momentOf, usage } from '../cli/cli-parse.ts';
import type { RulesOptions } from '../cli/io.ts';
import type { MarketWindow } from '../compose/open-market.ts';

type Flags = ReadonlyMap<string, string | true>;

export function rulesChoice(flags: Flags): Pick<RulesOptions, 'window' | 'only' | 'jobs'> {
  const named = flags.get('only');
  const only = typeof named === 'string' ? named.split(',').map((name) => name.trim()) : [];
  return { window: windowOf(flags), only, jobs: jobsOf(flags.get('jobs')) };
}

function windowOf(flags: Flags): MarketWindow {
  const [from, to] = [dayOf(flags, 'from'), dayOf(flags, 'to')];
  if (from !== undefined && to !== undefined && to <= from)
    throw usage('--to is not after --from.', 'Give days such as --from 2022-05-01 --to 2022-05-15.');
  const timeframe = timeframeOf(flags.get('timeframe'));
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(timeframe === undefined ? {} : { timeframe }),
  };
}

function dayOf(flags: Flags, name: string): number | undefined {
  const value = flags.get(name);
  if (typeof value !== 'string') return undefined;
  const at = momentOf(/^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00:00Z` : value);
  if (at !== undefined) return at;
  throw usage(
    `--${name} ${value} is neither a day nor a time.`,
    'Give a day such as 2022-05-01, or a time with its zone such as 2022-05-09T12:00:00Z.',
  );
}

function timeframeOf(value: string | true | undefined): Timeframe | undefined {
  if (typeof value !== 'string') return undefined;
  if (Object.hasOwn(TIMEFRAME_MS, value)) return value as Timeframe;
  throw usage(`--timeframe ${value} is not known.`, `One of: ${Object.keys(TIMEFRAME_MS).join(', ')}.`);
}

function jobsOf(value: string | true | undefined): number | undefined {
  if (typeof value !== 'string') return undefined;
  const jobs = Number(value);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 64) return jobs;
  throw usage(`--jobs ${value} is not a number of runs.`, 'Give a whole number from 1 to 64.');
}
