/**
 * The API keys that open the venue's accounts. An account is made with one; the admin may add others and take any away,
 * as people do at a venue. What was changed lasts until the venue ends.
 */
import { BulkheadError } from '../core/errors.ts';
import type { Keys } from './transport/authenticate.ts';

export interface KeyedAccount {
  readonly id: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

export class Keyring implements Keys {
  readonly #accounts: readonly KeyedAccount[];
  readonly #keys = new Map<string, KeyedAccount>();

  constructor(accounts: readonly KeyedAccount[]) {
    this.#accounts = accounts;
    for (const account of accounts) this.#keys.set(account.apiKey, account);
  }

  secretOf(apiKey: string): string | undefined {
    return this.#keys.get(apiKey)?.apiSecret;
  }

  /** The key by which the core knows the account that this one opens; an unknown key stays what it is. */
  firstOf(apiKey: string): string {
    const id = this.#keys.get(apiKey)?.id;
    return this.#accounts.find((account) => account.id === id)?.apiKey ?? apiKey;
  }

  add(key: KeyedAccount): void {
    if (!this.#accounts.some(({ id }) => id === key.id)) throw wrong(`there is no account "${key.id}"`);
    if (this.#keys.has(key.apiKey)) throw wrong('there is such a key already');
    this.#keys.set(key.apiKey, key);
  }

  /** The account that it opened. */
  revoke(apiKey: string): string {
    const key = this.#keys.get(apiKey);
    if (!key) throw wrong('there is no such key');
    this.#keys.delete(apiKey);
    return key.id;
  }
}

const wrong = (what: string): BulkheadError =>
  new BulkheadError('DATA_INVALID', `Not done: ${what}.`, {
    hint: 'docs/EXCHANGE.md shows what each admin request takes.',
  });
