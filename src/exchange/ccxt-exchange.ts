/**
 * Binance USD-M futures, or a venue on this machine that speaks its protocol, behind the gateway's port. One code
 * path for both: what differs is the address.
 *
 * Invariants: those of the port (venue-gateway.ts). Paper mode speaks to this machine only, live mode never does.
 * What changes something at the venue leaves only while `mayAct` holds, asked right before it leaves. Secrets are in
 * no event, error or log line.
 */
import type { Time } from '../core/clock.ts';
import { BulkheadError, isBulkheadError } from '../core/errors.ts';
import type { Dial } from '../core/kept-socket.ts';
import { type Logger, SILENT } from '../core/logger.ts';
import type { Random } from '../core/random.ts';
import type { Instrument, SymbolName } from '../domain/instrument.ts';
import type { IdentifiedOrder } from '../domain/order.ts';
import type { RemoteAnswers, RemoteCall, RemoteOutcome } from '../domain/remote.ts';
import { classifyFailure } from './call-outcome.ts';
import { type VenueMode, venueAddress } from './ccxt-address.ts';
import { VenueCaller } from './ccxt-caller.ts';
import { type Finding, VenueChecks } from './ccxt-checks.ts';
import { openVenueClient } from './ccxt-client.ts';
import { type ExchangeInfo, readExchangeInfo, VenueInstruments } from './ccxt-instruments.ts';
import { laneOf, VenueOrders } from './ccxt-orders.ts';
import { VenueReadings } from './ccxt-report.ts';
import { asRow, moment, text } from './ccxt-rows.ts';
import { ClockOffset } from './clock-offset.ts';
import { OrderNames } from './order-names.ts';
import { type BudgetUse, RateBudget } from './rate-budget.ts';
import { type ListenKeys, UserStream } from './socket-user-stream.ts';
import type { VenueClient, VenueClientOptions } from './venue-client.ts';
import type { GatewayEvent, VenueCheck, VenueGateway } from './venue-gateway.ts';

export interface CcxtExchangeOptions {
  readonly mode: VenueMode;
  /** Scheme, host and port; Binance's own where absent (live only). */
  readonly restUrl?: string;
  readonly streamUrl?: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** The runtime's time, scaled like the venue's. */
  readonly time: Time;
  /** For what the network does. */
  readonly realTime: Time;
  readonly random: Random;
  /** False: nothing that changes something may leave (lease lost, journal broken, stopping). */
  readonly mayAct: () => boolean;
  /** A reason not to send an order that could open, asked right before it leaves. */
  readonly refuses?: (order: IdentifiedOrder) => string | undefined;
  /** Only calls: opening it runs no checks and no private stream. */
  readonly bare?: boolean;
  readonly symbols: readonly SymbolName[];
  readonly limits: { readonly maxLeverage: number; readonly marginMode: 'cross' | 'isolated' };
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
/** A full reading is many requests, which may have to wait for the budget. */
const REPORT_CALLS = 6;

export class CcxtExchange implements VenueGateway {
  readonly name: string;
  readonly #options: CcxtExchangeOptions;
  readonly #log: Logger;
  readonly #address: { readonly rest: string | undefined; readonly stream: string };
  readonly #budget: RateBudget;
  readonly #clock: ClockOffset;
  readonly #names = new OrderNames();
  readonly #grids = new Map<SymbolName, Instrument>();
  #onEvent: (event: GatewayEvent) => void = () => {};
  #client: VenueClient | undefined;
  #caller: VenueCaller | undefined;
  #orders: VenueOrders | undefined;
  #instruments: VenueInstruments | undefined;
  #stream: UserStream | undefined;
  /** What a standby found, and when (real, monotonic). */
  #prepared: { readonly at: number; readonly findings: readonly Finding[] } | undefined;
  #closed = false;

  constructor(options: CcxtExchangeOptions) {
    this.#options = options;
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
      const caller = await this.#connect();
      this.#clock.stop();
      await this.#clock.start();
      if (this.#options.bare === true) return [];
      const checks = await this.#checks(caller, (all, info, signal) =>
        all.run(info, this.#clock.offsetMs ?? 0, signal),
      );
      this.#openStream(caller);
      return checks;
    } catch (error) {
      throw asStartupError(error, this.name);
    }
  }

