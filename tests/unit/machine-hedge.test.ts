/** Hedge mode: a long and a short of one symbol, each with a desk, a life, a stop and a guard of its own. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createEntryMachine } from '../../machines/entry.ts';
import { createFeedMachine } from '../../machines/feed.ts';
import { createGuardianMachine } from '../../machines/guardian.ts';
import { createOperatorMachine } from '../../machines/operator.ts';
import { createPortfolioMachine, type PortfolioContext } from '../../machines/portfolio.ts';
import { createPositionMachine, DEFAULT_PLAN, type PositionContext } from '../../machines/position.ts';
import { createScannerMachine } from '../../machines/scanner.ts';
import type { Strategy } from '../../src/domain/signal.ts';
import { riskJudge } from '../../src/risk/learning.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { approved, entry, INSTRUMENT, MachineBench, positionInput, told } from '../support/machine-bench.ts';
import { closedCandles, ENTER, EXIT, START_AT, STRATEGY } from '../support/machine-cases.ts';

const HEDGE = { positionMode: 'hedge' } as const;
const [LONG_DESK, SHORT_DESK] = ['entry/BTCUSDT/LONG', 'entry/BTCUSDT/SHORT'];
const [LONG, SHORT] = ['position/BTCUSDT/LONG/1', 'position/BTCUSDT/SHORT/1'];

describe('who is told', () => {
  test('signals and opinions go to the desk of their side, regimes to both', () => {
    const minded: Strategy = {
      ...STRATEGY,
      step: (state) => ({
        state,
        signal: { ...ENTER, direction: 'short' },
        opinion: { direction: 'long', confidence: 0.3, reason: 'it fades' },
        regime: { name: 'range', suits: [] },
      }),
    };
    const bench = new MachineBench(createScannerMachine(minded), { symbol: 'BTCUSDT', ...HEDGE }, START_AT);
    bench.send('CANDLES', { closed: closedCandles(bench.at, 100) });
    assert.deepEqual(
      told(bench).map(([to, { type }]) => [to, type]),
      [
        [SHORT_DESK, 'SIGNAL'],
        [LONG_DESK, 'OPINION'],
        [LONG_DESK, 'REGIME'],
        [SHORT_DESK, 'REGIME'],
      ],
    );
  });

  test('a feed in trouble blocks both desks, and frees both', () => {
    const bench = new MachineBench(createFeedMachine(), { symbol: 'BTCUSDT', ...HEDGE });
    const words = () =>
      told(bench).flatMap(([to, { type }]) => (to.startsWith('entry/') ? [`${type} ${to}`] : []));
    bench.send('STALE');
    assert.deepEqual(words(), [`BLOCK ${LONG_DESK}`, `BLOCK ${SHORT_DESK}`]);
    bench.send('TICK');
    bench.wait(60_000);
    assert.deepEqual(words(), [`UNBLOCK ${LONG_DESK}`, `UNBLOCK ${SHORT_DESK}`]);
  });

  test('a case at the guardian blocks the side that it is about, or both where it has none', () => {
    const bench = new MachineBench(createGuardianMachine(), HEDGE);
    const blocked = (actor: string) => {
      bench.send('HANDOVER', { actor, symbol: 'BTCUSDT', reason: 'lost' });
      return told(bench).map(([to]) => to);
    };
    assert.deepEqual(blocked(SHORT), [SHORT_DESK]);
    assert.deepEqual(blocked(LONG_DESK), [LONG_DESK]);
    assert.deepEqual(blocked('scanner/BTCUSDT'), [LONG_DESK, SHORT_DESK]);
    bench.send('RESOLVED', { actor: SHORT, by: 'ann' });
    assert.deepEqual(
      told(bench).map(([to]) => to),
      [SHORT_DESK],
    );
  });

  test('an entry that a person forces goes to its side', () => {
    const bench = new MachineBench(createOperatorMachine(), { symbols: ['BTCUSDT'], ...HEDGE });
    bench.send('COMMAND', {
      id: 'c1',
      command: { kind: 'force-entry', symbol: 'BTCUSDT', direction: 'short' },
      who: { name: 'ann', role: 'admin', channel: 'cli' },
      issuedAt: 1,
      signal: { ...ENTER, direction: 'short' },
    });
    assert.ok(told(bench).some(([to, { type }]) => to === SHORT_DESK && type === 'SIGNAL'));
  });
});

describe('the desk of one side', () => {
  const desk = () =>
    new MachineBench(createEntryMachine(), {
      symbol: 'BTCUSDT',
      positionSide: 'SHORT',
      instrument: INSTRUMENT,
      plan: DEFAULT_PLAN,
    });
  const short = { ...ENTER, direction: 'short', stopPrice: 105 };

  test('enters its side alone, under names of its own', () => {
    const bench = desk();
    bench.send('SIGNAL', { signal: ENTER });
    assert.deepEqual([bench.value, told(bench)], ['idle', []], 'a long is the other desk\u2019s');
    bench.send('SIGNAL', { signal: short });
    assert.equal(told(bench)[0]?.[1].from, SHORT_DESK);
    bench.send('APPROVED', { entry: approved({ direction: 'short' }), reservation: 'r1' });
    const [start] = bench.last;
    assert.ok(start?.type === 'actor.start');
    assert.equal(start.actor, SHORT);
    bench.send('POSITION_OPENED', { actor: SHORT });
    bench.send('SIGNAL', { signal: EXIT });
    assert.deepEqual(told(bench), [], 'the exit of a long is not its business');
    bench.send('SIGNAL', { signal: { ...EXIT, direction: 'short' } });
    assert.deepEqual(
      told(bench).map(([to, { type }]) => [to, type]),
      [[SHORT, 'EXIT_SIGNAL']],
    );
  });

  test('takes over what is held on its side, and nothing else', () => {
    const bench = desk();
    const offer = { symbol: 'BTCUSDT', quantity: '2', entryPrice: '100', by: 'ann' };
    bench.send('ADOPT', { ...offer, direction: 'long' });
    assert.equal(bench.value, 'idle');
    bench.send('ADOPT', { ...offer, direction: 'short' });
    assert.deepEqual([bench.value, told(bench)[0]?.[1].owner], ['starting', SHORT]);
  });
});

describe('the portfolio', () => {
  const portfolio = () =>
    new MachineBench(createPortfolioMachine(riskJudge), {
      wallet: '1000',
      limits: { ...DEFAULT_LIMITS, maxSymbolExposure: '5' },
      equityBreakers: ['breaker/drawdown'],
      tradeBreakers: [],
    });
  const short = { direction: 'short', stopPrice: '105' } as const;
  const ask = (bench: MachineBench, from: string, more: object = {}) => {
    bench.send('ASSESS', { entry: entry(more), instrument: INSTRUMENT, from });
    return told(bench)[0]?.[1];
  };
  const expose = (bench: MachineBench, actor: string, direction: string, quantity = '2') =>
    bench.send('EXPOSURE', {
      ...{ actor, symbol: 'BTCUSDT', direction, quantity, entryPrice: '100', unknown: false },
      notional: quantity === '0' ? '0' : '200',
    });
  const context = (bench: MachineBench) => bench.context<PortfolioContext>();

  test('approves one position a side, counts both, and gives back the reservation of the side that is denied', () => {
    const bench = portfolio();
    assert.equal(ask(bench, LONG_DESK)?.type, 'APPROVED');
    assert.equal(ask(bench, LONG_DESK)?.type, 'REFUSED', 'its side is being entered');
    assert.equal(ask(bench, SHORT_DESK, short)?.type, 'APPROVED');
    assert.deepEqual(
      Object.values(context(bench).reservations).map(({ actor }) => actor),
      [LONG_DESK, SHORT_DESK],
    );
    bench.send('OPERATOR_HALT', { by: 'ann' });
    bench.send('CONFIRM', { actor: SHORT, symbol: 'BTCUSDT' });
    assert.deepEqual(
      Object.values(context(bench).reservations).map(({ actor }) => actor),
      [LONG_DESK],
    );
  });

  test('in one-way mode the other side is refused as before', () => {
    const bench = portfolio();
    assert.equal(ask(bench, 'entry/BTCUSDT')?.type, 'APPROVED');
    assert.deepEqual(ask(bench, 'entry/BTCUSDT', short)?.refusals, [
      { rule: 'one-per-symbol', detail: 'BTCUSDT is held or being entered' },
    ]);
  });

  test('the profit of one side counts once, whatever the other says in between', () => {
    const bench = portfolio();
    expose(bench, LONG, 'long');
    expose(bench, SHORT, 'short');
    bench.send('MARK', { prices: { BTCUSDT: 110 } });
    assert.equal(context(bench).equity, '1000', '20 on the one are lost on the other');
    const profit = { asset: 'USDT', symbol: 'BTCUSDT', positionSide: 'LONG', reason: 'REALIZED_PNL' };
    bench.send('WALLET_CHANGED', { ...profit, balance: '1020', delta: '20' });
    expose(bench, SHORT, 'short', '1');
    assert.deepEqual(
      Object.keys(context(bench).unbooked),
      ['BTCUSDT/LONG'],
      'the long has not said that it is out',
    );
    expose(bench, LONG, 'long', '0');
    assert.deepEqual(context(bench).unbooked, {});
  });
});

describe('a position\u2019s stop', () => {
  /** Entered and filled: its orders in the venue's hands. */
  class Hedged extends MachineBench {
    constructor(plan: object = {}) {
      super(createPositionMachine(), {
        ...positionInput({ plan: { trailing: null, ...plan } }),
        actor: LONG,
      });
      this.send('LEVERAGE_SET', { symbol: 'BTCUSDT', leverage: 5 });
      this.send('CONFIRMED');
      this.fill('entry-1', 'BUY', '2', '2');
    }
    word(type: string, ref: string, data: Record<string, unknown> = {}) {
      return this.send(type, { ref, clientOrderId: `bh-${ref}`, symbol: 'BTCUSDT', ...data });
    }
    fill(ref: string, side: string, quantity: string, cumulative: string, complete = true) {
      const numbers = {
        side,
        price: '100',
        quantity,
        cumulative,
        complete,
        maker: false,
        fee: '0',
        realizedPnl: '0',
      };
      return this.word('ORDER_FILLED', ref, { tradeId: `t-${ref}-${cumulative}`, ...numbers });
    }
    submitted() {
      return this.last.flatMap((intent) => (intent.type === 'order.submit' ? [intent.order] : []));
    }
    cancelled() {
      return this.last.flatMap((intent) => (intent.type === 'order.cancel' ? [intent.ref] : []));
    }
    get state(): PositionContext {
      return this.context<PositionContext>();
    }
  }

  test('closes the whole side, and no order of a hedged position is reduce-only or of both sides', () => {
    const bench = new Hedged();
    const [stop] = bench.submitted();
    assert.deepEqual(
      [stop?.side, stop?.positionSide, stop?.reduceOnly, stop?.closePosition, stop?.quantity],
      ['SELL', 'LONG', false, true, undefined],
    );
    const all = bench.emitted.flatMap((intent) => (intent.type === 'order.submit' ? [intent.order] : []));
    assert.ok(all.every(({ positionSide, reduceOnly }) => positionSide === 'LONG' && !reduceOnly));
    bench.word('ORDER_ACKNOWLEDGED', 'stop-1', { orderId: 'v1' });
    assert.deepEqual(bench.submitted(), [], 'it is what is wanted');
  });

  test('needs no other one when the position grows or shrinks', () => {
    const bench = new Hedged();
    bench.word('ORDER_ACKNOWLEDGED', 'stop-1', { orderId: 'v1' });
    bench.send('PARTIAL_CLOSE', { share: '50', by: 'ann' });
    const [reduce] = bench.submitted();
    bench.fill(reduce?.ref ?? '', 'SELL', '1', '1');
    assert.deepEqual([bench.submitted(), bench.cancelled()], [[], []]);
    assert.equal(bench.state.quantity, '1');
    bench.fill('stop-1', 'SELL', '1', '1');
    assert.equal(bench.state.quantity, '0');
    assert.equal(bench.state.broken, null);
  });

  test('moves over a stop for the quantity, so that one of them always stands', () => {
    const bench = new Hedged();
    bench.word('ORDER_ACKNOWLEDGED', 'stop-1', { orderId: 'v1' });
    bench.send('MOVE_STOP', { price: '97', by: 'ann', mark: 100 });
    const [bridge] = bench.submitted();
    assert.deepEqual([bridge?.ref, bridge?.quantity, bridge?.closePosition], ['stop-2', '2', undefined]);
    assert.deepEqual(bench.cancelled(), [], 'not before the new one is live');
    bench.word('ORDER_ACKNOWLEDGED', 'stop-2', { orderId: 'v2' });
    assert.deepEqual(
      [bench.submitted(), bench.cancelled()],
      [[], ['stop-1']],
      'there may be one for all only',
    );
    bench.word('ORDER_CLOSED', 'stop-1', { outcome: 'canceled', cumulative: '0', reason: 'told so' });
    const [whole] = bench.submitted();
    assert.deepEqual([whole?.ref, whole?.closePosition, whole?.triggerPrice], ['stop-3', true, '97']);
    bench.word('ORDER_ACKNOWLEDGED', 'stop-3', { orderId: 'v3' });
    assert.deepEqual([bench.submitted(), bench.cancelled()], [[], ['stop-2']]);
  });

  test('is one for the quantity where the venue refuses one for all, or nobody knows of the last', () => {
    const refused = new Hedged();
    refused.word('ORDER_REJECTED', 'stop-1', { code: -4130, reason: 'there is one' });
    const [instead] = refused.submitted();
    assert.deepEqual([instead?.quantity, instead?.closePosition], ['2', undefined]);
    const unknown = new Hedged();
    unknown.word('ORDER_UNKNOWN', 'stop-1', { reason: 'timeout' });
    while (unknown.submitted().length === 0 && unknown.fireNext());
    assert.deepEqual(
      [unknown.submitted()[0]?.quantity, unknown.submitted()[0]?.closePosition],
      ['2', undefined],
    );
  });
});

