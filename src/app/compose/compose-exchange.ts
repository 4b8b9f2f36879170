/**
 * The composition root of `bulkhead exchange`: market, accounts, doors, files, in the order in which a start needs
 * them and a stop gives them back.
 *
 * Invariants: what was acknowledged before a restart is there again before the doors open; the market resumes
 * where the journal ends, so nothing is played twice and nothing that should have happened meanwhile is left out.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { readYaml } from '../../config/read-yaml.ts';
import type { Time } from '../../core/clock.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { seededRandom } from '../../core/random.ts';
import { BarRecorder } from '../../market/recorded/bar-recorder.ts';
import { adminRoutes } from '../../venue-server/admin-routes.ts';
import { type CoreEntry, type CoreOptions, VenueCore } from '../../venue-server/core.ts';
import { DEMO_ACCOUNT, DEMO_API_SECRET } from '../../venue-server/demo-account.ts';
import { EventLog } from '../../venue-server/event-log.ts';
import type { FaultScript } from '../../venue-server/faults.ts';
import { parseFaults } from '../../venue-server/faults-parse.ts';
import { PRESETS, presetFaults } from '../../venue-server/faults-presets.ts';
import { type MarketSource, openingTime } from '../../venue-server/market/market-feed.ts';
import { MarketSide } from '../../venue-server/market/market-side.ts';
import type { Push } from '../../venue-server/protocol.ts';
import { RequestJournal } from '../../venue-server/request-journal.ts';
import { AdminDoor } from '../../venue-server/transport/admin-door.ts';
import { settingsOf } from '../../venue-server/variants.ts';
import {
  anchoredNow,
  type ManualClock,
  manualClock,
  runningClock,
  type VenueClock,
} from '../../venue-server/venue-clock.ts';
import { VenueServer } from '../../venue-server/venue-server.ts';
import type { ExchangeOptions } from '../exchange/exchange-flags.ts';
import { type ExchangeSnapshot, MarketProgress } from '../exchange/exchange-progress.ts';
import { anchorOf, type ExchangeState, isOtherSpeed, openExchangeState } from '../exchange/exchange-state.ts';

export interface RunningExchange {
  readonly url: string;
  readonly port: number;
  readonly adminPort: number;
  readonly clock: VenueClock;
  readonly market: MarketSide;
  /** Entries taken in again at the start. */
  readonly recovered: number;
  close(): Promise<void>;
}

export interface ExchangeHooks {
  /** The venue cannot go on. */
  readonly fail: (error: unknown) => void;
  /** The recording is over. */
  readonly ended: () => void;
}

const HOST = '127.0.0.1';

