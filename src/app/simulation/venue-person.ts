/** A person at the venue, with eyes and hands of his own: its private endpoints, past network and program. */
import * as D from '../../core/decimal.ts';
import type { Json } from '../../core/json.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { SimWorld } from './world.ts';

type Params = Readonly<Record<string, string>>;

function ask({ venue, scheduler }: SimWorld, method: 'GET' | 'POST', path: string, params: Params): Json {
  const endpoint = venue.core.endpoints().find((one) => one.method === method && one.path === path);
  return (
    endpoint?.handle({
      ...{ method, path, at: Math.floor(scheduler.now()), apiKey: venue.apiKey },
      params: new Map(Object.entries(params).map(([name, value]) => [name.toLowerCase(), value])),
    }) ?? null
  );
}

/** False: the venue has its reasons. */
export function orderByHand(world: SimWorld, params: Params): boolean {
  try {
    ask(world, 'POST', '/fapi/v1/order', params);
    return true;
  } catch {
    return false;
  }
}

export interface AtRisk {
  readonly symbol: SymbolName;
  /** Signed. */
  readonly positionAmt: string;
  readonly markPrice: string;
  /** Zero: no price would do it. */
  readonly liquidationPrice: string;
}

export const positionsAtRisk = (world: SimWorld): readonly AtRisk[] =>
  (ask(world, 'GET', '/fapi/v3/positionRisk', {}) as unknown as readonly AtRisk[]).filter(
    ({ positionAmt }) => Number(positionAmt) !== 0,
  );

/** The book of a symbol has so many levels of so much money each; absent: it is deep again. */
export function setDepth(
  { venue, scheduler }: SimWorld,
  symbol: SymbolName,
  depth?: { readonly levels: number; readonly worth: number },
): void {
  const { stepSize = '1' } = venue.market.instrument(symbol) ?? {};
  const price = venue.market.prices(symbol)?.last ?? 1;
  const quantity = D.ceilTo(D.fromNumber(Number(((depth?.worth ?? 0) / price).toPrecision(6))), stepSize);
  venue.server.feed({
    ...{ type: 'DEPTH', at: Math.floor(scheduler.now()), symbol },
    ...(depth ? { depth: { levels: depth.levels, quantity } } : {}),
  });
}
