/** What an account may set: leverage, margin and position mode, isolated margin. */
import * as D from '../../core/decimal.ts';
import type { Json } from '../../core/json.ts';
import { maxNotional } from '../../exchange/engine/margin.ts';
import { required, WireError } from '../protocol.ts';
import { OWNER } from './account.ts';
import { type Context, DONE, prices, type Route, refuse } from './context.ts';
import { positionSideOf } from './order-terms.ts';
import {
  booleanOf,
  choiceOf,
  decimalOf,
  integerOf,
  invalid,
  limitOf,
  optionalSymbol,
  rangeOf,
  symbolOf,
} from './params.ts';
import { accountUpdate } from './stream-frames.ts';

function setLeverage(context: Context): Json {
  const { account, at, params } = context;
  const instrument = symbolOf(account, params);
  const { symbol } = instrument;
  required(params, 'leverage');
  const leverage = integerOf(params, 'leverage') ?? 0;
  refuse(
    account.apply({ type: 'leverage.set', at, owner: OWNER, symbol, leverage, ...prices(context, symbol) }),
  );
  return { leverage, maxNotionalValue: maxNotional(instrument, leverage), symbol };
}

function setMarginType({ account, at, params }: Context): Json {
  const { symbol } = symbolOf(account, params);
  required(params, 'marginType');
  const wanted = choiceOf(params, 'marginType', ['ISOLATED', 'CROSSED'], () => invalid('marginType'));
  const mode = wanted === 'ISOLATED' ? 'isolated' : 'cross';
  refuse(account.apply({ type: 'margin.mode', at, symbol, mode }));
  account.push(
    at,
    accountUpdate({ at, reason: 'MARGIN_TYPE_CHANGE', asset: account.asset, ...account.wallets() }),
  );
  return DONE;
}

function setPositionMode({ account, at, params }: Context): Json {
  required(params, 'dualSidePosition');
  const mode = booleanOf(params, 'dualSidePosition') ? 'hedge' : 'one-way';
  refuse(account.apply({ type: 'position.mode', at, mode }));
  return DONE;
}

const ADD = 1;
const REDUCE = 2;

function moveMargin(context: Context): Json {
  const { account, at, params } = context;
  const { symbol } = symbolOf(account, params);
  required(params, 'amount');
  required(params, 'type');
  const amount = decimalOf(params, 'amount') ?? D.ZERO;
  const type = integerOf(params, 'type');
  if (type !== ADD && type !== REDUCE) throw invalid('type');
  if (D.lte(amount, D.ZERO)) throw new WireError(-4055, 'Amount must be positive.');
  const positionSide = positionSideOf(params);
  const signed = type === ADD ? amount : D.neg(amount);
  refuse(
    account.apply({
      type: 'margin.add',
      at,
      symbol,
      positionSide,
      amount: signed,
      ...prices(context, symbol),
    }),
  );
  account.books.marginMoves.push({ symbol, positionSide, type, amount, asset: account.asset, time: at });
  return { amount: Number(amount), code: 200, msg: 'Successfully modify position margin.', type };
}

function marginHistory({ account, at, params }: Context): Json {
  const { symbol } = symbolOf(account, params);
  const type = integerOf(params, 'type');
  const { from, to } = rangeOf(params, at, 30 * 86_400_000);
  return account.books.marginMoves
    .filter((move) => move.symbol === symbol && (type === undefined || move.type === type))
    .filter((move) => move.time >= from && move.time <= to)
    .slice(-limitOf(params, 500, 1000))
    .map((move) => ({
      symbol: move.symbol,
      type: move.type,
      deltaType: 'USER_ADJUST',
      amount: move.amount,
      asset: move.asset,
      time: move.time,
      positionSide: move.positionSide,
    }));
}

function positionMode({ account, params }: Context): Json {
  optionalSymbol(account, params);
  return { dualSidePosition: account.engine.positionMode() === 'hedge' };
}

const changing = { security: 'signed', changes: true, method: 'POST' } as const;
const reading = { security: 'signed', changes: false, method: 'GET' } as const;

export const SETTINGS_ROUTES: readonly Route[] = [
  { ...changing, path: '/fapi/v1/leverage', weight: 1, handle: setLeverage },
  { ...changing, path: '/fapi/v1/marginType', weight: 1, handle: setMarginType },
  { ...changing, path: '/fapi/v1/positionSide/dual', weight: 1, handle: setPositionMode },
  { ...reading, path: '/fapi/v1/positionSide/dual', weight: 30, handle: positionMode },
  { ...changing, path: '/fapi/v1/positionMargin', weight: 1, handle: moveMargin },
  { ...reading, path: '/fapi/v1/positionMargin/history', weight: 1, handle: marginHistory },
];
