/**
 * The runtime of paper trading as `bulkhead run` composes it (journal, gateway, executor, tree, driver), without
 * screen and signals; and with a hand that gives the desks their signals, so that a bench decides when there is
 * something to do.
 */
import { entryDeskOf } from '../machines/messages.ts';
import { composeLive, type LiveSystem } from '../src/app/compose/compose-live.ts';
import { openVenue } from '../src/app/compose/open-venue.ts';
import { LiveDriver } from '../src/app/drive/live-driver.ts';
import { GatewayRunner } from '../src/app/live/gateway-runner.ts';
import { LiveMetrics } from '../src/app/live/live-metrics.ts';
import { VenueBreakers } from '../src/app/live/venue-breakers.ts';
import type { RateUse } from '../src/app/live/venue-seams.ts';
import { openRemoteRun } from '../src/app/run/run-identity.ts';
import { startSystem } from '../src/app/run/system.ts';
import { configSchema } from '../src/config/schema.ts';
import { scaledTime, systemTime } from '../src/core/clock.ts';
import { SILENT } from '../src/core/logger.ts';
import { type Message, VENUE } from '../src/domain/events.ts';
import { keyOf } from '../src/domain/position-key.ts';
import type { Signal } from '../src/domain/signal.ts';
import { localVenueTime } from '../src/exchange/binance/binance-server-time.ts';
import type { GatewayEvent, VenueGateway } from '../src/exchange/venue-gateway.ts';
import type { JournalStore } from '../src/journal/journal.ts';
import { JournalWriter } from '../src/journal/journal-writer.ts';
import type { LiveMarketData } from '../src/market/live/live-market.ts';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../src/venue-server/demo-account.ts';
import { readRecovery } from '../supervisors/recovery.ts';

export interface LiveRuntimeOptions {
  readonly restUrl: string;
  readonly streamUrl?: string;
  readonly speed: number;
  readonly symbols: readonly string[];
  readonly store: JournalStore;
  readonly reconcileEveryMs?: number;
  /** Of the market's past that strategies are shown at the start. */
  readonly warmUpMs?: number;
  /** Puts something of its own before the market. */
  readonly market?: (market: LiveMarketData) => LiveMarketData;
  readonly onGatewayEvent?: (event: GatewayEvent) => void;
}

const OFF = { enabled: false };
const LONG_MS = 2_592_000_000;

/** Nothing but the order's own way is to be measured: risk lets everything through, breakers stay closed. */
const configOf = ({ restUrl, streamUrl, speed, symbols, reconcileEveryMs }: LiveRuntimeOptions) =>
  configSchema.parse({
    mode: 'paper',
    market: { source: 'live', symbols },
    venue: {
      restUrl,
      streamUrl: streamUrl ?? restUrl.replace(/^http/, 'ws'),
      timeFactor: speed,
      ...(reconcileEveryMs !== undefined && { reconcileEveryMs }),
      recvWindowMs: 60_000,
      // A bench's bare client trades on the same account.
      foreign: 'ignore',
    },
    risk: {
      capitalPerPosition: '100',
      baseNotional: '100',
      maxSymbolExposure: '125',
      maxSideExposure: '125',
      maxClusterExposure: '125',
      maxTotalExposure: '125',
      maxLotRoundUp: '10',
      kelly: OFF,
      learning: OFF,
      drawdownScaling: OFF,
      correlation: OFF,
      liquidity: OFF,
      fundingCost: OFF,
      liquidation: OFF,
      valueAtRisk: OFF,
      // The venue's own limit decides, which a bench may raise.
      conditionalOrders: { limit: 10_000, reserve: 0 },
    },
    entry: { coolDownMs: 10 },
    breakers: {
      maxDrawdownPercent: '100',
      maxDailyLossPercent: '100',
      maxLossesInARow: 1_000,
      maxSideLossesInARow: 1_000,
      maxSymbolLossesInARow: 1_000,
      minWinRatePercent: 0,
      maxWeeklyLossPercent: '99',
      maxApiErrors: 64,
      maxStaleShare: 1,
      maxClockSkewMs: LONG_MS,
      maxLatencyMs: LONG_MS,
      maxSlowCalls: 64,
    },
  });

export class LiveRuntime {
  readonly system: LiveSystem;
  readonly gateway: VenueGateway;
  readonly runner: GatewayRunner;
  readonly driver: LiveDriver;
  readonly metrics: LiveMetrics;
  readonly failures: unknown[];
  readonly rateUse: () => RateUse | undefined;
  readonly #writer: JournalWriter;
  readonly #store: JournalStore;
  #signals = 0;

  private constructor(
    parts: Pick<LiveRuntime, 'system' | 'gateway' | 'runner' | 'driver' | 'metrics' | 'failures' | 'rateUse'>,
    writer: JournalWriter,
    store: JournalStore,
  ) {
    this.system = parts.system;
    this.gateway = parts.gateway;
    this.runner = parts.runner;
    this.driver = parts.driver;
    this.metrics = parts.metrics;
    this.failures = parts.failures;
    this.rateUse = parts.rateUse;
    this.#writer = writer;
    this.#store = store;
  }

