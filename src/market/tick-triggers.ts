/**
 * From a tick to the positions it concerns: which prices of a tick can touch a trigger, and whom they wake.
 * Triggers are on mark or on last price; each kind has its own guard-band index.
 */
import type { Tick } from './frame-decoder.ts';
import type { GuardBandIndex } from './guard-band-index.ts';

export type WakeOwner = (owner: string, tick: Tick) => void;

export class TickTriggers {
  readonly #onMark: GuardBandIndex;
  readonly #onLast: GuardBandIndex;
  readonly #wake: WakeOwner;

  constructor(onMark: GuardBandIndex, onLast: GuardBandIndex, wake: WakeOwner) {
    this.#onMark = onMark;
    this.#onLast = onLast;
    this.#wake = wake;
  }

  /** A book's best prices stand for the next trade: a sale gets the bid, a purchase the ask. */
  offer(tick: Tick): void {
    switch (tick.kind) {
      case 'mark':
        this.#rouse(this.#onMark.check(tick.symbol, tick.price, tick.price), tick);
        return;
      case 'trade':
        this.#rouse(this.#onLast.check(tick.symbol, tick.price, tick.price), tick);
        return;
      case 'book':
        this.#rouse(this.#onLast.check(tick.symbol, tick.bid, tick.ask), tick);
        return;
      case 'candle':
        this.#rouse(this.#onLast.check(tick.symbol, tick.low, tick.high), tick);
        return;
      case 'depth':
        return;
    }
  }

  #rouse(owners: readonly string[], tick: Tick): void {
    for (const owner of owners) this.#wake(owner, tick);
  }
}
