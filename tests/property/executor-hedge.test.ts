/**
 * The executor in hedge mode: a long and a short of one symbol, each with its owner, through lost and late calls,
 * dropped events, trades by hand, liquidations and restarts. What is one side's is never told to the other.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as D from '../../src/core/decimal.ts';
import { isReducing } from '../../src/domain/order.ts';
import { type Fate, ownerOf, World } from '../support/executor-world.ts';
import { isOpenOrder } from '../support/model-venue.ts';

type Step = (world: World) => void;
type Named = readonly [name: string, step: Step];

const PLACES = ['BTCUSDT/LONG', 'BTCUSDT/SHORT', 'ETHUSDT/LONG'] as const;
const place = fc.constantFrom(...PLACES);
const quantity = fc.constantFrom('1', '2', '0.5');

const named = <T>(
  name: string,
  arb: fc.Arbitrary<T>,
  step: (world: World, value: T) => void,
): fc.Arbitrary<Named> =>
  arb.map((value) => [`${name} ${JSON.stringify(value)}`, (world) => step(world, value)]);

const opens = (at: string): 'BUY' | 'SELL' => (at.endsWith('LONG') ? 'BUY' : 'SELL');
const closes = (at: string): 'BUY' | 'SELL' => (at.endsWith('LONG') ? 'SELL' : 'BUY');

const own = fc.oneof(
  named('enter', fc.tuple(place, quantity), (world, [at, size]) =>
    world.submit({ symbol: at, side: opens(at), quantity: size }),
  ),
  named('stop', fc.tuple(place, quantity), (world, [at, size]) => world.stop(size, at, closes(at))),
  named('stop for all', place, (world, at) => {
    const { quantity: _, ...whole } = { symbol: at, side: closes(at), quantity: undefined };
    world.submit({ ...whole, type: 'STOP_MARKET', triggerPrice: '90', closePosition: true });
  }),
  named('exit', fc.tuple(place, quantity), (world, [at, size]) =>
    world.submit({ symbol: at, side: closes(at), quantity: size }),
  ),
);

const venueSteps = fc.oneof(
  named('trigger', fc.nat(5), (world, index) =>
    world.happen((venue) => {
      const open = venue.state.algos.filter(({ status }) => status === 'NEW');
      const algo = open[index % Math.max(1, open.length)];
      if (algo) venue.trigger(algo);
    }),
  ),
  named('by hand', fc.tuple(place, fc.boolean(), quantity), (world, [at, more, size]) =>
    world.happen((venue) => {
      const held = D.abs(venue.amount(at));
      if (more) venue.trade(at, opens(at), size, `web_${venue.state.next}`);
      else if (held !== '0') venue.trade(at, closes(at), D.min(held, size), `web_${venue.state.next}`);
    }),
  ),
  named('liquidate', place, (world, at) =>
    world.happen((venue) => {
      const amount = venue.amount(at);
      if (amount !== '0') venue.trade(at, closes(at), D.abs(amount), `autoclose-${venue.state.next}`);
    }),
  ),
  // A row for each side, as the venue writes them: at one rate, and neither says which it is.
  named('fund', fc.constantFrom('0.01', '-0.02'), (world, rate) =>
    world.happen((venue) => {
      for (const at of ['BTCUSDT/LONG', 'BTCUSDT/SHORT'])
        if (venue.amount(at) !== '0') venue.fund('BTCUSDT', D.neg(D.mul(venue.amount(at), rate)));
    }),
  ),
);

const fate = fc.constantFrom<Fate>('fine', 'lost-request', 'lost-answer', 'late', 'refused');
const faults = fc.oneof(
  named('fates', fc.array(fate, { minLength: 1, maxLength: 3 }), (world, fates) =>
    world.fates.push(...fates),
  ),
  named(
    'stream',
    fc.array(fc.constantFrom('fine' as const, 'drop' as const, 'double' as const), {
      minLength: 1,
      maxLength: 6,
    }),
    (world, fates) => world.streamFates.push(...fates),
  ),
  named('lag', fc.constantFrom(0, 300, 2_000), (world, lagMs) => {
    world.lagMs = lagMs;
  }),
  named('restart', fc.constant(null), (world) => world.restart()),
);

const wait = named('wait', fc.constantFrom(0, 70, 1_500, 9_000, 40_000), (world, ms) => world.run(ms));

const story = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: own },
    { weight: 3, arbitrary: venueSteps },
    { weight: 2, arbitrary: faults },
    { weight: 5, arbitrary: wait },
  ),
  { minLength: 1, maxLength: 50, size: 'max' },
);

const setting = fc.record({
  foreign: fc.constantFrom('report' as const, 'ignore' as const, 'close' as const, 'adopt' as const),
});

test('each side\u2019s books come to agree with the venue, and each owner hears a legal story of its own', () => {
  fc.assert(
    fc.property(story, setting, (steps, options) => {
      const world = new World(options, PLACES).begin();
      for (const [, step] of steps) step(world);
      world.heal();
      world.checkStories();
      world.checkSettled();
      world.checkReplay();
      for (const at of PLACES) {
        const sign = D.sign(world.venue.amount(at));
        assert.ok(at.endsWith('LONG') ? sign >= 0 : sign <= 0, `${at} holds ${world.venue.amount(at)}`);
      }
      for (const call of world.calls)
        if (call.call === 'submit') {
          assert.notEqual(call.order.positionSide, 'BOTH');
          assert.equal(call.order.reduceOnly, false, 'the venue refuses it in hedge mode');
        }
    }),
    { numRuns: Number(process.env.EXECUTOR_RUNS ?? 120) },
  );
});

/** A long of 3 and a short of 2 of one symbol. */
function bothSides(options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(options, PLACES).begin();
  world.submit({ symbol: 'BTCUSDT/LONG', side: 'BUY', quantity: '3' });
  world.submit({ symbol: 'BTCUSDT/SHORT', side: 'SELL', quantity: '2' });
  world.run(10_000);
  assert.deepEqual([world.held('BTCUSDT/LONG'), world.held('BTCUSDT/SHORT')], ['3', '-2']);
  return world;
}

