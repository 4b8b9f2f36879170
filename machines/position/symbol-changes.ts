/**
 * What befalls a position from outside: its symbol halts, is delisted, gets other filters or leverage brackets; the
 * venue itself takes some of it (deleveraging, liquidation, settlement) or a person does.
 *
 * Invariants: each leaves a record with its numbers and tells people; levels move to the new ticks, the stop to the
 * tighter side, and before a liquidation price that came nearer; what is left of a liquidated position is closed at
 * once, as its margin is gone.
 */
import { type Decimal, gt, lte } from '../../src/core/decimal.ts';
import type { Instrument, InstrumentStatus, LeverageBracket } from '../../src/domain/instrument.ts';
import type { VenueEvent } from '../../src/domain/order.ts';
import type { InstrumentChanged } from '../messages.ts';
import { bounded, chain, notify, type Step, step } from '../step.ts';
import { type Filters, filtersOf, type PositionContext } from './context.ts';
import type { ForcedKind, Happening } from './happenings.ts';
import { askToReconcile, demandEmergency, isFlat } from './ledger.ts';
import { tightened } from './prices.ts';
import { stopBeforeLiquidation } from './stop-bounds.ts';
import { refittedParts } from './targets.ts';

const HAPPENINGS_KEPT = 8;

function note(
  context: PositionContext,
  kind: Happening['kind'],
  detail: string,
  numbers: Happening['numbers'],
): Step<PositionContext> {
  const happening: Happening = { at: context.at, kind, detail, numbers };
  const level = kind === 'resumed' || kind === 'filters' ? 'warning' : 'critical';
  return step(
    { ...context, happenings: bounded(context.happenings, happening, HAPPENINGS_KEPT) },
    notify(level, `${context.actor}: ${detail}`, { kind, numbers }),
  );
}

/** The venue's bracket for so much notional; the last one beyond its end. */
const bracketFor = (brackets: readonly LeverageBracket[], notional: Decimal): LeverageBracket | undefined =>
  brackets.find(({ notionalCap }) => lte(notional, notionalCap)) ?? brackets.at(-1);

/** The venue's word on the instrument: each difference is a record of its own. */
export const changeInstrument = (
  context: PositionContext,
  { instrument, before }: InstrumentChanged,
): Step<PositionContext> =>
  chain(
    context,
    (next) => changeFilters(next, filtersOf(instrument)),
    (next) => changeBracket(next, instrument, before),
    (next) => changeStatus(next, instrument),
  );

function changeFilters(context: PositionContext, filters: Filters): Step<PositionContext> {
  const before = context.filters;
  const changed = (Object.keys(filters) as (keyof Filters)[]).filter(
    (name) => filters[name] !== before[name],
  );
  if (changed.length === 0) return step(context);
  const stopPrice = tightened(context.direction, context.stopPrice, filters.tickSize);
  const what = changed.map((name) => `${name} ${before[name]} → ${filters[name]}`).join(', ');
  const moved =
    stopPrice === context.stopPrice ? '' : `; the stop goes from ${context.stopPrice} to ${stopPrice}`;
  const numbers = Object.fromEntries(changed.map((name) => [name, filters[name]]));
  const refitted = { ...context, filters, stopPrice };
  const next = { ...refitted, scaleParts: refittedParts(refitted) };
  return note(next, 'filters', `new filters: ${what}${moved}`, {
    ...numbers,
    stopPrice,
  });
}

function changeBracket(
  context: PositionContext,
  instrument: Instrument,
  earlier: Instrument | undefined,
): Step<PositionContext> {
  const { openNotional, entry } = context;
  const before = bracketFor(earlier?.brackets ?? [], openNotional);
  const now = bracketFor(instrument.brackets, openNotional);
  if (!before || !now) return step(context);
  const { maintMarginRate, initialLeverage: maxLeverage } = now;
  if (before.maintMarginRate === maintMarginRate && before.initialLeverage === maxLeverage)
    return step(context);
  const move = stopBeforeLiquidation(context, instrument);
  const moved =
    move === null ? '' : `; the stop goes from ${context.stopPrice} to ${move.stopPrice}, ${move.why}`;
  const over = maxLeverage < entry.leverage ? `, below the ${entry.leverage}× it was entered with` : '';
  const detail =
    `new leverage bracket for ${openNotional}: maintenance ${before.maintMarginRate} → ${maintMarginRate}, ` +
    `leverage up to ${before.initialLeverage}× → ${maxLeverage}×${over}${moved}`;
  const stopPrice = move?.stopPrice ?? context.stopPrice;
  const noted = note({ ...context, stopPrice }, 'brackets', detail, {
    notional: openNotional,
    maintMarginRate,
    before: before.maintMarginRate,
    maxLeverage,
    leverage: entry.leverage,
    ...(move === null ? {} : { stopPrice }),
  });
  // With cross margin it is the account that has less room: what it has left is read at once.
  const read = askToReconcile(noted.context, `${context.symbol} has other brackets`);
  return { context: noted.context, intents: [...noted.intents, read] };
}

