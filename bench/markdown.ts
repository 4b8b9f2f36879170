/** docs/BENCHMARKS.md from the benches' lines: never written by hand. */
import type { MachineFacts } from './machine-facts.ts';

export interface BenchLine {
  /** The bench's file, without ".ts". */
  readonly file: string;
  readonly bench: string;
  readonly commit: string;
  /** e.g. "2026-11-30". */
  readonly day: string;
  readonly cpu: string;
  /** Of one minute, when it began. */
  readonly load: number;
  readonly [key: string]: unknown;
}

interface Target {
  readonly what: string;
  readonly file: string;
  /** Of the line it is read from. */
  readonly where: Readonly<Record<string, unknown>>;
  readonly key: string;
  readonly unit: string;
  readonly least?: number;
  readonly most?: number;
}

const at = (what: string, file: string, key: string, unit: string, more: Partial<Target> = {}): Target => ({
  what,
  file,
  key,
  unit,
  where: {},
  ...more,
});

const perEngine = (make: (engine: string, name: string) => Target[]): Target[] => [
  ...make('postgres', 'PostgreSQL'),
  ...make('pglite', 'embedded'),
];

const durable = (engine: string, name: string): Target[] =>
  [1, 35, 500].flatMap((actors) => {
    const of = `${actors} ${actors === 1 ? 'actor' : 'actors'}, ${name}`;
    const where = { engine, actors };
    const isPostgres = engine === 'postgres';
    return [
      at(`durable transitions, ${of}`, 'durable', 'transitionsPerSecond', '/s', {
        where,
        ...(isPostgres && actors === 500 ? { least: 7_000 } : {}),
      }),
      at(`— latency p50, ${of}`, 'durable', 'p50Ms', ' ms', {
        where,
        ...(isPostgres && actors === 1 ? { most: 1 } : {}),
      }),
      at(`— latency p99, ${of}`, 'durable', 'p99Ms', ' ms', { where }),
    ];
  });

const recovery = (engine: string, name: string): Target[] => [
  at(`recovery, 1,000 open positions, ${name}`, 'recovery', 'ms', ' ms', {
    where: { engine, positions: 1_000 },
    most: 2_000,
  }),
  at(`recovery, 10,000 open positions, ${name}`, 'recovery', 'ms', ' ms', {
    where: { engine, positions: 10_000 },
    most: 15_000,
  }),
];

const actor = (machine: string): Target[] => [
  at(`one ${machine} actor, bare XState`, 'actor', 'bareXStatePerSecond', ' events/s', {
    where: { machine },
  }),
  at('— through its logic', 'actor', 'sendPerSecond', ' events/s', { where: { machine } }),
  at('— with its snapshot as JSON', 'actor', 'sendAndSnapshotPerSecond', ' events/s', { where: { machine } }),
  at('— through the runtime, in memory', 'actor', 'runtimePerSecond', ' events/s', { where: { machine } }),
];

const memory = (positions: number): Target[] => [
  at(`heap of one of ${shown(positions)} open positions`, 'memory', 'runtimeBytesEach', ' bytes', {
    where: { positions },
  }),
  at('— with supervision, guard band and view', 'memory', 'treeBytesEach', ' bytes', {
    where: { positions },
  }),
];

const run = (journal: string, name: string): Target[] => [
  at(`the whole recorded run, ${name}`, 'run', 'candlesPerSecond', ' candles/s', { where: { journal } }),
  at('— rows', 'run', 'rowsPerSecond', ' rows/s', { where: { journal } }),
];

const fillToStop = (engine: string, name: string): Target[] => [
  at(`from an entry's fill to its stop at the venue, p50, ${name}`, 'fill-to-stop', 'p50Ms', ' ms', {
    where: { engine },
  }),
  at('— p99', 'fill-to-stop', 'p99Ms', ' ms', { where: { engine } }),
  at('— p99, 35 entries in one instant', 'fill-to-stop', 'togetherP99Ms', ' ms', { where: { engine } }),
  at('— p50 against the bare round trip of two orders', 'fill-to-stop', 'ratio', '×', { where: { engine } }),
];

const adapter = (what: string, name: string, key: string, unit: string): Target[] => [
  at(name, 'adapter', key, unit, { where: { what } }),
  at('— against the barest client', 'adapter', 'ratio', '×', { where: { what } }),
];

const load = (positions: number): Target[] => {
  const where = { positions };
  const slopes = { where, most: 25 };
  return [
    at(
      `an hour of the market, ${shown(positions)} open positions: dropped bars and private events`,
      'venue-load',
      'dropped',
      '',
      { where, most: 0 },
    ),
    at('— event loop of the runtime, p99', 'venue-load', 'runtimeLoopP99Ms', ' ms', { where }),
    at('— event loop of the exchange, p99', 'venue-load', 'exchangeLoopP99Ms', ' ms', { where }),
    at('— heap of the runtime, growth an hour', 'venue-load', 'runtimeHeapSlopeMbPerHour', ' MB', slopes),
    at('— heap of the exchange, growth an hour', 'venue-load', 'exchangeHeapSlopeMbPerHour', ' MB', {
      where,
    }),
    at('— all bursts, against the normal rate', 'venue-load', 'allBursts', '×', { where, least: 100 }),
    at('— the one that was taken in slowest', 'venue-load', 'leastBurst', '×', { where }),
    at('— for so long', 'venue-load', 'longestBurstMs', ' ms', { where }),
  ];
};

