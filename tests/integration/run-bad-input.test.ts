/** Every kind of wrong input: its exit code, a message that names the thing, and a hint that says what to do. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type CliEnd, type CliOptions, cli, errorOf, jsonLines } from '../support/cli-process.ts';
import { sharedData } from '../support/shared-data.ts';
import { writeSmallRecording } from '../support/small-recording.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const dir = makeTempDir('bad-input');
const at = (name: string): string => path.join(dir, name);
after(() => removeTempDir(dir));

before(async () => {
  await writeSmallRecording(at('good'), { seed: 3, days: 1, symbols: ['BTCUSDT', 'ETHUSDT'] });
  mkdirSync(at('empty'));
  const whole = readFileSync(path.join(at('good'), 'BTCUSDT_1m.csv.gz'));
  writeFileSync(at('ETHUSDT_1m.csv.gz'), whole.subarray(0, whole.length / 2));
  writeFileSync(at('BTCUSDT_1m.csv.gz'), gzipSync('time,price\n1735689600000,1\n'));
  writeFileSync(at('SOLUSDT_1m.csv.gz'), gzipSync(`ts_ms,open,high,low,close,volume\n${'1,2,x,4,5,6\n'}`));
  writeFileSync(at('XRPUSDT_1m.csv.gz'), 'this is no gzip');
  writeFileSync(at('a-file'), '');
  writeFileSync(at('unknown-key.yaml'), 'risk:\n  maxLeverag: 3\n');
  writeFileSync(at('wrong-value.yaml'), 'risk:\n  maxLeverage: 500\n');
  writeFileSync(at('secret.yaml'), 'apiSecret: hunter2-hunter2\n');
  writeFileSync(at('broken.yaml'), 'risk: [1,\n');
});

/** Stands for a data folder of the case's own, as two processes at once cannot have one. */
const FOLDER = 'FOLDER';
let folders = 0;
const withFolder = (args: readonly string[]): string[] => {
  const folder = at(`data-${folders++}`);
  return args.map((arg) => (arg === FOLDER ? folder : arg));
};

interface Bad {
  readonly what: string;
  readonly args: () => readonly string[];
  readonly options?: () => CliOptions;
  readonly exit: number;
  readonly code: string;
  /** What the message must name. */
  readonly names: readonly RegExp[];
  readonly hint: RegExp;
}

const recording =
  (name: string): (() => string[]) =>
  () => ['run', '--recording', at(name), '--data-dir', FOLDER];
const config =
  (name: string): (() => string[]) =>
  () => ['run', '--config', at(name), '--data-dir', FOLDER];
const demo =
  (...flags: string[]): (() => string[]) =>
  () => ['run', ...flags, '--data-dir', FOLDER];

