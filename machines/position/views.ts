/** What the regions of a position show, read from its books alone. */
import type { PositionContext } from './context.ts';
import { isOver, pending } from './orders.ts';

const entryOrder = (context: PositionContext) => context.orders.find((order) => order.role === 'entry');
export const entryUnknown = (context: PositionContext): boolean => entryOrder(context)?.status === 'unknown';
export const entryOver = (context: PositionContext): boolean => {
  const order = entryOrder(context);
  return order === undefined || isOver(order);
};

export type Closing = 'working' | 'unknown' | 'backingOff';

export function closingView(context: PositionContext): Closing {
  const orders = pending(context, 'close', 'emergency');
  if (orders.some((order) => order.status !== 'unknown')) return 'working';
  return orders.length > 0 ? 'unknown' : 'backingOff';
}

export type Scaling = 'waiting' | 'resting' | 'working' | 'unknown' | 'refused' | 'done';

export function scalingView(context: PositionContext): Scaling {
  const exits = pending(context, 'exit');
  if (exits.some((order) => order.status === 'unknown')) return 'unknown';
  if (exits.some((order) => order.status === 'submitted' || order.price === null)) return 'working';
  if (context.scaleRefused) return 'refused';
  if (exits.length > 0) return 'resting';
  return context.scaleParts.length > 0 || pending(context, 'entry').length > 0 ? 'waiting' : 'done';
}

export type Adding = 'waiting' | 'asking' | 'adding' | 'unknown' | 'spent';

export function addingView(context: PositionContext): Adding {
  const adds = pending(context, 'add');
  if (adds.some((order) => order.status === 'unknown')) return 'unknown';
  if (adds.length > 0) return 'adding';
  if (context.asking) return 'asking';
  const spent = context.plan.pyramid === null || context.adds >= context.plan.pyramid.maxAdds;
  return spent ? 'spent' : 'waiting';
}

export const unknownStops = (context: PositionContext): number =>
  pending(context, 'stop').filter((stop) => stop.status === 'unknown').length;
