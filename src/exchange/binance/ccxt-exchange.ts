/**
 * Binance USD-M futures, or a venue on this machine that speaks its protocol, behind the gateway's port. One code
 * path for both: what differs is the address.
 *
 * Invariants: those of the port (venue-gateway.ts). Paper mode speaks to this machine only, live mode never does.
 * What changes something at the venue leaves only while `mayAct` holds, asked right before it leaves. Secrets are in
 * no event, error or log line.
 */
import type { Time } from '../../core/clock.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { Dial } from '../../core/kept-socket.ts';
import { type Logger, SILENT } from '../../core/logger.ts';
import type { Random } from '../../core/random.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { IdentifiedOrder } from '../../domain/order.ts';
import type { PositionMode } from '../../domain/position-key.ts';
import type { RemoteAnswers, RemoteCall, RemoteOutcome } from '../../domain/remote.ts';
import { classifyFailure } from '../call-outcome.ts';
import { type OrderId, OrderNames } from '../order-names.ts';
import { type BudgetUse, RateBudget } from '../rate-budget.ts';
import type { VenueClient, VenueClientOptions, VenueKey } from '../venue-client.ts';
import type { GatewayEvent, VenueCheck, VenueGateway } from '../venue-gateway.ts';
import { accountName, asStartupError, insistOnAccount } from './ccxt-account.ts';
import { type VenueMode, venueAddress } from './ccxt-address.ts';
import { LATE_MS, VenueCaller } from './ccxt-caller.ts';
import { type Finding, unfitToTrade, VenueChecks } from './ccxt-checks.ts';
import { openVenueClient } from './ccxt-client.ts';
import { type ExchangeInfo, readExchangeInfo, VenueInstruments } from './ccxt-instruments.ts';
import { Line, REPORT_CALLS } from './ccxt-line.ts';
import { listenKeys } from './ccxt-listen-keys.ts';
import { laneOf, VenueOrders } from './ccxt-orders.ts';
import { asRow, moment } from './ccxt-rows.ts';
import { ClockOffset } from './clock-offset.ts';
import { UserStream } from './socket-user-stream.ts';

export interface CcxtExchangeOptions {
  readonly mode: VenueMode;
  /** Scheme, host and port; Binance's own where absent (live only). */
  readonly restUrl?: string;
  readonly streamUrl?: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** The key may be changed later on: whose account it is must be known by then. */
  readonly mayChangeKey?: boolean;
  /** The runtime's time, scaled like the venue's. */
  readonly time: Time;
  /** For what the network does. */
  readonly realTime: Time;
  readonly random: Random;
  /** False: nothing that changes something may leave (lease lost, journal broken, stopping). */
  readonly mayAct: () => boolean;
  /** A reason not to send an order that could open, asked right before it leaves. */
  readonly refuses?: (order: IdentifiedOrder) => string | undefined;
  /** The journal has this order by the venue's id: a reading need not ask whose it was. */
  readonly knows?: (order: OrderId) => boolean;
  /** Only calls: opening it runs no checks and no private stream. */
  readonly bare?: boolean;
  readonly symbols: readonly SymbolName[];
  readonly limits: {
    readonly maxLeverage: number;
    readonly marginMode: 'cross' | 'isolated';
    readonly positionMode: PositionMode;
  };
  readonly allowWithdrawals: boolean;
  readonly recvWindowMs?: number;
  /** Of one request, in real time, body included. */
  readonly callTimeoutMs?: number;
  readonly maxClockSkewMs?: number;
  /** The asset of the wallet. */
  readonly asset?: string;
  readonly log?: Logger;
  /** Shared with whoever else asks this venue from this address; one of its own where absent. */
  readonly budget?: RateBudget;
  /** What carries requests, and what opens sockets, where it is not the machine's own network. */
  readonly connect?: (options: VenueClientOptions) => Promise<VenueClient>;
  readonly dial?: Dial;
}

const RECV_WINDOW_MS = 5000;
const CALL_TIMEOUT_MS = 10_000;
const MAX_CLOCK_SKEW_MS = 5000;
/** What a standby has looked at is good for so long. */
const PREPARED_FOR_MS = 600_000;

