/**
 * The venue's request limits: weight by address, orders by account, 429 for who is over, 418 with a growing ban
 * for who goes on.
 *
 * Invariants: windows are whole minutes and whole ten seconds of the venue's clock, as the venue counts them; a
 * refused request is counted all the same, and is certainly not executed.
 */
import { WireError } from './protocol.ts';

export interface LimitRules {
  readonly weightPerMinute: number;
  readonly ordersPer10Seconds: number;
  readonly ordersPerMinute: number;
  /** Requests that may still come in one minute after its first 429 before the address is banned. */
  readonly patience: number;
  readonly firstBanMs: number;
  readonly longestBanMs: number;
  /** Whether 429 and 418 carry Retry-After; the venue does not document it. */
  readonly retryAfter: boolean;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const TEN_SECONDS_MS = 10_000;
const DAY_MS = 86_400_000;
/** Each ban is so many times longer than the one before, until the longest. */
const BAN_GROWTH = 4;

export const DEFAULT_LIMITS: LimitRules = {
  weightPerMinute: 2_400,
  ordersPer10Seconds: 300,
  ordersPerMinute: 1_200,
  patience: 10,
  firstBanMs: 2 * MINUTE_MS,
  longestBanMs: 3 * DAY_MS,
  retryAfter: false,
};

/** Not executed, and why; with the moment from which it may be tried again. */
export class LimitError extends WireError {
  readonly retryAt: number;

  constructor(code: number, message: string, status: number, retryAt: number) {
    super(code, message, status);
    this.retryAt = retryAt;
  }
}

interface Window {
  readonly index: number;
  used: number;
}

class Counter {
  readonly #windowMs: number;
  #window: Window = { index: -1, used: 0 };

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(amount: number, at: number): number {
    const index = Math.floor(at / this.#windowMs);
    if (index !== this.#window.index) this.#window = { index, used: 0 };
    this.#window.used += amount;
    return this.#window.used;
  }

  endOf(at: number): number {
    return (Math.floor(at / this.#windowMs) + 1) * this.#windowMs;
  }
}

interface Address {
  readonly weight: Counter;
  readonly refusals: Counter;
  bannedUntil: number;
  bans: number;
}

interface AccountOrders {
  readonly tenSeconds: Counter;
  readonly minute: Counter;
}

export interface Charge {
  readonly address: string;
  readonly weight: number;
  /** Whose orders they are; absent on public endpoints. */
  readonly account?: string | undefined;
  readonly orders: number;
  readonly at: number;
}

export class RateLimits {
  readonly rules: LimitRules;
  readonly #addresses = new Map<string, Address>();
  readonly #accounts = new Map<string, AccountOrders>();
  #stormUntil = 0;

  constructor(rules: Partial<LimitRules> = {}) {
    this.rules = { ...DEFAULT_LIMITS, ...rules };
  }

  /** Counts the request. The headers of its answer, or the refusal with them in `headers`. */
  charge(charge: Charge): { readonly headers: Record<string, string>; readonly refusal?: LimitError } {
    const { at } = charge;
    const address = this.#address(charge.address);
    const used = address.weight.add(charge.weight, at);
    const headers: Record<string, string> = { 'X-MBX-USED-WEIGHT-1M': String(used) };
    const refusal =
      this.#banned(address, charge) ??
      this.#overWeight(address, used, charge) ??
      this.#overOrders(charge, headers);
    if (!refusal) return { headers };
    if (this.rules.retryAfter)
      headers['Retry-After'] = String(Math.max(1, Math.ceil((refusal.retryAt - at) / SECOND_MS)));
    return { headers, refusal };
  }

  /** Bans everybody known and to come from now on, as the venue would after too many requests. */
  ban(address: string, until: number): void {
    this.#address(address).bannedUntil = until;
  }

  /** Answers everything with 429 until then. */
  storm(until: number): void {
    this.#stormUntil = until;
  }

  pardon(): void {
    this.#addresses.clear();
    this.#stormUntil = 0;
  }

  #address(name: string): Address {
    let address = this.#addresses.get(name);
    if (!address) {
      address = {
        weight: new Counter(MINUTE_MS),
        refusals: new Counter(MINUTE_MS),
        bannedUntil: 0,
        bans: 0,
      };
      this.#addresses.set(name, address);
    }
    return address;
  }

  #banned(address: Address, { address: name, at }: Charge): LimitError | undefined {
    if (at >= address.bannedUntil) return undefined;
    const text = `Way too many requests; IP(${name}) banned until ${address.bannedUntil}. Please use the websocket for live updates to avoid bans.`;
    return new LimitError(-1003, text, 418, address.bannedUntil);
  }

  #overWeight(address: Address, used: number, charge: Charge): LimitError | undefined {
    const { at } = charge;
    if (used <= this.rules.weightPerMinute && at >= this.#stormUntil) return undefined;
    if (address.refusals.add(1, at) > this.rules.patience + 1) {
      const banMs = Math.min(this.rules.firstBanMs * BAN_GROWTH ** address.bans, this.rules.longestBanMs);
      address.bannedUntil = at + banMs;
      address.bans++;
      return this.#banned(address, charge);
    }
    const text = `Too many requests; current limit of IP(${charge.address}) is ${this.rules.weightPerMinute} requests per minute. Please use the websocket for live updates to avoid polling the API.`;
    return new LimitError(-1003, text, 429, Math.max(address.weight.endOf(at), this.#stormUntil));
  }

  #overOrders(charge: Charge, headers: Record<string, string>): LimitError | undefined {
    const { account, orders, at } = charge;
    if (account === undefined || orders === 0) return undefined;
    let counts = this.#accounts.get(account);
    if (!counts) {
      counts = { tenSeconds: new Counter(TEN_SECONDS_MS), minute: new Counter(MINUTE_MS) };
      this.#accounts.set(account, counts);
    }
    const inTenSeconds = counts.tenSeconds.add(orders, at);
    const inMinute = counts.minute.add(orders, at);
    headers['X-MBX-ORDER-COUNT-10S'] = String(inTenSeconds);
    headers['X-MBX-ORDER-COUNT-1M'] = String(inMinute);
    const { ordersPer10Seconds, ordersPerMinute } = this.rules;
    if (inTenSeconds > ordersPer10Seconds)
      return tooManyOrders(`${ordersPer10Seconds} orders per 10 SECONDS`, counts.tenSeconds.endOf(at));
    if (inMinute > ordersPerMinute)
      return tooManyOrders(`${ordersPerMinute} orders per MINUTE`, counts.minute.endOf(at));
    return undefined;
  }
}

const tooManyOrders = (limit: string, retryAt: number): LimitError =>
  new LimitError(-1015, `Too many new orders; current limit is ${limit}.`, 429, retryAt);