const funding = (world: World, at: string) =>
  world.toldTo(ownerOf(at), 'FUNDING_SETTLED').map(({ amount }) => amount);

test('funding is divided between the sides by what each holds', () => {
  const world = bothSides();
  world.happen((venue) => {
    venue.fund('BTCUSDT', '-0.3');
    venue.fund('BTCUSDT', '0.2');
  });
  world.run(70_000);
  assert.deepEqual(funding(world, 'BTCUSDT/LONG'), ['-0.3']);
  assert.deepEqual(funding(world, 'BTCUSDT/SHORT'), ['0.2']);
});

test('what nobody here opened on one side blocks that side, and the other trades on', () => {
  const world = new World({}, PLACES).begin();
  world.happen((venue) => venue.trade('BTCUSDT/SHORT', 'SELL', '2', 'web_1'));
  world.run(120_000);
  assert.deepEqual(
    world.toldTo('entry/BTCUSDT/SHORT').map(({ type }) => type),
    ['BLOCK'],
  );
  assert.deepEqual(world.toldTo('entry/BTCUSDT/LONG'), []);
  world.submit({ symbol: 'BTCUSDT/SHORT', side: 'SELL', ref: 'refused' });
  world.submit({ symbol: 'BTCUSDT/LONG', side: 'BUY', ref: 'entered' });
  world.run(10_000);
  assert.deepEqual(world.heard('refused', 'BTCUSDT/SHORT'), ['ORDER_REJECTED']);
  assert.ok(world.heard('entered', 'BTCUSDT/LONG').includes('ORDER_FILLED'));
});

test('a difference on one side is looked into there alone, and the other opens', () => {
  const world = bothSides();
  world.stream = 'up';
  world.streamFates = Array.from({ length: 8 }, () => 'drop' as const);
  world.happen((venue) => venue.trade('BTCUSDT/LONG', 'SELL', '1', 'web_1'));
  world.run(130_000);
  assert.equal(world.held('BTCUSDT/LONG'), '2', 'told as done by hand');
  assert.equal(world.held('BTCUSDT/SHORT'), '-2');
  assert.ok(!world.eventsOf('BTCUSDT/SHORT').some((event) => 'cause' in event));
});

test('protection is shown by side: a stop of one does not cover the other', () => {
  const world = bothSides();
  world.stop('3', 'BTCUSDT/LONG', 'SELL');
  world.run(130_000);
  const shown = world.toldTo('guardian', 'PROTECTION').at(-1)?.symbols as readonly Record<string, unknown>[];
  assert.deepEqual(
    shown.map(({ positionSide, owner, quantity, protected: covered }) => [
      positionSide,
      owner,
      quantity,
      covered,
    ]),
    [
      ['LONG', ownerOf('BTCUSDT/LONG'), '3', '3'],
      ['SHORT', ownerOf('BTCUSDT/SHORT'), '2', '0'],
    ],
  );
});

test('a fill of the guardian\u2019s goes to the side whose order it was', () => {
  const world = bothSides();
  const owner = 'guardian';
  world.submit({ symbol: 'BTCUSDT/SHORT', side: 'BUY', quantity: '2', owner, ref: 'guard-1' });
  world.run(10_000);
  assert.deepEqual([world.held('BTCUSDT/LONG'), world.held('BTCUSDT/SHORT')], ['3', '0']);
  const fills = world.toldTo('guardian', 'ORDER_FILLED');
  assert.equal(D.sum(fills.map(({ quantity }) => String(quantity))), '2');
  // The guardian passes it on to the side that it acted for; told from here, too, it would be booked twice.
  assert.ok(!world.eventsOf('BTCUSDT/SHORT').some((event) => 'cause' in event));
});

test('what is foreign on one side is closed by an order of that side, with nothing left open by it', () => {
  const world = new World({ foreign: 'close' }, PLACES).begin();
  world.happen((venue) => venue.trade('BTCUSDT/SHORT', 'SELL', '2', 'web_1'));
  world.run(200_000);
  assert.equal(world.venue.amount('BTCUSDT/SHORT'), '0');
  const made = world.calls.flatMap((call) => (call.call === 'submit' ? [call.order] : []));
  assert.deepEqual(
    made.map((order) => [order.side, order.positionSide, order.reduceOnly, isReducing(order)]),
    [['BUY', 'SHORT', false, true]],
  );
  assert.ok(!world.venue.state.orders.some(isOpenOrder));
});
