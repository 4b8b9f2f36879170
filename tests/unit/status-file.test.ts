import assert from 'node:assert/strict';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { visibleLength } from '../../src/app/cli/render-text.ts';
import { renderStatus, statusLine, tradeLine } from '../../src/app/status/render-status.ts';
import { illness, isAlive, status } from '../../src/app/status/status.ts';
import {
  readStatus,
  type StatusDocument,
  StatusPublisher,
  writeStatus,
} from '../../src/app/status/status-file.ts';
import { loadConfig } from '../../src/config/load.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import { isBulkheadError } from '../../src/core/errors.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempDir } from '../support/temp.ts';

const NOW = Date.UTC(2026, 0, 1);

function document(overrides: Partial<StatusDocument> = {}): StatusDocument {
  return {
    format: 1,
    version: '0.1.0',
    pid: process.pid,
    mode: 'demo',
    accountName: 'main',
    state: 'running',
    startedAt: NOW - 42_000,
    updatedAt: NOW,
    virtualTime: Date.UTC(2025, 4, 4, 3, 15),
    market: { name: 'synthetic', symbols: ['BTCUSDT', 'ETHUSDT'], seed: 42 },
    store: { engine: 'PGlite', location: '/data/store', durable: true },
    account: {
      initial: '10000',
      wallet: '10017.44',
      equity: '10012.34',
      realised: '20',
      fees: '2',
      funding: '-0.56',
      openPnl: '-5.1',
    },
    positions: [
      {
        actor: 'position/BTCUSDT/BOTH/1',
        symbol: 'BTCUSDT',
        direction: 'long',
        quantity: '0.001',
        entryPrice: '96120.1',
        markPrice: '96015',
        stopPrice: null,
        openPnl: '-0.11',
        sizedBy: ['stop 90353: adaptive 6.00 %', 'volatility ×0.5 (ATR 4.00 %)'],
        liquidationPrice: null,
        state: 'open.protected',
      },
    ],
    trades: {
      count: 3,
      wins: 2,
      losses: 1,
      last: [
        {
          symbol: 'ETHUSDT',
          direction: 'short',
          quantity: '0.05',
          entryPrice: '1832.44',
          exitPrice: '1800',
          net: '1.6',
          reason: 'trailing stop',
          closedAt: Date.UTC(2025, 4, 4, 2),
        },
      ],
    },
    breakers: [{ name: 'drawdown', state: 'closed', since: null, reason: null }],
    entries: {
      approved: 3,
      refused: 7,
      refusedRules: { spread: 2, edge: 5 },
      lastRefused: [
        {
          at: Date.UTC(2025, 4, 4, 3),
          symbol: 'SOLUSDT',
          refusals: [
            { rule: 'edge', detail: 'no edge to size by: 52.6 trades, won 0.4785, lost 0.6007' },
            { rule: 'spread', detail: '0.3000 %; at most 0.2000 %' },
          ],
        },
      ],
    },
    tradingState: 'active',
    journal: { n: 1284, durableN: 1284, rowsPerSecond: 310.4 },
    tree: {
      ...{ id: 'root', kind: 'supervisor', state: 'running', status: undefined, restarts: 0 },
      ...{ uptimeMs: 42_000, lastError: undefined },
      children: [
        {
          ...{ id: 'market', kind: 'worker', state: 'running', status: undefined, restarts: 2 },
          ...{ uptimeMs: 1000, lastError: 'feed lost', children: [] },
        },
      ],
    } as StatusDocument['tree'],
    recovery: { ms: 12.3, actors: 5 },
    progress: { done: 25, total: 100 },
    error: null,
    ...overrides,
  };
}