export class CcxtExchange implements VenueGateway {
  readonly name: string;
  readonly #options: CcxtExchangeOptions;
  readonly #log: Logger;
  readonly #address: { readonly rest: string | undefined; readonly stream: string };
  readonly #budget: RateBudget;
  readonly #clock: ClockOffset;
  readonly #names: OrderNames;
  readonly #grids = new Map<SymbolName, Instrument>();
  #onEvent: (event: GatewayEvent) => void = () => {};
  #key: VenueKey;
  #line: Line | undefined;
  #stream: UserStream | undefined;
  /** The account's own name at the venue, where it tells one. */
  #account: string | undefined;
  /** A change of key that is under way. */
  #changing: Promise<unknown> = Promise.resolve();
  /** What a standby found, and when (real, monotonic). */
  #prepared: { readonly at: number; readonly findings: readonly Finding[] } | undefined;
  #closed = false;

  constructor(options: CcxtExchangeOptions) {
    this.#options = options;
    this.#names = new OrderNames(options.knows);
    this.#key = { apiKey: options.apiKey, apiSecret: options.apiSecret };
    this.#log = options.log ?? SILENT;
    this.#address = venueAddress(options.mode, options.restUrl, options.streamUrl);
    this.name = this.#address.rest === undefined ? 'binance' : new URL(this.#address.rest).host;
    this.#budget = options.budget ?? new RateBudget(options.time);
    this.#clock = new ClockOffset({
      time: options.time,
      ask: () => this.#askTime(),
      onReading: ({ offsetMs, roundTripMs }) => this.#onEvent({ type: 'clock', offsetMs, roundTripMs }),
    });
  }

  venueNow(): number {
    return this.#clock.venueNow();
  }

  /** What of the rate limits is used, for the status. */
  budgetUse(): BudgetUse {
    return this.#budget.use();
  }

  async open(onEvent: (event: GatewayEvent) => void): Promise<readonly VenueCheck[]> {
    this.#onEvent = onEvent;
    const prepared = this.#usePrepared();
    if (prepared) return prepared;
    try {
      const { caller } = (await this.#connect()).parts;
      this.#clock.stop();
      await this.#clock.start();
      if (this.#options.bare === true) return [];
      const checks = await this.#checks(caller, (all, info, signal) =>
        all.run(info, this.#clock.offsetMs ?? 0, signal),
      );
      await this.#learnAccount(caller);
      this.#openStream(caller);
      return checks;
    } catch (error) {
      throw asStartupError(error, this.name);
    }
  }

  /** The startup checks without their changes, all of them, and without a stream; for looking around. */
  async check(): Promise<readonly Finding[]> {
    try {
      const { caller } = (await this.#connect()).parts;
      await this.#clock.measure();
      return await this.#checks(caller, (checks, info, signal) =>
        checks.inspect(info, this.#clock.offsetMs ?? 0, signal),
      );
    } catch (error) {
      throw asStartupError(error, this.name);
    }
  }

  /**
   * Of `open`, all that changes nothing and that the leader's own doing does not disturb: clock, instruments, checks,
   * and the private stream, whose key two may listen with. Asked again, it looks again. Throws like `open`.
   */
  async prepare(): Promise<readonly Finding[]> {
    const isFirst = this.#prepared === undefined;
    try {
      const { caller } = (await this.#connect()).parts;
      if (isFirst) await this.#clock.start();
      await this.instruments(this.#options.symbols);
      const findings = await this.#checks(caller, (checks, info, signal) =>
        checks.inspect(info, this.#clock.offsetMs ?? 0, signal),
      );
      await this.#learnAccount(caller);
      if (!this.#stream) this.#openStream(caller);
      this.#prepared = { at: this.#options.realTime.monotonic.now(), findings };
      return findings;
    } catch (error) {
      if (isFirst) this.#clock.stop();
      throw asStartupError(error, this.name);
    }
  }

  /** Undefined: nothing was prepared, it is too old, or a start would have to do or refuse something. */
  #usePrepared(): readonly VenueCheck[] | undefined {
    const { at, findings } = this.#prepared ?? { at: 0, findings: [] };
    const age = this.#options.realTime.monotonic.now() - at;
    const isFit = findings.every(({ ok, mandatory, pending }) => (ok || !mandatory) && !pending);
    if (findings.length === 0 || !isFit || age > PREPARED_FOR_MS) return undefined;
    // What was said before is known only from a full reading, which this asks for.
    if (this.#stream?.isUp) this.#onEvent({ type: 'stream-up' });
    return findings.map(({ check, ok, detail }) => ({ check, ok, detail }));
  }

  /**
   * From the next call on it is this key that signs; calls under way end with the old one. The private stream begins
   * anew, and asks for a full reading. Throws VENUE_REFUSED for a key that no start would take or that is another
   * account's, and VENUE_UNREACHABLE; then everything is as before.
   */
  changeKey(key: VenueKey): Promise<readonly Finding[]> {
    const changed = this.#changing.then(() => this.#change(key));
    this.#changing = changed.catch(() => {});
    return changed;
  }

  async #change(key: VenueKey): Promise<readonly Finding[]> {
    const old = await this.#connect();
    const line = await this.#lineOf(key);
    try {
      const { caller } = line.parts;
      const findings = await this.#checks(caller, (checks, info, signal) =>
        checks.inspect(info, this.#clock.offsetMs ?? 0, signal),
      );
      const unfit = unfitToTrade(findings);
      if (unfit) throw unfit;
      const mine = this.#account ?? (await accountName(old.parts.caller));
      insistOnAccount(mine, await accountName(caller));
      if (this.#closed) throw new BulkheadError('INTERNAL', 'the gateway is closed');
      this.#account = mine;
      this.#key = key;
      this.#line = line;
      old.retire(this.#options.realTime, LATE_MS);
      if (this.#stream) {
        this.#tell({ type: 'stream-down', reason: 'the API key is changed' });
        this.#openStream(caller);
      }
      return findings;
    } catch (error) {
      await line.close();
      throw asStartupError(error, this.name);
    }
  }

  async #learnAccount(caller: VenueCaller): Promise<void> {
    if (this.#options.mayChangeKey === true) this.#account ??= await accountName(caller);
  }

  async instruments(symbols?: readonly SymbolName[]): Promise<readonly Instrument[]> {
    const line = await this.#connect();
    const deadline = line.parts.caller.deadline(REPORT_CALLS);
    try {
      const { instruments, info } = await line.use((parts) =>
        parts.instruments.read(symbols, deadline.signal),
      );
      this.#budget.setLimits(info.limits);
      for (const instrument of instruments) this.#grids.set(instrument.symbol, instrument);
      return instruments;
    } catch (error) {
      throw asStartupError(error, this.name);
    } finally {
      deadline.done();
    }
  }

  async call<C extends RemoteCall>(call: C): Promise<RemoteOutcome<RemoteAnswers[C['call']]>> {
    const { monotonic } = this.#options.realTime;
    const begun = monotonic.now();
    let outcome: RemoteOutcome<RemoteAnswers[RemoteCall['call']]>;
    try {
      const value = await (await this.#connect()).call(call);
      if (value && 'book' in value && value.book === 'plain') this.#names.heard(value.order);
      outcome = { outcome: 'done', value };
    } catch (error) {
      outcome = classifyFailure(error);
      this.#log.debug('venue call failed', { call: call.call, id: call.id, ...outcome });
    }
    const latencyMs = monotonic.now() - begun;
    this.#tell({ type: 'called', call: call.call, outcome: outcome.outcome, latencyMs });
    // The switch in #perform pairs each call with its own answer.
    return outcome as RemoteOutcome<RemoteAnswers[C['call']]>;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#clock.stop();
    this.#stream?.stop();
    this.#budget.close();
    await this.#line?.close();
  }

  #veto(): string | undefined {
    const may = !this.#closed && this.#options.mayAct();
    return may ? undefined : 'this process may not act at the venue now';
  }

  #ordersOf(caller: VenueCaller): VenueOrders {
    const { time, refuses } = this.#options;
    return new VenueOrders({
      caller,
      veto: (order) => this.#veto() ?? (order && laneOf(order) === 'entry' ? refuses?.(order) : undefined),
      now: () => time.clock.now(),
      grid: (symbol) => this.#grids.get(symbol),
      onLate: (placed) => {
        const at = this.venueNow();
        if (placed.book === 'plain')
          this.#tell({ type: 'stream', event: { kind: 'order', at, order: placed.order } });
        else this.#tell({ type: 'stream', event: { kind: 'algo', at, algo: placed.algo } });
      },
    });
  }

  async #connect(): Promise<Line> {
    if (this.#line) return this.#line;
    const line = await this.#lineOf(this.#key);
    // Two askers at once: the first one's connection serves both.
    this.#line ??= line;
    return this.#line;
  }

  async #lineOf(key: VenueKey): Promise<Line> {
    const { recvWindowMs, callTimeoutMs, realTime } = this.#options;
    const client = await (this.#options.connect ?? openVenueClient)({
      origin: this.#address.rest,
      ...key,
      recvWindowMs: recvWindowMs ?? RECV_WINDOW_MS,
      venueNow: () => this.venueNow(),
    });
    const caller = new VenueCaller({
      client,
      budget: this.#budget,
      realTime,
      random: this.#options.random.fork('retries'),
      callTimeoutMs: callTimeoutMs ?? CALL_TIMEOUT_MS,
      venueNow: () => this.venueNow(),
      onThrottled: (code, untilMs) => {
        this.#log.warn('the venue keeps us out for its rate limits', { code, untilMs });
        this.#tell({ type: 'throttled', code, untilMs });
      },
      onBadTime: () => void this.#clock.measure(),
    });
    return new Line({
      client,
      caller,
      orders: this.#ordersOf(caller),
      instruments: new VenueInstruments(caller),
      names: this.#names,
      asset: this.#options.asset ?? 'USDT',
      venueNow: () => this.venueNow(),
    });
  }

  async #askTime(): Promise<number> {
    const { caller } = (await this.#connect()).parts;
    const deadline = caller.deadline();
    try {
      return moment(asRow(await caller.read('time', {}, 'resolve', deadline.signal), 'time'), 'serverTime');
    } finally {
      deadline.done();
    }
  }

  async #checks<T>(
    caller: VenueCaller,
    make: (checks: VenueChecks, info: ExchangeInfo, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { symbols, limits, allowWithdrawals, maxClockSkewMs } = this.#options;
    const deadline = caller.deadline(REPORT_CALLS);
    try {
      const info = await readExchangeInfo(caller, deadline.signal);
      this.#budget.setLimits(info.limits);
      const checks = new VenueChecks(caller, {
        symbols,
        ...limits,
        allowWithdrawals,
        maxClockSkewMs: maxClockSkewMs ?? MAX_CLOCK_SKEW_MS,
        clockMatters: this.#options.mode === 'live',
        veto: () => this.#veto(),
      });
      return await make(checks, info, deadline.signal);
    } finally {
      deadline.done();
    }
  }

  #openStream(caller: VenueCaller): void {
    const { time, realTime, random, dial } = this.#options;
    this.#stream?.stop();
    this.#stream = new UserStream({
      url: this.#address.stream,
      keys: listenKeys(caller),
      time,
      realTime,
      random: random.fork('user-stream'),
      onEvent: (event) => this.#tell(event),
      onNotice: (notice) => this.#log.warn(notice),
      ...(dial && { dial }),
    });
    this.#stream.start();
  }

  #tell(event: GatewayEvent): void {
    if (event.type === 'stream' && event.event.kind === 'order') this.#names.heard(event.event.order);
    if (!this.#closed) this.#onEvent(event);
  }
}

export const openCcxtExchange = (options: CcxtExchangeOptions): CcxtExchange => new CcxtExchange(options);
