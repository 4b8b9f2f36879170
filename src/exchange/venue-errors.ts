/**
 * The venue's refusals, with Binance's codes and texts. `%s` is filled in from the arguments in turn.
 * −4120 belongs to the wire: in process, plain and conditional orders share one command.
 */
export interface VenueError {
  readonly code: number;
  readonly reason: string;
}

export const VENUE_ERRORS = {
  MANDATORY_PARAM: [-1102, "Mandatory parameter '%s' was not sent, was empty/null, or malformed."],
  ILLEGAL_CHARS: [
    -1100,
    "Illegal characters found in parameter '%s'; legal range is '^[\\.A-Z\\:/a-z0-9_-]{1,36}$'.",
  ],
  UNNEEDED_PARAM: [-1106, "Parameter '%s' sent when not required."],
  BAD_PRECISION: [-1111, 'Precision is over the maximum defined for this asset.'],
  INVALID_TIME_IN_FORCE: [-1115, 'Invalid timeInForce.'],
  BAD_SYMBOL: [-1121, 'Invalid symbol.'],
  INVALID_PARAMETER: [-1130, "Data sent for parameter '%s' is not valid."],
  UNKNOWN_ORDER: [-2011, 'Unknown order sent.'],
  ORDER_DOES_NOT_EXIST: [-2013, 'Order does not exist.'],
  BALANCE_INSUFFICIENT: [-2018, 'Balance is insufficient.'],
  MARGIN_INSUFFICIENT: [-2019, 'Margin is insufficient.'],
  WOULD_TRIGGER: [-2021, 'Order would immediately trigger.'],
  REDUCE_ONLY_REJECT: [-2022, 'ReduceOnly Order is rejected.'],
  MAX_OPEN_ORDERS: [-2025, 'Reach max open order limit.'],
  MAX_LEVERAGE_RATIO: [-2027, 'Exceeded the maximum allowable position at current leverage.'],
  MIN_LEVERAGE_RATIO: [-2028, 'Leverage is smaller than permitted: insufficient margin balance.'],
  PRICE_BELOW_ZERO: [-4001, 'Price less than 0.'],
  PRICE_ABOVE_MAX: [-4002, 'Price greater than max price.'],
  QUANTITY_BELOW_ZERO: [-4003, 'Quantity less than zero.'],
  QUANTITY_BELOW_MIN: [-4004, 'Quantity less than min quantity.'],
  QUANTITY_ABOVE_MAX: [-4005, 'Quantity greater than max quantity.'],
  STOP_PRICE_BELOW_ZERO: [-4006, 'Stop price less than zero.'],
  STOP_PRICE_ABOVE_MAX: [-4007, 'Stop price greater than max price.'],
  PRICE_BELOW_MIN: [-4013, 'Price less than min price.'],
  PRICE_OFF_TICK: [-4014, 'Price not increased by tick size.'],
  CLIENT_ID_LENGTH: [-4015, 'Client order id length should not be more than 36 chars'],
  PRICE_ABOVE_MULTIPLIER: [-4016, "Limit price can't be higher than %s."],
  QUANTITY_OFF_STEP: [-4023, 'Qty not increased by step size.'],
  PRICE_BELOW_MULTIPLIER: [-4024, "Limit price can't be lower than %s."],
  INVALID_LEVERAGE: [-4028, 'Leverage %s is not valid'],
  NO_MARGIN_TYPE_CHANGE: [-4046, 'No need to change margin type.'],
  MARGIN_TYPE_WITH_ORDERS: [-4047, 'Margin type cannot be changed if there exists open orders.'],
  MARGIN_TYPE_WITH_POSITION: [-4048, 'Margin type cannot be changed if there exists position.'],
  CROSS_BALANCE_INSUFFICIENT: [-4050, 'Cross balance insufficient.'],
  ISOLATED_BALANCE_INSUFFICIENT: [-4051, 'Isolated balance insufficient.'],
  MARGIN_NEEDS_ISOLATED: [-4053, 'Auto add margin only support for isolated position.'],
  MARGIN_NEEDS_POSITION: [-4054, 'Cannot add position margin: position is 0.'],
  NO_POSITION_SIDE_CHANGE: [-4059, 'No need to change position side.'],
  POSITION_SIDE_WITH_ORDERS: [-4067, 'Position side cannot be changed if there exists open orders.'],
  POSITION_SIDE_WITH_POSITION: [-4068, 'Position side cannot be changed if there exists position.'],
  MAX_STOP_ORDERS: [-4045, 'Reach max stop order limit.'],
  POSITION_SIDE_MISMATCH: [-4061, "Order's position side does not match user's setting."],
  REDUCE_ONLY_CONFLICT: [-4062, 'Invalid or improper reduceOnly value.'],
  DUPLICATE_CLIENT_ID: [-4116, 'ClientOrderId is duplicated.'],
  REDUCE_ONLY_MARGIN: [-4118, 'ReduceOnly Order Failed. Please check your existing position and open orders'],
  USE_ALGO_ENDPOINT: [
    -4120,
    'Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.',
  ],
  CLOSE_POSITION_EXISTS: [
    -4130,
    'An open stop or take profit order with GTE and closePosition in the direction is existing.',
  ],
  MARKET_PERCENT_PRICE: [-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit"],
  INVALID_ACTIVATION_PRICE: [-4135, 'Invalid activation price'],
  INVALID_CLOSE_POSITION: [-4136, 'Target strategy invalid for orderType %s,closePosition %s'],
  QUANTITY_WITH_CLOSE_POSITION: [-4137, 'Quantity must be zero with closePosition equals true'],
  SYMBOL_NOT_TRADING: [-4140, 'Invalid symbol status for opening position'],
  SYMBOL_CLOSED: [-4141, 'Symbol is closed'],
  ISOLATED_LEVERAGE: [
    -4161,
    'Leverage reduction is not supported in Isolated Margin Mode with open positions',
  ],
  MIN_NOTIONAL: [-4164, "Order's notional must be no smaller than %s (unless you choose reduce only)"],
  GTE_NEEDS_POSITION: [
    -4509,
    'Time in Force (TIF) GTE can only be used with open positions or open orders. Please ensure that positions are available.',
  ],
  AMEND_NOT_TRADING: [-5024, 'Symbol is not in trading status. Order amendment is not permitted.'],
  AMEND_ONLY_LIMIT: [-5025, 'Only limit order is supported.'],
  NOTHING_TO_AMEND: [-5027, 'No need to modify the order.'],
  AMEND_MIN_NOTIONAL: [-5029, "Order's notional must be no smaller than %s"],
  FOK_REJECT: [
    -5021,
    'Due to the order could not be filled immediately, the FOK order has been rejected. The order will not be recorded in the order history',
  ],
  POST_ONLY_REJECT: [
    -5022,
    'Due to the order could not be executed as maker, the Post Only order will be rejected. The order will not be recorded in the order history',
  ],
} as const satisfies Record<string, readonly [number, string]>;

export type VenueErrorName = keyof typeof VENUE_ERRORS;

export function venueError(
  name: VenueErrorName,
  ...args: readonly (string | number | boolean)[]
): VenueError {
  const [code, text] = VENUE_ERRORS[name];
  let next = 0;
  return { code, reason: text.replaceAll('%s', () => String(args[next++])) };
}
