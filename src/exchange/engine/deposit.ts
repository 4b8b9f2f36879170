/** Money that comes to an account or leaves it. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import { changeWallet } from './account.ts';
import type { Venue } from './engine-state.ts';
import { availableBalance } from './margin.ts';

/** Negative: a withdrawal, of no more than is free. */
export function deposit(venue: Venue, asset: string, amount: Decimal): void {
  const covered = D.lte(D.neg(amount), availableBalance(venue));
  if (D.gte(amount, D.ZERO)) changeWallet(venue, asset, amount, 'DEPOSIT');
  else if (covered) changeWallet(venue, asset, amount, 'WITHDRAW');
  else changeWallet(venue, asset, D.ZERO, 'WITHDRAW_REFUSED');
  // With another balance behind them, positions may be warned about anew.
  for (const market of Object.values(venue.state.markets))
    for (const position of market.positions) position.marginCalled = false;
}
