/**
 * The account side of the local venue: accounts, orders and money behind the private endpoints.
 *
 * Invariants: no clock and no dice; the same entries in the same order give the same checkpoint, byte for byte;
 * an entry is in the journal before its pushes or its answer leave.
 */
import type { Json } from '../core/json.ts';
import type { EngineInput } from '../exchange/engine-types.ts';
import type { AccountLedger, CoreEntry, CoreOptions } from './core-types.ts';
import type { Endpoint } from './protocol.ts';

export type * from './core-types.ts';

export class VenueCore {
  readonly #options: CoreOptions;

  constructor(options: CoreOptions) {
    this.#options = options;
  }

  static restore(_checkpoint: Json, options: CoreOptions): VenueCore {
    return new VenueCore(options);
  }

  /** Private REST; `handle` journals by itself, with the quotes that it used. */
  endpoints(): readonly Endpoint[] {
    return [];
  }

  /** A market input, or (with an account) one that concerns that account alone. Journals only what has an effect. */
  feed(_input: EngineInput, _account?: string): void {}

  /** Does what has fallen due: listen keys, good-till dates, countdowns. */
  tick(_at: number): void {}

  nextDeadline(): number | undefined {
    return undefined;
  }

  /** The same again: nothing is pushed and nothing journaled. */
  replay(_entry: CoreEntry): void {}

  checkpoint(): Json {
    return {};
  }

  accountOf(apiKey: string): string | undefined {
    return this.#options.accounts.find((account) => account.apiKey === apiKey)?.id;
  }

  listenKeyAccount(_key: string): string | undefined {
    return undefined;
  }

  /** Ends an account's listen key, with or without the event that says so. */
  expireListenKey(_account: string, _at: number, _announce: boolean): void {}

  violations(): string[] {
    return [];
  }

  ledger(account: string): AccountLedger | undefined {
    const known = this.#options.accounts.find(({ id }) => id === account);
    if (!known) return undefined;
    const { initialBalance } = known;
    return {
      account,
      wallet: initialBalance,
      deposits: initialBalance,
      orders: [],
      algoOrders: [],
      trades: [],
      income: [],
      positions: [],
    };
  }
}
