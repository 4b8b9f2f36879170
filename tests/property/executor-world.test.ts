/**
 * Whatever happens on the lines and at the venue: one venue order an intent, every UNKNOWN ended by evidence,
 * the books equal to the venue's, and owners that hear legal stories.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ExecutorOptions } from '../../src/execution/executor.ts';
import { type Fate, ownerOf, World } from '../support/executor-world.ts';
import { isOpenOrder } from '../support/model-venue.ts';

type Step = (world: World) => void;
type Named = readonly [name: string, step: Step];

const symbols = ['BTCUSDT', 'ETHUSDT'] as const;
const symbol = fc.constantFrom(...symbols);
const quantity = fc.constantFrom('1', '2', '0.5');
const side = fc.constantFrom('BUY' as const, 'SELL' as const);

const named = <T>(
  name: string,
  arb: fc.Arbitrary<T>,
  step: (world: World, value: T) => void,
): fc.Arbitrary<Named> =>
  arb.map((value) => [`${name} ${JSON.stringify(value)}`, (world) => step(world, value)]);

/** An owner only ever adds to what it holds, or reduces it: that is what a position actor does. */
const entrySide = (world: World, on: string): 'BUY' | 'SELL' =>
  world.held(on).startsWith('-') ? 'SELL' : 'BUY';
const exitSide = (world: World, on: string): 'BUY' | 'SELL' =>
  world.held(on).startsWith('-') ? 'BUY' : 'SELL';

const own = fc.oneof(
  named('enter', fc.tuple(symbol, quantity), (world, [on, size]) =>
    world.submit({ symbol: on, side: entrySide(world, on), quantity: size }),
  ),
  named('rest', fc.tuple(symbol, quantity), (world, [on, size]) =>
    world.submit({
      symbol: on,
      side: entrySide(world, on),
      quantity: size,
      type: 'LIMIT',
      price: '99',
      timeInForce: 'GTC',
    }),
  ),
  named('stop', fc.tuple(symbol, quantity), (world, [on, size]) => world.stop(size, on, exitSide(world, on))),
  named('exit', fc.tuple(symbol, quantity), (world, [on, size]) =>
    world.submit({ symbol: on, side: exitSide(world, on), quantity: size, reduceOnly: true }),
  ),
  named('cancel', fc.tuple(symbol, fc.nat(5)), (world, [on, index]) => {
    const mine = Object.values(world.executor.state.orders).filter(
      ({ order }) => order.owner === ownerOf(on),
    );
    const record = mine[index % Math.max(1, mine.length)];
    if (record) world.cancel(record.order.ref, on);
  }),
);

const venueSteps = fc.oneof(
  named('fill', fc.tuple(fc.nat(5), fc.boolean()), (world, [index, all]) =>
    world.happen((venue) => {
      const open = venue.state.orders.filter(isOpenOrder);
      const order = open[index % Math.max(1, open.length)];
      if (order)
        venue.fill(
          order,
          all || order.filled !== '0'
            ? String(Number(order.quantity) - Number(order.filled))
            : String(Number(order.quantity) / 2),
        );
    }),
  ),
  named('trigger', fc.tuple(fc.nat(5), fc.boolean()), (world, [index, sameId]) =>
    world.happen((venue) => {
      const open = venue.state.algos.filter(({ status }) => status === 'NEW');
      const algo = open[index % Math.max(1, open.length)];
      if (algo) venue.trigger(algo, sameId ? undefined : `x-${algo.algoId}`);
    }),
  ),
  named('price', fc.tuple(symbol, fc.constantFrom('95', '101.5', '110')), (world, [on, price]) => {
    world.venue.price[on] = price;
  }),
  named('by hand', fc.tuple(symbol, side, quantity), (world, [on, way, size]) =>
    world.happen((venue) => venue.trade(on, way, size, `web_${venue.state.next}`)),
  ),
  named('liquidate', symbol, (world, on) =>
    world.happen((venue) => {
      const amount = venue.amount(on);
      if (amount !== '0')
        venue.trade(
          on,
          amount.startsWith('-') ? 'BUY' : 'SELL',
          amount.replace('-', ''),
          `autoclose-${venue.state.next}`,
        );
    }),
  ),
  named('fund', symbol, (world, on) => world.happen((venue) => venue.fund(on, '-0.12345678'))),
  named('transfer', fc.constantFrom('50', '-20.5'), (world, amount) =>
    world.happen((venue) => venue.transfer(amount)),
  ),
);

