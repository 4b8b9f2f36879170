/** The exits by rule: where each begins, which wins, and what is kept of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_EXITS, type ExitPlan } from '../../machines/position/exit-rules/plan.ts';
import { DEFAULT_PLAN, positionBand } from '../../machines/position.ts';
import { PositionBench, type PositionOptions } from '../support/machine-bench.ts';

/** Long 2 at 100 with a stop far away, so that the rules by loss are alone. */
const far = (exits: Partial<ExitPlan> = {}, more: Partial<PositionOptions> = {}): PositionBench =>
  new PositionBench({
    ...more,
    entry: { stopPrice: '80', ...more.entry },
    plan: { trailing: null, exits: { ...DEFAULT_EXITS, ...exits }, ...more.plan },
  }).open();

const short = { entry: { direction: 'short', stopPrice: '120' } } as const;
const opine = (bench: PositionBench, confidence: number, mark = 100): PositionBench => {
  bench.send('EXIT_OPINION', { confidence, reason: 'it turns', mark });
  return bench;
};
const ruleOf = (bench: PositionBench): string | null => bench.state.decision?.rule ?? null;

describe('by loss, per 100 of entry notional', () => {
  const table: [name: string, confidence: number | null, loss: number, rule: string | null][] = [
    ['nothing lost', null, 0, null],
    ['silent, just before the fallback', null, 7.99, null],
    ['silent, at the fallback', null, 8, 'emergency-fallback'],
    ['silent, beyond it, before the cap', null, 9.99, 'emergency-fallback'],
    ['silent, at the cap', null, 10, 'hard-cap'],
    ['beyond the cap', null, 15, 'hard-cap'],
    ['confident, just before', 0.6, 4.99, null],
    ['confident, at 5', 0.6, 5, 'emergency-fallback'],
    ['not confident enough, at 5', 0.59, 5, null],
    ['not confident enough, just before 8', 0.59, 7.99, null],
    ['not confident enough, at 8', 0.59, 8, 'emergency-fallback'],
    ['for holding, at 10', 0, 10, 'hard-cap'],
    ['sure, at 10', 1, 10, 'hard-cap'],
  ];
  for (const [name, confidence, loss, rule] of table)
    test(`${name}: −${loss} → ${rule ?? 'stays'}`, () => {
      for (const side of ['long', 'short'] as const) {
        const exits = { model: null };
        const bench = far(exits, side === 'long' ? {} : short);
        if (confidence !== null) opine(bench, confidence);
        const mark = side === 'long' ? 100 - loss : 100 + loss;
        const { low, high } = positionBand(bench.state);
        bench.price(mark);
        assert.equal(ruleOf(bench), rule, side);
        assert.equal(bench.in('emergencyClosing'), rule !== null);
        // No price can act that the band does not wake it for.
        const seen = side === 'long' ? low !== null && mark <= low : high !== null && mark >= high;
        if (rule !== null) assert.ok(seen, `${side}: ${mark} is inside ${low} to ${high}`);
      }
    });

  test('the decision keeps its numbers, in the row and in the position', () => {
    const bench = far().price(89.5);
    assert.ok(bench.some((intent) => intent.type === 'notify' && intent.level === 'critical'));
    const told = bench.find((intent) => intent.type === 'notify' && intent.level === 'info');
    assert.ok(told?.type === 'notify');
    assert.deepEqual(told.data, {
      rule: 'hard-cap',
      reason: 'hard-cap: lost 10.5 per 100 at mark 89.5, 10 at most',
      numbers: { mark: '89.5', lost: '10.5', limit: '10' },
      suppressed: ['emergency-fallback'],
    });
  });

  test('an opinion that is too old is silence', () => {
    const { opinionMaxAgeMs } = DEFAULT_EXITS;
    const fresh = opine(far(), 0.7);
    fresh.send('PRICE', { mark: 94, last: 94 }, opinionMaxAgeMs);
    assert.equal(ruleOf(fresh), 'emergency-fallback');
    const old = opine(far(), 0.7);
    old.send('PRICE', { mark: 94, last: 94 }, opinionMaxAgeMs + 1);
    assert.equal(ruleOf(old), null);
    assert.equal(positionBand(old.state).low, 92, 'nor does the band wake it there');
  });

  test('an opinion that comes while so much is lost closes at once', () => {
    const bench = far();
    bench.price(94);
    assert.equal(ruleOf(bench), null);
    assert.equal(ruleOf(opine(bench, 0.65, 94)), 'emergency-fallback');
    assert.match(bench.state.decision?.reason ?? '', /confidence 0.65/);
  });

  test('each is off where it is off', () => {
    const bench = far({ hardCapLoss: null, fallback: null });
    bench.price(85);
    assert.ok(bench.in('open'));
    const capless = far({ hardCapLoss: null });
    capless.price(85);
    assert.equal(ruleOf(capless), 'emergency-fallback');
    const only = far({ fallback: null });
    only.price(90.01);
    assert.ok(only.in('open'));
    only.price(90);
    assert.equal(ruleOf(only), 'hard-cap');
  });

  test('after a part was closed and an add was made, it is of what is open', () => {
    const bench = far(
      {},
      {
        plan: {
          pyramid: {
            maxAdds: 1,
            stepPercent: '5',
            sizeFactor: '1',
            confirm: 'touch' as const,
            maxExposure: '10',
          },
        },
      },
    );
    bench.send('ADD');
    bench.send('APPROVED', { entry: { ...bench.state.entry, quantity: '2' }, reservation: 'r' });
    bench.fill('add-1', '2', '110');
    bench.price(96.7);
    assert.ok(bench.in('open'), '7.9 per 100 of 105');
    bench.price(96.6);
    assert.equal(ruleOf(bench), 'emergency-fallback');
  });
});