describe('the file', () => {
  test('is read as it was written, and leaves nothing beside it', (t) => {
    const dir = path.join(tempDir(t), 'new', 'folder');
    writeStatus(dir, document({ tree: null }));
    assert.deepEqual(readStatus(dir), document({ tree: null }));
    assert.deepEqual(readdirSync(dir), ['status.json']);
  });

  test('absent, foreign or damaged it is an error with a hint', (t) => {
    const dir = tempDir(t);
    assert.throws(
      () => readStatus(dir),
      (error) => isBulkheadError(error, 'NOT_FOUND') && error.hint !== undefined,
    );
    for (const content of ['{"format":99}', '{"form', '']) {
      writeFileSync(path.join(dir, 'status.json'), content);
      assert.throws(
        () => readStatus(dir),
        (error) => isBulkheadError(error, 'DATA_INVALID'),
      );
    }
  });

  test('a folder that is a file is named', (t) => {
    const file = path.join(tempDir(t), 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o400);
    assert.throws(
      () => writeStatus(file, document()),
      (error) => isBulkheadError(error, 'CANNOT_WRITE') && error.message.includes(file),
    );
  });

  test('is written at most once an interval, and at once when flushed', (t) => {
    const time = new VirtualTime(0);
    const publisher = new StatusPublisher(tempDir(t), time, 1000);
    let built = 0;
    const build = () => {
      built++;
      return document();
    };
    for (let at = 0; at < 3000; at += 100) {
      time.advanceTo(at);
      publisher.publish(build);
    }
    assert.equal(built, 3);
    publisher.flush(build);
    assert.equal(built, 4);
    assert.equal(publisher.publish(build), undefined);
  });
});

describe('health', () => {
  const WELL: readonly Partial<StatusDocument>[] = [{}, { state: 'starting' }, { state: 'standby' }];
  for (const overrides of WELL) {
    test(`${overrides.state ?? 'running'} is well`, () =>
      assert.equal(illness(document(overrides), true, NOW), undefined));
  }

  test('stopped, failed, dead and silent are not', () => {
    assert.equal(illness(document({ state: 'stopped' }), false, NOW), 'stopped');
    assert.match(illness(document({ state: 'failed', error: 'disk' }), true, NOW) ?? '', /failed: disk/);
    assert.match(illness(document(), false, NOW) ?? '', /is gone/);
    assert.match(illness(document(), true, NOW + 60_000) ?? '', /no sign of life for 1m 0s/);
    const seldom = document({ intervalMs: 60_000 });
    assert.equal(illness(seldom, true, NOW + 170_000), undefined, 'written seldom');
    assert.match(illness(seldom, true, NOW + 190_000) ?? '', /no sign of life/);
  });

  test('a process is alive or not', () => {
    assert.equal(isAlive(process.pid), true);
    assert.equal(isAlive(2 ** 22 + 12_345), false);
  });
});

describe('the command', () => {
  const options = (dir: string, overrides: { json?: boolean; health?: boolean } = {}) => {
    const { config, secrets } = loadConfig({ env: { BULKHEAD_DATA_DIR: dir }, cwd: dir });
    return { config, secrets, configFile: undefined, json: false, quiet: false, health: false, ...overrides };
  };

  test('text without colours, JSON with whether it lives, health as an exit code', async (t) => {
    const dir = tempDir(t);
    writeStatus(dir, document());
    const text = fakeIo();
    assert.equal(await status(options(dir), text), 0);
    assert.match(text.out(), /Equity 10,012\.34 USDT {2}\+12\.34/);
    assert.ok(!text.out().includes('\u001b'));
    const json = fakeIo();
    assert.equal(await status(options(dir, { json: true }), json), 0);
    assert.partialDeepStrictEqual(JSON.parse(json.out()), { alive: true, account: { equity: '10012.34' } });
    writeStatus(dir, document({ error: 'journal halted: it is away' }));
    const halted = fakeIo();
    assert.equal(
      await status(options(dir, { health: true }), halted),
      0,
      'nothing that a restart would mend',
    );
    assert.equal(halted.out(), 'alive; journal halted: it is away\n');
    writeStatus(dir, document());
    const well = fakeIo();
    assert.equal(await status(options(dir, { health: true }), well), 0);
    assert.equal(well.out(), 'healthy\n');
    writeStatus(dir, document({ state: 'stopped' }));
    assert.equal(await status(options(dir, { health: true }), fakeIo()), 1);
  });
});

