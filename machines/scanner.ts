/**
 * A symbol's strategy, kept in step with its closed candles.
 *
 * Invariants: clean candles always move the strategy's state, in every state of the scanner; a signal is acted
 * on only while the feed is live and the strategy warm; while paused, or on a candle that is heard of too late,
 * exits, opinions and regimes still pass, as they can only reduce. A regime is told once, when it changes.
 */
import { setup, stateIn } from 'xstate';
import type { Json } from '../src/core/json.ts';
import { closeTime } from '../src/domain/candle.ts';
import type { Emitted } from '../src/domain/events.ts';
import type { SymbolName } from '../src/domain/instrument.ts';
import { keyFor, keysOn, type Moded, moded, modeOf } from '../src/domain/position-key.ts';
import type { ClosedCandles, Signal, Strategy, StrategyStep } from '../src/domain/signal.ts';
import type { Configured } from './configured.ts';
import { carry, type MachineDefinition } from './definition.ts';
import { entryDeskOf, scannerOf, type Timed } from './messages.ts';
import {
  chain,
  NOTHING_UNEXPECTED,
  type Step,
  send,
  step,
  timeOf,
  type Unexpected,
  unexpected,
} from './step.ts';

export interface ScannerContext extends Moded {
  readonly symbol: SymbolName;
  readonly at: number;
  readonly strategy: { readonly name: string; readonly version: number; readonly state: Json };
  /** Close of the newest candle the strategy has seen; null before the first. */
  readonly lastCloseAt: number | null;
  readonly bars: number;
  /** Clean 15m bars still to see after a long gap before signals count again. */
  readonly barsToReseed: number;
  readonly signals: number;
  readonly withheld: number;
  /** Of the withheld: entries on candles that had closed too long ago. */
  readonly late: number;
  /** An entry on a candle that closed longer ago than this is withheld. */
  readonly maxSignalAgeMs: number;
  /** The name of the regime that the desk was told of last. */
  readonly regime: string | null;
  /** `withheld`: why it was not acted on; null when it was. */
  readonly lastSignal: {
    readonly signal: Signal;
    readonly at: number;
    readonly acted: boolean;
    readonly withheld: string | null;
  } | null;
  readonly unexpected: Unexpected;
}

export type ScannerEvent =
  | ({ readonly type: 'CANDLES'; readonly closed: ClosedCandles } & Timed)
  /** History, oldest first: starts the strategy afresh and warms it up; its signals are not acted on. */
  | ({ readonly type: 'SEED'; readonly history: readonly ClosedCandles[] } & Timed)
  | ({ readonly type: 'FEED_DOWN'; readonly reason: string } & Timed)
  | ({ readonly type: 'FEED_UP' } & Timed)
  | ({ readonly type: 'PAUSE' } & Timed)
  | ({ readonly type: 'RESUME' } & Timed)
  | Configured<Pick<ScannerContext, 'maxSignalAgeMs'>>;

export interface ScannerInput extends Moded {
  readonly symbol: SymbolName;
  readonly at: number;
  readonly maxSignalAgeMs?: number;
}

/**
 * A bar's word takes seconds on its way, a reconnected stream's perhaps a minute: until then the market is about
 * where the signal saw it. Bars fetched after a longer silence tell of a market that is gone.
 */
const MAX_SIGNAL_AGE_MS = 60_000;
/** A hole longer than this leaves indicators that cannot be trusted. */
const LONGEST_HOLE_MS = 8 * 900_000;
/** A week of 15m bars without a hole, when no history is handed in. */
const RESEED_BARS = 96 * 7;

const newestClose = (closed: ClosedCandles): number | null => {
  const bar = closed['15m'];
  return bar ? closeTime(bar) : null;
};

function advance(
  strategy: Strategy,
  context: ScannerContext,
  closed: ClosedCandles,
): { readonly context: ScannerContext; readonly result: StrategyStep } {
  const result = strategy.step(context.strategy.state, closed);
  return {
    context: {
      ...context,
      strategy: { ...context.strategy, state: result.state },
      lastCloseAt: newestClose(closed) ?? context.lastCloseAt,
      bars: context.bars + 1,
    },
    result,
  };
}

type Acts = 'all' | 'exits' | 'none';

/** Why this signal is not acted on; null: it is. */
function withheldFor(context: ScannerContext, closed: ClosedCandles, signal: Signal, acts: Acts): Withheld {
  if (acts === 'none') return 'the feed cannot be relied on yet';
  if (signal.kind === 'exit') return null;
  if (acts === 'exits') return 'paused';
  const closedAt = newestClose(closed) ?? context.at;
  return context.at - closedAt > context.maxSignalAgeMs ? LATE : null;
}

type Withheld = string | null;
const LATE = 'the candle closed too long ago';

function candles(
  strategy: Strategy,
  context: ScannerContext,
  event: ScannerEvent,
  acts: Acts,
): Step<ScannerContext> {
  if (event.type !== 'CANDLES') return step(context);
  const { context: next, result } = advance(strategy, context, event.closed);
  const counted = { ...next, barsToReseed: Math.max(0, next.barsToReseed - 1) };
  return chain<ScannerContext>(
    counted,
    (now) => (result.signal ? tellSignal(now, event.closed, result.signal, acts) : step(now)),
    (now) => (acts === 'none' ? step(now) : tellOutlook(now, result)),
  );
}

function tellSignal(
  context: ScannerContext,
  closed: ClosedCandles,
  signal: Signal,
  acts: Acts,
): Step<ScannerContext> {
  const withheld = withheldFor(context, closed, signal, acts);
  const acted = withheld === null;
  const told = {
    ...context,
    signals: context.signals + (acted ? 1 : 0),
    withheld: context.withheld + (acted ? 0 : 1),
    late: context.late + (withheld === LATE ? 1 : 0),
    lastSignal: { signal, at: context.at, acted, withheld },
  };
  const desk = entryDeskOf(keyFor(context.symbol, signal.direction, modeOf(context)));
  return acted ? step(told, send(desk, { type: 'SIGNAL', signal })) : step(told);
}

