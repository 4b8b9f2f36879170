import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Handlers, runCli } from '../../src/app/cli/cli.ts';
import { COMMANDS } from '../../src/app/cli/cli-commands.ts';
import { exitCodes } from '../../src/app/cli/cli-help.ts';
import type { CommandOptions } from '../../src/app/cli/io.ts';
import { CONFIG_KEYS } from '../../src/config/keys.ts';
import { BulkheadError, ERRORS } from '../../src/core/errors.ts';
import { fakeIo } from '../support/fake-io.ts';

/** Runs the CLI with handlers that note what they were asked. */
async function cli(line: string, env: Record<string, string> = {}, answer: () => number = () => 0) {
  const calls: { name: string; options: unknown }[] = [];
  const note = (name: string) => async (options: unknown) => {
    calls.push({ name, options });
    return answer();
  };
  const handlers: Handlers = {
    run: note('run'),
    status: note('status'),
    export: note('export'),
    replay: note('replay'),
    explain: note('explain'),
    stats: note('stats'),
    rules: note('rules'),
    say: note('say'),
    config: note('config'),
    kill: note('kill'),
    release: note('release'),
    breakers: note('breakers'),
    exchange: note('exchange'),
    doctor: note('doctor'),
    backup: note('backup'),
    compact: note('compact'),
    restore: note('restore'),
    simulate: note('simulate'),
    handover: note('handover'),
    migrate: note('migrate'),
    inspect: note('inspect'),
  };
  const io = fakeIo({ env });
  const code = await runCli(line === '' ? [] : line.split(' '), io, handlers);
  return { code, out: io.out(), err: io.err(), calls, options: calls[0]?.options as Record<string, never> };
}

