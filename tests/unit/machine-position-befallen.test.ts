/** What befalls a position from outside: each a transition of its own, recorded with its numbers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_EXITS } from '../../machines/position/exit-rules/plan.ts';
import { INSTRUMENT, PositionBench } from '../support/machine-bench.ts';

const changed = (bench: PositionBench, change: object, before: object = INSTRUMENT): PositionBench => {
  bench.send('INSTRUMENT', { instrument: { ...INSTRUMENT, ...change }, before });
  return bench;
};
const newest = (bench: PositionBench) => bench.state.happenings.at(-1);
const cries = (bench: PositionBench): string[] =>
  bench.last.flatMap((intent) =>
    intent.type === 'notify' && intent.level === 'critical' ? [intent.text] : [],
  );

describe('the symbol', () => {
  test('halts and trades again: its stop rests, and then the venue is read anew', () => {
    const bench = changed(new PositionBench().open(), { status: 'TRADING_HALT' });
    assert.ok(bench.in('open.symbol.halted'));
    assert.match(cries(bench)[0] ?? '', /is halted: nothing can be closed/);
    assert.deepEqual(newest(bench)?.numbers, {
      before: 'TRADING',
      status: 'TRADING_HALT',
      quantity: '2',
      stopPrice: '95',
    });
    assert.deepEqual(bench.orders(), []);
    assert.ok(bench.in('open.protection.covered.protected'));
    changed(bench, {});
    assert.ok(bench.in('open.symbol.trading'));
    assert.equal(newest(bench)?.kind, 'resumed');
    assert.deepEqual(
      bench.sent('venue').map(({ type }) => type),
      ['RECONCILE'],
    );
  });

  test('an exit that is due while it is halted is tried until it trades', () => {
    const bench = changed(new PositionBench().open(), { status: 'TRADING_HALT' });
    bench.send('EXIT_SIGNAL', { reason: 'signal: over' });
    bench.reject('close-1', -4140);
    for (let attempt = 1; attempt <= 6; attempt++) {
      bench.reject(`emergency-${attempt}`, -4140);
      bench.fireNext();
    }
    assert.equal(bench.value instanceof Object && 'emergencyClosing' in bench.value, true);
    bench.fill('emergency-7', '2');
    bench.closed('stop-1');
    assert.equal(bench.value, 'closed');
  });

  for (const [name, change, reason] of [
    ['announced', { deliversAt: 1_800_000_000_000 }, /^delisting: at 2027-01-15/],
    ['settling', { status: 'SETTLING' }, /^delisting: the venue says SETTLING/],
    ['gone', { status: 'CLOSE' }, /^delisting: the venue says CLOSE/],
  ] as const)
    test(`delisting, ${name}: it closes at the first word`, () => {
      const bench = changed(new PositionBench().open(), change);
      assert.ok(bench.in('closing'));
      assert.equal(bench.state.decision?.rule, 'delisting');
      assert.match(bench.state.closeReason ?? '', reason);
      assert.deepEqual(
        bench.orders().map(({ ref, reduceOnly }) => [ref, reduceOnly]),
        [['close-1', true]],
      );
    });

  test('delisting with the rule off: it is shown and told, and held', () => {
    const off = { plan: { exits: { ...DEFAULT_EXITS, delisting: false } } };
    const bench = changed(new PositionBench(off).open(), { deliversAt: 1_800_000_000_000 });
    assert.ok(bench.in('open.symbol.delisting'));
    assert.match(cries(bench)[0] ?? '', /is delisted at 2027-01-15/);
    changed(bench, { status: 'CLOSE', deliversAt: 1_800_000_000_000 });
    assert.ok(bench.in('open.symbol.delisted'));
  });

  test('other filters: what changed and where the stop goes is recorded', () => {
    const bench = changed(new PositionBench({ entry: { stopPrice: '95.3' } }).open(), {
      tickSize: '0.5',
      stepSize: '0.01',
    });
    assert.equal(
      newest(bench)?.detail,
      'new filters: tickSize 0.1 → 0.5, stepSize 0.001 → 0.01; the stop goes from 95.3 to 95.5',
    );
    assert.deepEqual(
      bench.orders().map(({ triggerPrice }) => triggerPrice),
      ['95.5'],
    );
    changed(bench, { tickSize: '0.5', stepSize: '0.01' });
    assert.equal(bench.state.happenings.length, 1, 'the same word again is nothing new');
  });

  test('another leverage bracket for its notional is recorded, one for another notional is not', () => {
    const [first, second] = INSTRUMENT.brackets;
    assert.ok(first && second);
    const bench = new PositionBench().open();
    changed(bench, { brackets: [first, { ...second, maintMarginRate: '0.05' }] });
    assert.deepEqual(bench.state.happenings, []);
    changed(bench, { brackets: [{ ...first, maintMarginRate: '0.02', initialLeverage: 4 }, second] });
    assert.equal(newest(bench)?.kind, 'brackets');
    assert.match(
      cries(bench)[0] ?? '',
      /0.004 → 0.02, leverage up to 125× → 4×, below the 5× it was entered with/,
    );
    assert.deepEqual(newest(bench)?.numbers, {
      notional: '200',
      maintMarginRate: '0.02',
      before: '0.004',
      maxLeverage: 4,
      leverage: 5,
    });
    assert.deepEqual(
      bench.sent('venue').map(({ type }) => type),
      ['RECONCILE'],
      'what margin the account has left is read at once',
    );
  });
});

describe('lots that have grown beyond what is open', () => {
  const coarse = { stepSize: '1.5', minQuantity: '1.5' };

  test('its stop closes whatever there is, stays where it is, and is closed as a whole lot', () => {
    const bench = changed(new PositionBench().open(), coarse);
    assert.deepEqual(
      bench
        .orders()
        .map(({ type, quantity, closePosition, triggerPrice }) => [
          type,
          quantity,
          closePosition,
          triggerPrice,
        ]),
      [['STOP_MARKET', undefined, true, '95']],
    );
    bench.acknowledge('stop-2');
    assert.deepEqual(bench.cancels(), ['stop-1'], 'created before the other is cancelled');
    bench.closed('stop-1');
    assert.ok(bench.in('open.protection.covered.protected'));
    bench.price(110);
    assert.equal(bench.state.stopPrice, '107', 'what it has earned');
    assert.deepEqual(bench.orders(), [], 'a second one would be refused, and the first must not go');
    bench.price(106);
    assert.deepEqual(
      bench.orders().map(({ ref, type, quantity, reduceOnly }) => [ref, type, quantity, reduceOnly]),
      [['emergency-1', 'MARKET', '3', true]],
    );
    bench.fill('emergency-1', '2', '106');
    bench.closed('stop-2', 'expired');
    assert.equal(bench.value, 'closed');
  });

  test('a stop for the quantity that was refused is followed by one for whatever there is', () => {
    const bench = new PositionBench().enter();
    bench.fill('entry-1', '2');
    changed(bench, coarse);
    bench.reject('stop-1', -1111);
    bench.wait(600);
    assert.deepEqual(
      bench.orders().map(({ closePosition }) => closePosition),
      [true],
    );
  });

  test('a quantity in whole lots keeps its ordinary stop', () => {
    const bench = changed(new PositionBench().open(), { stepSize: '0.5', minQuantity: '0.5' });
    assert.deepEqual(bench.orders(), []);
  });
});

describe('what no stop may lie beyond', () => {
  const [first, second] = INSTRUMENT.brackets;
  const margin = (maintMarginRate: string) => ({ brackets: [{ ...first, maintMarginRate }, second] });
  const bounds = { hardCapPercent: '5', liquidationBufferRate: 0.005 };

  test('a bracket that asks for more margin: the stop goes before the liquidation price, and never back', () => {
    const bench = new PositionBench({ entry: { bounds } }).open();
    changed(bench, margin('0.15'));
    assert.deepEqual(
      [bench.state.stopPrice, bench.orders()],
      ['95', []],
      'liquidated at 94.1: still before it',
    );
    changed(bench, margin('0.16'), { ...INSTRUMENT, ...margin('0.15') });
    // (200 − 40) ÷ (2 × 0.84) = 95.24, half a percent of the entry price before it, on a tick and one more.
    assert.equal(bench.state.stopPrice, '95.9');
    assert.deepEqual(
      bench.orders().map(({ type, triggerPrice, quantity }) => [type, triggerPrice, quantity]),
      [['STOP_MARKET', '95.9', '2']],
    );
    assert.match(
      newest(bench)?.detail ?? '',
      /the stop goes from 95 to 95.9, before the liquidation price, now 95.2/,
    );
    bench.acknowledge('stop-2');
    assert.deepEqual(bench.cancels(), ['stop-1']);
    changed(bench, margin('0.004'), { ...INSTRUMENT, ...margin('0.16') });
    assert.equal(bench.state.stopPrice, '95.9');
    for (const entry of [{}, { bounds: { ...bounds, liquidationBufferRate: null } }]) {
      const other = changed(new PositionBench({ entry }).open(), margin('0.16'));
      assert.equal(other.state.stopPrice, '95', 'of an older version, or the whole account’s matter');
    }
  });

  test('the hard cap is measured from what was paid: a worse fill takes the stop along, a better one does not', () => {
    for (const [direction, price, stop] of [
      ['long', '102', '96.9'],
      ['long', '99', '95'],
      ['short', '98', '102.9'],
      ['short', '101', '105'],
    ] as const) {
      const stopPrice = direction === 'long' ? '95' : '105';
      const bench = new PositionBench({ entry: { bounds, direction, stopPrice } }).enter();
      bench.fill('entry-1', '2', price);
      assert.deepEqual(
        bench.orders().map(({ triggerPrice }) => triggerPrice),
        [stop],
        `${direction} filled at ${price}`,
      );
      assert.equal(bench.state.stopReason, 'stop');
    }
  });

  test('filled in parts, it is measured from their average, in the row of each', () => {
    const bench = new PositionBench({ entry: { bounds } }).enter();
    bench.fill('entry-1', '1', '100', { complete: false });
    assert.equal(bench.state.stopPrice, '95');
    bench.fill('entry-1', '1', '104', { cumulative: '2' });
    assert.equal(bench.state.stopPrice, '96.9');
    assert.deepEqual(
      bench.orders().map(({ triggerPrice, quantity }) => [triggerPrice, quantity]),
      [['96.9', '2']],
    );
  });
});

describe('somebody else takes of it', () => {
  for (const cause of ['adl', 'settlement', 'manual'] as const)
    test(`${cause}, a part: it is shown and told, and the rest lives on under its own stop`, () => {
      const bench = new PositionBench().open();
      bench.fill(`x-${cause}`, '0.5', '101', { cause, complete: false, realizedPnl: '0.5' });
      assert.ok(bench.in(`open.forced.${cause}`));
      assert.match(cries(bench)[0] ?? '', new RegExp(`${cause}: 0.5 of 2 taken out at 101; 1.5 left`));
      assert.deepEqual(newest(bench)?.numbers, {
        quantity: '0.5',
        price: '101',
        left: '1.5',
        fee: '0.1',
        realizedPnl: '0.5',
      });
      assert.deepEqual(
        bench.orders().map(({ ref, quantity }) => [ref, quantity]),
        [['stop-2', '1.5']],
      );
    });

  test('a liquidation that leaves something is finished at once by the position itself', () => {
    const bench = new PositionBench().open();
    bench.fill('autoclose-1', '0.5', '81', { cause: 'liquidation', complete: false });
    assert.ok(bench.in('emergencyClosing'));
    assert.match(bench.state.emergency ?? '', /^liquidation: 1.5 left/);
    assert.deepEqual(
      bench.orders().map(({ ref, quantity, reduceOnly }) => [ref, quantity, reduceOnly]),
      [['emergency-1', '1.5', true]],
    );
    assert.equal(bench.state.forced, 'liquidation');
  });

  test('all of it: the record outlives the position, and the reason is the cause', () => {
    for (const cause of ['adl', 'liquidation', 'settlement', 'manual']) {
      const bench = new PositionBench().open();
      bench.fill(`x-${cause}`, '2', '90', { cause });
      assert.equal(newest(bench)?.kind, cause);
      bench.closed('stop-1', 'expired');
      assert.equal(bench.value, 'closed');
      assert.equal(bench.state.exits.at(-1)?.reason, cause);
    }
  });
});