describe('by word', () => {
  test('the model: at its confidence and above; below it the word is kept, and nothing happens', () => {
    for (const [confidence, closes] of [
      [0.79, false],
      [0.8, true],
      [1, true],
    ] as const) {
      const bench = opine(far(), confidence);
      assert.equal(bench.in('closing'), closes);
      assert.equal(bench.state.opinion?.confidence, confidence);
      if (closes) assert.equal(bench.state.closeReason, `model: it turns (confidence ${confidence})`);
    }
  });

  test('a strategy’s exit signal is sure unless it says otherwise', () => {
    const sure = far();
    sure.send('EXIT_SIGNAL', { reason: 'signal: over' });
    assert.deepEqual([ruleOf(sure), sure.state.closeReason], ['model', 'signal: over']);
    const doubtful = far();
    doubtful.send('EXIT_SIGNAL', { reason: 'signal: perhaps', confidence: 0.5 });
    assert.ok(doubtful.in('open'));
    assert.deepEqual(
      doubtful.state.suppressed.map(({ rule, by, reason }) => [rule, by, reason]),
      [['model', 'configuration', 'signal: perhaps']],
    );
  });

  test('the other side’s signal, and a regime that does not suit, close; switched off, they are recorded', () => {
    const words: [string, Record<string, unknown>, string, Partial<ExitPlan>][] = [
      ['EXIT_SIGNAL', { reason: 'opposite-signal', signal: 'opposite' }, 'opposite', { opposite: false }],
      ['REGIME', { regime: 'trend-down', suits: ['short'] }, 'regime', { regime: false }],
    ];
    for (const [type, data, rule, off] of words) {
      const bench = far();
      bench.send(type, data);
      assert.equal(ruleOf(bench), rule);
      assert.ok(bench.in('closing'));
      const without = far(off);
      without.send(type, data);
      assert.ok(without.in('open'));
      assert.deepEqual(
        without.state.suppressed.map((one) => [one.rule, one.by]),
        [[rule, 'configuration']],
      );
    }
    const suited = far();
    suited.send('REGIME', { regime: 'range', suits: ['long', 'short'] });
    assert.ok(suited.in('open'));
    assert.deepEqual(suited.state.suppressed, []);
  });

  test('funding: who pays, how much, and whether the profit is worth it', () => {
    const cases: [side: 'long' | 'short', rate: number, mark: number, closes: boolean][] = [
      ['long', 0.001, 100, true],
      ['long', 0.00099, 100, false],
      ['long', -0.01, 100, false],
      ['short', -0.001, 100, true],
      ['short', 0.01, 100, false],
      // Ten times 0.1 % is one per cent of profit.
      ['long', 0.001, 101, false],
      ['long', 0.001, 100.99, true],
      ['short', -0.001, 99, false],
    ];
    for (const [side, rate, mark, closes] of cases) {
      const bench = far({}, side === 'long' ? {} : short);
      bench.send('FUNDING_AHEAD', { rate, settlesAt: 1_800_000, mark });
      assert.equal(bench.in('closing'), closes, `${side} ${rate} at ${mark}`);
      assert.equal(ruleOf(bench), closes ? 'funding' : null);
    }
    const blind = far();
    blind.send('FUNDING_AHEAD', { rate: 0.01, settlesAt: 1_800_000 });
    assert.ok(blind.in('open'), 'nobody knows the mark');
  });

  test('time: it names how long it was held', () => {
    const bench = far({}, { plan: { timeStopMs: 60_000 } });
    bench.wait(60_000);
    const { rule, numbers } = bench.state.decision ?? {};
    assert.equal(rule, 'time-stop');
    assert.equal(numbers?.limitMs, 60_000);
  });

  test('while the entry is on its way a word calls it back only where a rule takes it up', () => {
    const off = { plan: { exits: { ...DEFAULT_EXITS, opposite: false } } };
    for (const bench of [new PositionBench(off), new PositionBench(off).enter()]) {
      bench.send('EXIT_SIGNAL', { reason: 'opposite-signal', signal: 'opposite' });
      assert.ok(bench.in('preparing') || bench.in('entering.submitted'));
      bench.send('REGIME', { regime: 'trend-down', suits: ['short'] });
      assert.ok(bench.value === 'abandoned' || bench.in('entering.cancelling'));
      assert.equal(ruleOf(bench), 'regime');
    }
  });
});

