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
import type { SymbolName } from '../domain/instrument.ts';
import type { RemoteReport } from '../domain/remote.ts';
import { holderOf } from './books.ts';
import { send, type Work } from './executor-state.ts';

/** A triggered stop closes within moments; one whose order then rests holds nothing. */
const TRIGGERED_FACTOR = 4;
const STOPS = new Set(['STOP', 'STOP_MARKET', 'TRAILING_STOP_MARKET']);

export function tellProtection(work: Work, report: RemoteReport): void {
  const symbols = Object.keys(work.state.holdings)
    .sort()
    .flatMap((symbol) => shown(work, report, symbol));
  send(work, GUARDIAN, { type: 'PROTECTION', readAt: report.at, symbols } as unknown as ActorEvent);
}

function shown(work: Work, report: RemoteReport, symbol: SymbolName): SymbolProtection[] {
  const owner = holderOf(work, symbol);
  const amount = owner === undefined ? undefined : work.state.holdings[symbol]?.[owner]?.amount;
  if (owner === undefined || amount === undefined) return [];
  const position = report.positions.find((each) => each.symbol === symbol);
  const quantity = D.abs(amount);
  const isLong = D.sign(amount) > 0;
  const tickSize = work.settings.tickSizes[symbol];
  const marketMaxQuantity = work.settings.marketMaxQuantities[symbol];
  return [
    {
      symbol,
      owner,
      direction: isLong ? 'long' : 'short',
      quantity,
      protected: D.min(quantity, protectedBy(work, report, symbol, isLong ? 'SELL' : 'BUY', quantity)),
      entryPrice: position?.entryPrice ?? D.ZERO,
      ...(position?.markPrice === undefined ? {} : { markPrice: position.markPrice }),
      ...(tickSize === undefined ? {} : { tickSize }),
      ...(marketMaxQuantity === undefined ? {} : { marketMaxQuantity }),
    },
  ];
}

function protectedBy(
  work: Work,
  report: RemoteReport,
  symbol: SymbolName,
  side: 'BUY' | 'SELL',
  all: Decimal,
): Decimal {
  const counted = new Set<string>();
  let covered = D.ZERO;
  for (const algo of report.openAlgoOrders) {
    const reduces = algo.reduceOnly || algo.closePosition;
    if (algo.symbol !== symbol || algo.side !== side || !STOPS.has(algo.type) || !reduces) continue;
    // Over by the stream's word: the reading lags.
    if (work.state.finished[algo.clientOrderId]) continue;
    counted.add(algo.clientOrderId);
    covered = D.add(covered, algo.closePosition ? all : algo.quantity);
  }
  for (const record of Object.values(work.state.orders)) {
    const { order, triggered, acknowledged, updatedAt } = record;
    const protects = order.symbol === symbol && order.side === side && STOPS.has(order.type) && acknowledged;
    const isYoung = updatedAt > report.at - work.settings.quietMs * (triggered ? TRIGGERED_FACTOR : 1);
    if (!protects || counted.has(order.clientOrderId) || !isYoung) continue;
    covered = D.add(covered, D.sub(record.quantity ?? all, record.filled));
  }
  return covered;
}