describe('the guardian', () => {
  const one = (positionSide: string, covered: string) => ({
    ...{
      symbol: 'BTCUSDT',
      positionSide,
      quantity: '2',
      protected: covered,
      entryPrice: '100',
      markPrice: '98',
    },
    owner: positionSide === 'LONG' ? LONG : SHORT,
    direction: positionSide === 'LONG' ? 'long' : 'short',
    tickSize: '0.1',
  });

  test('places a stop for the side that has none, and calls back that side\u2019s alone', () => {
    const bench = new MachineBench(createGuardianMachine(), HEDGE);
    let readings = 0;
    const read = (symbols: object[], laterMs: number) =>
      bench.send('PROTECTION', { readAt: ++readings, symbols }, laterMs);
    const placed = () =>
      bench.last.flatMap((intent) => (intent.type === 'order.submit' ? [intent.order] : []));
    for (const laterMs of [10, 30_000]) read([one('LONG', '2'), one('SHORT', '0')], laterMs);
    assert.deepEqual(
      told(bench).flatMap(([to, { type }]) => (type === 'GUARD_STOP' ? [to] : [])),
      [SHORT],
    );
    read([one('LONG', '2'), one('SHORT', '0')], 5_000);
    assert.deepEqual(
      placed().map((order) => [order.side, order.positionSide, order.reduceOnly, order.quantity]),
      [['BUY', 'SHORT', false, '2']],
    );
    const ref = placed()[0]?.ref ?? '';
    bench.send('ORDER_ACKNOWLEDGED', { ref, clientOrderId: 'x', symbol: 'BTCUSDT', orderId: '1' });
    const cancelled = () =>
      bench.last.flatMap((intent) => (intent.type === 'order.cancel' ? [intent.ref] : []));
    bench.send('GUARD_OVER', { symbol: 'BTCUSDT', positionSide: 'LONG' });
    assert.deepEqual(cancelled(), [], 'the long is over; the short\u2019s stop stays');
    read([one('SHORT', '2')], 5_000);
    assert.deepEqual(cancelled(), []);
    read([one('LONG', '2')], 5_000);
    assert.deepEqual(cancelled(), [ref], 'the short is flat');
  });
});
