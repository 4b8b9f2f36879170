/** What can be said to a position and to the guardian, in words that fit their state. */
import type { PositionContext } from '../../machines/position.ts';
import type { ActorEvent } from '../../src/domain/events.ts';

/** A full reading that shows the position covered, half covered, and one that does not name it. */
export function readings(owner: string, readAt: number): readonly ActorEvent[] {
  const held = {
    symbol: 'BTCUSDT',
    owner,
    direction: 'long',
    quantity: '2',
    entryPrice: '100',
    tickSize: '0.1',
  };
  return [[{ ...held, protected: '2' }], [{ ...held, protected: '1' }], []].map((symbols) => ({
    type: 'PROTECTION',
    readAt,
    symbols,
  }));
}

/** Whatever the venue may say of each order of the guardian's, and of one it never made. */
export function guardWords({
  orders,
}: {
  readonly orders: readonly { readonly ref: string }[];
}): readonly ActorEvent[] {
  return [...orders.map(({ ref }) => ref), 'guard-99'].flatMap((ref) => {
    const common = { ref, clientOrderId: `bh-${ref}`, symbol: 'BTCUSDT' };
    return [
      { ...common, type: 'ORDER_ACKNOWLEDGED', orderId: '1' },
      { ...common, type: 'ORDER_REJECTED', code: -4045, reason: 'no' },
      { ...common, type: 'ORDER_UNKNOWN', reason: 'timeout' },
      { ...common, type: 'ORDER_TRIGGERED' },
      { ...common, type: 'ORDER_FILLED', quantity: '1', cumulative: '1', complete: true },
      { ...common, type: 'ORDER_CLOSED', outcome: 'expired', cumulative: '0', reason: 'x' },
      { ...common, type: 'CANCEL_REJECTED', code: -2011, reason: 'no' },
    ];
  });
}

const FORCED = ['liquidation', 'adl', 'settlement', 'manual'];

/** Whatever the venue may say of each order there is, and of one nobody knows. */
export function venueWords(context: PositionContext): readonly ActorEvent[] {
  const known = context.orders.map(({ ref, role, quantity, filled }) => ({ ref, role, quantity, filled }));
  const stranger = { ref: 'autoclose-1', role: 'venue', quantity: context.quantity, filled: '0' };
  return [...known, stranger].flatMap((order) => {
    const common = {
      ref: order.ref,
      clientOrderId: `bh-${order.ref}`,
      symbol: context.symbol,
      at: context.at,
    };
    const opens = order.role === 'entry' || order.role === 'add';
    const fill = {
      ...common,
      type: 'ORDER_FILLED',
      tradeId: order.ref,
      side: opens === (context.direction === 'long') ? 'BUY' : 'SELL',
      price: '100',
      maker: false,
      fee: '0.1',
      realizedPnl: '0',
    };
    const forced = order.role === 'venue' ? FORCED : [];
    const quantity = opens ? order.quantity : context.quantity;
    const half = String(Number(quantity) / 2);
    return [
      ...forced.map((cause) => {
        const ref = `forced-${cause}`;
        return { ...fill, ref, quantity: half, cumulative: half, complete: false, cause };
      }),
      { ...fill, quantity, cumulative: quantity, complete: true },
      { ...fill, quantity: half, cumulative: half, complete: false },
      { ...common, type: 'ORDER_ACKNOWLEDGED', orderId: '1' },
      { ...common, type: 'ORDER_REJECTED', code: -1000, reason: 'no' },
      { ...common, type: 'ORDER_REJECTED', code: -2021, reason: 'Order would immediately trigger.' },
      { ...common, type: 'ORDER_REJECTED', code: -2022, reason: 'ReduceOnly Order is rejected.' },
      { ...common, type: 'ORDER_REJECTED', code: 0, reason: 'never reached the venue' },
      { ...common, type: 'ORDER_UNKNOWN', reason: 'timeout' },
      { ...common, type: 'ORDER_TRIGGERED' },
      { ...common, type: 'ORDER_CLOSED', outcome: 'canceled', cumulative: order.filled, reason: 'asked' },
      { ...common, type: 'CANCEL_REJECTED', code: -2011, reason: 'Unknown order sent.' },
    ];
  });
}