const CASES: readonly Bad[] = [
  {
    what: 'a recording that is not there',
    args: recording('nowhere'),
    ...{ exit: 66, code: 'INPUT_MISSING', names: [/nowhere/], hint: /--recording/ },
  },
  {
    what: 'an empty folder as a recording',
    args: recording('empty'),
    ...{ exit: 65, code: 'DATA_INVALID', names: [/empty/], hint: /ts_ms,open,high,low,close,volume/ },
  },
  {
    what: 'a gzip cut short',
    args: recording('ETHUSDT_1m.csv.gz'),
    ...{ exit: 65, code: 'DATA_INVALID', names: [/ETHUSDT_1m\.csv\.gz/], hint: /fetch it again/ },
  },
  {
    what: 'a file that only looks like a gzip',
    args: recording('XRPUSDT_1m.csv.gz'),
    ...{ exit: 65, code: 'DATA_INVALID', names: [/XRPUSDT_1m\.csv\.gz/], hint: /fetch it again/ },
  },
  {
    what: 'a table with other columns',
    args: recording('BTCUSDT_1m.csv.gz'),
    ...{ exit: 65, code: 'DATA_INVALID', names: [/BTCUSDT_1m\.csv\.gz/, /open/], hint: /\w/ },
  },
  {
    what: 'a word where a number belongs',
    args: recording('SOLUSDT_1m.csv.gz'),
    ...{ exit: 65, code: 'DATA_INVALID', names: [/SOLUSDT_1m\.csv\.gz/, /line 2/, /high/], hint: /\w/ },
  },
  {
    what: 'a symbol that the recording does not have',
    args: () => [...recording('good')(), '--symbols', 'DOGEUSDT'],
    ...{ exit: 65, code: 'DATA_INVALID', names: [/DOGEUSDT/], hint: /BTCUSDT, ETHUSDT/ },
  },
  {
    what: 'a configuration file that is not there',
    args: config('none.yaml'),
    ...{ exit: 66, code: 'INPUT_MISSING', names: [/none\.yaml/], hint: /--config/ },
  },
  {
    what: 'a configuration that is no YAML',
    args: config('broken.yaml'),
    ...{ exit: 78, code: 'CONFIG_INVALID', names: [/broken\.yaml/, /line/], hint: /bulkhead\.example\.yaml/ },
  },
  {
    what: 'an unknown key',
    args: config('unknown-key.yaml'),
    ...{
      exit: 78,
      code: 'CONFIG_INVALID',
      names: [/risk\.maxLeverag\b/, /Did you mean "maxLeverage"/],
      hint: /\w/,
    },
  },
  {
    what: 'a wrong value',
    args: config('wrong-value.yaml'),
    ...{ exit: 78, code: 'CONFIG_INVALID', names: [/risk\.maxLeverage/, /500/, /from 1 to 125/], hint: /\w/ },
  },
  {
    what: 'an unknown variable',
    args: demo(),
    options: () => ({ env: { BULKHEAD_LOG_LEVL: 'warn' } }),
    ...{ exit: 78, code: 'CONFIG_INVALID', names: [/BULKHEAD_LOG_LEVL/, /BULKHEAD_LOG_LEVEL/], hint: /\w/ },
  },
  {
    what: 'a wrong value of a flag',
    args: demo('--speed', 'fast'),
    ...{ exit: 78, code: 'CONFIG_INVALID', names: [/market\.speed/, /"fast"/, /--speed/, /max/], hint: /\w/ },
  },
  {
    what: 'a secret in the configuration file',
    args: config('secret.yaml'),
    ...{ exit: 78, code: 'CONFIG_INVALID', names: [/apiSecret/, /BULKHEAD_API_SECRET/], hint: /\w/ },
  },
  {
    what: 'an unknown flag',
    args: demo('--sped', '60'),
    ...{ exit: 64, code: 'USAGE', names: [/--sped/, /Did you mean "--speed"/], hint: /bulkhead run --help/ },
  },
  {
    what: 'an unknown command',
    args: () => ['rum'],
    ...{ exit: 64, code: 'USAGE', names: [/"rum"/, /Did you mean "run"/], hint: /bulkhead help/ },
  },
  {
    what: 'an unknown thing to export',
    args: () => ['export', 'profits'],
    ...{ exit: 64, code: 'USAGE', names: [/"profits"/], hint: /trades, orders, fills, equity, journal/ },
  },
  {
    what: 'paper on somebody else’s machine',
    args: () => ['run', '--mode', 'paper', '--venue', 'https://fapi.binance.com', '--data-dir', at('paper')],
    ...{ exit: 78, code: 'MODE_UNAVAILABLE', names: [/paper/, /on this machine/], hint: /bulkhead exchange/ },
  },
  {
    what: 'paper on a generated market',
    args: () => ['run', '--mode', 'paper', '--recording', at('nowhere'), '--data-dir', at('paper')],
    ...{ exit: 78, code: 'CONFIG_INVALID', names: [/market\.source/, /bulkhead exchange/], hint: /\w/ },
  },
  {
    what: 'live without anything it needs',
    args: () => ['run', '--mode', 'live', '--data-dir', at('live')],
    exit: 78,
    code: 'MODE_UNAVAILABLE',
    names: [/live/, /BULKHEAD_API_KEY/, /BULKHEAD_API_SECRET/, /--symbols/],
    hint: /--mode demo/,
  },
  {
    what: 'a data folder under a file',
    args: () => ['run', '--data-dir', path.join(at('a-file'), 'data')],
    ...{ exit: 73, code: 'CANNOT_WRITE', names: [/a-file/], hint: /--data-dir/ },
  },
  {
    what: 'a data folder that is a file',
    args: () => ['run', '--data-dir', at('a-file')],
    ...{ exit: 73, code: 'CANNOT_WRITE', names: [/a-file/], hint: /--data-dir/ },
  },
  {
    what: 'PostgreSQL without its URL',
    args: demo(),
    options: () => ({ env: { BULKHEAD_STORE_ENGINE: 'postgres' } }),
    ...{ exit: 78, code: 'CONFIG_INVALID', names: [/store\.engine/, /BULKHEAD_DATABASE_URL/], hint: /\w/ },
  },
  {
    what: 'the URL of another kind of database',
    args: demo(),
    options: () => postgres('mysql://me:top-secret-word@localhost/x'),
    ...{ exit: 78, code: 'CONFIG_INVALID', names: [/postgres:\/\//], hint: /postgres:\/\/user:password@/ },
  },
  {
    what: 'a database that nobody serves',
    args: demo(),
    options: () => postgres('postgres://me:top-secret-word@127.0.0.1:1/x'),
    ...{ exit: 69, code: 'STORE_UNAVAILABLE', names: [/127\.0\.0\.1:1/], hint: /database runs/ },
  },
  {
    what: 'the status of a folder without a run',
    args: () => ['status', '--data-dir', at('empty')],
    ...{ exit: 66, code: 'NOT_FOUND', names: [/empty/], hint: /--data-dir/ },
  },
  {
    what: 'the replay of a folder without a run',
    args: () => ['replay', '--data-dir', at('no-run')],
    ...{ exit: 66, code: 'NOT_FOUND', names: [/no-run/], hint: /bulkhead run/ },
  },
];

const postgres = (url: string): CliOptions => ({
  env: { BULKHEAD_STORE_ENGINE: 'postgres', BULKHEAD_DATABASE_URL: url },
});

/** A person's form of the same error. */
function assertReadable(end: CliEnd, { code, names }: Bad): void {
  assert.equal(end.stdout, '');
  assert.match(end.stderr, new RegExp(`^bulkhead: [^]*\\n  .+ \\[${code}\\]\\n$`, 'm'));
  assert.doesNotMatch(end.stderr, /\n\s+at .*\.ts:\d+/, 'no stack trace');
  assert.doesNotMatch(end.stderr, /top-secret-word|hunter2/);
  for (const name of names) assert.match(end.stderr, name);
}

describe('wrong input', { concurrency: 2 }, () => {
  for (const bad of CASES) {
    test(bad.what, async () => {
      const args = withFolder(bad.args());
      const options = bad.options?.();
      const end = await cli([...args, ...(args[0] === 'export' ? [] : ['--json'])], options);
      assert.equal(end.code, bad.exit, end.stderr);
      if (args[0] === 'export') return assertReadable(end, bad);
      assert.equal(end.stdout, '', 'errors go to standard error');
      const { code, message, hint } = errorOf(end);
      assert.equal(code, bad.code);
      for (const name of bad.names) assert.match(message, name);
      assert.match(hint, bad.hint);
      assert.doesNotMatch(end.stderr, /top-secret-word|hunter2/);
    });
  }

  test('for people the same, without a stack trace', async () => {
    const bad = CASES.find(({ code }) => code === 'MODE_UNAVAILABLE');
    assert.ok(bad);
    assertReadable(await cli(withFolder(bad.args())), bad);
  });
});

test('a run refused for its recording is corrected in the same folder', async () => {
  const args = (name: string): string[] => [
    ...[
      'run',
      '--recording',
      at(name),
      '--speed',
      'max',
      '--until-end',
      '--json',
      '--data-dir',
      at('corrected'),
    ],
  ];
  assert.equal((await cli(args('nowhere'))).code, 66);
  const health = await cli(['status', '--health', '--data-dir', at('corrected')]);
  assert.equal(health.code, 1);
  assert.match(health.stdout, /^failed: .*nowhere/);
  const end = await cli(args('good'));
  assert.equal(end.code, 0, end.stderr);
});

describe('a data folder keeps to what it was begun with', () => {
  const again = (...flags: string[]): Promise<CliEnd> =>
    cli(['run', '--data-dir', at('kept'), '--speed', 'max', '--until-end', '--json', ...flags]);

  before(async () => {
    const end = await again('--recording', at('good'));
    assert.equal(end.code, 0, end.stderr);
  });

  const OTHERS: readonly [what: string, flags: string[], names: RegExp[]][] = [
    ['a generated market', [], [/market/, /the recording "good"/, /generated with seed/]],
    [
      'other symbols',
      ['--recording', at('good'), '--symbols', 'BTCUSDT'],
      [/BTCUSDT, ETHUSDT/, /\(BTCUSDT\)/],
    ],
    ['another balance', ['--recording', at('good'), '--config', at('paper.yaml')], [/paper/, /20000/]],
    ['another strategy', ['--recording', at('good'), '--config', at('strategy.yaml')], [/strategy/]],
  ];
  before(() => {
    writeFileSync(at('paper.yaml'), 'paper:\n  initialBalance: "20000"\n');
    writeFileSync(at('strategy.yaml'), 'strategy:\n  options: { atrPeriod: 21 }\n');
  });

  for (const [what, flags, names] of OTHERS) {
    test(`${what} is refused`, async () => {
      const end = await again(...flags);
      assert.equal(end.code, 78, end.stderr);
      const { code, message, hint } = errorOf(end);
      assert.equal(code, 'CONFIG_INVALID');
      for (const name of names) assert.match(message, name);
      assert.match(hint, /--data-dir/);
    });
  }

  test('and what it was begun with still goes on', async () => {
    const end = await again('--recording', at('good'));
    assert.equal(end.code, 0, end.stderr);
    assert.equal(jsonLines(end).at(-1)?.rowsThisRun, 0);
  });
});

const data = sharedData();
test('a dirty recording is traded to its end, its faults told, and no bad bar traded on', {
  skip: data === undefined && 'no market data',
}, async () => {
  const file = path.join(data ?? '', 'dirty', 'BTCUSDT_1m_bybit_gappy_outliers_2024-10.csv.gz');
  const dataDir = ['--data-dir', at('dirty')];
  const end = await cli(['run', '--recording', file, '--speed', 'max', '--until-end', '--json', ...dataDir]);
  assert.equal(end.code, 0, end.stderr);
  const journal = jsonLines(await cli(['export', 'journal', '--format', 'json', ...dataDir]));
  const faults = journal.flatMap(({ actor, at: when, event }) => {
    const { type, kind } = event as { type: string; kind?: string };
    return String(actor).startsWith('feed/') && type === 'FAULT' ? [{ at: when, kind }] : [];
  });
  const kinds = new Set(faults.map(({ kind }) => kind));
  assert.ok(kinds.has('gap') && kinds.has('absurd'), [...kinds].join());
  const bad = new Set(faults.filter(({ kind }) => kind === 'absurd').map((fault) => fault.at));
  const orders = jsonLines(await cli(['export', 'orders', '--format', 'json', ...dataDir]));
  const fills = jsonLines(await cli(['export', 'fills', '--format', 'json', ...dataDir]));
  for (const fill of fills) assert.ok(!bad.has(fill.at), `filled on an absurd bar: ${JSON.stringify(fill)}`);
  for (const order of orders)
    assert.ok(!bad.has(order.submittedAt), `ordered on an absurd bar: ${JSON.stringify(order)}`);
});