const LOOKING: readonly Target[] = [
  at('35 actors at full speed, an inspector following all of them, against none', 'inspector', 'ratio', '×'),
  at('— what a followed transition costs more', 'inspector', 'usEach', ' µs'),
  at(
    'dashboard open and scraped for a day, 35 symbols: of one processor',
    'dashboard-cost',
    'cpuPercent',
    ' %',
    {
      most: 5,
    },
  ),
  at('— the run itself', 'dashboard-cost', 'cpuPercentOfTheRunAlone', ' %'),
  at('— heap, growth an hour', 'dashboard-cost', 'heapSlopeMbPerHour', ' MB', { most: 0.5 }),
];

const TARGETS: readonly Target[] = [
  ...perEngine(durable),
  ...actor('position'),
  ...actor('cycle'),
  at('guard bands, 35 symbols × 1,000 positions', 'guard-band', 'ticksPerSecond', ' ticks/s'),
  at('— against waking every actor', 'guard-band', 'ratio', '×', { least: 100 }),
  at('a decision of risk, 100 open positions, p50', 'risk', 'p50Ms', ' ms'),
  at('— p99 where nobody else got the processor', 'risk', 'undisturbedP99Ms', ' ms', { most: 1 }),
  at('— p99 of all, on a machine with other work', 'risk', 'p99Ms', ' ms'),
  at('— against one without market conditions', 'risk', 'ratio', '×'),
  at('from a frame to the decision', 'frames', 'messagesPerSecond', '/s', {
    where: { form: 'bare' },
    least: 200_000,
  }),
  at('— combined streams', 'frames', 'messagesPerSecond', '/s', {
    where: { form: 'combined' },
    least: 200_000,
  }),
  at('through a loopback socket', 'socket', 'messagesPerSecond', '/s'),
  at('— against bare ws and JSON.parse', 'socket', 'ratio', '×', { least: 0.8 }),
  ...memory(1_000),
  ...memory(10_000),
  ...perEngine(recovery),
  ...run('memory', 'in memory'),
  ...run('pglite', 'embedded store, through the CLI'),
  ...perEngine(fillToStop),
  ...adapter('submit', 'processor time of a submit', 'cpuUs', ' µs'),
  ...adapter('report', 'processor time of a full reading, 100 positions', 'cpuMs', ' ms'),
  ...adapter('private-frame', 'a private frame', 'us', ' µs'),
  ...adapter('market-frame', 'a market frame, through its socket', 'us', ' µs'),
  at('the local exchange, signed orders', 'exchange-server', 'ordersPerSecond', '/s', {
    where: { what: 'requests' },
  }),
  at('— questions, against a bare HTTP server', 'exchange-server', 'ratio', '×', {
    where: { what: 'requests' },
  }),
  at('the local exchange, frames at 500 symbols × 60', 'exchange-server', 'framesPerSecond', '/s', {
    where: { what: 'feed' },
  }),
  at('— share of one processor with nobody listening', 'exchange-server', 'aloneCpu', '', {
    where: { what: 'feed' },
  }),
  at('— a frame, against a bare socket server', 'exchange-server', 'ratio', '×', { where: { what: 'feed' } }),
  ...load(100),
  ...load(1_000),
  ...LOOKING,
];

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

function row(target: Target, lines: readonly BenchLine[]): string {
  const line = lines.find(
    (candidate) =>
      candidate.file === target.file &&
      Object.entries(target.where).every(([key, value]) => candidate[key] === value),
  );
  const value = line?.[target.key];
  const { least, most, unit } = target;
  const wanted =
    least !== undefined ? `≥ ${shown(least)}${unit}` : most !== undefined ? `≤ ${shown(most)}${unit}` : '';
  const measured = typeof value === 'number' ? `${shown(value)}${unit}` : 'not measured';
  return `| ${target.what} | ${measured} | ${wanted} | ${verdict(target, value)} | \`${target.file}\` |`;
}

function verdict({ least, most }: Target, value: unknown): string {
  if (typeof value !== 'number' || (least === undefined && most === undefined)) return '';
  return value >= (least ?? -Infinity) && value <= (most ?? Infinity) ? 'met' : '**missed**';
}

export function markdown(machine: MachineFacts, lines: readonly BenchLine[]): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return `# Benchmarks

Written by \`npm run bench -- --markdown docs/BENCHMARKS.md\`; not by hand. Each figure is the median of several
rounds on the machine named here; every row of a store is flushed to disk before it counts. One bench alone:
\`node run.cjs bench/NAME.ts\`, NAME as in the last column.

Measured on machines with ${machine.cpus} processors (${machine.memoryGb} GB, ${machine.system}); Node ${machine.node},
${versions.join(', ')}, ${machine.postgres}. At which commit, on which
day, processor and load stands in each line at the end.

| What | Measured | Target | | Bench |
| --- | ---: | ---: | --- | --- |
${TARGETS.map((target) => row(target, lines)).join('\n')}

## Everything the benches said

\`\`\`json
${lines.map((line) => JSON.stringify(line)).join('\n')}
\`\`\`
`;
}
