/**
 * At which mark a margin balance no longer covers the maintenance margin, of what an engine holds: each position for
 * itself or with the whole account behind it. Floats: these are comparisons on the way of every bar, never money.
 */
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { lowerRoot, type Stake, surplus, type Tier, upperRoot } from '../../domain/margin-tiers.ts';
import type { Market, Position, Venue } from './engine-state.ts';
import { crossWallet, instrumentOf, marginModeOf } from './engine-state.ts';

const tiersSeen = new WeakMap<Instrument, readonly Tier[]>();

/** An instrument's tiers as numbers, parsed once. */
function tiersOf(instrument: Instrument): readonly Tier[] {
  const seen = tiersSeen.get(instrument);
  if (seen) return seen;
  const tiers = instrument.brackets.map((bracket) => ({
    cap: Number(bracket.notionalCap),
    rate: Number(bracket.maintMarginRate),
    cum: Number(bracket.cum),
  }));
  tiersSeen.set(instrument, tiers);
  return tiers;
}

/** A group of positions with the two stakes that decide its fate. */
export interface Exposed {
  readonly positions: readonly Position[];
  readonly liquidation: Stake;
  readonly call: Stake;
  /** How many symbols live off the same balance. */
  readonly sharers: number;
}

const legOf = ({ quantity, entryNotional }: Position) => ({
  quantity: Number(quantity),
  entryNotional: Number(entryNotional),
});

/**
 * What every symbol adds to the cross account, so that all of them can be asked what stands beside them in one
 * pass. Invariant: of one moment; whatever moves a position, a mark or the wallet makes it stale.
 */
export class CrossAccount {
  readonly #wallet: number;
  readonly #places = new Map<Market, number>();
  /** Sums over the symbols before each, and over those from each on: what is outside is never a difference. */
  readonly #before: Sums[] = [NOTHING];
  readonly #after: Sums[];

  constructor(venue: Venue) {
    this.#wallet = Number(crossWallet(venue));
    const parts: Sums[] = [];
    for (const [symbol, market] of Object.entries(venue.state.markets)) {
      const part = partOf(venue, market, symbol);
      if (!part) continue;
      this.#places.set(market, parts.length);
      parts.push(part);
      this.#before.push(plus(this.#before.at(-1) ?? NOTHING, part));
    }
    this.#after = [NOTHING];
    for (const part of parts.reverse()) this.#after.push(plus(this.#after.at(-1) ?? NOTHING, part));
    this.#after.reverse();
  }

  /** The account as it stands apart from one symbol, and how many symbols share it. */
  outside(market: Market): { balance: number; maintenance: number; sharers: number } {
    const place = this.#places.get(market);
    const before = this.#before[place ?? this.#places.size] ?? NOTHING;
    const after = place === undefined ? NOTHING : (this.#after[place + 1] ?? NOTHING);
    const others = plus(before, after);
    return {
      balance: this.#wallet + others.profit,
      maintenance: others.maintenance,
      sharers: 1 + this.#places.size - (place === undefined ? 0 : 1),
    };
  }
}

interface Sums {
  readonly profit: number;
  readonly maintenance: number;
}

const NOTHING: Sums = { profit: 0, maintenance: 0 };

const plus = (a: Sums, b: Sums): Sums => ({
  profit: a.profit + b.profit,
  maintenance: a.maintenance + b.maintenance,
});

/** Profit and maintenance of a symbol's cross positions at its mark; undefined: it has none. */
function partOf(venue: Venue, market: Market, symbol: SymbolName): Sums | undefined {
  if (market.positions.length === 0 || marginModeOf(venue, market) === 'isolated') return undefined;
  const instrument = instrumentOf(venue, symbol);
  if (!instrument) return undefined;
  const stake = { legs: market.positions.map(legOf), tiers: tiersOf(instrument), outside: 0 };
  const mark = market.mark || market.last;
  const profit = surplus({ ...stake, maintenanceFactor: 0 }, mark);
  return { profit, maintenance: profit - surplus({ ...stake, maintenanceFactor: 1 }, mark) };
}

/**
 * Isolated: each position for itself; cross: all the symbol's positions with the whole account behind them. Who asks
 * for many symbols of one moment hands in the account.
 */
export function exposedOf(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  account?: CrossAccount,
): Exposed[] {
  if (market.positions.length === 0) return [];
  const tiers = tiersOf(instrument);
  const callFactor = 1 / venue.config.marginCallRatio;
  const expose = (positions: readonly Position[], balance: number, maintenance: number, sharers: number) => {
    const legs = positions.map(legOf);
    const liquidation = { legs, tiers, outside: balance - maintenance, maintenanceFactor: 1 };
    const outside = balance - callFactor * maintenance;
    return { positions, liquidation, call: { legs, tiers, outside, maintenanceFactor: callFactor }, sharers };
  };
  if (marginModeOf(venue, market) === 'isolated')
    return market.positions.map((position) => expose([position], Number(position.isolated), 0, 1));
  const { balance, maintenance, sharers } = (account ?? new CrossAccount(venue)).outside(market);
  return [expose(market.positions, balance, maintenance, sharers)];
}

/**
 * The marks between which this symbol cannot bring about a liquidation or margin call. In cross mode the
 * account's surplus is divided evenly among the symbols with positions, so that no combination of moves that
 * each stay inside their own band can use it up.
 */
export function safeMarks(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  account: CrossAccount,
): { low: number; high: number } {
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  const reference = market.mark || market.last;
  for (const { positions, liquidation, call, sharers } of exposedOf(venue, market, instrument, account)) {
    const warned = positions.every((position) => position.marginCalled);
    for (const stake of warned ? [liquidation] : [liquidation, call]) {
      const share = shareOf(stake, reference, sharers);
      low = Math.max(low, lowerRoot(share) * (1 + 1e-9));
      high = Math.min(high, upperRoot(share) * (1 - 1e-9));
    }
  }
  return { low, high };
}

function shareOf(stake: Stake, reference: number, sharers: number): Stake {
  if (sharers === 1) return stake;
  const now = surplus(stake, reference);
  const own = now - stake.outside;
  return { ...stake, outside: now / sharers - own };
}

/** The liquidation price that a report shows: the root on the losing side of the net position; 0 for none. */
export function liquidationPrice(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  position: Position,
  account?: CrossAccount,
): number {
  const exposed = exposedOf(venue, market, instrument, account).find(({ positions }) =>
    positions.includes(position),
  );
  if (!exposed) return 0;
  const net = exposed.liquidation.legs.reduce((sum, leg) => sum + leg.quantity, 0);
  const price = net > 0 ? lowerRoot(exposed.liquidation) : upperRoot(exposed.liquidation);
  return Number.isFinite(price) ? price : 0;
}