  /** The startup checks without their changes, all of them, and without a stream; for looking around. */
  async check(): Promise<readonly Finding[]> {
    try {
      const caller = await this.#connect();
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
      const caller = await this.#connect();
      if (isFirst) await this.#clock.start();
      await this.instruments(this.#options.symbols);
      const findings = await this.#checks(caller, (checks, info, signal) =>
        checks.inspect(info, this.#clock.offsetMs ?? 0, signal),
      );
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

  async instruments(symbols?: readonly SymbolName[]): Promise<readonly Instrument[]> {
    const caller = await this.#connect();
    const deadline = caller.deadline(REPORT_CALLS);
    try {
      this.#instruments ??= new VenueInstruments(caller);
      const { instruments, info } = await this.#instruments.read(symbols, deadline.signal);
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
      const value = await this.#perform(call);
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
    await this.#client?.close();
  }

  async #perform(call: RemoteCall): Promise<RemoteAnswers[RemoteCall['call']]> {
    const caller = await this.#connect();
    const orders = this.#ordersOf(caller);
    switch (call.call) {
      case 'submit':
        return orders.submit(call);
      case 'cancel':
        return orders.cancel(call);
      case 'leverage':
        return orders.leverage(call);
      case 'query':
        return orders.query(call);
      case 'report':
        return this.#reading(caller, (readings, signal) => readings.report(call.since, call.symbols, signal));
      case 'income':
        return this.#reading(caller, async (readings, signal) => ({
          rows: await readings.income(call.since, this.venueNow(), signal),
        }));
    }
  }

  async #reading<T>(
    caller: VenueCaller,
    read: (readings: VenueReadings, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const deadline = caller.deadline(REPORT_CALLS);
    try {
      return await read(
        new VenueReadings({ caller, asset: this.#options.asset ?? 'USDT', names: this.#names }),
        deadline.signal,
      );
    } finally {
      deadline.done();
    }
  }

  #veto(): string | undefined {
    const may = !this.#closed && this.#options.mayAct();
    return may ? undefined : 'this process may not act at the venue now';
  }

  #ordersOf(caller: VenueCaller): VenueOrders {
    const { time, refuses } = this.#options;
    this.#orders ??= new VenueOrders({
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
    return this.#orders;
  }

  async #connect(): Promise<VenueCaller> {
    if (this.#caller) return this.#caller;
    const { apiKey, apiSecret, recvWindowMs, callTimeoutMs, realTime } = this.#options;
    const client = await (this.#options.connect ?? openVenueClient)({
      origin: this.#address.rest,
      apiKey,
      apiSecret,
      recvWindowMs: recvWindowMs ?? RECV_WINDOW_MS,
      venueNow: () => this.venueNow(),
    });
    // Two askers at once: the first one's connection serves both.
    if (this.#caller) return this.#caller;
    this.#client = client;
    this.#caller = new VenueCaller({
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
    return this.#caller;
  }

  async #askTime(): Promise<number> {
    const caller = await this.#connect();
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

export function openCcxtExchange(options: CcxtExchangeOptions): CcxtExchange {
  return new CcxtExchange(options);
}

/** The venue gives the key that is alive, or a new one; all of it unsigned, by the API key alone. */
export function listenKeys(caller: VenueCaller): ListenKeys {
  return {
    create: async () =>
      text(asRow(await caller.act('createListenKey', {}, { lane: 'resolve' }), 'listen key'), 'listenKey'),
    renew: async (key) => {
      await caller.act('renewListenKey', { listenKey: key }, { lane: 'resolve' });
    },
    close: async (key) => {
      await caller.act('closeListenKey', { listenKey: key }, { lane: 'resolve' });
    },
  };
}

/** What keeps it from starting, in a person's words. */
function asStartupError(error: unknown, name: string): BulkheadError {
  if (isBulkheadError(error)) return error;
  const { outcome, reason } = classifyFailure(error);
  return new BulkheadError('VENUE_UNREACHABLE', `${name} cannot be asked: ${reason}`, {
    hint:
      outcome === 'rejected'
        ? 'It is tried again; if it goes on, check the address, the API key and the network.'
        : 'It is tried again; check the network and that the venue is up.',
    cause: error,
  });
}