describe('commands reach their handlers', () => {
  test('run with every flag', async () => {
    const { code, options, calls } = await cli(
      'run --mode demo --recording ../x --speed max --seed 7 --symbols BTCUSDT,ETHUSDT --until-end --standby --data-dir /d --json --quiet',
    );
    assert.equal(code, 0);
    assert.equal(calls[0]?.name, 'run');
    const { config, json, quiet } = options as unknown as {
      config: import('../../src/config/schema.ts').Config;
      json: boolean;
      quiet: boolean;
    };
    assert.equal(config.market.source, 'recorded');
    assert.equal(config.market.recording, '../x');
    assert.equal(config.market.speed, 'max');
    assert.equal(config.market.seed, 7);
    assert.deepEqual(config.market.symbols, ['BTCUSDT', 'ETHUSDT']);
    assert.equal(config.market.untilEnd, true);
    assert.equal(config.lease.standby, true);
    assert.equal(config.data.dir, '/d');
    assert.equal(json, true);
    assert.equal(quiet, true);
  });

  test('what works through the data folder needs no secret of the run’s', async () => {
    const env = { BULKHEAD_STORE_ENGINE: 'postgres' };
    const lines = [...['status', 'stop', 'close BTCUSDT', 'breakers', 'kill', 'release --reason over']];
    for (const line of lines) assert.deepEqual([line, (await cli(line, env)).code], [line, 0]);
    for (const line of ['run', 'stats', 'export trades'])
      assert.deepEqual([line, (await cli(line, env)).code], [line, 78]);
  });

  test('kill goes on beside a configuration that is wrong, where a run was', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'bulkhead-kill-'));
    const line = `kill --data-dir ${dir}`;
    const env = { BULKHEAD_MODE: 'nonsense', BULKHEAD_API_KEY: 'k' };
    assert.equal((await cli(line, env)).code, 78, 'nothing says that this is the folder');
    writeFileSync(join(dir, 'status.json'), '{}');
    const { code, err, options } = await cli(line, env);
    rmSync(dir, { recursive: true });
    assert.equal(code, 0);
    assert.match(err, /mode: "nonsense".*\n.*\n? *Going on with what .* knows of its venue/);
    const { config, secrets } = options as unknown as CommandOptions;
    assert.deepEqual([config.data.dir, secrets.apiKey], [dir, 'k']);
  });

  test('a flag wins over its variable', async () => {
    const { options } = await cli('run --speed=2', { BULKHEAD_MARKET_SPEED: '9' });
    assert.equal((options as unknown as { config: { market: { speed: number } } }).config.market.speed, 2);
  });

  test('inspect, which reads no configuration', async () => {
    assert.deepEqual((await cli('inspect')).options, { modules: [], port: 8790, json: false });
    const some = await cli('inspect a.ts b.ts --port 0 --json', { BULKHEAD_MODE: 'nonsense' });
    assert.deepEqual(some.options, { modules: ['a.ts', 'b.ts'], port: 0, json: true });
    assert.equal((await cli('inspect --port many')).code, 64);
  });

  test('explain and stats', async () => {
    assert.partialDeepStrictEqual((await cli('explain BTCUSDT/3 --json')).options, {
      position: 'BTCUSDT/3',
      json: true,
    });
    assert.partialDeepStrictEqual((await cli('stats --by hour')).options, { by: 'hour' });
    assert.equal((await cli('stats')).options.by, undefined);
    const wrong = await cli('stats --by weather');
    assert.equal(wrong.code, 64);
    assert.match(wrong.err, /--by weather is no grouping[\s\S]*reason, side, hour, symbol/);
  });

  test('what is said to a run', async () => {
    const SAID: readonly [line: string, command: object][] = [
      ['adopt BTCUSDT', { kind: 'adopt', symbol: 'BTCUSDT' }],
      ['pause', { kind: 'pause' }],
      ['pause 30 --reason news', { kind: 'pause', minutes: 30, reason: 'news' }],
      ['close ethusdt 50%', { kind: 'close', symbol: 'ETHUSDT', share: '0.5' }],
      ['close ETHUSDT', { kind: 'close', symbol: 'ETHUSDT' }],
      ['move-stop BTCUSDT 98500.50', { kind: 'move-stop', symbol: 'BTCUSDT', price: '98500.5' }],
      ['force-entry BTCUSDT short', { kind: 'force-entry', symbol: 'BTCUSDT', direction: 'short' }],
      ['blacklist add A1,B2 C3', { kind: 'blacklist', change: 'add', symbols: ['A1', 'B2', 'C3'] }],
      ['whitelist clear', { kind: 'whitelist', change: 'clear', symbols: [] }],
      [
        'lock BTCUSDT 5 long --reason x',
        { kind: 'lock', symbol: 'BTCUSDT', minutes: 5, direction: 'long', reason: 'x' },
      ],
      ['trip drawdown --reason news', { kind: 'trip', breaker: 'drawdown', reason: 'news' }],
      ['release drawdown --reason seen', { kind: 'release', breaker: 'drawdown', reason: 'seen' }],
    ];
    for (const [line, command] of SAID) {
      const { calls, options } = await cli(line);
      assert.equal(calls[0]?.name, 'say', line);
      assert.deepEqual(options.command, command, line);
    }
    assert.equal((await cli('release --reason over')).calls[0]?.name, 'release');
  });

  test('export, replay, status, doctor', async () => {
    assert.partialDeepStrictEqual((await cli('export fills --format json --out f.jsonl')).options, {
      what: 'fills',
      format: 'json',
      out: 'f.jsonl',
    });
    assert.partialDeepStrictEqual((await cli('export fills --json')).options, { format: 'json', json: true });
    assert.partialDeepStrictEqual((await cli('export fills --json --format json')).options, {
      format: 'json',
    });
    assert.partialDeepStrictEqual((await cli('export fills')).options, { format: 'csv', json: false });
    assert.partialDeepStrictEqual((await cli('replay --to 1500 --verify')).options, {
      to: { n: 1500 },
      verify: true,
    });
    // In hedge mode a position is on a side of its symbol.
    assert.partialDeepStrictEqual((await cli('replay --to BTCUSDT/LONG/3 --diff BTCUSDT/SHORT')).options, {
      to: { position: 'BTCUSDT/LONG/3' },
      diff: { position: 'BTCUSDT/SHORT' },
    });
    assert.partialDeepStrictEqual((await cli('replay --to 2025-05-04T12:00:00Z')).options, {
      to: { at: Date.UTC(2025, 4, 4, 12) },
    });
    assert.partialDeepStrictEqual((await cli('status --health')).options, { health: true });
    const { options } = await cli('doctor --json', { BULKHEAD_MODE: 'nonsense' });
    await assert.rejects(
      async () => (options as unknown as { load(): Promise<unknown> }).load(),
      /mode: "nonsense" from BULKHEAD_MODE/,
    );
  });

  test('the exit code is the handler\u2019s', async () => {
    assert.equal((await cli('run', {}, () => 143)).code, 143);
  });
});

