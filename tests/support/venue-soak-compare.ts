/**
 * A killed run beside an undisturbed one of the same market: each entry that only one of them made, with the
 * reason why the other did not. The strategy signals the same in both, so there must be one.
 */
import type { SoakReport } from './venue-soak.ts';

const BAR_MS = 900_000;
/** How long after its bar a signal may still be acted on, and its consequences be seen. */
const AFTER_MS = 420_000;

interface Entry {
  readonly symbol: string;
  readonly direction: string;
  readonly bar: number;
}

export interface Differences {
  readonly same: number;
  readonly missing: Readonly<Record<string, number>>;
  readonly extra: Readonly<Record<string, number>>;
  readonly unexplained: readonly string[];
}

export function differencesOf(calm: SoakReport, killed: SoakReport): Differences {
  const [a, b] = [entriesOf(calm), entriesOf(killed)];
  // Bars that both lived through, with time to act on them.
  const from = Math.max(calm.from, killed.from) + AFTER_MS;
  const to = Math.min(calm.to, killed.to) - AFTER_MS;
  const within = (entries: Map<string, Entry>): [string, Entry][] =>
    [...entries].filter(([, { bar }]) => bar >= from && bar <= to);
  const unexplained: string[] = [];
  const causes = (mine: Map<string, Entry>, others: Map<string, Entry>, other: SoakReport, who: string) => {
    const counts: Record<string, number> = {};
    for (const [key, entry] of within(mine)) {
      if (others.has(key)) continue;
      const cause = causeOf(entry, other);
      counts[cause ?? 'unexplained'] = (counts[cause ?? 'unexplained'] ?? 0) + 1;
      if (cause === undefined) unexplained.push(`${key}: not in the ${who} run`);
    }
    return counts;
  };
  return {
    same: within(a).filter(([key]) => b.has(key)).length,
    missing: causes(a, b, killed, 'killed'),
    extra: causes(b, a, calm, 'calm'),
    unexplained,
  };
}

function entriesOf({ facts }: SoakReport): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { order, at } of facts.intended.values()) {
    if (order.reduceOnly || order.closePosition || !order.ref.startsWith('entry')) continue;
    const entry = { symbol: order.symbol, direction: order.side, bar: Math.floor(at / BAR_MS) * BAR_MS };
    entries.set(`${entry.symbol} ${entry.direction} ${new Date(entry.bar).toISOString()}`, entry);
  }
  return entries;
}

/** Why that run did not enter there. */
function causeOf({ symbol, bar }: Entry, { facts, downtimes }: SoakReport): string | undefined {
  const end = bar + AFTER_MS;
  const overlaps = ({ from, to }: { from: number; to: number }): boolean => from < end && to > bar;
  const down = downtimes.find(overlaps);
  if (down) return `${down.what} down or recovering`;
  const halt = facts.halts.find(overlaps);
  if (halt) return `breaker ${halt.what}`;
  const refused = facts.refusals.find((each) => each.symbol === symbol && each.at >= bar && each.at < end);
  if (refused) return refused.why;
  for (const { actor, trade, at, reason } of facts.closed) {
    if (actor.split('/')[1] !== symbol) continue;
    if (trade === null && at >= bar && at < end + BAR_MS) return `abandoned: ${reason}`;
    if (trade && trade.openedAt < bar && at >= bar) return 'the position before was still open';
    if (at < bar && at > bar - AFTER_MS) return 'the symbol still rested';
  }
  for (const { symbol: held, firstFillAt, quantity } of facts.positions.values())
    if (held === symbol && quantity !== '0' && firstFillAt !== null && firstFillAt < bar)
      return 'the position before was still open';
  const said = facts.scanned.get(`${symbol} ${bar}`);
  if (said === undefined) return 'the bar came as history';
  return said ? undefined : 'the signal was withheld: too late, or the feed was down';
}
