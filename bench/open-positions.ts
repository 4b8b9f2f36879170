/**
 * A journal with many open, protected positions: 35 symbols, any number of positions in each, every row drafted
 * by the real position machine, the venue's by the real engine that holds their orders.
 */

import { createPortfolioMachine } from '../machines/portfolio.ts';
import type { PositionInput } from '../machines/position.ts';
import { createPositionMachine } from '../machines/position.ts';
import { loadConfig } from '../src/config/load.ts';
import type { ActorEvent, Cause } from '../src/domain/events.ts';
import { PORTFOLIO, VENUE } from '../src/domain/events.ts';
import type { Instrument } from '../src/domain/instrument.ts';
import type { IdentifiedOrder } from '../src/domain/order.ts';
import { VenueEngine } from '../src/exchange/engine/engine.ts';
import type { RowDraft } from '../src/journal/journal.ts';
import { riskJudge } from '../src/risk/learning.ts';
import type { ActorLogic } from '../supervisors/actor-logic.ts';
import { DurableActor } from '../supervisors/durable-actor.ts';
import { ReplayedLogic } from '../supervisors/replayed-logic.ts';
import { VENUE_CHECKPOINT_ROWS, VENUE_MACHINE } from '../supervisors/venue-logic.ts';
import { XStateLogic } from '../supervisors/xstate-logic.ts';
import { INSTRUMENT, positionInput } from '../tests/support/machine-bench.ts';

export const AT = 1_750_000_000_000;
const SYMBOLS = 35;
const BOOT: Cause = { kind: 'external', id: 'bench' };
const PRICE = 100;

/** One bracket, so that the venue takes any number of positions. */
const BRACKET = {
  bracket: 1,
  initialLeverage: 50,
  notionalFloor: '0',
  notionalCap: '1000000000',
  maintMarginRate: '0.005',
  cum: '0',
};

export const INSTRUMENTS: readonly Instrument[] = Array.from({ length: SYMBOLS }, (_, index) => {
  const base = `S${String(index).padStart(2, '0')}`;
  return { ...INSTRUMENT, symbol: `${base}USDT`, base, brackets: [BRACKET] };
});

/** Room for all of them in one account. */
export const CONFIG = loadConfig({
  env: {},
  cwd: '/',
  flags: [{ path: 'paper.initialBalance', value: '1000000000', flag: 'bench' }],
}).config;

export interface OpenPosition {
  readonly actor: string;
  /** Its five rows, from the start to the acknowledged stop. */
  readonly rows: readonly RowDraft[];
  /** Its entry and its stop, as the venue was asked for them. */
  readonly orders: readonly IdentifiedOrder[];
  /** The newest it told the portfolio. */
  readonly exposure: ActorEvent;
}

const position = createPositionMachine();

export function openPosition(index: number): OpenPosition {
  const instrument = INSTRUMENTS[index % SYMBOLS] as Instrument;
  const { symbol } = instrument;
  const id = `position/${symbol}/BOTH/${Math.floor(index / SYMBOLS) + 1}`;
  const given = positionInput({ entry: { symbol }, instrument });
  const input = { ...given, actor: id, symbol, at: AT } as PositionInput;
  const actor = new DurableActor(id, () => new XStateLogic(position), 'bench');
  const drafted = [actor.begin(input, BOOT, AT)];
  for (const event of openingEvents(symbol)) {
    const next = actor.step({ to: id, event, cause: BOOT }, AT);
    if (!next) throw new Error(`${event.type} changed nothing`);
    drafted.push(next);
  }
  if (!actor.stateKey.includes('protected')) throw new Error(`not protected: ${actor.stateKey}`);
  const intents = drafted.flatMap((row) => row.intents);
  const exposures = intents.flatMap((intent) =>
    intent.type === 'send' && intent.event.type === 'EXPOSURE' ? [intent.event] : [],
  );
  return {
    actor: id,
    rows: drafted.map((row) => row.draft),
    orders: intents.flatMap((intent) => (intent.type === 'order.submit' ? [intent.order] : [])),
    exposure: exposures.at(-1) as ActorEvent,
  };
}

function openingEvents(symbol: string): ActorEvent[] {
  const order = (type: string, ref: string, more: object = {}): ActorEvent => ({
    type,
    ref,
    clientOrderId: `bh-${ref}`,
    symbol,
    ...more,
  });
  const fill = { tradeId: '1', side: 'BUY', price: String(PRICE), quantity: '2', cumulative: '2' };
  return [
    { type: 'LEVERAGE_SET', symbol, leverage: 5 },
    { type: 'CONFIRMED' },
    order('ORDER_ACKNOWLEDGED', 'entry-1', { orderId: '1' }),
    order('ORDER_FILLED', 'entry-1', { ...fill, complete: true, maker: false, fee: '0.1', realizedPnl: '0' }),
    order('ORDER_ACKNOWLEDGED', 'stop-1', { orderId: '2' }),
  ];
}

/** The rows of a whole account; the last one is of an input, as in a run. */
export function* accountRows(positions: number): Generator<RowDraft> {
  const engine = new VenueEngine({
    instruments: INSTRUMENTS,
    initialBalance: CONFIG.paper.initialBalance,
    maxConditionalOrders: positions,
  });
  const exposures: ActorEvent[] = [];
  for (let index = 0; index < positions; index++) {
    const { rows, orders, exposure } = openPosition(index);
    for (const order of orders) {
      const quote = { last: PRICE, mark: PRICE };
      const answers = engine.apply({ type: 'order.submit', at: AT, order, quote });
      const refused = answers.find(({ event }) => event.type === 'ORDER_REJECTED');
      if (refused) throw new Error(JSON.stringify(refused));
    }
    exposures.push(exposure);
    yield* rows;
  }
  yield venueRow(engine);
  yield* portfolioRows(exposures);
}

function venueRow(engine: VenueEngine): RowDraft {
  const running = { apply: () => [], checkpoint: () => engine.checkpoint() };
  const factory = { machine: VENUE_MACHINE, create: () => running, restore: () => running };
  const actor = new DurableActor(VENUE, () => new ReplayedLogic(factory, VENUE_CHECKPOINT_ROWS), 'bench');
  return actor.begin({}, BOOT, AT).draft;
}

function* portfolioRows(exposures: readonly ActorEvent[]): Generator<RowDraft> {
  const logic = new XStateLogic(createPortfolioMachine(riskJudge));
  const input = {
    at: AT,
    wallet: CONFIG.paper.initialBalance,
    limits: CONFIG.risk,
    equityBreakers: [],
    tradeBreakers: [],
  };
  // It takes all the exposures within its first row: a row for each would cost the bench the square of them.
  const filled: ActorLogic = {
    machine: logic.machine,
    start: (given) => {
      const step = logic.start(given);
      for (const exposure of exposures) logic.send({ ...exposure, at: AT });
      return step;
    },
    send: (event) => logic.send(event),
    restore: (snapshot) => logic.restore(snapshot),
    snapshot: () => logic.snapshot(),
    stateKey: () => logic.stateKey(),
    isDone: () => logic.isDone(),
  };
  const actor = new DurableActor(PORTFOLIO, () => filled, 'bench');
  yield actor.begin(input, BOOT, AT).draft;
  const prices = Object.fromEntries(INSTRUMENTS.map(({ symbol }) => [symbol, PRICE]));
  const cause: Cause = { kind: 'input', phase: 'market', at: AT };
  const marked = actor.step({ to: PORTFOLIO, event: { type: 'MARK', prices }, cause }, AT);
  if (marked) yield marked.draft;
}
