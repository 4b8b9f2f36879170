/** What a person may ask of a position, and how it answers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { THREE_PARTS } from '../../machines/position.ts';
import { add, gt, gte, isMultipleOf, lte } from '../../src/core/decimal.ts';
import { PositionBench } from '../support/machine-bench.ts';

interface Told {
  readonly accepted: boolean;
  readonly reason: string;
  readonly by: string;
}

/** The newest event's answer. */
function answer(bench: PositionBench): Told {
  const answers = bench.last.flatMap((intent) =>
    intent.type === 'notify' && /accepted|refused/.test(intent.text) ? [intent.data as unknown as Told] : [],
  );
  assert.equal(answers.length, 1, JSON.stringify(bench.last));
  return answers[0] as Told;
}

const closePart = (bench: PositionBench, words: Record<string, unknown>): Told => {
  bench.send('PARTIAL_CLOSE', { by: 'ann', ...words });
  return answer(bench);
};

const moveStop = (bench: PositionBench, price: string, more: Record<string, unknown> = {}): Told => {
  bench.send('MOVE_STOP', { by: 'ann', price, mark: 100, ...more });
  return answer(bench);
};

const asked = (bench: PositionBench) =>
  bench
    .orders()
    .map(({ ref, quantity, type, reduceOnly, triggerPrice }) => [
      ref,
      quantity,
      triggerPrice ?? type,
      reduceOnly,
    ]);

describe('a part closed by hand', () => {
  test('goes out at market, reduce-only, in lots; stop and planned parts shrink with its fill', () => {
    const bench = new PositionBench({ plan: { scaleOut: THREE_PARTS } }).open();
    const planned = bench.state.scaleParts.map((part) => part.quantity);
    assert.deepEqual(planned, ['0.66', '0.66', '0.68']);
    const told = closePart(bench, { share: '50' });
    assert.deepEqual(told, {
      ...told,
      accepted: true,
      by: 'ann',
      reason: '1 of 2 to be closed at market',
      quantity: '1',
      left: '1',
    });
    assert.deepEqual(asked(bench), [['reduce-1', '1', 'MARKET', true]]);
    bench.acknowledge('reduce-1');
    bench.fill('reduce-1', '1', '101', { realizedPnl: '1' });
    assert.deepEqual(asked(bench), [['stop-2', '1', '95', true]]);
    assert.deepEqual(
      bench.state.scaleParts.map((part) => part.quantity),
      ['0.33', '0.33', '0.34'],
    );
    assert.deepEqual(
      bench.state.exits.map(({ reason, quantity }) => [reason, quantity]),
      [['operator-partial', '1']],
    );
    assert.ok(bench.in('open'));
  });

  test('all of it, or what would leave less than a lot, is a close', () => {
    for (const words of [{ share: '100' }, { quantity: '2' }]) {
      const bench = new PositionBench().open();
      assert.match(closePart(bench, words).reason, /^all 2 to be closed: that is all of it/);
      assert.deepEqual(asked(bench), [['close-1', '2', 'MARKET', true]]);
    }
    const dusty = new PositionBench({ instrument: { minQuantity: '0.5' } }).open();
    assert.match(closePart(dusty, { quantity: '1.6' }).reason, /0.4 left would be less/);
    assert.ok(dusty.in('closing'));
  });

  test('is refused with the reason, and nothing is sent', () => {
    const cases: [Record<string, unknown>, RegExp][] = [
      [{}, /either a share/],
      [{ share: '50', quantity: '1' }, /either a share/],
      [{ share: '0' }, /no positive number/],
      [{ quantity: '-1' }, /no positive number/],
      [{ quantity: 'half' }, /no positive number/],
      [{ quantity: 1 }, /no positive number/],
      [{ quantity: '3' }, /that is 3, and 2 is open/],
      [{ share: '101' }, /2 is open/],
      [{ quantity: '0.0005' }, /less than the smallest order \(0.001\)/],
    ];
    for (const [words, why] of cases) {
      const bench = new PositionBench().open();
      const told = closePart(bench, words);
      assert.equal(told.accepted, false);
      assert.match(told.reason, why);
      assert.deepEqual(bench.orders(), []);
      assert.ok(bench.in('open.protection.covered.protected'));
    }
    const large = new PositionBench({ instrument: { marketMaxQuantity: '0.8' } }).open();
    assert.match(closePart(large, { share: '50' }).reason, /one market order takes 0.8 at most/);
  });

  test('waits for the one before it, whose outcome nobody may know', () => {
    const bench = new PositionBench().open();
    closePart(bench, { quantity: '0.5' });
    bench.unknown('reduce-1');
    assert.match(closePart(bench, { quantity: '0.5' }).reason, /reduce-1 is still on its way \(unknown\)/);
    bench.wait(3_600_000);
    assert.equal(bench.state.counters.reduce, 1);
    bench.closed('reduce-1', 'expired', '0.5');
    assert.equal(bench.state.quantity, '1.5');
    assert.equal(closePart(bench, { quantity: '0.5' }).accepted, true);
  });

  test('never opens, is never more than is open, and what is left can be traded', () => {
    const word = fc.oneof(
      fc.record({ share: fc.integer({ min: -10, max: 120_000 }).map((n) => String(n / 1000)) }),
      fc.record({ quantity: fc.integer({ min: -10, max: 30_000 }).map((n) => String(n / 10_000)) }),
    );
    const filters = fc.constantFrom(
      { stepSize: '0.001', minQuantity: '0.001' },
      { stepSize: '0.1', minQuantity: '0.3' },
      { stepSize: '1', minQuantity: '1' },
    );
    fc.assert(
      fc.property(
        word,
        filters,
        fc.constantFrom('long' as const, 'short' as const),
        (words, instrument, side) => {
          const entry = side === 'long' ? {} : { direction: side, stopPrice: '105' };
          const bench = new PositionBench({ entry, instrument }).open();
          const { accepted } = closePart(bench, words);
          const orders = bench.orders();
          assert.equal(orders.length, accepted ? 1 : 0);
          for (const { reduceOnly, quantity = '0', side: sent } of orders) {
            assert.ok(reduceOnly && sent === (side === 'long' ? 'SELL' : 'BUY'));
            assert.ok(gt(quantity, '0') && lte(quantity, '2') && isMultipleOf(quantity, instrument.stepSize));
            assert.ok(quantity === '2' || gte('2', add(quantity, instrument.minQuantity)));
          }
        },
      ),
    );
  });
});

