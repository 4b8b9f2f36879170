/**
 * Ticks a second through the guard-band index, against waking every position of the tick's symbol: real XState
 * actors whose guards look at the price and all say no. 35 symbols × 1,000 positions in all. Both sides see the
 * same ticks; a crossing wakes the owners' actors on the index's side, so its cost is in there.
 */
import { assign, createActor, setup } from 'xstate';
import { seededRandom } from '../src/core/random.ts';
import { GuardBandIndex } from '../src/market/guard-band-index.ts';
import { median, report, timed } from './measure.ts';

const SYMBOLS = 35;
const POSITIONS = 1000;
const ROUNDS = 7;
const INDEX_TICKS = 200_000;
const ACTOR_TICKS = 2_000;
const START_PRICE = 100;

interface Levels {
  readonly stop: number;
  readonly target: number;
}

const machine = setup({
  types: { context: {} as Levels, events: {} as { type: 'PRICE'; price: number }, input: {} as Levels },
  guards: {
    stopped: ({ context, event }) => event.price <= context.stop,
    reached: ({ context, event }) => event.price >= context.target,
  },
}).createMachine({
  context: ({ input }) => input,
  initial: 'open',
  states: {
    open: {
      on: {
        PRICE: [
          { guard: 'stopped', actions: assign(({ event }) => levelsAround(event.price)) },
          { guard: 'reached', actions: assign(({ event }) => levelsAround(event.price)) },
        ],
      },
    },
  },
});

/** A position's band, as wide as an ATR stop and its target. */
const levelsAround = (price: number): Levels => ({ stop: price * 0.97, target: price * 1.04 });

type Actor = ReturnType<typeof createActor<typeof machine>>;
const open = (levels: Levels): Actor => createActor(machine, { input: levels }).start();

const random = seededRandom(42);
const symbols = Array.from({ length: SYMBOLS }, (_, i) => `S${i}USDT`);

/** A mean-reverting path of 5 bp ticks per symbol; now and then it leaves the bands. */
function makeTicks(count: number): { readonly symbol: Uint8Array; readonly price: Float64Array } {
  const last = new Float64Array(SYMBOLS).fill(START_PRICE);
  const symbol = new Uint8Array(count);
  const price = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const s = random.int(SYMBOLS);
    const before = last[s] as number;
    last[s] = before * (1 + 0.0005 * random.normal()) + (START_PRICE - before) * 0.0005;
    symbol[i] = s;
    price[i] = last[s] as number;
  }
  return { symbol, price };
}

const index = new GuardBandIndex();
const owners = new Map<string, { readonly actor: Actor; readonly symbol: string }>();
const bySymbol: Actor[][] = symbols.map(() => []);
for (let i = 0; i < POSITIONS; i++) {
  const s = i % SYMBOLS;
  const symbol = symbols[s] as string;
  const levels = levelsAround(START_PRICE * (1 + 0.01 * (random.next() - 0.5)));
  const actor = open(levels);
  const owner = `position/${symbol}/BOTH/${i}`;
  owners.set(owner, { actor, symbol });
  index.set(symbol, owner, levels.stop, levels.target);
  bySymbol[s]?.push(open(levels));
}

let woken = 0;
function throughIndex(ticks: ReturnType<typeof makeTicks>): void {
  for (let i = 0; i < ticks.price.length; i++) {
    const symbol = symbols[ticks.symbol[i] as number] as string;
    const price = ticks.price[i] as number;
    for (const owner of index.check(symbol, price, price)) {
      woken++;
      const position = owners.get(owner);
      position?.actor.send({ type: 'PRICE', price });
      const levels = levelsAround(price);
      index.set(symbol, owner, levels.stop, levels.target);
    }
  }
}

function throughEveryActor(ticks: ReturnType<typeof makeTicks>): void {
  for (let i = 0; i < ticks.price.length; i++) {
    const event = { type: 'PRICE', price: ticks.price[i] as number } as const;
    for (const actor of bySymbol[ticks.symbol[i] as number] as Actor[]) actor.send(event);
  }
}

const many = makeTicks(INDEX_TICKS);
const few = makeTicks(ACTOR_TICKS);
throughIndex(many);
throughEveryActor(few);
const ratios: number[] = [];
const indexRates: number[] = [];
const actorRates: number[] = [];
woken = 0;
for (let round = 0; round < ROUNDS; round++) {
  const indexRate = INDEX_TICKS / timed(() => throughIndex(many));
  const actorRate = ACTOR_TICKS / timed(() => throughEveryActor(few));
  indexRates.push(indexRate);
  actorRates.push(actorRate);
  ratios.push(indexRate / actorRate);
}
report({
  bench: 'guard-band',
  symbols: SYMBOLS,
  positions: POSITIONS,
  rounds: ROUNDS,
  ticksPerSecond: Math.round(median(indexRates)),
  everyActorTicksPerSecond: Math.round(median(actorRates)),
  ratio: median(ratios),
  wakesPerTick: woken / (ROUNDS * INDEX_TICKS),
  target: 'ratio >= 100',
  met: median(ratios) >= 100,
});
