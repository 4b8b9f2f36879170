/**
 * How long what was open stood without its stop, from the venue's own books: positions from its trades, protection
 * from the lives of its conditional orders.
 */

import type { SoakLedger } from '../../src/app/simulation/ledger-checks.ts';
import { isReducing } from '../../src/domain/order.ts';
import { keyOf, type PositionKey, symbolOf } from '../../src/domain/position-key.ts';

export interface Gap {
  readonly symbol: string;
  /** The venue's clock. */
  readonly from: number;
  readonly to: number;
}

interface Change {
  readonly at: number;
  /** Of the position, signed; of the protection for longs and for shorts. */
  readonly position: number;
  readonly long: number;
  readonly short: number;
}

/** Quantities are compared as floats, so by less than any lot. */
const DUST = 1e-9;

export function gapsOf(ledger: SoakLedger, until: number): Gap[] {
  const places = new Set(ledger.trades.map(keyOf));
  return [...places].flatMap((place) => gapsOn(symbolOf(place), changesOf(ledger, place), until));
}

function changesOf(ledger: SoakLedger, place: PositionKey): Change[] {
  const changes: Change[] = [];
  const filledAt = new Map<string, number>();
  for (const trade of ledger.trades) {
    if (keyOf(trade) !== place) continue;
    filledAt.set(String(trade.orderId), trade.time);
    const amount = Number(trade.qty) * (trade.side === 'BUY' ? 1 : -1);
    changes.push({ at: trade.time, position: amount, long: 0, short: 0 });
  }
  for (const algo of ledger.algoOrders) {
    if (keyOf(algo) !== place || !isReducing(algo)) continue;
    const amount = algo.closePosition ? Number.MAX_SAFE_INTEGER : Number(algo.quantity);
    const sides = algo.side === 'SELL' ? { long: amount, short: 0 } : { long: 0, short: amount };
    changes.push({ at: algo.createTime, position: 0, ...sides });
    const end = endOf(algo, filledAt.get(String(algo.actualOrderId)));
    if (end !== undefined) changes.push({ at: end, position: 0, long: -sides.long, short: -sides.short });
  }
  return changes.sort((a, b) => a.at - b.at);
}

/** What has triggered protects until it has filled. */
function endOf(algo: SoakLedger['algoOrders'][number], filledAt: number | undefined): number | undefined {
  if (algo.algoStatus === 'NEW') return undefined;
  return filledAt ?? Math.max(algo.updateTime, algo.triggerTime);
}

function gapsOn(symbol: string, changes: readonly Change[], until: number): Gap[] {
  const gaps: Gap[] = [];
  let position = 0;
  let long = 0;
  let short = 0;
  let since: number | undefined;
  for (const [i, change] of changes.entries()) {
    position += change.position;
    long += change.long;
    short += change.short;
    // All of one instant first.
    if (changes[i + 1]?.at === change.at) continue;
    const bare = Math.abs(position) - (position > 0 ? long : short) > DUST;
    if (bare) since ??= change.at;
    else if (since !== undefined) {
      gaps.push({ symbol, from: since, to: change.at });
      since = undefined;
    }
  }
  if (since !== undefined) gaps.push({ symbol, from: since, to: until });
  return gaps;
}

/** How much of it lies in none of the times in which something did not run. */
export function whileUp(
  gap: Gap,
  downtimes: readonly { readonly from: number; readonly to: number }[],
): number {
  const cuts = downtimes
    .map(({ from, to }) => ({ from: Math.max(from, gap.from), to: Math.min(to, gap.to) }))
    .filter(({ from, to }) => to > from)
    .sort((a, b) => a.from - b.from);
  let up = 0;
  let at = gap.from;
  for (const { from, to } of cuts) {
    up += Math.max(0, from - at);
    at = Math.max(at, to);
  }
  return up + Math.max(0, gap.to - at);
}

export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}
