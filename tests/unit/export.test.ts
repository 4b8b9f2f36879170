import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import type { ExportFormat, ExportKind, ExportOptions } from '../../src/app/cli/io.ts';
import { exportCommand, exportLines } from '../../src/app/results/export.ts';
import { recordLine } from '../../src/app/results/export-format.ts';
import { COLUMNS, type ExportRecord, exportRecords } from '../../src/app/results/export-records.ts';
import { loadConfig } from '../../src/config/load.ts';
import { isBulkheadError } from '../../src/core/errors.ts';
import type { JournalRow, JournalStore } from '../../src/journal/journal.ts';
import { allRows } from '../../src/journal/journal-beginning.ts';
import { ORIGIN } from '../../src/journal/journal-cut.ts';
import { fakeIo } from '../support/fake-io.ts';

let n = 0;
function row(
  actor: string,
  event: object,
  extra: Partial<Record<'intents' | 'cause', unknown>> = {},
): JournalRow {
  n++;
  return {
    n,
    epoch: 1,
    actor,
    seq: n,
    at: Date.UTC(2025, 4, 4) + n * 1000,
    kind: 'event',
    machine: 'x@1',
    event: JSON.stringify(event),
    cause: JSON.stringify(extra.cause ?? { kind: 'intent', n: 1, i: 0 }),
    snapshot: null,
    intents: JSON.stringify(extra.intents ?? []),
    host: '{}',
    note: null,
    final: false,
    hash: `h${n}`,
  };
}

async function* stream(rows: readonly JournalRow[]): AsyncGenerator<JournalRow> {
  yield* rows;
}

async function records(what: ExportKind, rows: readonly JournalRow[]): Promise<ExportRecord[]> {
  return Array.fromAsync(exportRecords(what, stream(rows)));
}

const POSITION = 'position/BTCUSDT/BOTH/1';
const about = { ref: 'entry', clientOrderId: 'bh-1', symbol: 'BTCUSDT' };
const order = {
  ...about,
  owner: POSITION,
  side: 'BUY',
  positionSide: 'BOTH',
  type: 'MARKET',
  quantity: '0.3',
  reduceOnly: false,
};
const fill = (tradeId: string, price: string, quantity: string, complete: boolean) => ({
  type: 'ORDER_FILLED',
  ...about,
  tradeId,
  side: 'BUY',
  price,
  quantity,
  cumulative: quantity,
  complete,
  maker: false,
  fee: '0.01',
  realizedPnl: '0',
});
const trade = {
  symbol: 'BTCUSDT',
  direction: 'long',
  quantity: '0.3',
  entryPrice: '100',
  exitPrice: '110',
  grossPnl: '3',
  fees: '0.02',
  funding: '-0.001',
  netPnl: '2.979',
  reason: 'trailing stop, at "peak"',
  openedAt: Date.UTC(2025, 4, 4),
  closedAt: Date.UTC(2025, 4, 5),
  life: 1,
};
/** What an open position's books say. */
const BOOKS = {
  ...{ symbol: 'BTCUSDT', direction: 'long', enteredQuantity: '0.3', enteredNotional: '30' },
  ...{ exitedQuantity: '0.1', exitedNotional: '11', grossPnl: '1', fees: '0.01', funding: '-0.001' },
  ...{ exits: [], broken: null, closeReason: null, emergency: null },
  ...{ firstFillAt: Date.UTC(2025, 4, 4), at: Date.UTC(2025, 4, 5), life: 2 },
};
const LIFE = [
  row(POSITION, { type: 'APPROVED' }, { intents: [{ type: 'order.submit', order }] }),
  row('venue', { type: 'order.submit', order }),
  row(POSITION, { type: 'ORDER_ACKNOWLEDGED', ...about, orderId: '77' }),
  row(POSITION, fill('1', '100', '0.1', false)),
  row(POSITION, fill('2', '103', '0.2', true)),
  row(POSITION, fill('2', '103', '0.2', true), { cause: { kind: 'postponed', seq: 4 } }),
  row('portfolio', {
    type: 'WALLET_CHANGED',
    asset: 'USDT',
    balance: '999.99',
    delta: '-0.01',
    reason: 'COMMISSION',
    symbol: 'BTCUSDT',
    tradeId: '1',
  }),
  row('portfolio', { type: 'POSITION_CLOSED', actor: POSITION, trade, reason: trade.reason }),
  row(`scanner/BTCUSDT`, { type: 'POSITION_CLOSED', actor: POSITION, trade, reason: trade.reason }),
  row('portfolio', { type: 'POSITION_CLOSED', actor: POSITION, trade: null, reason: 'never filled' }),
];