const STATUS_KINDS: Readonly<Record<InstrumentStatus, Happening['kind']>> = {
  TRADING: 'resumed',
  TRADING_HALT: 'halted',
  SETTLING: 'delisting',
  CLOSE: 'delisted',
};

const STATUS_WORDS: Readonly<Record<InstrumentStatus, string>> = {
  TRADING: 'trades again',
  TRADING_HALT: 'is halted: nothing can be closed until it trades again; the stop rests at the venue',
  SETTLING: 'is being settled by the venue',
  CLOSE: 'is no longer there',
};

function changeStatus(context: PositionContext, instrument: Instrument): Step<PositionContext> {
  const { status, deliversAt = null } = instrument;
  const announced = deliversAt !== null && deliversAt !== context.deliversAt;
  return chain<PositionContext>(
    { ...context, symbolStatus: status, deliversAt },
    (next) =>
      status === context.symbolStatus
        ? step(next)
        : note(next, STATUS_KINDS[status], `${context.symbol} ${STATUS_WORDS[status]}`, {
            before: context.symbolStatus,
            status,
            quantity: context.quantity,
            stopPrice: context.stopPrice,
          }),
    (next) =>
      announced && deliversAt !== null
        ? note(next, 'delisting', `${context.symbol} is delisted at ${new Date(deliversAt).toISOString()}`, {
            deliversAt,
            quantity: context.quantity,
          })
        : step(next),
    // What became of the stop in the meantime only the venue knows.
    (next) =>
      status === 'TRADING' && context.symbolStatus !== 'TRADING'
        ? step(next, askToReconcile(next, `${context.symbol} trades again`))
        : step(next),
  );
}

const FORCED: Readonly<Record<string, ForcedKind>> = {
  liquidation: 'liquidation',
  adl: 'adl',
  settlement: 'settlement',
  manual: 'manual',
};

type Fill = Extract<VenueEvent, { type: 'ORDER_FILLED' }>;

/** What somebody else took out is in the books already; here it is told, and followed up. */
export function forcedOut(
  before: PositionContext,
  after: PositionContext,
  event: { readonly type: string },
): Step<PositionContext> {
  const fill = event.type === 'ORDER_FILLED' ? (event as Fill) : undefined;
  const kind = fill?.cause === undefined ? undefined : FORCED[fill.cause];
  if (!fill || kind === undefined || !gt(before.quantity, after.quantity)) return step(after);
  const detail = `${kind}: ${fill.quantity} of ${before.quantity} taken out at ${fill.price}; ${after.quantity} left`;
  const noted = note({ ...after, forced: kind }, kind, detail, {
    quantity: fill.quantity,
    price: fill.price,
    left: after.quantity,
    fee: fill.fee,
    realizedPnl: fill.realizedPnl,
  });
  if (kind !== 'liquidation' || isFlat(after)) return noted;
  return chain(
    noted.context,
    (next) => step(next, ...noted.intents),
    (next) => demandEmergency(next, `liquidation: ${after.quantity} left with its margin gone`),
  );
}

export type SymbolView = 'trading' | 'halted' | 'delisting' | 'delisted';

export function symbolView({ symbolStatus, deliversAt }: PositionContext): SymbolView {
  if (symbolStatus === 'CLOSE') return 'delisted';
  if (symbolStatus === 'SETTLING' || deliversAt !== null) return 'delisting';
  return symbolStatus === 'TRADING' ? 'trading' : 'halted';
}
