/** Take-profits that rest at the venue: placed with the plan, moved by taking them back, never more than is open. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { positionBand, THREE_PARTS } from '../../machines/position.ts';
import { INSTRUMENT, PositionBench, type PositionOptions } from '../support/machine-bench.ts';

const PLAN = { trailing: null, scaleOut: THREE_PARTS, restingTargets: true };

/** Entered and filled; the take-profits leave in the row of the fill, after its stop. */
function opened(options: PositionOptions = {}): PositionBench {
  const bench = new PositionBench({ ...options, plan: { ...PLAN, ...options.plan } }).enter();
  bench.fill('entry-1', bench.state.entry.quantity);
  return bench;
}

function resting(options: PositionOptions = {}): PositionBench {
  const bench = opened(options);
  for (const { ref } of bench.orders()) bench.acknowledge(ref);
  return bench;
}

const sent = (bench: PositionBench) =>
  bench.orders().map(({ ref, type, quantity, price }) => [ref, type, quantity, price ?? null]);

describe('placed with the plan', () => {
  test('a third at 2 %, a third at 4 %, the rest at 6 %, reduce-only, after the stop', () => {
    const bench = opened();
    assert.deepEqual(sent(bench), [
      ['stop-1', 'STOP_MARKET', '2', null],
      ['exit-1', 'LIMIT', '0.66', '102'],
      ['exit-2', 'LIMIT', '0.66', '104'],
      ['exit-3', 'LIMIT', '0.68', '106'],
    ]);
    assert.ok(
      bench
        .orders()
        .every(
          ({ reduceOnly, timeInForce, type }) => reduceOnly && (type !== 'LIMIT' || timeInForce === 'GTC'),
        ),
    );
    for (const ref of ['stop-1', 'exit-1', 'exit-2', 'exit-3']) bench.acknowledge(ref);
    assert.ok(bench.in('open.scalingOut.resting'));
    assert.deepEqual(positionBand(bench.state), { low: 94.5, high: null }, 'no price need wake it for them');
  });

  test('each that fills shrinks the stop; the last leaves nothing', () => {
    const bench = resting();
    bench.fill('exit-1', '0.66', '102', { maker: true });
    assert.deepEqual(sent(bench), [['stop-2', 'STOP_MARKET', '1.34', null]]);
    bench.acknowledge('stop-2');
    bench.fill('exit-2', '0.3', '104', { complete: false });
    assert.deepEqual(sent(bench), [['stop-3', 'STOP_MARKET', '1.04', null]]);
    bench.acknowledge('stop-3');
    bench.fill('exit-2', '0.36', '104', { cumulative: '0.66' });
    bench.fill('exit-3', '0.68', '106');
    assert.equal(bench.value, 'settling');
    assert.deepEqual(
      bench.state.exits.map(({ reason, quantity }) => [reason, quantity]),
      [
        ['take-profit', '0.66'],
        ['take-profit', '0.66'],
        ['take-profit', '0.68'],
      ],
    );
  });

  test('what is too small for a part joins the next, and a single lot is one exit', () => {
    const bench = opened({ entry: { quantity: '0.002' } });
    assert.deepEqual(sent(bench).slice(1), [
      ['exit-1', 'LIMIT', '0.001', '104'],
      ['exit-2', 'LIMIT', '0.001', '106'],
    ]);
    const lot = opened({ entry: { quantity: '0.001' } });
    assert.deepEqual(sent(lot).slice(1), [['exit-1', 'LIMIT', '0.001', '106']]);
  });

  test('a short takes its profits below', () => {
    const bench = opened({ entry: { direction: 'short', stopPrice: '105' } });
    assert.deepEqual(
      bench.orders().map(({ side, price }) => [side, price ?? null]),
      [
        ['BUY', null],
        ['BUY', '98'],
        ['BUY', '96'],
        ['BUY', '94'],
      ],
    );
  });
});

describe('moved by taking them back', () => {
  test('somebody else took a quarter: every part shrinks, and none is placed while its old one may fill', () => {
    const bench = resting();
    bench.fill('adl_autoclose', '0.5', '105', { cause: 'adl' });
    assert.deepEqual(bench.cancels(), ['exit-1', 'exit-2', 'exit-3']);
    assert.deepEqual(sent(bench), [['stop-2', 'STOP_MARKET', '1.5', null]]);
    bench.acknowledge('stop-2');
    bench.closed('exit-1');
    assert.deepEqual(sent(bench), [], 'the other two may still fill 1.34 of 1.5');
    bench.closed('exit-2');
    assert.deepEqual(sent(bench), [['exit-4', 'LIMIT', '0.495', '102']]);
    bench.closed('exit-3');
    assert.deepEqual(sent(bench), [
      ['exit-5', 'LIMIT', '0.495', '104'],
      ['exit-6', 'LIMIT', '0.51', '106'],
    ]);
  });

  test('one that fills before its cancel arrives takes its part along', () => {
    const bench = resting();
    bench.fill('adl_autoclose', '0.5', '105', { cause: 'adl' });
    bench.fill('exit-1', '0.66', '102');
    assert.equal(bench.state.quantity, '0.84');
    bench.closed('exit-2');
    bench.closed('exit-3');
    const left = bench.state.scaleParts.map(({ quantity }) => quantity);
    assert.deepEqual(left, ['0.495', '0.345'], 'never more than is open');
  });

  test('new ticks and lots move prices to the next tick and quantities to lots', () => {
    const bench = resting();
    bench.send('INSTRUMENT', {
      instrument: { ...INSTRUMENT, tickSize: '0.3', stepSize: '0.1', minQuantity: '0.1' },
    });
    assert.deepEqual(bench.cancels().slice(-2), ['exit-2', 'exit-3'].slice(-2));
    for (const ref of ['exit-1', 'exit-2', 'exit-3']) bench.closed(ref);
    assert.deepEqual(
      bench.state.scaleParts.map(({ price, quantity }) => [price, quantity]),
      [
        ['102', '0.6'],
        ['104.1', '0.7'],
        ['106.2', '0.7'],
      ],
    );
  });

  test('a cancel that is refused is asked for again after a pause', () => {
    const bench = resting();
    bench.fill('adl_autoclose', '0.5', '105', { cause: 'adl' });
    bench.order('CANCEL_REJECTED', 'exit-1', { code: -1000, reason: 'busy' });
    assert.deepEqual(bench.cancels(), []);
    bench.wait(5_000);
    assert.deepEqual(bench.cancels(), ['exit-1']);
  });
});

