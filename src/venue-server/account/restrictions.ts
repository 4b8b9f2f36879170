/**
 * An account that the venue restricts: what it refuses then, with its codes and texts. Closing stays possible, except
 * while the venue itself liquidates; cancelling always does.
 */
import { WireError } from '../protocol.ts';
import type { Restriction } from './records.ts';

const REFUSALS: Readonly<Record<Restriction, readonly [code: number, text: string]>> = {
  liquidation: [-2023, 'User in liquidation mode now.'],
  'cooling-off': [-4192, 'Trade forbidden due to Cooling-off Period.'],
  'quantitative-rules': [
    -4400,
    'Futures Trading Quantitative Rules violated, only reduceOnly order is allowed, please try again later.',
  ],
  'large-position': [
    -4401,
    'Futures Trading Risk Control Rules of large position holding violated, only reduceOnly order is allowed, please reduce the position.',
  ],
};

export const RESTRICTIONS = Object.keys(REFUSALS) as readonly Restriction[];

export function checkRestriction(restriction: Restriction | undefined, reducing: boolean): void {
  if (restriction === undefined || (reducing && restriction !== 'liquidation')) return;
  const [code, text] = REFUSALS[restriction];
  throw new WireError(code, text);
}
