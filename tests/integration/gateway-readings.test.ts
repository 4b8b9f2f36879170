import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gatewayHarness } from '../support/gateway-harness.ts';
import { refusal, type ScriptedVenue, type SeenRequest } from '../support/scripted-venue.ts';

const TRADES = 'GET /fapi/v1/userTrades';
const INCOME = 'GET /fapi/v1/income';
const DAY_MS = 86_400_000;

interface Trade {
  readonly id: number;
  readonly time: number;
}

const tradeRow = ({ id, time }: Trade, symbol: string): object => ({
  symbol,
  id,
  orderId: id * 10,
  side: 'SELL',
  price: '60000.10',
  qty: '0.001',
  realizedPnl: '-0.12',
  commission: '0.03',
  commissionAsset: 'USDT',
  time,
  positionSide: 'BOTH',
  maker: true,
});

/** Serves these trades by the venue's rules: times within seven days, or an id without times; 1000 a page. */
function serveTrades(venue: ScriptedVenue, trades: readonly Trade[]): void {
  venue.on(TRADES, ({ params }: SeenRequest) => {
    const [start, end, from] = ['startTime', 'endTime', 'fromId'].map((name) =>
      params.has(name) ? Number(params.get(name)) : undefined,
    );
    if (from !== undefined && (start !== undefined || end !== undefined))
      return refusal(-1106, 'Parameter fromId sent when not required.');
    if (start !== undefined && end !== undefined && end - start > 7 * DAY_MS)
      return refusal(-4166, 'Search window is restricted to recent 7 days only.');
    const found = trades.filter(
      ({ id, time }) =>
        (from === undefined || id >= from) &&
        time >= (start ?? 0) &&
        time <= (end ?? Number.MAX_SAFE_INTEGER),
    );
    return { json: found.slice(0, 1000).map((trade) => tradeRow(trade, params.get('symbol') ?? '')) };
  });
}

interface Ledger {
  readonly tranId: number;
  readonly time: number;
  readonly incomeType?: string;
}

function serveIncome(venue: ScriptedVenue, rows: readonly Ledger[]): void {
  venue.on(INCOME, ({ params }: SeenRequest) => {
    const from = rows.filter(({ time }) => time >= Number(params.get('startTime')));
    const page = Number(params.get('page') ?? 1) - 1;
    const json = from.slice(page * 1000, page * 1000 + 1000).map((row) => ({
      symbol: 'BTCUSDT',
      incomeType: 'COMMISSION',
      income: '-0.01000000',
      asset: 'USDT',
      info: '',
      tradeId: '',
      ...row,
    }));
    return { json };
  });
}

const report = (since: number, symbols = ['BTCUSDT']) =>
  ({ call: 'report', id: 'r', since, symbols }) as const;