const fate = fc.constantFrom<Fate>('fine', 'lost-request', 'lost-answer', 'late', 'refused');
const faults = fc.oneof(
  named('fates', fc.array(fate, { minLength: 1, maxLength: 3 }), (world, fates) =>
    world.fates.push(...fates),
  ),
  named(
    'stream',
    fc.array(fc.constantFrom('fine' as const, 'drop' as const, 'double' as const, 'delay' as const), {
      minLength: 1,
      maxLength: 6,
    }),
    (world, fates) => world.streamFates.push(...fates),
  ),
  named('lag', fc.constantFrom(0, 300, 2_000, 4_000), (world, lagMs) => {
    world.lagMs = lagMs;
  }),
  named('down', fc.constant(null), (world) => world.streamDown()),
  named('up', fc.constant(null), (world) => world.streamUp()),
  named('restart', fc.boolean(), (world, warm) => world.restart(undefined, warm)),
);

const wait = named('wait', fc.constantFrom(0, 10, 70, 200, 1_500, 9_000, 40_000), (world, ms) =>
  world.run(ms),
);

const story = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: own },
    { weight: 3, arbitrary: venueSteps },
    { weight: 2, arbitrary: faults },
    { weight: 5, arbitrary: wait },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
);

const RUNS = Number(process.env.EXECUTOR_RUNS ?? 150);

const setting = fc.record({
  timeFactor: fc.constantFrom(1, 1, 60),
  foreign: fc.constantFrom('report' as const, 'ignore' as const, 'close' as const, 'adopt' as const),
});

function live(steps: readonly Named[], options: Partial<ExecutorOptions>): World {
  const world = new World(options).begin();
  for (const [, step] of steps) step(world);
  world.heal(300_000 * (options.timeFactor ?? 1));
  return world;
}

test('whatever happens, the books come to agree with the venue and nobody hears an impossible story', () => {
  fc.assert(
    fc.property(story, setting, (steps, options) => {
      const world = live(steps, options);
      world.checkStories();
      world.checkSettled();
    }),
    { numRuns: RUNS, reporter: report },
  );
});

/** What must have happened somewhere in so many lives, or the lives prove little. */
const SOMETIMES = [
  'ORDER_UNKNOWN',
  'ORDER_REJECTED -1003',
  'ORDER_REJECTED 0 never reached the venue',
  'ORDER_TRIGGERED',
  'ORDER_CLOSED canceled',
  'ORDER_CLOSED rejected-at-trigger',
  'ORDER_CLOSED expired',
  'CANCEL_REJECTED',
  'ORDER_FILLED liquidation',
  'ORDER_FILLED manual',
  'FUNDING_SETTLED',
];

test('the lives visit what they are about', () => {
  const seen = new Set<string>();
  for (const steps of fc.sample(story, { numRuns: 250, seed: 42 }))
    for (const event of live(steps, {}).eventsOf()) {
      seen.add(event.type);
      if (event.type === 'ORDER_REJECTED') seen.add(`${event.type} ${event.code}`);
      if (event.type === 'ORDER_REJECTED') seen.add(`${event.type} ${event.code} ${event.reason}`);
      if (event.type === 'ORDER_CLOSED') seen.add(`${event.type} ${event.outcome}`);
      if (event.type === 'ORDER_FILLED') seen.add(`${event.type} ${event.cause}`);
    }
  assert.deepEqual(
    SOMETIMES.filter((each) => !seen.has(each)),
    [],
  );
});

test('the inputs replayed give the same state byte for byte', () => {
  fc.assert(
    fc.property(story, (steps) => {
      const world = new World().begin();
      for (const [, step] of steps) step(world);
      world.checkReplay();
    }),
    { numRuns: Math.ceil(RUNS / 5), reporter: report },
  );
});

/** Shows the shrunk story by its names. */
function report<T>(details: fc.RunDetails<T>): void {
  if (!details.failed) return;
  const found = (details.counterexample ?? []) as unknown as [steps?: Named[], options?: unknown];
  const [steps = [], options] = found;
  const names = [JSON.stringify(options), ...steps.map(([name]) => name)].join('\n  ');
  const cause =
    details.errorInstance instanceof Error ? details.errorInstance.stack : String(details.errorInstance);
  throw new Error(`seed ${details.seed}\n  ${names}\n${cause}`);
}
