/**
 * A position against a moody venue: whatever is refused, lost, repeated or filled in pieces, once the venue has
 * calmed down nothing is open without protection, the books agree with the venue, and the trade sums exactly.
 * A twin that is restored from its snapshot before every single event must stay byte for byte the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Trade } from '../../machines/messages.ts';
import { positionBand, THREE_PARTS } from '../../machines/position.ts';
import { abs, add, fromNumber, gte, lte, sub, sum } from '../../src/core/decimal.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import type { Direction } from '../../src/domain/order.ts';
import { PositionBench, type PositionOptions } from '../support/machine-bench.ts';
import { TinyVenue } from '../support/tiny-venue.ts';

const CALM_ROUNDS = 400;
/** Of the entry: what an order that may still open is counted at. */
const REFERENCE_PRICE = 100;

class Run {
  readonly bench: PositionBench;
  readonly twin: PositionBench;
  readonly venue: TinyVenue;
  readonly direction: Direction;
  readonly dice: () => number;
  mark = 100;
  stopPrice: string;

  constructor(seed: number, direction: Direction) {
    const random = seededRandom(seed);
    this.dice = () => random.next();
    this.direction = direction;
    const options: PositionOptions = {
      entry: direction === 'long' ? {} : { direction, stopPrice: '105' },
      plan: {
        scaleOut: seed % 2 === 0 ? THREE_PARTS : [],
        restingTargets: seed % 4 === 0,
        timeStopMs: seed % 3 === 0 ? 600_000 : null,
      },
    };
    this.bench = new PositionBench(options);
    this.twin = new PositionBench(options);
    this.venue = new TinyVenue('100', this.dice);
    this.stopPrice = this.bench.state.stopPrice;
    this.venue.take(this.bench.last);
  }

  tell(event: ActorEvent): void {
    if (this.bench.isDone()) return;
    this.twin.restart();
    this.bench.deliver(event);
    this.twin.deliver(event);
    this.check();
  }

  fireTimer(): void {
    if (this.bench.isDone()) return;
    this.twin.restart();
    const fired = this.bench.fireNext();
    assert.equal(this.twin.fireNext(), fired);
    if (fired) this.check();
  }

  /** After every event: the twin is the same, the stop no looser, the venue hears what is wanted. */
  check(): void {
    assert.equal(this.twin.snapshot(), this.bench.snapshot());
    const { stopPrice, broken } = this.bench.state;
    const tighter =
      this.direction === 'long' ? gte(stopPrice, this.stopPrice) : lte(stopPrice, this.stopPrice);
    assert.ok(tighter, `stop loosened from ${this.stopPrice} to ${stopPrice}`);
    assert.equal(broken, null);
    const { scaleParts, quantity } = this.bench.state;
    assert.ok(lte(sum(scaleParts.map((part) => part.quantity)), quantity), 'the parts fit what is open');
    this.stopPrice = stopPrice;
    this.venue.take(this.bench.last);
    this.checkExposure();
  }

  /** Whatever has no outcome yet, the portfolio was told of all that may be open at the venue now. */
  checkExposure(): void {
    const told = this.bench.sent('portfolio').findLast(({ type }) => type === 'EXPOSURE');
    const isOver = this.bench.sent('portfolio').some(({ type }) => type === 'POSITION_CLOSED');
    const { quantity, entryPrice, notional } = { quantity: '0', entryPrice: '0', notional: '0', ...told };
    const open = Number(quantity);
    const counted = isOver ? 0 : open + (Number(notional) - open * Number(entryPrice)) / REFERENCE_PRICE;
    const may = Number(abs(this.venue.position)) + Number(this.venue.opening());
    assert.ok(may <= counted + 1e-6, `the venue may hold ${may}, the portfolio counts ${counted}`);
  }

