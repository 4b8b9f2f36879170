/** The newest public trades of one symbol, in a ring. Invariant: ids and times ascend. */

export interface PublicTrade {
  readonly id: number;
  readonly at: number;
  readonly price: number;
  readonly quantity: number;
  readonly buyerMaker: boolean;
}

const KEPT = 1000;

export class TradeTape {
  #trades: PublicTrade[] = [];
  #lastId = 0;

  get last(): PublicTrade | undefined {
    return this.#trades.at(-1);
  }

  /** Ids come from the time, so that they go on ascending after a restart that kept no tape. */
  add(at: number, price: number, quantity: number, buyerMaker: boolean): PublicTrade {
    this.#lastId = Math.max(this.#lastId + 1, Math.floor(at / 500));
    const trade = { id: this.#lastId, at, price, quantity, buyerMaker };
    this.#trades.push(trade);
    if (this.#trades.length >= 2 * KEPT) this.#trades = this.#trades.slice(-KEPT);
    return trade;
  }

  /** At most `limit`, oldest first: from the given id or time on, else the newest. */
  read(
    limit: number,
    from: {
      readonly id?: number | undefined;
      readonly start?: number | undefined;
      readonly end?: number | undefined;
    } = {},
  ): PublicTrade[] {
    const { id, start, end = Infinity } = from;
    if (id === undefined && start === undefined && end === Infinity) return this.#trades.slice(-limit);
    const found = this.#trades.filter(
      (trade) => trade.id >= (id ?? 0) && trade.at >= (start ?? 0) && trade.at <= end,
    );
    return id === undefined && start === undefined ? found.slice(-limit) : found.slice(0, limit);
  }
}
