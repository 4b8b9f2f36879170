/**
 * Where a position may be: on a symbol, or in hedge mode on one side of it. Whoever keeps something for each
 * position keeps it by this key.
 *
 * Invariants: in one-way mode the key is the symbol's name, and nothing that is kept or written differs for there
 * being another mode; in hedge mode no key is a symbol's name alone. What has a position side has a key.
 */
import type { SymbolName } from './instrument.ts';
import type { Direction, PositionSide } from './order.ts';

export const POSITION_MODES = ['one-way', 'hedge'] as const;
export type PositionMode = (typeof POSITION_MODES)[number];
export type HedgeSide = Exclude<PositionSide, 'BOTH'>;

declare const key: unique symbol;
/** "BTCUSDT", or "BTCUSDT/LONG". */
export type PositionKey = string & { readonly [key]: true };

/** What names its place; without a side it is of one-way mode. */
export interface Placed {
  readonly symbol: SymbolName;
  readonly positionSide?: PositionSide;
}

export function keyOf({ symbol, positionSide = 'BOTH' }: Placed): PositionKey {
  return (positionSide === 'BOTH' ? symbol : `${symbol}/${positionSide}`) as PositionKey;
}

export const symbolOf = (place: PositionKey): SymbolName => place.split('/', 1)[0] ?? '';

export const positionSideOf = (place: PositionKey): PositionSide => sideNamed(place.split('/')[1]);

const sideNamed = (word: string | undefined): PositionSide =>
  word === 'LONG' || word === 'SHORT' ? word : 'BOTH';

/** The place that an actor is about: "entry/BTCUSDT/LONG", "position/BTCUSDT/LONG/3", "scanner/BTCUSDT". */
export function keyOfActor(actor: string): PositionKey {
  const [, symbol = '', side] = actor.split('/');
  return keyOf({ symbol, positionSide: sideNamed(side) });
}

/** Every place of a symbol. */
export const keysOn = (symbol: SymbolName, mode: PositionMode): readonly PositionKey[] =>
  mode === 'hedge'
    ? [keyOf({ symbol, positionSide: 'LONG' }), keyOf({ symbol, positionSide: 'SHORT' })]
    : [keyOf({ symbol })];

/** Where a position of this direction belongs. */
export const keyFor = (symbol: SymbolName, direction: Direction, mode: PositionMode): PositionKey =>
  keyOf({ symbol, positionSide: mode === 'hedge' ? hedgeSide(direction) : 'BOTH' });

export const hedgeSide = (direction: Direction): HedgeSide => (direction === 'long' ? 'LONG' : 'SHORT');

/** For what is written: the side is named in hedge mode alone. */
export function namedSide(place: PositionKey): { readonly positionSide?: HedgeSide } {
  const positionSide = positionSideOf(place);
  return positionSide === 'BOTH' ? {} : { positionSide };
}

export const keysIn = <T>(record: Readonly<Record<PositionKey, T>>): PositionKey[] =>
  Object.keys(record) as PositionKey[];

/** What an actor keeps of the mode: nothing in one-way mode, which is what a row from before there was another has. */
export interface Moded {
  readonly positionMode?: 'hedge';
}

export const modeOf = ({ positionMode }: Moded): PositionMode => positionMode ?? 'one-way';
export const moded = (mode: PositionMode): Moded => (mode === 'hedge' ? { positionMode: mode } : {});
