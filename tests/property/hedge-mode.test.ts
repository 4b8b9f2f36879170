/**
 * Hedge mode in the whole demo: whatever signals and words come, in whatever order, a long and a short of one symbol
 * live side by side. Held at every step of the market: what the positions of a side believe is what the venue holds
 * on it; each side has a stop of its own there; no order could open the other side; and a run that is killed anywhere
 * has the same future.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { PositionContext } from '../../machines/position/context.ts';
import { configSchema } from '../../src/config/schema.ts';
import * as D from '../../src/core/decimal.ts';
import type { Intent } from '../../src/domain/events.ts';
import { isReducing } from '../../src/domain/order.ts';
import { keyOf, keyOfActor } from '../../src/domain/position-key.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { MemoryDatabase } from '../../src/journal/memory-journal.ts';
import type { MarketData } from '../../src/market/market-data.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { inMemory } from '../support/array-market.ts';
import {
  BUSY_CONFIG,
  content,
  runUntilKilled,
  type SystemRun,
  type SystemRunOptions,
  startRun,
} from '../support/system-harness.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'] as const;
const CONFIG = configSchema.parse({
  ...BUSY_CONFIG,
  venue: { ...BUSY_CONFIG.venue, positionMode: 'hedge' },
  entry: { ...BUSY_CONFIG.entry, coolDownMs: 1_000 },
  // More than a lot of everything, whatever scales it.
  risk: { ...BUSY_CONFIG.risk, baseNotional: '400' },
});
let market: MarketData;
/** One on which the strategy by itself goes both ways. */
let otherMarket: MarketData;

before(async () => {
  const other = { seed: 4, symbols: [...SYMBOLS], days: 1, stress: 10 };
  otherMarket = await inMemory(new SyntheticMarketData(other));
  market = await inMemory(new SyntheticMarketData({ seed: 6, symbols: [...SYMBOLS], days: 1, stress: 10 }));
});

type Word =
  | { readonly kind: 'enter'; readonly symbol: string; readonly direction: 'long' | 'short' }
  | { readonly kind: 'exit' | 'part' | 'close'; readonly nth: number };

const word: fc.Arbitrary<Word> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('enter' as const),
      symbol: fc.constantFrom(...SYMBOLS),
      direction: fc.constantFrom('long' as const, 'short' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('exit' as const, 'part' as const, 'close' as const),
      nth: fc.nat(3),
    }),
  },
);

const positionsOf = ({ system }: Pick<SystemRun, 'system'>): PositionContext[] =>
  system.runtime.actorIds().flatMap((actor) => {
    const text = actor.startsWith('position/') ? system.runtime.actor(actor)?.snapshotText : undefined;
    return text === undefined ? [] : [(JSON.parse(text) as { context: PositionContext }).context];
  });

let words = 0;

function say(each: Word, { system }: Pick<SystemRun, 'system'>): void {
  const { runtime, audience } = system;
  const tell = (to: string, event: { readonly type: string; readonly [key: string]: unknown }): void =>
    runtime.tell({ to, event: event as never, cause: { kind: 'external', id: `word:${++words}` } });
  if (each.kind === 'enter') {
    const { symbol, direction } = each;
    const price = audience.prices()[symbol];
    if (price === undefined) return;
    const stopPrice = direction === 'long' ? price * 0.99 : price * 1.01;
    const signal = { kind: 'enter', direction, symbol, price, stopPrice, trailDistance: price * 0.005 };
    const desk = `entry/${symbol}/${direction.toUpperCase()}`;
    tell(desk, { type: 'SIGNAL', signal: { ...signal, atrPercent: 1, reason: 'said' } });
    return;
  }
  const open = positionsOf({ system });
  const position = open[each.nth % Math.max(1, open.length)];
  if (!position) return;
  if (each.kind === 'part') tell(position.actor, { type: 'PARTIAL_CLOSE', share: '40', by: 'test' });
  else if (each.kind === 'close') tell(position.actor, { type: 'OPERATOR_CLOSE', by: 'test' });
  else {
    const { symbol, direction } = position;
    const signal = { kind: 'exit', direction, symbol, reason: 'said' };
    tell(`entry/${symbol}/${direction.toUpperCase()}`, { type: 'SIGNAL', signal });
  }
}

interface Seen {
  bothSides: number;
  stops: number;
}