describe('records', () => {
  test('a trade appears once, from the portfolio', async () => {
    const [record, ...others] = await records('trades', LIFE);
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(record, {
      symbol: 'BTCUSDT',
      netPnl: '2.979',
      openedAt: '2025-05-04T00:00:00.000Z',
      actor: POSITION,
    });
    assert.deepEqual(Object.keys(record ?? {}).sort(), [...COLUMNS.trades].sort());
  });

  test('positions still open come last, with their amounts so far', async () => {
    const STILL_OPEN = 'position/BTCUSDT/BOTH/2';
    const at = (context: object, final = false) => ({
      ...row(STILL_OPEN, { type: 'ORDER_FILLED' }),
      snapshot: JSON.stringify({ value: 'open', context: { ...BOOKS, ...context } }),
      final,
    });
    const older = at({ fees: '0.01' });
    const newest = at({ fees: '0.02', grossPnl: '1.5' });
    const unfilled = { ...at({ enteredQuantity: '0' }), actor: 'position/ETHUSDT/BOTH/1' };
    const all = await records('trades', [older, newest, unfilled, ...LIFE]);
    assert.deepEqual(
      all.map(({ actor }) => actor),
      [POSITION, STILL_OPEN],
    );
    assert.partialDeepStrictEqual(all[1], {
      n: newest.n,
      quantity: '0.3',
      entryPrice: '100',
      exitPrice: null,
      grossPnl: '1.5',
      fees: '0.02',
      netPnl: '1.479',
      reason: 'open',
      closedAt: null,
    });
    const ended = { type: 'POSITION_CLOSED', actor: STILL_OPEN, trade, reason: 'stop' };
    const closed = await records('trades', [newest, at({}, true), row('portfolio', ended)]);
    assert.deepEqual(
      closed.map(({ reason }) => reason),
      [trade.reason],
    );
  });

  test('a fill is counted once, even when its message was postponed', async () => {
    const fills = await records('fills', LIFE);
    assert.deepEqual(
      fills.map(({ tradeId, price, owner }) => [tradeId, price, owner]),
      [
        ['1', '100', POSITION],
        ['2', '103', POSITION],
      ],
    );
  });

  test('an order ends as its events left it, at its exact average', async () => {
    const [record] = await records('orders', LIFE);
    assert.partialDeepStrictEqual(record, {
      clientOrderId: 'bh-1',
      orderId: '77',
      status: 'filled',
      filled: '0.3',
      averagePrice: '102',
      price: null,
      reduceOnly: false,
      owner: POSITION,
    });
  });

  const ENDS: readonly [event: object, status: string][] = [
    [{ type: 'ORDER_REJECTED', ...about, code: -2019, reason: 'margin' }, 'rejected'],
    [{ type: 'ORDER_UNKNOWN', ...about, reason: 'time-out' }, 'unknown'],
    [{ type: 'ORDER_CLOSED', ...about, outcome: 'canceled', cumulative: '0', reason: 'asked' }, 'canceled'],
    [{ type: 'ORDER_TRIGGERED', ...about }, 'triggered'],
    [{ type: 'SOMETHING_ELSE', ...about }, 'submitted'],
  ];
  for (const [event, status] of ENDS) {
    test(`an order is ${status} after ${(event as { type: string }).type}`, async () => {
      const [first] = LIFE;
      assert.ok(first);
      const [record] = await records('orders', [first, row(POSITION, event)]);
      assert.equal(record?.status, status);
      assert.equal(record?.averagePrice, null);
    });
  }

  test('equity follows the wallet', async () => {
    const [record] = await records('equity', LIFE);
    assert.partialDeepStrictEqual(record, {
      balance: '999.99',
      delta: '-0.01',
      reason: 'COMMISSION',
      tradeId: '1',
    });
  });

  test('the journal comes out whole', async () => {
    assert.equal((await records('journal', LIFE)).length, LIFE.length);
  });
});

