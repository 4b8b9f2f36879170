/**
 * Why a symbol's market data cannot be relied on now. There may be several reasons at once, and it is well again
 * only when the last of them is gone.
 */
import type { SymbolName } from '../../domain/instrument.ts';

/** Silent; its past cannot be read; its bars are withheld; mark and book contradict each other. */
export type Ailment = 'stale' | 'history' | 'bars' | 'prices';

export class FeedHealth {
  readonly #ailments = new Map<SymbolName, Set<Ailment>>();

  /** Everything that ails now. */
  get outOfOrder(): SymbolName[] {
    return [...this.#ailments.keys()].sort();
  }

  isWell(symbol: SymbolName): boolean {
    return !this.#ailments.has(symbol);
  }

  has(symbol: SymbolName, ailment: Ailment): boolean {
    return this.#ailments.get(symbol)?.has(ailment) === true;
  }

  /** False when that was known. */
  down(symbol: SymbolName, ailment: Ailment): boolean {
    const known = this.#ailments.get(symbol) ?? new Set();
    this.#ailments.set(symbol, known);
    if (known.has(ailment)) return false;
    known.add(ailment);
    return true;
  }

  /** True when with this it is well again. */
  up(symbol: SymbolName, ailment: Ailment): boolean {
    const known = this.#ailments.get(symbol);
    if (!known?.delete(ailment) || known.size > 0) return false;
    this.#ailments.delete(symbol);
    return true;
  }
}