describe('usage errors say what was meant', () => {
  const WRONG: readonly [line: string, message: RegExp][] = [
    ['rnu', /There is no command "rnu"\. Did you mean "run"\?/],
    ['--json run', /A command must come before the flags/],
    ['run --sped 3', /bulkhead run has no flag --sped\. Did you mean "--speed"\?/],
    ['run -x', /bulkhead run has no flag -x\./],
    ['run --speed', /--speed needs a value: --speed N\|max/],
    ['run --speed --quiet', /--speed needs a value/],
    ['run --data-dir=', /--data-dir needs a value/],
    ['run --until-end=yes', /--until-end is a switch and takes no value/],
    ['run --seed 1 --seed 2', /--seed is given twice/],
    ['run now', /bulkhead run takes no argument "now"/],
    ['trip drawdown', /needs a reason: --reason WHY/],
    ['lock BTCUSDT 5', /bulkhead lock needs a reason: --reason WHY/],
    ['close BTCUSDT 1.5', /share must be less than 1/],
    ['direction up', /direction must be one of both, long, short, none/],
    ['export', /bulkhead export needs an argument: trades\|orders/],
    ['export trades fills', /bulkhead export takes no more than: trades/],
    ['lock BTCUSDT', /bulkhead lock needs more arguments: SYMBOL MINUTES/],
    ['export cats', /nothing called "cats" to export/],
    ['export trades --format xml', /--format xml is not known/],
    ['export trades --format csv --json', /--json and --format csv contradict each other/],
    ['replay --to yesterday', /--to yesterday is neither a row number nor a time/],
    ['replay --verify --step', /--verify does not go with --step/],
    ['replay --to 2025-05-04T12:00:00', /neither a row number nor a time/],
    ['help nothing', /There is no command "nothing"/],
  ];
  for (const [line, message] of WRONG) {
    test(`bulkhead ${line}`, async () => {
      const { code, err, out, calls } = await cli(line);
      assert.equal(code, ERRORS.USAGE.exit);
      assert.match(err, message);
      assert.match(err, /\[USAGE\]|"code":"USAGE"/);
      assert.equal(out, '');
      assert.deepEqual(calls, []);
    });
  }

  test('a wrong value of a flag is a configuration error naming the flag', async () => {
    const { code, err } = await cli('run --speed fast');
    assert.equal(code, ERRORS.CONFIG_INVALID.exit);
    assert.match(
      err,
      /market\.speed: "fast" from --speed is not allowed; allowed: "max" or a number above 0/,
    );
    assert.match((await cli('run --mode lvie')).err, /mode: "lvie" from --mode .* one of demo, paper, live/);
    assert.match((await cli('run --seed -1')).err, /market\.seed: -1 from --seed/);
  });
});

describe('errors of commands', () => {
  test('a known error: message, hint, code and its exit code', async () => {
    const { code, err } = await cli('run', {}, () => {
      throw new BulkheadError('LEASE_HELD', 'Somebody trades.', { hint: 'Wait.' });
    });
    assert.equal(code, ERRORS.LEASE_HELD.exit);
    assert.equal(err, 'bulkhead: Somebody trades.\n  Wait. [LEASE_HELD]\n');
  });

  test('with --json: one JSON object on standard error', async () => {
    const { code, err, out } = await cli('run --json', {}, () => {
      throw new BulkheadError('STORE_FULL', 'Full.', { hint: 'Make room.' });
    });
    assert.equal(code, ERRORS.STORE_FULL.exit);
    assert.deepEqual(JSON.parse(err), {
      error: { code: 'STORE_FULL', message: 'Full.', hint: 'Make room.' },
    });
    assert.equal(out, '');
  });

  test('an unknown error is INTERNAL, with its stack', async () => {
    const { code, err } = await cli('run', {}, () => {
      throw new TypeError('oops');
    });
    assert.equal(code, ERRORS.INTERNAL.exit);
    assert.match(err, /TypeError: oops\n\s+at /);
  });
});

describe('help', () => {
  test('no command, help, --help and -h show the overview', async () => {
    const { out, code } = await cli('');
    assert.equal(code, 0);
    for (const command of COMMANDS) assert.match(out, new RegExp(`^  ${command.name}\\b`, 'm'));
    for (const line of ['help', '--help', '-h']) assert.equal((await cli(line)).out, out);
  });

  test('every exit code there is stands in the overview', async () => {
    const { out } = await cli('help');
    for (const spec of Object.values(ERRORS)) assert.ok(exitCodes().has(spec.exit));
    for (const code of exitCodes().keys()) assert.match(out, new RegExp(`^  ${code}\\s`, 'm'));
  });

  for (const command of COMMANDS) {
    test(`bulkhead ${command.name} --help names every flag and its default`, async () => {
      const { out, code, calls } = await cli(`${command.name} --help`);
      assert.equal(code, 0);
      assert.deepEqual(calls, []);
      for (const flag of command.flags) assert.ok(out.includes(`--${flag.name}`), flag.name);
      assert.equal((await cli(`help ${command.name}`)).out, out);
    });
  }

  test('defaults come from the configuration', async () => {
    const { out } = await cli('run --help');
    assert.match(out, /--mode MODE .*\(default: demo\)/);
    assert.match(out, /--data-dir DIR .*\(default: \.bulkhead\)/);
  });

  test('every key that a flag sets exists', () => {
    const known = CONFIG_KEYS.map((key) => key.path);
    for (const command of COMMANDS) {
      for (const flag of command.flags) if (flag.key) assert.ok(known.includes(flag.key), flag.key);
    }
  });

  test('version, plain and as JSON', async () => {
    assert.match((await cli('version')).out, /^bulkhead \d+\.\d+\.\d+ \(Node v\d+/);
    assert.match((await cli('--version')).out, /^bulkhead /);
    assert.equal(JSON.parse((await cli('version --json')).out).node, process.version);
  });
});