  /** Resolves when every symbol has its past. */
  static async open(options: LiveRuntimeOptions): Promise<LiveRuntime> {
    const { store, symbols, speed, restUrl, onGatewayEvent } = options;
    const config = configOf(options);
    const realTime = systemTime();
    const time = scaledTime(realTime, await localVenueTime(restUrl), speed);
    const failures: unknown[] = [];
    await store.open();
    const lease = await store.acquireLease('bench', 600_000);
    const recovered = await readRecovery(store);
    const target = {
      mode: 'paper',
      restUrl,
      streamUrl: config.venue.streamUrl ?? '',
      apiKey: DEMO_API_KEY,
      apiSecret: DEMO_API_SECRET,
    } as const;
    const request = { target, config, time, realTime, log: SILENT, mayAct: () => true, symbols };
    const metrics = new LiveMetrics(realTime.monotonic);
    let system: LiveSystem | undefined;
    const tell = (message: Message): void => system?.runtime.tell(message);
    const breakers = new VenueBreakers({
      epoch: lease.epoch,
      now: () => realTime.monotonic.now(),
      timeFactor: speed,
      maxLatencyMs: config.breakers.maxLatencyMs,
      maxClockSkewMs: config.breakers.maxClockSkewMs,
      knows: (actor) => system?.runtime.knows(actor) === true,
      tell,
    });
    const runner = new GatewayRunner({
      epoch: lease.epoch,
      onEvent: (event) => {
        metrics.hear(event, time.clock.now());
        breakers.hear(event);
        onGatewayEvent?.(event);
      },
    });
    const { gateway, rateUse = () => undefined } = await openVenue.gateway(request);
    const checks = await gateway.open(runner.hear);
    const wrong = checks.find(({ ok }) => !ok);
    if (wrong) throw new Error(`${wrong.check}: ${wrong.detail}`);
    runner.use(gateway);
    const identity = await openRemoteRun(config, store, lease, {
      instruments: () => gateway.instruments(symbols),
      wallet: async () => '100000000',
    });
    const writer = new JournalWriter(store, lease, recovered.head, {
      time: realTime,
      initialSettledN: recovered.settledN,
      onError: (error) => failures.push(error),
    });
    system = composeLive({
      config,
      identity,
      instance: `bench-${process.pid}-${realTime.clock.now()}`,
      recovered,
      writer,
      time,
      onQuarantine: (_actor, _message, reason) => failures.push(reason),
      onRootExit: (reason) => failures.push(reason),
    });
    for (const observer of [runner.observe, metrics.observe, breakers.observe])
      system.runtime.observe(observer);
    const market = await openVenue.market(request);
    const driver = new LiveDriver({
      market: options.market?.(market) ?? market,
      runtime: system.runtime,
      audience: system.audience,
      time,
      realTime,
      symbols,
      markEveryMs: config.venue.markEveryMs,
      warmUpMs: options.warmUpMs ?? 86_400_000,
      seen: new Map(symbols.map((symbol) => [symbol, null])),
      awaySince: undefined,
      isWell: () => writer.state === 'ok',
      log: SILENT,
    });
    const cause = { kind: 'external', id: `restarted:${lease.epoch}` } as const;
    await startSystem(system, recovered, [
      { to: VENUE, event: { type: 'RESTARTED', epoch: lease.epoch }, cause },
    ]);
    runner.attach(tell);
    driver.startTimers();
    await driver.start();
    return new LiveRuntime({ system, gateway, runner, driver, metrics, failures, rateUse }, writer, store);
  }

  /** A long position with its stop a tenth below. */
  enter(symbol: string): boolean {
    const price = this.system.audience.prices()[symbol];
    if (price === undefined) return false;
    this.#signal({
      kind: 'enter',
      direction: 'long',
      symbol,
      price,
      stopPrice: price * 0.9,
      trailDistance: price * 0.1,
      atrPercent: 1,
      reason: 'bench',
    });
    return true;
  }

  exit(symbol: string): void {
    this.#signal({ kind: 'exit', direction: 'long', symbol, reason: 'bench' });
  }

  /** Symbols with a position, and those whose position stands protected. */
  positions(): { readonly held: ReadonlySet<string>; readonly protected: ReadonlySet<string> } {
    const { runtime } = this.system;
    const held = new Set<string>();
    const safe = new Set<string>();
    for (const id of runtime.actorIds()) {
      if (!id.startsWith('position/')) continue;
      const symbol = id.split('/')[1] ?? '';
      held.add(symbol);
      if (runtime.actor(id)?.stateKey.includes('"protected"')) safe.add(symbol);
    }
    return { held, protected: safe };
  }

  /** Looks every few ms; throws when it does not come, or something failed meanwhile. */
  async until(what: string, isSo: () => boolean, limitMs = 60_000): Promise<void> {
    const end = performance.now() + limitMs;
    while (!isSo()) {
      if (this.failures.length > 0) throw new Error(`${what}: ${String(this.failures[0])}`);
      if (performance.now() > end)
        throw new Error(`it did not come in ${limitMs} ms: ${what}\n${this.#standing()}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async close(): Promise<void> {
    await this.driver.stopMarket();
    this.driver.stopTimers();
    this.runner.stop();
    await this.gateway.close();
    await this.system.root.stop();
    await this.#writer.close();
    await this.#store.close();
  }

  /** What the desks last said, for an error that a person reads. */
  #standing(): string {
    const { runtime } = this.system;
    return runtime
      .actorIds()
      .filter((id) => /^(entry|position|breaker)\//.test(id))
      .map((id) => {
        const actor = runtime.actor(id);
        const { context } = JSON.parse(actor?.snapshotText ?? '{}') as { context?: Record<string, unknown> };
        const { lastRefusal, passedOver, blocks, counts, entry, ended, end } = context ?? {};
        return `${id} ${actor?.stateKey} ${JSON.stringify({ lastRefusal, passedOver, blocks, counts, entry, ended, end })}`;
      })
      .join('\n');
  }

  #signal(signal: Signal): void {
    const cause = { kind: 'external', id: `bench:${++this.#signals}` } as const;
    this.system.runtime.tell({ to: entryDeskOf(keyOf(signal)), event: { type: 'SIGNAL', signal }, cause });
  }
}
