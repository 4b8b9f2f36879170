import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createEntryMachine, type EntryContext } from '../../machines/entry.ts';
import { DEFAULT_PLAN } from '../../machines/position.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import { approved, entry, INSTRUMENT, MachineBench, told } from '../support/machine-bench.ts';
import { ENTER, EXIT } from '../support/machine-cases.ts';

const POSITION = 'position/BTCUSDT/BOTH/1';

const tradeOf = (netPnl: string) => ({ symbol: 'BTCUSDT', direction: 'long', netPnl });

const plansStarted = ({ last }: MachineBench): unknown[] =>
  last.flatMap((intent) =>
    intent.type === 'actor.start' ? [(intent.input as { plan?: unknown }).plan] : [],
  );

describe('entry desk', () => {
  const desk = (more: Record<string, unknown> = {}) =>
    new MachineBench(createEntryMachine(), {
      symbol: 'BTCUSDT',
      instrument: INSTRUMENT,
      plan: DEFAULT_PLAN,
      ...more,
    });
  const context = (bench: MachineBench) => bench.context<EntryContext>();

  test('a signal is put on ticks and assessed; approval starts the position in the same row', () => {
    const bench = desk();
    bench.send('SIGNAL', { signal: { ...ENTER, price: 100.04, stopPrice: 95.01, trailDistance: 0.01 } });
    const [[to, ask]] = told(bench) as [[string, ActorEvent]];
    assert.equal(to, 'portfolio');
    assert.deepEqual(ask.entry, entry({ stopPrice: '95.1', trailDistance: '0.1' }));
    bench.send('APPROVED', { entry: approved(), reservation: 'r1' });
    const [start] = bench.last;
    assert.ok(start?.type === 'actor.start');
    assert.deepEqual([start.actor, start.machine], [POSITION, 'position']);
    assert.equal(bench.value, 'starting');
  });

  test('lives are numbered upwards, with a pause in between', () => {
    const bench = desk({ coolDownMs: 1_000 });
    for (const life of [1, 2]) {
      const actor = `position/BTCUSDT/BOTH/${life}`;
      bench.send('SIGNAL', { signal: ENTER });
      bench.send('APPROVED', { entry: approved(), reservation: `r${life}` });
      assert.equal(context(bench).position, actor);
      bench.send('POSITION_OPENED', { actor });
      bench.send('POSITION_CLOSED', { actor, trade: tradeOf('1'), reason: 'stop' });
      assert.equal(bench.value, 'coolingDown');
      bench.send('SIGNAL', { signal: ENTER });
      assert.deepEqual(bench.last, []);
      bench.wait(1_000);
      assert.equal(bench.value, 'idle');
    }
  });

  test('exit and opposite signals close what is open; the same direction is passed over and counted', () => {
    const bench = desk();
    bench.send('SIGNAL', { signal: ENTER });
    bench.send('APPROVED', { entry: approved(), reservation: 'r1' });
    bench.send('POSITION_OPENED', { actor: POSITION });
    bench.send('SIGNAL', { signal: ENTER });
    assert.deepEqual(bench.last, []);
    assert.equal(context(bench).counts.ignored, 1);
    for (const [signal, word] of [
      [EXIT, { signal: 'exit', reason: 'signal: faded' }],
      [
        { ...EXIT, confidence: 0.7 },
        { signal: 'exit', reason: 'signal: faded', confidence: 0.7 },
      ],
      [
        { ...ENTER, direction: 'short' },
        { signal: 'opposite', reason: 'opposite-signal' },
      ],
    ] as const) {
      bench.send('SIGNAL', { signal });
      assert.deepEqual(told(bench), [[POSITION, { type: 'EXIT_SIGNAL', ...word }]]);
    }
  });

  test('what the strategy thinks reaches what is open, and nobody else', () => {
    const bench = desk();
    const opinion = { direction: 'long', confidence: 0.4, reason: 'it fades' };
    const regime = { regime: 'range', suits: ['long', 'short'] };
    const say = () => {
      bench.send('OPINION', { opinion });
      const first = told(bench);
      bench.send('REGIME', regime);
      return [...first, ...told(bench)];
    };
    assert.deepEqual(say(), []);
    bench.send('SIGNAL', { signal: ENTER });
    assert.deepEqual(say(), []);
    bench.send('APPROVED', { entry: approved(), reservation: 'r1' });
    const words = [
      [POSITION, { type: 'EXIT_OPINION', confidence: 0.4, reason: 'it fades' }],
      [POSITION, { type: 'REGIME', ...regime }],
    ];
    assert.deepEqual(say(), words);
    bench.send('POSITION_OPENED', { actor: POSITION });
    assert.deepEqual(say(), words);
    bench.send('OPINION', { opinion: { ...opinion, direction: 'short' } });
    assert.deepEqual(told(bench), [], 'it holds no short');
  });

  test('a blocked desk starts nothing, not even what was approved meanwhile', () => {
    const bench = desk();
    bench.send('SIGNAL', { signal: ENTER });
    bench.send('BLOCK', { source: 'feed/BTCUSDT', reason: 'gap' });
    bench.send('APPROVED', { entry: approved(), reservation: 'r1' });
    assert.deepEqual(told(bench), [['portfolio', { type: 'RELEASE', reservation: 'r1' }]]);
    assert.equal(bench.value, 'blocked');
    bench.send('SIGNAL', { signal: ENTER });
    assert.deepEqual(bench.last, []);
    bench.send('UNBLOCK', { source: 'feed/BTCUSDT' });
    assert.equal(bench.value, 'idle');
  });

  const opened = (bench: MachineBench) => {
    bench.send('SIGNAL', { signal: ENTER });
    bench.send('APPROVED', { entry: approved(), reservation: 'r1' });
    bench.send('POSITION_OPENED', { actor: POSITION });
    return bench;
  };
  const ADOPT = { symbol: 'BTCUSDT', direction: 'short', quantity: '0.7', entryPrice: '101', by: 'ann' };

  test('a failed position’s block wins over the cool-down, whichever of the two words comes first', () => {
    const source = `guardian:${POSITION}`;
    for (const order of ['block first', 'closed first']) {
      const bench = opened(desk({ coolDownMs: 1_000 }));
      const block = () => bench.send('BLOCK', { source, reason: 'broken' });
      if (order === 'block first') block();
      bench.send('POSITION_CLOSED', { actor: POSITION, trade: null, reason: 'broken' });
      if (order === 'closed first') block();
      assert.equal(bench.value, 'blocked', order);
      bench.wait(5_000);
      assert.equal(bench.value, 'blocked', 'no cool-down ends it');
      bench.send('UNBLOCK', { source });
      assert.equal(bench.value, 'idle');
    }
  });

  test('a block that ends early gives the rest of the cool-down back', () => {
    const bench = opened(desk({ coolDownMs: 10_000 }));
    bench.send('POSITION_CLOSED', { actor: POSITION, trade: null, reason: 'stop' });
    bench.send('BLOCK', { source: 'feed/BTCUSDT', reason: 'gap' });
    bench.wait(4_000);
    bench.send('UNBLOCK', { source: 'feed/BTCUSDT' });
    assert.equal(bench.value, 'coolingDown');
    bench.wait(5_900);
    assert.equal(bench.value, 'coolingDown');
    bench.wait(100);
    assert.equal(bench.value, 'idle');
  });

  test('what the venue holds is adopted: whose it is goes out before the actor starts', () => {
    const bench = desk();
    bench.send('ADOPT', { ...ADOPT, markPrice: '104' });
    const [hold, start] = bench.last;
    assert.deepEqual(hold, {
      type: 'send',
      to: 'venue',
      event: {
        type: 'HOLD',
        owner: POSITION,
        symbol: 'BTCUSDT',
        direction: 'short',
        quantity: '0.7',
        entryPrice: '101',
      },
    });
    assert.ok(start?.type === 'actor.start');
    const input = start.input as { adopted: unknown; entry?: unknown };
    assert.deepEqual(input.adopted, {
      direction: 'short',
      quantity: '0.7',
      entryPrice: '101',
      markPrice: '104',
      by: 'ann',
    });
    assert.equal(input.entry, undefined);
    assert.equal(bench.value, 'starting');
    bench.send('POSITION_OPENED', { actor: POSITION });
    bench.send('SIGNAL', { signal: ENTER });
    assert.deepEqual(told(bench), [
      [POSITION, { type: 'EXIT_SIGNAL', signal: 'opposite', reason: 'opposite-signal' }],
    ]);
  });

  test('adoption goes before an entry under assessment, through a block, and never beside a position', () => {
    const assessing = desk();
    assessing.send('SIGNAL', { signal: ENTER });
    assessing.send('ADOPT', ADOPT);
    assert.equal(assessing.value, 'starting');
    assessing.send('APPROVED', { entry: approved(), reservation: 'r9' });
    assert.deepEqual(told(assessing), [['portfolio', { type: 'RELEASE', reservation: 'r9' }]]);
    assert.equal(
      context(assessing).direction,
      'short',
      'an approval that came too late changes nothing of it',
    );

    const blocked = desk();
    blocked.send('BLOCK', { source: 'foreign', reason: 'a position nobody here opened' });
    blocked.send('ADOPT', ADOPT);
    assert.equal(blocked.value, 'starting');

    const holding = opened(desk());
    const wrong = desk();
    for (const [bench, event] of [
      [holding, ADOPT],
      [wrong, { ...ADOPT, symbol: 'ETHUSDT' }],
      [wrong, { ...ADOPT, quantity: '0' }],
    ] as const) {
      const before = bench.value;
      bench.send('ADOPT', event);
      assert.deepEqual(
        bench.last.map((intent) => intent.type),
        ['notify'],
      );
      assert.equal(bench.value, before);
    }
  });

  test('the venue’s new filters go to desk and position; a halted symbol enters nothing', () => {
    const bench = opened(desk());
    const instrument = { ...INSTRUMENT, tickSize: '0.5', status: 'TRADING_HALT' };
    bench.send('INSTRUMENT', { instrument });
    assert.deepEqual(told(bench), [[POSITION, { type: 'INSTRUMENT', instrument, before: INSTRUMENT }]]);
    bench.send('INSTRUMENT', { instrument });
    assert.deepEqual(told(bench), [], 'nothing new for the position');
    bench.send('POSITION_CLOSED', { actor: POSITION, trade: null, reason: 'stop' });
    bench.send('SIGNAL', { signal: ENTER });
    assert.equal(bench.value, 'blocked');
    assert.match(context(bench).blocks.instrument ?? '', /TRADING_HALT/);
    bench.send('INSTRUMENT', { instrument: { ...INSTRUMENT, symbol: 'ETHUSDT' } });
    assert.equal(bench.value, 'blocked', 'another symbol’s word frees nothing');
    bench.send('INSTRUMENT', { instrument: { ...instrument, status: 'TRADING' } }, 900_000);
    assert.equal(bench.value, 'idle');
    assert.equal(context(bench).instrument.tickSize, '0.5');
    assert.equal(desk({ instrument }).value, 'blocked', 'also when it starts that way');
    bench.send('INSTRUMENT', { instrument: { ...INSTRUMENT, deliversAt: 1_800_000_000_000 } });
    assert.equal(bench.value, 'blocked', 'nothing is entered that is to be delisted');
    assert.match(context(bench).blocks.instrument ?? '', /to be delisted at 2027/);
  });

  test('another plan is for the lives to come, and the row says what is new in it', () => {
    const bench = opened(desk());
    const plan = { ...DEFAULT_PLAN, stopRetryMs: 7 };
    bench.send('CONFIG', { version: 2, settings: { plan } });
    assert.equal(bench.value, 'holding');
    const [notice] = bench.last;
    assert.ok(bench.last.length === 1 && notice?.type === 'notify', 'the open position is told nothing');
    assert.match(notice.text, /stopRetryMs: \d+ → 7; position\/BTCUSDT\/BOTH\/1 keeps its own/);
    bench.send('CONFIG', { version: 2, settings: { plan } });
    assert.deepEqual(bench.last, [], 'nothing new');
    bench.send('POSITION_CLOSED', { actor: POSITION, trade: null, reason: 'stop' });
    bench.wait(900_000);
    bench.send('SIGNAL', { signal: ENTER });
    bench.send('APPROVED', { entry: approved(), reservation: 'r2' });
    assert.deepEqual(plansStarted(bench), [plan]);
  });

  test('refusals are counted by rule; silence of the portfolio is reported', () => {
    const bench = desk();
    bench.send('SIGNAL', { signal: ENTER });
    bench.send('REFUSED', { refusals: [{ rule: 'lot-size', detail: 'too small' }] });
    assert.deepEqual(context(bench).refusedRules, { 'lot-size': 1 });
    bench.send('SIGNAL', { signal: ENTER });
    bench.wait(10_000);
    assert.equal(bench.value, 'idle');
    bench.send('APPROVED', { entry: approved(), reservation: 'r7' });
    assert.deepEqual(told(bench), [['portfolio', { type: 'RELEASE', reservation: 'r7' }]]);
  });
});

test('an event that a state has no answer to is recorded and reported', () => {
  const bench = new MachineBench(createEntryMachine(), {
    symbol: 'BTCUSDT',
    instrument: INSTRUMENT,
    plan: DEFAULT_PLAN,
  });
  bench.send('POSITION_CLOSED', { actor: POSITION, trade: null, reason: '' });
  bench.send('NEVER_HEARD_OF');
  assert.deepEqual(
    bench.context<EntryContext>().unexpected.recent.map(({ type }) => type),
    ['POSITION_CLOSED', 'NEVER_HEARD_OF'],
  );
  assert.equal(bench.last[0]?.type, 'notify');
});