describe('a full reading', () => {
  test('asks the time first, and brings everything as the venue wrote it', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const now = Date.now();
    venue.on('GET /fapi/v3/positionRisk', {
      json: [
        {
          symbol: 'BTCUSDT',
          positionSide: 'BOTH',
          positionAmt: '-0.010',
          entryPrice: '60000.10',
          markPrice: '60100',
          unRealizedProfit: '-0.999',
          liquidationPrice: '66000',
          isolatedWallet: '61.2',
        },
        {
          symbol: 'ETHUSDT',
          positionSide: 'BOTH',
          positionAmt: '0.000',
          entryPrice: '0.0',
          markPrice: '3000',
          unRealizedProfit: '0',
          liquidationPrice: '0',
          isolatedWallet: '0',
        },
      ],
    });
    serveTrades(venue, [
      { id: 2, time: now },
      { id: 1, time: now - 5 },
    ]);
    serveIncome(venue, [
      { tranId: 5, time: now },
      { tranId: 4, time: now - 9, incomeType: 'A_NEW_KIND' },
    ]);
    const outcome = await gateway.call(report(now - 60_000));
    assert.ok(outcome.outcome === 'done', JSON.stringify(outcome));
    const { value } = outcome;
    assert.equal(venue.seen[0]?.path, '/fapi/v1/time');
    assert.equal(value.wallet, '10000.12345678');
    assert.equal(value.available, '9000.5');
    assert.deepEqual(
      value.positions.map(({ symbol, amount, entryPrice, isolated }) => [
        symbol,
        amount,
        entryPrice,
        isolated,
      ]),
      [['BTCUSDT', '-0.010', '60000.10', true]],
      'a row without an amount is no position',
    );
    assert.deepEqual(
      value.fills.map(({ tradeId, realizedPnl, maker }) => [tradeId, realizedPnl, maker]),
      [
        ['1', '-0.12', true],
        ['2', '-0.12', true],
      ],
    );
    assert.deepEqual(
      value.income.map(({ id, type, tradeId }) => [id, type, tradeId]),
      [
        ['4', 'A_NEW_KIND', undefined],
        ['5', 'COMMISSION', undefined],
      ],
    );
    assert.equal(value.since, now - 60_000);
  });

  test('asks for the client ids of orders that only their fills tell of, once each', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const now = Date.now();
    serveTrades(venue, [
      { id: 1, time: now - 3 },
      { id: 2, time: now - 2 },
      { id: 3, time: now - 1 },
    ]);
    const order = {
      symbol: 'BTCUSDT',
      side: 'SELL',
      type: 'LIMIT',
      status: 'FILLED',
      origQty: '0.001',
      executedQty: '0.001',
      updateTime: now,
    };
    venue.on('GET /fapi/v1/order', ({ params }: SeenRequest) => {
      const orderId = Number(params.get('orderId'));
      if (orderId === 20) return refusal(-2013, 'Order does not exist.');
      return { json: { ...order, orderId, clientOrderId: orderId === 10 ? 'autoclose-1' : 'web_3' } };
    });
    const asked = (): (string | undefined)[] =>
      venue.seen.filter(({ path }) => path === '/fapi/v1/order').map(({ params }) => params.get('orderId'));
    const names = async () => {
      const outcome = await gateway.call(report(now - 60_000));
      assert.ok(outcome.outcome === 'done', JSON.stringify(outcome));
      return outcome.value.fills.map(({ tradeId, clientOrderId }) => [tradeId, clientOrderId]);
    };
    const expected = [
      ['1', 'autoclose-1'],
      ['2', undefined],
      ['3', 'web_3'],
    ];
    assert.deepEqual(await names(), expected);
    assert.deepEqual(asked().toSorted(), ['10', '20', '30']);
    assert.deepEqual(await names(), expected);
    assert.deepEqual(asked().toSorted(), ['10', '20', '20', '30'], 'only what is not known is asked again');
    venue.on('GET /fapi/v1/order', refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401));
    assert.equal((await gateway.call(report(now - 60_000))).outcome, 'rejected', 'it is part of the reading');
  });

  test('fails as a whole when one part does', async (t) => {
    for (const part of [
      '/fapi/v1/openAlgoOrders',
      '/fapi/v1/userTrades',
      '/fapi/v3/account',
      '/fapi/v1/income',
    ]) {
      const { gateway, venue } = await gatewayHarness(t, { callTimeoutMs: 1_000 });
      venue.on(`GET ${part}`, refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401));
      const outcome = await gateway.call(report(Date.now() - 1000));
      assert.deepEqual(
        [outcome.outcome, outcome.outcome === 'rejected' && outcome.code],
        ['rejected', -2015],
        part,
      );
    }
  });

  test('with a row that cannot be read is unknown, not half a reading', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    venue.on('GET /fapi/v1/openOrders', { json: [{ symbol: 'BTCUSDT', orderId: 1 }] });
    const outcome = await gateway.call(report(Date.now() - 1000));
    assert.equal(outcome.outcome, 'unknown');
  });

  test('pages through trades: weeks by their times, full windows by id', async (t) => {
    const { gateway, venue } = await gatewayHarness(t, { callTimeoutMs: 3000 });
    const now = Date.now();
    const since = now - 20 * DAY_MS;
    const trades = Array.from({ length: 4500 }, (_, i) => ({
      id: i + 1,
      // A burst of 3000 in one day, the others spread; some older than asked.
      time:
        i < 500 ? since - DAY_MS + i : i < 3500 ? since + DAY_MS + i * 10 : since + 10 * DAY_MS + i * 100_000,
    }));
    serveTrades(venue, trades);
    const outcome = await gateway.call(report(since));
    assert.ok(outcome.outcome === 'done', JSON.stringify(outcome).slice(0, 300));
    const expected = trades.filter(({ time }) => time >= since).map(({ id }) => String(id));
    assert.deepEqual(
      outcome.value.fills.map(({ tradeId }) => tradeId),
      expected,
    );
  });

  test('goes through the weeks, quiet ones too', async (t) => {
    const { gateway, venue } = await gatewayHarness(t, { callTimeoutMs: 3000 });
    const since = Date.now() - 30 * DAY_MS;
    const trades = [1, 2, 16, 29].map((day, i) => ({ id: i + 1, time: since + day * DAY_MS }));
    serveTrades(venue, trades);
    const outcome = await gateway.call(report(since));
    assert.ok(outcome.outcome === 'done', JSON.stringify(outcome).slice(0, 300));
    assert.deepEqual(
      outcome.value.fills.map(({ tradeId }) => tradeId),
      ['1', '2', '3', '4'],
    );
  });

  test('pages through the ledger, ties and all', async (t) => {
    const { gateway, venue } = await gatewayHarness(t, { callTimeoutMs: 3000 });
    const since = Date.now() - DAY_MS;
    const rows = Array.from({ length: 5200 }, (_, i) => ({
      tranId: i + 1,
      // 2500 rows of one moment, as a funding of many positions may be; and the ends of pages cut ties.
      time: since + (i < 700 ? Math.floor(i / 7) : i < 3200 ? 200 : 201 + Math.floor(i / 3)),
    }));
    serveIncome(venue, rows);
    const outcome = await gateway.call({ call: 'income', id: 'i', since });
    assert.ok(outcome.outcome === 'done', JSON.stringify(outcome).slice(0, 300));
    assert.deepEqual(
      outcome.value.rows.map(({ id }) => Number(id)),
      rows.map(({ tranId }) => tranId),
    );
  });

  test('a venue whose ledger does not go on is an error, no endless loop', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const at = Date.now() - 1000;
    const row = { symbol: '', incomeType: 'X', income: '1', asset: 'USDT', tranId: 1, tradeId: '', time: at };
    venue.on(INCOME, { json: Array.from({ length: 1000 }, () => row) });
    const outcome = await gateway.call({ call: 'income', id: 'i', since: at });
    assert.equal(outcome.outcome, 'unknown');
    assert.ok(venue.requests(INCOME).length < 5);
  });

  test('does not ask further back than the venue keeps', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const outcome = await gateway.call(report(0));
    assert.ok(outcome.outcome === 'done');
    assert.ok(outcome.value.since > Date.now() - 90 * DAY_MS, 'and says since when it is complete');
    assert.ok(venue.requests(TRADES).length <= 14);
  });
});
