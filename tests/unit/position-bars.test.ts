/** What closed bars make a position do: move the last part's target, confirm an add. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { beat, momentum, type Pulse } from '../../machines/position/pulse.ts';
import { DEFAULT_ACTIVE_TARGET, followsBars, THREE_PARTS } from '../../machines/position.ts';
import { PositionBench, type PositionOptions } from '../support/machine-bench.ts';

const BAR_MS = 900_000;

const bar = (closeAt: number, close: number, half = 0.2) => ({
  open: close,
  high: close + half,
  low: close - half,
  close,
  closeAt,
});

describe('the pulse', () => {
  const after = (closes: readonly number[]): Pulse => {
    let pulse: Pulse | null = null;
    for (const [i, close] of closes.entries()) pulse = beat(pulse, bar((i + 1) * BAR_MS, close));
    assert.ok(pulse);
    return pulse;
  };

  test('says in ATRs how far the close runs before its average, for the side that asks', () => {
    const rising = after([100, 100.3, 100.6, 100.9, 101.2]);
    assert.ok(momentum(rising, 'long') > 0.8, String(momentum(rising, 'long')));
    assert.equal(momentum(rising, 'short'), -momentum(rising, 'long'));
    assert.equal(momentum(after([100, 100, 100]), 'long'), 0);
  });

  test('a bar that was heard before changes nothing, and a hole begins anew', () => {
    const pulse = after([100, 101]);
    assert.equal(beat(pulse, bar(2 * BAR_MS, 999)), pulse);
    assert.equal(beat(pulse, bar(9 * BAR_MS, 103)).bars, 1);
    assert.equal(beat(pulse, bar(4 * BAR_MS, 103)).bars, 3, 'one missing bar is bridged');
  });
});

/** At +4 % with the last third alone, its 106 at the venue; each bar a quarter of an hour later. */
class Last extends PositionBench {
  constructor(plan: PositionOptions['plan'] = {}, entry: PositionOptions['entry'] = {}) {
    super({
      entry,
      plan: {
        trailing: null,
        scaleOut: THREE_PARTS,
        restingTargets: true,
        activeTarget: { ...DEFAULT_ACTIVE_TARGET, minBars: 2 },
        ...plan,
      },
    });
    this.enter();
    this.fill('entry-1', '2');
    for (const { ref } of this.orders()) this.acknowledge(ref);
    const short = this.state.direction === 'short';
    this.fill('exit-1', '0.66', short ? '98' : '102');
    this.acknowledge('stop-2');
    this.fill('exit-2', '0.66', short ? '96' : '104');
    this.acknowledge('stop-3');
  }

  bars(...closes: readonly number[]): this {
    for (const close of closes) {
      const closeAt = Math.ceil((this.at + 1) / BAR_MS) * BAR_MS;
      this.send('BAR_CLOSED', bar(closeAt, close), closeAt - this.at);
    }
    return this;
  }

  get target(): string | undefined {
    return this.state.scaleParts.at(-1)?.price;
  }

  notices(): string[] {
    return this.emitted.flatMap((intent) => (intent.type === 'notify' ? [intent.text] : []));
  }
}