/** What the venue holds and protects, against what each side's positions believe. */
async function check(run: Pick<SystemRun, 'system'>, seen: Seen): Promise<void> {
  // Read before anything else happens.
  const reading = run.system.exchange.report();
  const believed = new Map<string, string>();
  for (const { actor, quantity } of positionsOf(run))
    if (quantity !== '0') {
      assert.ok(!believed.has(keyOfActor(actor)), `${keyOfActor(actor)} has one position`);
      believed.set(keyOfActor(actor), quantity);
    }
  const report = await reading;
  const held = new Map(report.positions.map((each) => [keyOf(each), each]));
  assert.deepEqual([...held].map(([place, { quantity }]) => [place, quantity]).sort(), [...believed].sort());
  for (const [place, { direction, positionSide, quantity }] of held) {
    assert.equal(positionSide, direction === 'long' ? 'LONG' : 'SHORT');
    const stops = report.openOrders.filter(
      ({ order }) => keyOf(order) === place && order.type === 'STOP_MARKET' && isReducing(order),
    );
    const covered = stops.some(({ order }) => order.closePosition)
      ? quantity
      : D.sum(stops.map(({ order }) => order.quantity ?? '0'));
    assert.ok(D.gte(covered, quantity), `${place}: ${quantity} open, ${covered} protected`);
    seen.stops += 1;
  }
  for (const symbol of SYMBOLS)
    if (
      held.has(keyOf({ symbol, positionSide: 'LONG' })) &&
      held.has(keyOf({ symbol, positionSide: 'SHORT' }))
    )
      seen.bothSides += 1;
}

/** What left: each order of its owner's side, opening in its direction alone. */
function checkOrders(rows: readonly JournalRow[]): void {
  const orders = rows
    .flatMap(({ intents }) => JSON.parse(intents) as Intent[])
    .flatMap((intent) => (intent.type === 'order.submit' ? [intent.order] : []));
  for (const order of orders) {
    assert.equal(keyOf(order), keyOfActor(order.owner), 'of its own side');
    assert.equal(order.reduceOnly, false, 'hedge mode refuses it');
    const opens = order.side === (order.positionSide === 'LONG' ? 'BUY' : 'SELL');
    assert.equal(isReducing(order), !opens);
    assert.equal(/^(entry|add)-/.test(order.ref), opens, `${order.ref} ${order.side} ${order.positionSide}`);
  }
}

describe('in hedge mode', () => {
  test('both sides live their own lives, each with its stop, whatever is said', {
    timeout: 180_000,
  }, async () => {
    const seen: Seen = { bothSides: 0, stops: 0 };
    const trades = { long: 0, short: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 60, maxLength: 80 }),
        fc.integer({ min: 15, max: 18 }),
        async (said, every) => {
          let step = 0;
          let isUnderWay = false;
          const checks: Promise<void>[] = [];
          const problems: unknown[] = [];
          const run = await startRun({
            market,
            config: CONFIG,
            onStep: (_, system) => {
              step += 1;
              // While what was said is on its way, the venue may know more than the position.
              if (!isUnderWay && step % 3 === 0)
                checks.push(check({ system }, seen).catch((error: unknown) => void problems.push(error)));
              const each = step % every === 0 ? said[step / every] : undefined;
              if (!each) return;
              say(each, { system });
              isUnderWay = true;
              void system.runtime.quiescent().then(() => {
                isUnderWay = false;
              });
            },
          });
          assert.equal(await run.drive(), 'end');
          await Promise.all(checks);
          if (problems.length > 0) throw problems[0];
          assert.deepEqual([run.failures, run.quarantined], [[], []]);
          checkOrders(run.rows());
          for (const row of run.rows())
            if (row.actor.startsWith('position/') && row.final)
              trades[row.actor.includes('/LONG/') ? 'long' : 'short'] += 1;
        },
      ),
      { numRuns: 4, seed: 11, endOnFailure: true },
    );
    assert.ok(seen.bothSides > 10, `both sides were open at once in ${seen.bothSides} steps`);
    assert.ok(trades.long > 2 && trades.short > 2, JSON.stringify(trades));
  });

  test('a run that is killed goes on as one that was not', { timeout: 120_000 }, async () => {
    const options: SystemRunOptions = { market: otherMarket, config: CONFIG };
    const calm = await startRun(options);
    await calm.drive();
    const rows = calm.rows();
    assert.ok(
      rows.some(({ actor }) => actor.includes('/LONG/')) &&
        rows.some(({ actor }) => actor.includes('/SHORT/')),
    );
    const database = new MemoryDatabase();
    assert.equal(await runUntilKilled({ ...options, database }, 150, 'after'), 'killed');
    const again = await startRun({ ...options, database });
    assert.deepEqual(again.differences, []);
    await again.drive();
    assert.deepEqual(content(again.rows()), content(rows));
  });
});
