/**
 * What a reading shows of each held symbol's protection, for the guardian.
 *
 * Invariant: protection counts only live stops on the closing side that cannot open anything; an order of ours
 * that is younger than the reading counts by what the stream said of it.
 */
import type { SymbolProtection } from '../../machines/messages.ts';
import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import { type ActorEvent, GUARDIAN } from '../domain/events.ts';
import { isReducing } from '../domain/order.ts';
import { keyOf, keysIn, namedSide, type PositionKey, symbolOf } from '../domain/position-key.ts';
import type { RemoteReport } from '../domain/remote.ts';
import { holderOf } from './books.ts';
import { send, type Work } from './executor-state.ts';
import type { OrderRecord } from './executor-types.ts';

/** A triggered stop closes within moments; one whose order then rests holds nothing. */
const TRIGGERED_FACTOR = 4;
const STOPS = new Set(['STOP', 'STOP_MARKET', 'TRAILING_STOP_MARKET']);

/** What bears on one place; made once a reading, so that a reading of n places costs n. */
interface OfPlace {
  readonly position: RemoteReport['positions'][number] | undefined;
  readonly algos: RemoteReport['openAlgoOrders'];
  readonly records: readonly OrderRecord[];
}

export function tellProtection(work: Work, report: RemoteReport): void {
  const positions = new Map(report.positions.map((position) => [keyOf(position), position]));
  const algos = Map.groupBy(report.openAlgoOrders, keyOf);
  const records = Map.groupBy(Object.values(work.state.orders), (record) => keyOf(record.order));
  const symbols = keysIn(work.state.holdings)
    .sort()
    .flatMap((place) =>
      shown(work, report.at, place, {
        position: positions.get(place),
        algos: algos.get(place) ?? [],
        records: records.get(place) ?? [],
      }),
    );
  send(work, GUARDIAN, { type: 'PROTECTION', readAt: report.at, symbols } as unknown as ActorEvent);
}

function shown(work: Work, readAt: number, place: PositionKey, of: OfPlace): SymbolProtection[] {
  const symbol = symbolOf(place);
  const owner = holderOf(work, place);
  const amount = owner === undefined ? undefined : work.state.holdings[place]?.[owner]?.amount;
  if (owner === undefined || amount === undefined) return [];
  const { position } = of;
  const quantity = D.abs(amount);
  const isLong = D.sign(amount) > 0;
  const tickSize = work.settings.tickSizes[symbol];
  const marketMaxQuantity = work.settings.marketMaxQuantities[symbol];
  return [
    {
      symbol,
      ...namedSide(place),
      owner,
      direction: isLong ? 'long' : 'short',
      quantity,
      protected: D.min(quantity, protectedBy(work, readAt, of, isLong ? 'SELL' : 'BUY', quantity)),
      entryPrice: position?.entryPrice ?? D.ZERO,
      ...(position?.markPrice === undefined ? {} : { markPrice: position.markPrice }),
      ...(tickSize === undefined ? {} : { tickSize }),
      ...(marketMaxQuantity === undefined ? {} : { marketMaxQuantity }),
    },
  ];
}

function protectedBy(
  work: Work,
  readAt: number,
  { algos, records }: OfPlace,
  side: 'BUY' | 'SELL',
  all: Decimal,
): Decimal {
  const counted = new Set<string>();
  let covered = D.ZERO;
  for (const algo of algos) {
    if (algo.side !== side || !STOPS.has(algo.type) || !isReducing(algo)) continue;
    // Over by the stream's word: the reading lags.
    if (work.state.finished[algo.clientOrderId]) continue;
    counted.add(algo.clientOrderId);
    covered = D.add(covered, algo.closePosition ? all : algo.quantity);
  }
  for (const record of records) {
    const { order, triggered, acknowledged, updatedAt } = record;
    const protects = order.side === side && STOPS.has(order.type) && acknowledged;
    const isYoung = updatedAt > readAt - work.settings.quietMs * (triggered ? TRIGGERED_FACTOR : 1);
    if (!protects || counted.has(order.clientOrderId) || !isYoung) continue;
    covered = D.add(covered, D.sub(record.quantity ?? all, record.filled));
  }
  return covered;
}