describe('the last part’s target', () => {
  test('is followed only once it alone is left', () => {
    const bench = new PositionBench({ plan: { scaleOut: THREE_PARTS, activeTarget: DEFAULT_ACTIVE_TARGET } });
    bench.open();
    assert.equal(followsBars(bench.state), false);
    assert.equal(followsBars(new Last().state), true);
    assert.equal(followsBars(new Last({ activeTarget: null }).state), false);
  });

  test('goes ahead of the price while momentum holds near it, and says so', () => {
    const bench = new Last().bars(104.2, 104.6, 105, 105.4);
    assert.ok(Number(bench.target) > 106, bench.target);
    assert.ok(bench.emitted.some((intent) => intent.type === 'order.cancel' && intent.ref === 'exit-3'));
    assert.ok(!bench.state.orders.some(({ ref }) => ref === 'exit-4'), 'the old one is taken back first');
    const [notice] = bench.notices().filter((text) => text.includes('target is extended from 106 to'));
    assert.match(notice ?? '', /momentum [\d.]+ ATRs of/);
    bench.closed('exit-3');
    assert.deepEqual(
      bench.orders().map(({ type, quantity, price }) => [type, quantity, price]),
      [['LIMIT', '0.68', bench.target]],
    );
  });

  test('is not extended while the price is far from it', () => {
    assert.equal(new Last().bars(102, 102.4, 102.8, 103.2, 103.6).target, '106');
  });

  test('never goes beyond its limit', () => {
    const activeTarget = { ...DEFAULT_ACTIVE_TARGET, minBars: 2, maxPercent: '6.3', extendAtrs: 20 };
    assert.equal(new Last({ activeTarget }).bars(104.2, 104.6, 105, 105.4).target, '106.3');
  });

  test('is drawn in when momentum fades', () => {
    const bench = new Last().bars(104.6, 104.8, 104.5, 104.2);
    assert.ok(Number(bench.target) < 105.5, bench.target);
    assert.ok(bench.notices().some((text) => text.includes('target is drawn in from 106 to')));
  });

  test('but never to what the stop has locked, nor to a loss', () => {
    const bench = new Last({ activeTarget: { ...DEFAULT_ACTIVE_TARGET, minBars: 2, pullAtrs: 0 } });
    bench.send('MOVE_STOP', { by: 'ann', price: '104', mark: 104.6 });
    bench.acknowledge('stop-4');
    bench.bars(104.6, 104.8, 103.9);
    assert.equal(bench.target, '104.1', 'the least step before the stop');
  });

  test('stays where it is before the profit was large enough, and while its order is under way', () => {
    const activeTarget = { ...DEFAULT_ACTIVE_TARGET, minBars: 2, fromPercent: '5' };
    assert.equal(new Last({ activeTarget }).bars(104.6, 104.8, 104.5, 104.2).target, '106');
    const moving = new Last().bars(104.2, 104.6, 105, 105.4);
    const { target } = moving;
    moving.bars(105.8, 106.2);
    assert.equal(moving.target, target, 'its cancel has not been answered');
  });

  test('a bar that is old is heard, and nothing is done at its price', () => {
    const bench = new Last();
    for (const [i, close] of [104.2, 104.6, 105, 105.4].entries())
      bench.send('BAR_CLOSED', bar(BAR_MS * (2 + i), close), i === 0 ? 6 * BAR_MS : 1);
    assert.equal(bench.target, '106');
    assert.equal(bench.state.pulse?.bars, 4);
  });

  test('a short is the mirror', () => {
    const bench = new Last({}, { direction: 'short', stopPrice: '105' }).bars(95.8, 95.4, 95, 94.6);
    assert.ok(Number(bench.target) < 94, bench.target);
  });

  test('where parts are taken here, only the level moves', () => {
    const bench = new PositionBench({
      plan: {
        trailing: null,
        scaleOut: [{ profitPercent: '6', sharePercent: '100' }],
        activeTarget: { ...DEFAULT_ACTIVE_TARGET, minBars: 2 },
      },
    }).open();
    for (const close of [104.2, 104.6, 105, 105.4]) {
      const closeAt = Math.ceil((bench.at + 1) / BAR_MS) * BAR_MS;
      bench.send('BAR_CLOSED', bar(closeAt, close), closeAt - bench.at);
    }
    assert.ok(Number(bench.state.scaleParts[0]?.price) > 106);
    assert.deepEqual(bench.cancels(), []);
  });
});

describe('an add', () => {
  const pyramid = {
    maxAdds: 2,
    stepPercent: '1',
    sizeFactor: '0.5',
    confirm: 'close' as const,
    maxExposure: '2',
  };
  const opened = (more = {}) =>
    new PositionBench({ plan: { trailing: null, pyramid: { ...pyramid, ...more } } }).open();
  const close = (bench: PositionBench, price: number) => {
    const closeAt = Math.ceil((bench.at + 1) / BAR_MS) * BAR_MS;
    bench.send('BAR_CLOSED', { ...bar(closeAt, price), open: price - 0.3 }, closeAt - bench.at);
  };

  test('waits for a bar that closes beyond its level', () => {
    const bench = opened();
    bench.price(102);
    assert.ok(bench.in('open.pyramiding.waiting'), 'a touch is no confirmation');
    close(bench, 100.9);
    assert.ok(bench.in('open.pyramiding.waiting'));
    close(bench, 101);
    assert.ok(bench.in('open.pyramiding.asking'));
    const asked = bench.sent('entry/BTCUSDT').at(-1)?.entry as { referencePrice: string } | undefined;
    assert.equal(asked?.referencePrice, '101');
  });

  test('moves the stop so that no more is at risk, and says with which numbers', () => {
    const bench = opened();
    close(bench, 101);
    bench.send('APPROVED', {
      entry: { ...bench.state.entry, quantity: '2', referencePrice: '101' },
      reservation: 'r',
    });
    bench.fill('add-1', '1', '101');
    assert.deepEqual(
      bench.orders().map(({ type, quantity, triggerPrice }) => [type, quantity, triggerPrice]),
      [['STOP_MARKET', '3', '97']],
      '(2 × 95 + 1 × 101) ÷ 3',
    );
    assert.equal(bench.state.stopReason, 'pyramid-stop');
    assert.ok(
      bench.last.some(
        (intent) =>
          intent.type === 'notify' && intent.text.includes('1 added at 101 to 2; no more is at risk'),
      ),
    );
  });

  test('takes what the cap on the whole leaves, or nothing', () => {
    const bench = opened({ maxExposure: '1.2' });
    close(bench, 101);
    bench.send('APPROVED', {
      entry: { ...bench.state.entry, quantity: '2', referencePrice: '101' },
      reservation: 'r',
    });
    assert.deepEqual(
      bench.orders().map(({ quantity }) => quantity),
      ['0.396'],
    );
    const full = opened({ maxExposure: '1' });
    close(full, 101);
    full.send('APPROVED', {
      entry: { ...full.state.entry, quantity: '2', referencePrice: '101' },
      reservation: 'r',
    });
    assert.deepEqual(full.orders(), []);
    assert.ok(full.in('open.pyramiding.waiting'));
  });
});
