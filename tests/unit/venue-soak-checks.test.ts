/** The judges of the soak through sockets: each kind of wrong must be seen. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  checkOrders,
  checkResults,
  JournalFacts,
  type LedgerAlgo,
  type LedgerOrder,
  type SoakLedger,
  withoutStop,
} from '../../src/app/simulation/ledger-checks.ts';
import type { Intent } from '../../src/domain/events.ts';
import type { IdentifiedOrder } from '../../src/domain/order.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { gapsOf, whileUp } from '../support/protection-gaps.ts';

const OWNER = 'position/BTCUSDT/BOTH/1';
const NOTHING: SoakLedger = {
  wallet: '0',
  orders: [],
  algoOrders: [],
  trades: [],
  income: [],
  positions: [],
};

const ENTRY: LedgerOrder = {
  ...{ orderId: 1, symbol: 'BTCUSDT', clientOrderId: 'bh-entry', side: 'BUY', status: 'FILLED' },
  ...{ origQty: '2', executedQty: '2', reduceOnly: false, time: 1_000, updateTime: 1_000 },
};
const STOP: LedgerAlgo = {
  ...{ algoId: 1, clientAlgoId: 'bh-stop', symbol: 'BTCUSDT', side: 'SELL', algoStatus: 'NEW' },
  ...{ quantity: '2', reduceOnly: true, closePosition: false, createTime: 1_200, updateTime: 1_200 },
  ...{ triggerTime: 0, actualOrderId: '' },
};
const trade = (id: number, side: 'BUY' | 'SELL', at: number, orderId: number, realizedPnl = '0') => ({
  ...{
    id,
    orderId,
    symbol: 'BTCUSDT',
    side,
    qty: '2',
    price: '100',
    realizedPnl,
    commission: '0.1',
    time: at,
  },
});

const ORDER = {
  ...{ ref: 'entry-1', symbol: 'BTCUSDT', side: 'BUY', positionSide: 'BOTH', type: 'MARKET', quantity: '2' },
  ...{ reduceOnly: false, clientOrderId: 'bh-entry', owner: OWNER },
} as const satisfies IdentifiedOrder;

function row(
  n: number,
  more: Partial<Omit<JournalRow, 'event' | 'intents'>> & { event?: object; intents?: object[] },
) {
  const { event = { type: 'X' }, intents = [], ...rest } = more;
  return {
    ...{ n, epoch: 1, seq: n, at: 900, kind: 'event', machine: 'position@1', host: '{}', note: null },
    ...{ final: false, hash: '', actor: OWNER, snapshot: null, cause: '{"kind":"timer","id":"t","due":0}' },
    ...rest,
    event: JSON.stringify(event),
    intents: JSON.stringify(intents),
  } as JournalRow;
}

function factsOf(orders: readonly IdentifiedOrder[], at = 900): JournalFacts {
  const facts = new JournalFacts();
  orders.forEach((order, i) => {
    const intent: Intent = { type: 'order.submit', order };
    facts.intended.set(order.clientOrderId, { n: i + 1, at, order: intent.order });
  });
  return facts;
}

describe('orders', () => {
  const ledger = { ...NOTHING, orders: [ENTRY] };

  test('as intended, and before: nothing to say', () => {
    assert.deepEqual(checkOrders(ledger, factsOf([ORDER]), 0), []);
  });

  test('never intended, twice there, another size, too early: each is said', () => {
    assert.match(checkOrders(ledger, factsOf([]), 0).join(), /never intended/);
    const twice = { ...NOTHING, orders: [ENTRY, { ...ENTRY, orderId: 2 }] };
    assert.match(checkOrders(twice, factsOf([ORDER]), 0).join(), /stands twice/);
    assert.match(checkOrders(ledger, factsOf([{ ...ORDER, quantity: '1' }]), 0).join(), /came as/);
    assert.match(checkOrders(ledger, factsOf([ORDER], 1_500), 100).join(), /before its intent/);
  });

  test('the order that a stop became is not an order of its own; a liquidation is nobody’s intent', () => {
    const spawned = { ...ENTRY, orderId: 7, clientOrderId: 'bh-stop', side: 'SELL' as const };
    const algoOrders = [{ ...STOP, actualOrderId: '7', algoStatus: 'FINISHED' }];
    const stop: IdentifiedOrder = {
      ...{ ...ORDER, clientOrderId: 'bh-stop', side: 'SELL', type: 'STOP_MARKET', reduceOnly: true },
      triggerPrice: '90',
    };
    const forced = { ...ENTRY, orderId: 8, clientOrderId: 'autoclose-1' };
    assert.deepEqual(
      checkOrders({ ...NOTHING, orders: [spawned, forced], algoOrders }, factsOf([stop]), 0),
      [],
    );
  });
});

describe('results', () => {
  const ledger: SoakLedger = {
    ...NOTHING,
    orders: [ENTRY],
    trades: [trade(1, 'BUY', 1_000, 1)],
    income: [{ symbol: 'BTCUSDT', incomeType: 'COMMISSION', income: '-0.1', time: 1_000, tradeId: '1' }],
  };
  const closed = (fees: string) => {
    const facts = factsOf([ORDER]);
    const numbers = { grossPnl: '0', fees, funding: '0' };
    facts.closed.push({ actor: OWNER, at: 2_000, reason: 'stop', trade: numbers as never });
    return facts;
  };

  test('equal to the last digit, or said', () => {
    assert.deepEqual(checkResults(ledger, closed('0.1')), []);
    assert.match(checkResults(ledger, closed('0.1000001')).join(), /fees 0.1000001/);
    assert.match(checkResults(ledger, factsOf([])).join(), /nobody's/);
    const funded = [
      ...ledger.income,
      { symbol: 'BTCUSDT', incomeType: 'FUNDING_FEE', income: '0.5', time: 1_500, tradeId: '' },
    ];
    assert.match(checkResults({ ...ledger, income: funded }, closed('0.1')).join(), /of funding/);
  });

  test('funding is told of by the symbol, and to nobody where a person’s own position is settled', () => {
    const paid = (symbol: string, income: string) => ({
      ...{ symbol, incomeType: 'FUNDING_FEE', income, time: 5_000, tradeId: '' },
    });
    const byHand = { ...trade(2, 'BUY', 2_000, 2), symbol: 'ETHUSDT', commission: '0', orderId: 99 };
    const funding = (more: Partial<SoakLedger>): string =>
      checkResults({ ...ledger, ...more }, closed('0.1'))
        .filter((text) => text.includes('of funding'))
        .join();
    const income = [...ledger.income, paid('ETHUSDT', '0.5')];
    assert.equal(funding({ income, trades: [...ledger.trades, byHand] }), '');
    assert.match(funding({ income }), /ETHUSDT/, 'nobody else held anything');
    const sold = { ...byHand, id: 3, side: 'SELL' as const, time: 3_000 };
    assert.match(funding({ income, trades: [...ledger.trades, byHand, sold] }), /ETHUSDT/, 'closed before');
    const both = [...income, paid('BTCUSDT', '-0.5')];
    assert.match(funding({ income: both, trades: [...ledger.trades, byHand] }), /BTCUSDT/);
  });
});

describe('the journal', () => {
  test('a hole, a second telling of a trade, an entry without a last word, a dead letter about money', () => {
    const facts = new JournalFacts();
    const fill = { type: 'ORDER_FILLED', symbol: 'BTCUSDT', tradeId: '1' };
    // Told by the venue's actor; what the guardian passes on or a person repeats is no second telling.
    const cause = JSON.stringify({ kind: 'intent', n: 1, i: 0 });
    facts.take(row(1, { event: fill, cause }));
    facts.take(row(2, { event: fill, cause }));
    facts.take(row(4, { intents: [{ type: 'order.submit', order: ORDER }] }));
    facts.take(
      row(5, { actor: 'dead-letters', kind: 'dead-letter', event: { type: 'dead-letter', event: fill } }),
    );
    facts.take(row(6, { intents: [{ type: 'order.submit', order: ORDER }] }));
    const said = facts.problems.join('\n');
    for (const wrong of [/row 4 follows row 2/, /told twice/, /last word/, /dead letter 5/, /intended twice/])
      assert.match(said, wrong);
  });
});

describe('protection', () => {
  test('from the fill to the stop, and again from the stop’s end', () => {
    const canceled = { ...STOP, algoStatus: 'CANCELED', updateTime: 3_000 };
    const ledger = { ...NOTHING, algoOrders: [canceled], trades: [trade(1, 'BUY', 1_000, 1)] };
    assert.deepEqual(gapsOf(ledger, 5_000), [
      { symbol: 'BTCUSDT', from: 1_000, to: 1_200 },
      { symbol: 'BTCUSDT', from: 3_000, to: 5_000 },
    ]);
  });

  test('a stop that is too small does not count; one that triggered protects until it has filled', () => {
    const small = {
      ...NOTHING,
      algoOrders: [{ ...STOP, quantity: '1' }],
      trades: [trade(1, 'BUY', 1_000, 1)],
    };
    assert.equal(gapsOf(small, 5_000)[0]?.to, 5_000);
    const over = {
      ...STOP,
      algoStatus: 'FINISHED',
      triggerTime: 2_000,
      updateTime: 2_000,
      actualOrderId: '9',
    };
    const filled = {
      ...NOTHING,
      algoOrders: [over],
      trades: [trade(1, 'BUY', 1_000, 1), trade(2, 'SELL', 2_500, 9)],
    };
    assert.deepEqual(gapsOf(filled, 5_000), [{ symbol: 'BTCUSDT', from: 1_000, to: 1_200 }]);
  });

  test('time in which something was down is not counted against it', () => {
    const gap = { symbol: 'BTCUSDT', from: 1_000, to: 2_000 };
    const down = [
      { from: 900, to: 1_300 },
      { from: 1_200, to: 1_500 },
    ];
    assert.equal(whileUp(gap, down), 500);
  });

  test('what is open without a live stop of its size is named', () => {
    const positions = [{ symbol: 'BTCUSDT', quantity: '2' }];
    assert.deepEqual(withoutStop({ ...NOTHING, positions, algoOrders: [STOP] }), []);
    assert.match(withoutStop({ ...NOTHING, positions }).join(), /2 open, 0 protected/);
    const wrongSide = [{ ...STOP, side: 'BUY' as const }];
    assert.equal(withoutStop({ ...NOTHING, positions, algoOrders: wrongSide }).length, 1);
  });
});