describe('formats', () => {
  const lines = async (what: ExportKind, format: ExportFormat) =>
    (await Array.fromAsync(exportLines({ what, format }, stream(LIFE)))).join('');

  test('CSV has a header, and quotes what needs it', async () => {
    const [header, first, ...rest] = (await lines('trades', 'csv')).split('\r\n');
    assert.equal(header, COLUMNS.trades.join(','));
    assert.ok(first?.includes('"trailing stop, at ""peak"""'), first);
    assert.deepEqual(rest, ['']);
  });

  test('an export of nothing is a header, or nothing', async () => {
    const empty = (format: ExportFormat) =>
      Array.fromAsync(exportLines({ what: 'fills', format }, stream([])));
    assert.equal((await empty('csv')).join(''), `${COLUMNS.fills.join(',')}\r\n`);
    assert.equal((await empty('json')).join(''), '');
  });

  test('JSON lines parse, and journal columns are nested', async () => {
    const parsed = (await lines('journal', 'json'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(parsed.length, LIFE.length);
    assert.equal(parsed[0].intents[0].order.clientOrderId, 'bh-1');
    assert.equal(parsed[0].snapshot, null);
  });

  test('any text survives CSV', () => {
    const COLUMN = ['a', 'b'];
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        assert.deepEqual(parseCsvLine(recordLine('csv', COLUMN, { a, b })), [a, b]);
      }),
      { seed: 7 },
    );
  });
});

/** An independent reader of one RFC 4180 record. */
function parseCsvLine(line: string): string[] {
  const cells: string[] = [];
  let i = 0;
  while (i <= line.length) {
    let text = '';
    if (line[i] === '"') {
      for (i++; line[i] !== '"' || line[i + 1] === '"'; i++) {
        if (line[i] === '"') i++;
        text += line[i];
      }
      i++;
    } else {
      while (line[i] !== ',' && line.slice(i) !== '\r\n') text += line[i++];
    }
    cells.push(text);
    if (line[i] !== ',') break;
    i++;
  }
  assert.equal(line.slice(i), '\r\n');
  return cells;
}

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-export-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const { config, secrets } = loadConfig({ env: {}, cwd: folder });
  const base: ExportOptions = {
    ...{ config, secrets, configFile: undefined, json: false, quiet: false },
    ...{ what: 'fills', format: 'csv', out: undefined },
  };

  function fakeStore(rows: readonly JournalRow[], failAfter = Number.POSITIVE_INFINITY) {
    const calls: string[] = [];
    const store = {
      open: async () => calls.push('open'),
      close: async () => calls.push('close'),
      anchor: async () => ORIGIN,
      kept: async () => [],
      rowsAfter: async (from: number, limit: number) => {
        if (from >= failAfter) throw new Error('gone');
        return rows.filter((candidate) => candidate.n > from).slice(0, limit);
      },
    };
    return { calls, create: async () => store as unknown as JournalStore };
  }

  test('reads every page, writes the file whole, and closes the store', async () => {
    const first = n;
    const many = Array.from({ length: 1203 }, (_, i) =>
      row(POSITION, fill(`t${first}-${i}`, '1', '1', true)),
    );
    const base0 = many.map((r, i) => ({ ...r, n: i + 1 }));
    const { calls, create } = fakeStore(base0);
    assert.equal(await exportCommand({ ...base, out: 'f.csv' }, fakeIo({ cwd: folder }), create), 0);
    assert.equal(readFileSync(join(folder, 'f.csv'), 'utf8').trimEnd().split('\r\n').length, 1204);
    assert.deepEqual(calls, ['open', 'close']);
    assert.equal((await Array.fromAsync(allRows(await create()))).length, 1203);
  });

  test('a failure half-way leaves no file behind and closes the store', async () => {
    const { calls, create } = fakeStore(LIFE, 1);
    const run = exportCommand({ ...base, out: 'half.csv' }, fakeIo({ cwd: folder }), create);
    await assert.rejects(run, /^Error: gone$/);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('half')),
      [],
    );
    assert.deepEqual(calls, ['open', 'close']);
  });

  test('a folder that is not there is named', async () => {
    const { create } = fakeStore(LIFE);
    const run = exportCommand({ ...base, out: 'no/such/f.csv' }, fakeIo({ cwd: folder }), create);
    await assert.rejects(
      run,
      (error) => isBulkheadError(error, 'CANNOT_WRITE') && error.message.includes('no/such'),
    );
  });
});