describe('precedence', () => {
  test('a loss that is due wins over the word that comes with it, and the word is recorded', () => {
    for (const [mark, winner] of [
      [79, 'stop'],
      [90, 'hard-cap'],
      [92, 'emergency-fallback'],
    ] as const) {
      const bench = far();
      bench.send('EXIT_SIGNAL', { reason: 'signal: over', mark });
      assert.equal(ruleOf(bench), winner);
      assert.ok(bench.in('emergencyClosing'));
      assert.deepEqual(bench.state.suppressed.at(-1), {
        at: bench.at,
        rule: 'model',
        by: winner,
        reason: 'signal: over',
      });
    }
  });

  test('time comes before signals, and a kill takes over a close that is under way', () => {
    const bench = opine(far({ model: { minConfidence: 0.9 } }), 0.85);
    bench.send('TIME_STOP', { mark: 100 });
    assert.equal(ruleOf(bench), 'time-stop');
    bench.send('KILL', { reason: 'all' });
    assert.equal(ruleOf(bench), 'kill');
    assert.ok(bench.in('emergencyClosing'));
    bench.fill('close-1', '2');
    bench.closed('stop-1');
    assert.equal(bench.value, 'closed');
  });

  test('nothing is decided twice', () => {
    const bench = far();
    bench.send('EXIT_SIGNAL', { reason: 'signal: over' });
    for (const [type, data] of [
      ['EXIT_SIGNAL', { reason: 'signal: again' }],
      ['EXIT_OPINION', { confidence: 1, reason: 'again' }],
      ['REGIME', { regime: 'trend-down', suits: [] }],
      ['FUNDING_AHEAD', { rate: 1, settlesAt: 0, mark: 100 }],
      ['TIME_STOP', {}],
      ['PRICE', { mark: 1, last: 1 }],
    ] as const) {
      bench.send(type, data);
      assert.deepEqual(bench.last, [], type);
    }
    assert.equal(bench.state.closeReason, 'signal: over');
  });

  test('the defaults are the ones promised', () => {
    assert.deepEqual(
      [DEFAULT_EXITS.fallback?.lossWhenConfident, DEFAULT_EXITS.fallback?.loss, DEFAULT_EXITS.hardCapLoss],
      ['5', '8', '10'],
    );
    assert.equal(DEFAULT_PLAN.exits, DEFAULT_EXITS);
  });
});