export async function openExchange(
  options: ExchangeOptions,
  real: Time,
  hooks: ExchangeHooks,
): Promise<RunningExchange> {
  const closers: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await compose(options, real, hooks, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  options: ExchangeOptions,
  real: Time,
  hooks: ExchangeHooks,
  closers: (() => void | Promise<void>)[],
  close: () => Promise<void>,
): Promise<RunningExchange> {
  const faults = readFaults(options.faults);
  const secret = readSecret(options);
  const random = seededRandom(options.seed);
  const variant = settingsOf(options.variants);
  const opened = await openSource(options, real);
  const state =
    options.stateDir === undefined ? undefined : openExchangeState(options.stateDir, identity(options));
  if (state) closers.push(() => state.release());
  const clock = openClock(options, real, opened.startAt, state);
  const journal = state && new RequestJournal<CoreEntry>({ dir: state.entriesDir, sync: options.sync });
  if (journal) closers.push(() => journal.close());

  const log =
    options.journalFile === undefined
      ? undefined
      : new EventLog(options.journalFile, clock.now, [secret, options.apiKey], hooks.fail);
  if (log) closers.push(() => log.close());

  // Built one after the other, and each knows the next: the server is there before anything is pushed.
  let server: VenueServer | undefined;
  const tracker = new MarketProgress(clock);
  const push = (one: Push): void => server?.push(one);
  const recorder = options.recordDir === undefined ? undefined : recorderOf(options.recordDir, opened.source);
  const recording = (write: (recorder: BarRecorder) => void): void => {
    try {
      if (recorder) write(recorder);
    } catch (error) {
      hooks.fail(error);
    }
  };
  const market = new MarketSide({
    source: opened.source,
    clock,
    push,
    onInput: (input) => {
      server?.feed(input);
      if (input.type === 'FUNDING') recording((to) => to.funding(input.symbol, input.at, input.rate));
    },
    onClosed: (symbol, bar) => recording((to) => to.bar(symbol, bar)),
    random,
    onEnd: hooks.ended,
  });
  const coreOptions: CoreOptions = {
    instruments: market.instruments(),
    market,
    push,
    forced: (order) => market.forced(order),
    rules: variant.rules,
    journal: {
      append: (entry) => {
        journal?.append(entry);
        tracker.saw(entry);
        server?.journaled(entry);
      },
    },
    accounts: [
      {
        id: DEMO_ACCOUNT,
        apiKey: options.apiKey,
        initialBalance: options.balance,
        positionMode: options.hedge ? 'hedge' : 'one-way',
      },
    ],
    ...(options.maxConditionalOrders === undefined
      ? {}
      : { maxConditionalOrders: options.maxConditionalOrders }),
  };
  const { snapshot, entries } = journal?.recovered ?? { snapshot: undefined, entries: [] };
  const kept = snapshot as ExchangeSnapshot | undefined;
  const core = kept ? VenueCore.restore(kept.core, coreOptions) : new VenueCore(coreOptions);
  tracker.resume(kept);
  for (const entry of entries) {
    core.replay(entry);
    tracker.saw(entry);
  }
  const keep = (): Json =>
    ({
      core: core.checkpoint(),
      playedTo: tracker.playedTo(),
      changed: tracker.changed(),
      settled: tracker.settled(),
    }) as unknown as Json;
  const made = new VenueServer({
    clock,
    real,
    random,
    host: HOST,
    port: options.port,
    accounts: [{ id: DEMO_ACCOUNT, apiKey: options.apiKey, apiSecret: secret }],
    core,
    market,
    copyCore: () =>
      VenueCore.restore(core.checkpoint(), {
        ...coreOptions,
        push: () => {},
        forced: () => {},
        journal: NO_JOURNAL,
      }),
    faults,
    legacyStreams: options.legacyStreams,
    limits: variant.limits,
    largeIds: variant.largeIds,
    settled: () => journal?.snapshotWhenDue(keep),
    note: (what, fields) => log?.note(what, fields),
    fail: hooks.fail,
  });
  server = made;
  closers.push(() => made.close());
  closers.push(() => opened.close());
  closers.push(() => market.stop());

  for (const instrument of tracker.changed()) market.restoreInstrument(instrument);
  // A halt by a fault was to end by itself; nobody is left to end it.
  for (const instrument of tracker.changed())
    if (instrument.status === 'TRADING_HALT') market.changeInstrument({ ...instrument, status: 'TRADING' });
  await market.start(journal && (kept || entries.length > 0) ? tracker.resumeAt() : undefined, (symbol, at) =>
    tracker.isSettled(symbol, at),
  );
  journal?.snapshot(keep);
  await made.open();
  const manual = clock.speed === 'manual' ? (clock as ManualClock) : undefined;
  const admin = new AdminDoor(
    HOST,
    options.adminPort,
    adminRoutes({
      server: made,
      core,
      market,
      clock,
      account: DEMO_ACCOUNT,
      manual,
      clockMoved: () => state?.keep(anchorOf(clock, real.clock)),
    }),
  );
  await admin.open();
  closers.push(() => admin.close());
  return {
    url: made.url,
    port: made.port,
    adminPort: admin.port,
    clock,
    market,
    recovered: entries.length,
    close: async () => {
      await admin.close();
      await made.close();
      await market.stop();
      if (manual) state?.keep(anchorOf(clock, real.clock));
      journal?.snapshot(keep);
      await close();
    },
  };
}

const recorderOf = (dir: string, source: MarketSource): BarRecorder =>
  new BarRecorder(dir, source.kind === 'bars' ? source.market.timeframe : '1m');

const NO_JOURNAL = { append: () => {} };

function openClock(
  { speed }: ExchangeOptions,
  real: Time,
  startAt: number,
  state: ExchangeState | undefined,
): VenueClock {
  const known = state?.known;
  if (speed === 'manual') {
    const clock = manualClock(known?.venueAt ?? startAt);
    state?.keep(anchorOf(clock, real.clock));
    return clock;
  }
  const fresh = (venueAt: number) => ({ venueAt, realAt: real.clock.now(), speed });
  let anchor = known ?? fresh(startAt);
  if (known && isOtherSpeed(known, speed)) anchor = fresh(anchoredNow(known, real));
  if (anchor !== known) state?.keep(anchor);
  return runningClock(anchor, real);
}

/** What makes two starts the same venue. */
function identity({ source, symbols, seed, balance, hedge, apiKey }: ExchangeOptions) {
  return {
    market:
      source.kind === 'live' && source.protocol !== 'binance' ? `live, ${source.protocol}` : source.kind,
    recording: source.kind === 'recording' ? basename(source.path) : null,
    symbols: symbols.join(','),
    seed,
    balance,
    hedge,
    key: apiKey,
  };
}

interface OpenedSource {
  readonly source: MarketSource;
  readonly startAt: number;
  close(): Promise<void>;
}

async function openSource(options: ExchangeOptions, real: Time): Promise<OpenedSource> {
  const { source, symbols, seed, startAt, speed } = options;
  const chosen = symbols.length > 0 ? { symbols } : {};
  if (source.kind === 'live') {
    if (speed !== 1)
      throw new BulkheadError('USAGE', 'A live market cannot run at another speed.', {
        hint: 'Leave --speed away with --live-feed.',
      });
    const { openLiveFeed } = await import('./open-live-feed.ts');
    return openLiveFeed(source, symbols, real, seededRandom(seed));
  }
  if (source.kind === 'recording') {
    const { openRecording } = await import('../../market/recorded/recorded-market-data.ts');
    const market = openRecording({ path: source.path, ...chosen });
    return {
      source: { kind: 'bars', market },
      startAt: startAt ?? openingTime(market.range()),
      close: () => market.close(),
    };
  }
  const { SyntheticMarketData, SYNTHETIC_START_AT } = await import(
    '../../market/synthetic/synthetic-market-data.ts'
  );
  const market = new SyntheticMarketData({ seed, ...chosen });
  // A client signs with its own clock: it is refused where the venue's says another day.
  const usual = speed === 1 ? real.clock.now() : SYNTHETIC_START_AT + SYNTHETIC_LEAD_MS;
  return {
    source: { kind: 'bars', market },
    startAt: startAt ?? usual,
    close: () => market.close(),
  };
}

/** So much history a venue begins with. */
const SYNTHETIC_LEAD_MS = 3 * 86_400_000;

function readFaults(named: string): FaultScript {
  const preset = presetFaults(named);
  if (preset) return preset;
  try {
    return parseFaults(readYaml(named));
  } catch (error) {
    if (error instanceof BulkheadError && error.code === 'INPUT_MISSING')
      throw new BulkheadError('INPUT_MISSING', `There is no preset and no file of faults "${named}".`, {
        hint: `Presets: ${PRESETS.join(', ')}. docs/EXCHANGE.md shows a file.`,
      });
    throw error;
  }
}

function readSecret({ apiSecretFile }: ExchangeOptions): string {
  if (apiSecretFile === undefined) return DEMO_API_SECRET;
  try {
    return readFileSync(apiSecretFile, 'utf8').trim();
  } catch (error) {
    throw new BulkheadError('INPUT_MISSING', `${apiSecretFile} cannot be read: ${errorText(error)}`, {
      hint: 'Correct --api-secret-file, or leave it and --api-key away for the demo pair.',
    });
  }
}
