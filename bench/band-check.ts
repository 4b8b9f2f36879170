/** A thousand positions' guard bands, and what every decoded tick asks of them; a run asks at marks alone. */
import type { Tick } from '../src/market/feeds/frame-decoder.ts';
import { GuardBandIndex } from '../src/market/guard-band-index.ts';
import { SYMBOLS } from './frame-mix.ts';

const POSITIONS = 1000;

/** Bands from `low` to `high` and a little wider from position to position, dealt over the symbols. */
export function manyBands(low: number, high: number): GuardBandIndex {
  const bands = new GuardBandIndex();
  for (let i = 0; i < POSITIONS; i++) {
    const wider = (i % 50) / 50;
    bands.set(SYMBOLS[i % SYMBOLS.length] as string, `position/${i}`, low - wider, high + wider);
  }
  return bands;
}

/** How many positions the prices of this tick concern. */
export function concerned(bands: GuardBandIndex, tick: Tick): number {
  switch (tick.kind) {
    case 'mark':
    case 'trade':
      return bands.check(tick.symbol, tick.price, tick.price).length;
    case 'book':
      return bands.check(tick.symbol, tick.bid, tick.ask).length;
    case 'candle':
      return bands.check(tick.symbol, tick.low, tick.high).length;
    default:
      return 0;
  }
}