describe('a stop moved by hand', () => {
  test('tighter: the new one is created before the old one is cancelled', () => {
    const bench = new PositionBench().open();
    const told = moveStop(bench, '97.23');
    assert.equal(told.reason, 'the stop goes from 95 to 97.3, the next tick to 97.23');
    assert.deepEqual(asked(bench), [['stop-2', '2', '97.3', true]]);
    assert.deepEqual(bench.cancels(), []);
    bench.acknowledge('stop-2');
    assert.deepEqual(bench.cancels(), ['stop-1']);
  });

  test('looser within what was approved is taken, beyond it only where that is said', () => {
    const bench = new PositionBench().open();
    moveStop(bench, '98');
    assert.equal(moveStop(bench, '95').accepted, true);
    const refused = moveStop(bench, '94.9');
    assert.equal(refused.accepted, false);
    assert.match(refused.reason, /94.9 risks more than was approved \(95 at the loosest\)/);
    assert.equal(bench.state.stopPrice, '95');
    assert.equal(moveStop(bench, '94.9', { loosen: true }).accepted, true);
    assert.equal(bench.state.stopPrice, '94.9');
  });

  test('of a short, too', () => {
    const bench = new PositionBench({ entry: { direction: 'short', stopPrice: '105' } }).open();
    assert.equal(moveStop(bench, '103').accepted, true);
    assert.match(moveStop(bench, '105.1').reason, /risks more/);
    assert.match(moveStop(bench, '99.9').reason, /would trigger at once/);
  });

  test('after an add the approved loss is for more lots', () => {
    const plan = {
      pyramid: {
        maxAdds: 1,
        stepPercent: '5',
        sizeFactor: '1',
        confirm: 'touch' as const,
        maxExposure: '10',
      },
      trailing: null,
    };
    const bench = new PositionBench({ plan }).open();
    bench.send('ADD');
    bench.send('APPROVED', { entry: { ...bench.state.entry, quantity: '2' }, reservation: 'r' });
    bench.fill('add-1', '2', '110');
    bench.acknowledge('stop-2');
    moveStop(bench, '104', { mark: 110 });
    // 4 at 105 on average; 10 may be lost, as approved: 2.5 each.
    assert.match(moveStop(bench, '102.4', { mark: 110 }).reason, /102.5 at the loosest/);
    assert.equal(moveStop(bench, '102.5', { mark: 110 }).accepted, true);
  });

  test('against the trail only where that is said, and then the trail is off', () => {
    const bench = new PositionBench().open();
    bench.price(104);
    bench.acknowledge('stop-2');
    assert.ok(bench.in('open.trailing.armed'));
    const trailed = bench.state.stopPrice;
    assert.match(moveStop(bench, '99', { mark: 104 }).reason, /the trailing stop holds 101/);
    assert.equal(bench.state.stopPrice, trailed);
    assert.match(moveStop(bench, '99', { mark: 104, loosen: true }).reason, /the trailing stop is off/);
    bench.acknowledge('stop-3');
    bench.price(110);
    assert.equal(bench.state.stopPrice, '99');
    assert.ok(bench.in('open.trailing.unarmed'));
  });

  test('is refused where it would trigger at once, where nobody knows the mark, and where it is no price', () => {
    const bench = new PositionBench().open();
    assert.match(moveStop(bench, '100').reason, /the mark price 100 is beyond 100 already/);
    assert.match(moveStop(bench, '98', { mark: undefined }).reason, /not known now/);
    assert.match(moveStop(bench, 'tight').reason, /no price/);
    assert.match(moveStop(bench, '95').reason, /at 95 already/);
    assert.deepEqual(bench.orders(), []);
    assert.equal(bench.state.emergency, null);
    assert.equal(bench.state.answers.length, 4);
  });
});

test('words to what is not open, or closes already, are answered everywhere', () => {
  const preparing = new PositionBench();
  assert.match(closePart(preparing, { share: '50' }).reason, /nothing is open/);
  assert.match(moveStop(preparing.enter(), '97').reason, /nothing is open/);
  const closing = new PositionBench().open();
  closing.send('OPERATOR_CLOSE', { by: 'ann' });
  assert.deepEqual([answer(closing).accepted, answer(closing).by], [true, 'ann']);
  assert.equal(closing.state.closeReason, 'operator');
  for (const type of ['OPERATOR_CLOSE', 'PARTIAL_CLOSE', 'MOVE_STOP']) {
    closing.send(type, { by: 'bob', share: '50', price: '97', mark: 100 });
    assert.match(answer(closing).reason, /it closes already/);
  }
});

test('a person’s words survive a restart like everything else', () => {
  const bench = new PositionBench().open();
  closePart(bench, { share: '25' });
  bench.restart();
  assert.equal(bench.state.answers.length, 1);
  bench.fill('reduce-1', '0.5');
  assert.equal(bench.state.quantity, '1.5');
});