describe('rendering', () => {
  const render = (overrides: Partial<StatusDocument> = {}, colour = false, width = 200) =>
    renderStatus(document(overrides), { colour, width, now: NOW });

  test('a trade that closed, in a line: its average as fine as its prices are', () => {
    const trade = {
      symbol: 'ADAUSDT',
      direction: 'short' as const,
      quantity: '147',
      exitPrice: '0.652308843537',
      net: '2.7301',
      reason: 'trailing-stop',
    };
    const at = Date.UTC(2025, 0, 7, 20, 58);
    const told = (more: { readonly tickSize?: string } = {}) => tradeLine({ ...trade, ...more }, at);
    const rest = ': 2.73 USDT (trailing-stop)';
    assert.equal(told({ tickSize: '0.0001' }), `2025-01-07 20:58 closed ADAUSDT short 147 at 0.6523${rest}`);
    assert.equal(told(), `2025-01-07 20:58 closed ADAUSDT short 147 at 0.652308843537${rest}`);
  });

  test('shows everything that matters', () => {
    const text = render();
    for (const part of [
      'demo · running',
      '2 symbols, seed 42',
      '25 % of the recording',
      'wallet 10,017.44',
      'open -5.10',
      '96120.1',
      'none',
      'open.protected',
      '3 trades closed, 2 won, 1 lost (67 %)',
      'trailing stop',
      'BTCUSDT long stop 90353: adaptive 6.00 %; volatility ×0.5 (ATR 4.00 %)',
      '3 approved, 7 refused by edge 5×, spread 2×',
      '2025-05-04 03:00 SOLUSDT edge: no edge to size by: 52.6 trades, won 0.4785, lost 0.6007; spread: 0.3000 %',
      'all 1 closed',
      'row 1284, durable 1284, 310 rows/s',
      'recovered 5 actors in 12 ms',
      '/data/store (PGlite)',
      'market',
      'last error: feed lost',
    ]) {
      assert.ok(text.includes(part), `${part}\n${text}`);
    }
  });

  test('averages are as fine as their instrument’s prices', () => {
    const [position] = document().positions;
    const [trade] = document().trades.last;
    assert.ok(position && trade);
    const text = render({
      positions: [{ ...position, entryPrice: '96120.123456', markPrice: '96015.987', tickSize: '0.1' }],
      trades: {
        ...document().trades,
        last: [
          { ...trade, entryPrice: '1832.4449', exitPrice: '1800.005', tickSize: '0.01' },
          { ...trade, symbol: 'GONEUSDT', entryPrice: '1.23456789', exitPrice: '1.2' },
        ],
      },
    });
    for (const part of [/ 96120\.1 +96016 /, / 1832\.44 +1800\.01 /, / 1\.23456789 +1\.2 /])
      assert.match(text, part);
  });

  test('shows what is wrong', () => {
    const effect = 'halted, closes everything';
    const breakers = [{ name: 'drawdown', state: 'open', effect, since: NOW, reason: 'lost 20 %' }] as const;
    assert.match(
      render({ breakers, tradingState: 'halted' }),
      /trading halted[\s\S]*drawdown halted, closes everything since .*: lost 20 %/,
    );
    assert.match(render({ store: { engine: 'x', location: 'y', durable: false } }), /NOT DURABLE/);
    assert.match(render({ state: 'failed', error: 'the disk is full' }), /the disk is full/);
    const dead = renderStatus(document(), { colour: false, width: 200, now: NOW + 5000, alive: false });
    assert.match(dead, /dead \(was running\).*seen 5s ago/);
  });

  test('no line is wider than the terminal, with or without colours', () => {
    for (const colour of [true, false]) {
      for (const width of [20, 40, 79]) {
        for (const line of render({}, colour, width).split('\n'))
          assert.ok(visibleLength(line) <= width, line);
      }
    }
    assert.ok(render({}, true).includes('\u001b[32m'));
  });

  test('a standby says nothing of positions and money, of which it knows nothing', () => {
    const text = render({
      state: 'standby',
      positions: [],
      standby: { followedN: 77, notReady: null } as never,
    });
    assert.match(
      text,
      /standby[\s\S]*Standby +ready, follows the journal at row 77[\s\S]*where the leader runs/,
    );
    assert.doesNotMatch(text, /Equity|No open position|No trade|Journal +row|symbols/);
  });

  test('an empty run renders too', () => {
    const text = render({
      ...{ positions: [], breakers: [], tree: null, recovery: null, progress: null, virtualTime: null },
      trades: { count: 0, wins: 0, losses: 0, last: [] },
    });
    assert.match(text, /not begun[\s\S]*No open position[\s\S]*No trade closed yet/);
  });

  test('one line for a log', () => {
    assert.equal(
      statusLine(document()),
      '2025-05-04 03:15  equity 10,012.34 (+12.34)  1 open  3 trades  row 1284  25 % of the recording',
    );
  });
});
