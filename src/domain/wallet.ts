/**
 * What a change of the wallet is: trading's own doing, money that was moved in or out, or something that nobody
 * here can explain.
 *
 * Invariant: money that was moved never counts as profit or loss.
 */
import { add, type Decimal, div, gt, lt, mul, sum, ZERO } from '../core/decimal.ts';

/** Of the venue's income types, those that trading brings about; fees that come back belong to them. */
const TRADING: ReadonlySet<string> = new Set([
  'REALIZED_PNL',
  'COMMISSION',
  'FUNDING_FEE',
  'INSURANCE_CLEAR',
  'DELIVERED_SETTELMENT',
  'POSITION_LIMIT_INCREASE_FEE',
  'REFERRAL_KICKBACK',
  'COMMISSION_REBATE',
  'API_REBATE',
  'FEE_RETURN',
]);

/** TRANSFER, INTERNAL_TRANSFER, COIN_SWAP_DEPOSIT, ADMIN_WITHDRAW, WELCOME_BONUS, CONTEST_REWARD, AUTO_EXCHANGE, … */
const MOVED = /TRANSFER|DEPOSIT|WITHDRAW|BONUS|REWARD|EXCHANGE/;

export type WalletCause = 'trading' | 'moved' | 'unexplained';

export function walletCause(reason: string): WalletCause {
  const name = reason.toUpperCase();
  if (TRADING.has(name)) return 'trading';
  return MOVED.test(name) ? 'moved' : 'unexplained';
}

/** What was moved in less what was moved out, of all changes by their reasons. */
export const movedIn = (flows: Readonly<Record<string, Decimal>>): Decimal =>
  sum(Object.entries(flows).map(([reason, delta]) => (walletCause(reason) === 'moved' ? delta : ZERO)));

/**
 * How much of a change is neither profit nor loss. What nobody can explain, an ADJUSTMENT of the books to the
 * venue's wallet or a type that is not known, counts where it hurts: as a loss, so that the breakers see it, and
 * never as a profit, which would give the next losses more room.
 */
export function movedBy(reason: string, delta: Decimal): Decimal {
  const cause = walletCause(reason);
  if (cause === 'trading') return ZERO;
  return cause === 'moved' || gt(delta, ZERO) ? delta : ZERO;
}

const PLACES = 12;

/**
 * What an equity that losses are measured from becomes when money is moved in or out while `equity` is there: in the
 * same proportion to the account as before, so that a withdrawal makes no drawdown and a deposit hides none. Where
 * there is no proportion, by the same amount.
 */
export function movedAlong(base: Decimal, equity: Decimal, moved: Decimal): Decimal {
  const after = add(equity, moved);
  return gt(equity, ZERO) && !lt(after, ZERO) ? div(mul(base, after), equity, PLACES) : add(base, moved);
}