  move(to: number): void {
    this.mark = Math.round(to * 10) / 10;
    this.venue.moveTo(fromNumber(this.mark));
    const { low, high } = positionBand(this.bench.state);
    const crossed = (low !== null && this.mark <= low) || (high !== null && this.mark >= high);
    // A wake without a crossing is allowed and must do no harm.
    if (crossed || this.dice() < 0.3) this.tell({ type: 'PRICE', mark: this.mark, last: this.mark });
  }

  hear(): void {
    const event = this.venue.queue.shift();
    if (event) this.tell(event);
  }

  moodyStep(): void {
    const die = this.dice();
    if (die < 0.55) this.hear();
    else if (die < 0.8) this.move(this.mark * (1 + (this.dice() - 0.5) * 0.03));
    else if (die < 0.87) this.fireTimer();
    else if (die < 0.93) this.venue.settle();
    else if (die < 0.96) this.venue.fund();
    else if (die < 0.985) this.tell({ type: 'ABORT_ENTRY', reason: 'halted' });
    else if (die < 0.988) this.tell({ type: 'EXIT_SIGNAL', reason: 'faded' });
    else if (die < 0.99) this.tell({ type: 'KILL', reason: 'all' });
    else if (die < 0.995) this.tell({ type: 'GUARD_STOP', symbol: 'BTCUSDT', quantity: '2', protected: '0' });
    else this.venue.liquidate();
  }

  /** The venue is itself again: everything gets its answer. */
  calm(): void {
    this.venue.moody = false;
    for (let round = 0; round < CALM_ROUNDS && !this.bench.isDone(); round++) {
      this.venue.settle();
      while (this.venue.queue.length > 0 && !this.bench.isDone()) this.hear();
      if (this.quiet()) return;
      this.fireTimer();
    }
  }

  quiet(): boolean {
    return this.bench.in('open.protection.covered.protected') && this.bench.in('open.entry.filled');
  }
}

function checkEnd(run: Run): void {
  const { bench, venue } = run;
  const state = bench.state;
  assert.ok(bench.isDone() || run.quiet(), `stuck in ${JSON.stringify(bench.value)}`);
  assert.equal(state.quantity, abs(venue.position), 'the books and the venue agree');
  assert.equal(state.fees, venue.fees);
  assert.equal(state.grossPnl, venue.gross);
  assert.equal(state.funding, venue.funding);
  assert.equal(sum(state.exits.map((exit) => exit.quantity)), state.exitedQuantity);
  assert.equal(sub(state.enteredQuantity, state.exitedQuantity), state.quantity);
  assert.equal(state.inferredQuantity, '0', 'this venue leaves nothing out');
  if (!bench.isDone()) {
    assert.ok(gte(venue.protection(), state.quantity), 'protected at the venue itself');
    return;
  }
  assert.equal(state.quantity, '0');
  assert.deepEqual(venue.liveOrders(), [], 'nothing of this life is left');
  const closed = bench.sent('portfolio').filter((event) => event.type === 'POSITION_CLOSED');
  assert.equal(closed.length, 1);
  const trade = closed[0]?.trade as Trade | null;
  if (trade === null) assert.equal(state.enteredQuantity, '0');
  else assert.equal(trade.netPnl, add(sub(venue.gross, venue.fees), venue.funding));
}

test('however the venue behaves, a calm one finds everything protected or closed, and exactly booked', () => {
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.constantFrom('long' as const, 'short' as const),
      fc.integer({ min: 0, max: 160 }),
      (seed, direction, steps) => {
        const run = new Run(seed, direction);
        for (let i = 0; i < steps && !run.bench.isDone(); i++) run.moodyStep();
        run.calm();
        checkEnd(run);
        const end = String(Object.keys(run.bench.value as object)[0] ?? run.bench.value);
        const key = run.bench.isDone() ? String(run.bench.value) : end;
        ends.set(key, (ends.get(key) ?? 0) + 1);
      },
    ),
    { numRuns: 250, seed: 20_250_504 },
  );
  for (const end of ['open', 'closed', 'abandoned'])
    assert.ok((ends.get(end) ?? 0) > 5, `too few runs end ${end}: ${JSON.stringify([...ends])}`);
});