/** What the strategy thinks of what may be open, and of the market. */
function tellOutlook(context: ScannerContext, { opinion, regime }: StrategyStep): Step<ScannerContext> {
  const { symbol } = context;
  const mode = modeOf(context);
  const desks = keysOn(symbol, mode).map(entryDeskOf);
  const changed = regime !== undefined && regime.name !== context.regime;
  return step(
    changed ? { ...context, regime: regime.name } : context,
    ...(opinion
      ? [send(entryDeskOf(keyFor(symbol, opinion.direction, mode)), { type: 'OPINION', opinion })]
      : []),
    ...(changed
      ? desks.map((desk) => send(desk, { type: 'REGIME', regime: regime.name, suits: regime.suits }))
      : []),
  );
}

function seed(strategy: Strategy, context: ScannerContext, event: ScannerEvent): Step<ScannerContext> {
  if (event.type !== 'SEED') return step(context);
  const fresh = {
    ...context,
    strategy: { ...context.strategy, state: strategy.initial(context.symbol) },
    lastCloseAt: null,
    bars: 0,
    barsToReseed: 0,
  };
  return step(event.history.reduce<ScannerContext>((next, c) => advance(strategy, next, c).context, fresh));
}

const holeTooLong = (context: ScannerContext, at: number): boolean =>
  context.lastCloseAt !== null && at - context.lastCloseAt > LONGEST_HOLE_MS;

function createChart(strategy: Strategy) {
  const base = setup({
    types: {} as {
      context: ScannerContext;
      events: ScannerEvent;
      input: ScannerInput;
      emitted: Emitted;
    },
  });
  const act = (behave: (context: ScannerContext, event: ScannerEvent) => Step<ScannerContext>) =>
    base.enqueueActions(({ context, event, enqueue }) => {
      const next = behave({ ...context, at: timeOf(context, event) }, event);
      enqueue.assign(() => next.context);
      for (const intent of next.intents) enqueue.emit(intent);
    });
  return base
    .extend({
      actions: {
        scan: act((context, event) => candles(strategy, context, event, 'all')),
        scanForExits: act((context, event) => candles(strategy, context, event, 'exits')),
        follow: act((context, event) => candles(strategy, context, event, 'none')),
        seed: act((context, event) => seed(strategy, context, event)),
        demandBars: act((context) => step({ ...context, barsToReseed: RESEED_BARS })),
        configure: act((context, event) =>
          step(event.type === 'CONFIG' ? { ...context, ...event.settings } : context),
        ),
        unexpected: act((context, event) => unexpected(scannerOf(context.symbol), context, event)),
      },
      guards: {
        holeTooLong: ({ context, event }) => holeTooLong(context, timeOf(context, event)),
        reseeding: ({ context }) => context.barsToReseed > 0,
        reseeded: ({ context }) => context.barsToReseed === 0,
        paused: stateIn({ operator: 'paused' }),
      },
    })
    .createMachine({
      id: 'scanner',
      context: ({ input }) => ({
        symbol: input.symbol,
        ...moded(modeOf(input)),
        at: input.at,
        strategy: {
          name: strategy.name,
          version: strategy.version,
          state: strategy.initial(input.symbol),
        },
        lastCloseAt: null,
        bars: 0,
        barsToReseed: 0,
        signals: 0,
        withheld: 0,
        late: 0,
        maxSignalAgeMs: input.maxSignalAgeMs ?? MAX_SIGNAL_AGE_MS,
        regime: null,
        lastSignal: null,
        unexpected: NOTHING_UNEXPECTED,
      }),
      type: 'parallel',
      on: { SEED: { actions: 'seed' }, CONFIG: { actions: 'configure' }, '*': { actions: 'unexpected' } },
      states: {
        feed: {
          initial: 'scanning',
          states: {
            scanning: {
              on: {
                CANDLES: [{ guard: 'paused', actions: 'scanForExits' }, { actions: 'scan' }],
                FEED_DOWN: 'down',
                FEED_UP: {},
              },
            },
            down: {
              on: {
                CANDLES: { actions: 'follow' },
                FEED_DOWN: {},
                FEED_UP: [
                  { guard: 'holeTooLong', target: 'reseeding', actions: 'demandBars' },
                  { guard: 'reseeding', target: 'reseeding' },
                  { target: 'scanning' },
                ],
              },
            },
            reseeding: {
              always: { guard: 'reseeded', target: 'scanning' },
              on: { CANDLES: { actions: 'follow' }, FEED_DOWN: 'down', FEED_UP: {} },
            },
          },
        },
        operator: {
          initial: 'running',
          states: {
            running: { on: { PAUSE: 'paused', RESUME: {} } },
            paused: { on: { RESUME: 'running', PAUSE: {} } },
          },
        },
      },
    });
}

/** Version 1 knew no late candles and no reasons. */
const countLate = carry((context) => {
  const last = context.lastSignal as { readonly acted: boolean } | null;
  return {
    late: 0,
    maxSignalAgeMs: MAX_SIGNAL_AGE_MS,
    lastSignal: last && { ...last, withheld: last.acted ? null : 'not recorded' },
  };
});

export const createScannerMachine = (strategy: Strategy): MachineDefinition => ({
  type: 'scanner',
  version: 3,
  machine: createChart(strategy),
  // Version 2 told of no regime.
  migrations: { 1: countLate, 2: carry(() => ({ regime: null })) },
});