describe('what the venue makes of them', () => {
  test('an UNKNOWN one waits for evidence, whatever passes', () => {
    const bench = opened();
    bench.acknowledge('stop-1');
    bench.unknown('exit-1');
    assert.ok(bench.in('open.scalingOut.unknown'));
    bench.wait(3_600_000);
    bench.price(103);
    assert.deepEqual(bench.orders(), []);
    bench.acknowledge('exit-1');
    for (const ref of ['exit-2', 'exit-3']) bench.acknowledge(ref);
    assert.ok(bench.in('open.scalingOut.resting'));
  });

  test('one that was judged and refused is taken here, when the mark gets there', () => {
    const bench = opened();
    for (const ref of ['stop-1', 'exit-2', 'exit-3']) bench.acknowledge(ref);
    bench.reject('exit-1', -4024);
    assert.ok(bench.in('open.scalingOut.refused'));
    bench.wait(60_000);
    assert.equal(positionBand(bench.state).high, 102);
    bench.price(102);
    assert.deepEqual(sent(bench), [['exit-4', 'MARKET', '0.66', null]]);
  });

  test('one that the venue never looked at is placed again after the pause', () => {
    const bench = opened();
    for (const ref of ['stop-1', 'exit-2', 'exit-3']) bench.acknowledge(ref);
    bench.reject('exit-1', -1021);
    bench.wait(60_000);
    assert.deepEqual(sent(bench), [['exit-4', 'LIMIT', '0.66', '102']]);
  });

  test('one that a person cancelled is placed again after the pause', () => {
    const bench = resting();
    bench.closed('exit-2');
    assert.deepEqual(bench.orders(), []);
    bench.wait(60_000);
    assert.deepEqual(sent(bench), [['exit-4', 'LIMIT', '0.66', '104']]);
  });
});

describe('on the way out', () => {
  test('they are called back before the close is sent', () => {
    const bench = resting();
    bench.send('EXIT_SIGNAL', { reason: 'over' });
    const order = bench.last.flatMap((intent) =>
      intent.type === 'order.cancel'
        ? [intent.ref]
        : intent.type === 'order.submit'
          ? [intent.order.ref]
          : [],
    );
    assert.deepEqual(order, ['exit-1', 'exit-2', 'exit-3', 'close-1']);
  });

  test('a venue that counts them in refuses the close: it is tried again at once they are gone, not later', () => {
    const bench = resting();
    bench.send('KILL', { reason: 'all' });
    const before = bench.at;
    bench.reject('emergency-1', -2022);
    for (const ref of ['exit-1', 'exit-2', 'exit-3']) bench.closed(ref);
    assert.ok(bench.fireNext());
    assert.ok(bench.at - before < 1_000, 'the pause is the short one: this is no evidence of a flat account');
    assert.deepEqual(
      bench.orders().map(({ ref, quantity }) => [ref, quantity]),
      [['emergency-2', '2']],
    );
  });

  test('one that filled meanwhile leaves less to close, and nothing of the life stays at the venue', () => {
    const bench = resting();
    bench.send('EXIT_SIGNAL', { reason: 'over' });
    bench.fill('exit-1', '0.66', '102');
    bench.fill('close-1', '1.34', '101', { complete: false });
    bench.closed('close-1', 'expired', '1.34');
    assert.equal(bench.value, 'settling');
    bench.closed('exit-2', 'expired');
    bench.closed('exit-3', 'expired');
    assert.equal(bench.value, 'settling', 'the stop is still there');
    bench.closed('stop-1');
    assert.equal(bench.value, 'closed');
  });

  test('one acknowledged after the close began is called back, too', () => {
    const bench = opened();
    bench.acknowledge('stop-1');
    bench.send('EXIT_SIGNAL', { reason: 'over' });
    bench.order('CANCEL_REJECTED', 'exit-1', { code: -2011, reason: 'Unknown order sent.' });
    bench.acknowledge('exit-1');
    assert.deepEqual(bench.cancels(), ['exit-1']);
  });

  test('a stop that is being carried out is left alone', () => {
    const bench = resting();
    bench.order('ORDER_TRIGGERED', 'stop-1');
    bench.fill('stop-1', '1', '94.9', { complete: false });
    assert.deepEqual(sent(bench), []);
    bench.fill('stop-1', '1', '94.9', { cumulative: '2' });
    assert.equal(bench.value, 'settling');
  });
});
