/**
 * An hour of a live market in a minute: the whole paper runtime and the local exchange, two processes over
 * loopback, 60 times faster than real time. Every symbol says its mark each second, its quotes, its bars by the
 * minute; positions open and close all the time. Thrice all streams are held up for 2.5 seconds of real time and let
 * go at once: all that the market said meanwhile in one burst, as fast as loopback takes it.
 *
 *     node run.cjs bench/venue-load.ts [positions …]        default: 100 of 500 symbols, then 1,000 of 1,000
 *
 * A symbol holds one position, so 1,000 positions need 1,000 symbols; the venue takes 200 conditional orders, so its
 * limit is raised (--max-conditional-orders). Nothing may be dropped: bars and private events are counted on both
 * sides. Memory is the heap after a collection, its slope over the hour by least squares.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { makeTempDir, removeTempDir } from '../tests/support/temp.ts';
import type { ExchangeAnswer } from './exchange-child.ts';
import { BenchExchange, symbolNames } from './exchange-process.ts';
import { HoldingProxy } from './holding-proxy.ts';
import type { LoadAnswer, LoadOptions, LoadQuestion } from './load-runtime.ts';
import { report } from './measure.ts';

const CHILD = fileURLToPath(new URL('./load-runtime.ts', import.meta.url));
const SECONDS = Number(process.env.BENCH_LOAD_SECONDS ?? 60);
const SPEED = Number(process.env.BENCH_SPEED ?? 60);
/** A symbol holds one position: where more are wanted, there are more symbols. */
const SYMBOLS = Number(process.env.BENCH_SYMBOLS ?? 500);
const SAMPLES = 12;
/** Real time, so that the held sockets are not taken for dead ones. */
const HELD_MS = 2_500;
const BURSTS_AFTER = new Set([3, 6, 9]);

interface Sampled {
  readonly hour: number;
  readonly runtime: LoadAnswer;
  readonly exchange: ExchangeAnswer;
}

class LoadRuntime {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: LoadAnswer) => void>();
  #asked = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer: LoadAnswer) => this.#waiting.get(answer.id)?.(answer));
  }

  static async start(options: LoadOptions): Promise<LoadRuntime> {
    const execArgv = [...process.execArgv, '--expose-gc'];
    if (process.env.BENCH_PROFILE) execArgv.push('--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`);
    const child = fork(CHILD, [JSON.stringify(options)], { execArgv });
    process.once('exit', () => child.kill('SIGKILL'));
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`the runtime ended with ${String(code)}`);
    });
    await Promise.race([once(child, 'message'), died]);
    died.catch(() => {});
    return new LoadRuntime(child);
  }

  ask(ask: LoadQuestion['ask']): Promise<LoadAnswer> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, ask } satisfies LoadQuestion);
    });
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    await this.ask('end');
    await ended;
  }
}

/**
 * A full reading asks for each held symbol's trades, at 5 of a minute's weight of 2,400: with more than a few hundred
 * there is no budget for one each minute.
 */
const reconcileEveryMs = (positions: number): number => (positions > 300 ? 600_000 : 60_000);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Held, then let go at once; how many times the normal rate it was until the runtime had a moment again. */
async function burst(proxy: HoldingProxy, runtime: LoadRuntime): Promise<{ times: number; bytes: number }> {
  const begun = performance.now();
  proxy.hold();
  await pause(HELD_MS);
  const heldMs = (performance.now() - begun) * SPEED;
  const releasedAt = performance.now();
  const bytes = await proxy.release();
  await runtime.ask('sample');
  return { times: heldMs / (performance.now() - releasedAt), bytes };
}

/** MB for each hour of the market, over the later two thirds: the first is warming up. */
function slope(points: readonly { hour: number; heapMb: number | null }[]): number {
  const late = points.slice(Math.floor(points.length / 3));
  const mean = (of: (point: (typeof late)[number]) => number): number =>
    late.reduce((sum, point) => sum + of(point), 0) / late.length;
  const hour = mean((point) => point.hour);
  const heap = mean((point) => point.heapMb ?? 0);
  const covariance = mean((point) => (point.hour - hour) * ((point.heapMb ?? 0) - heap));
  return covariance / mean((point) => (point.hour - hour) ** 2);
}

/** Bars that one side has and the other has not; the first and the last minutes are cut off. */
function compareBars(exchange: ExchangeAnswer, runtime: LoadAnswer): { bars: number; missing: number } {
  const times = Object.keys(exchange.counts.bars)
    .map(Number)
    .sort((a, b) => a - b)
    .slice(2, -5);
  let bars = 0;
  let missing = 0;
  for (const time of times) {
    bars += exchange.counts.bars[time] ?? 0;
    missing += Math.abs((exchange.counts.bars[time] ?? 0) - (runtime.bars[time] ?? 0));
  }
  return { bars, missing };
}

const VENUE_EVENTS = [
  'ORDER_TRADE_UPDATE',
  'ALGO_UPDATE',
  'ACCOUNT_UPDATE',
  'ACCOUNT_CONFIG_UPDATE',
  'MARGIN_CALL',
];
const HEARD_EVENTS = ['order', 'algo', 'account', 'leverage', 'margin-call'];
const total = (counts: Readonly<Record<string, number>>, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);

async function measure(positions: number): Promise<void> {
  const symbols = symbolNames(Math.max(SYMBOLS, positions));
  const maxConditionalOrders = Math.max(200, 3 * positions);
  const exchange = await BenchExchange.start({ symbols, speed: SPEED, maxConditionalOrders });
  const proxy = new HoldingProxy(exchange.port);
  const streamUrl = `ws://127.0.0.1:${await proxy.open()}`;
  const dir = makeTempDir('bench');
  const runtime = await LoadRuntime.start({
    restUrl: exchange.url,
    streamUrl,
    speed: SPEED,
    symbols,
    positions,
    dir,
    reconcileEveryMs: reconcileEveryMs(positions),
  });
  await pause(3_000);
  const beganAt = (await exchange.ask('begin')).at;
  await runtime.ask('begin');
  const samples: Sampled[] = [];
  const bursts: { times: number; bytes: number }[] = [];
  for (let i = 1; i <= SAMPLES; i++) {
    await pause((SECONDS * 1000) / SAMPLES);
    if (BURSTS_AFTER.has(i)) bursts.push(await burst(proxy, runtime));
    const [ofRuntime, ofExchange] = await Promise.all([runtime.ask('collect'), exchange.ask('collect')]);
    samples.push({ hour: (ofExchange.at - beganAt) / 3_600_000, runtime: ofRuntime, exchange: ofExchange });
    const { sample, held, rows } = ofRuntime;
    if (process.env.BENCH_VERBOSE)
      console.error(
        held,
        rows,
        sample,
        ofExchange.sample,
        ofRuntime.heard,
        ofRuntime.events,
        ofExchange.counts.publicFrames,
      );
  }
  const last = samples.at(-1) as Sampled;
  await runtime.ask('rest');
  let [ofVenue, ofRuntime] = await Promise.all([exchange.ask('sample'), runtime.ask('sample')]);
  // What is under way when it ends comes within moments, or never.
  for (let i = 0; i < 50; i++) {
    await pause(200);
    ofVenue = await exchange.ask('sample');
    ofRuntime = await runtime.ask('sample');
    if (i > 5 && total(ofVenue.counts.events, VENUE_EVENTS) === total(ofRuntime.events, HEARD_EVENTS)) break;
  }
  await runtime.stop();
  proxy.close();
  await exchange.stop();
  removeTempDir(dir);
  const { bars, missing } = compareBars(ofVenue, ofRuntime);
  const venueEvents = total(ofVenue.counts.events, VENUE_EVENTS);
  const heardEvents = total(ofRuntime.events, HEARD_EVENTS);
  const seconds = last.exchange.sample.seconds;
  const heaps = (of: (one: Sampled) => number | null) =>
    samples.map((one) => ({ hour: one.hour, heapMb: of(one) }));
  const runtimeHeap = heaps((one) => one.runtime.sample.heapMb);
  const exchangeHeap = heaps((one) => one.exchange.sample.heapMb);
  const dropped =
    missing +
    ofRuntime.barFaults +
    Math.abs(venueEvents - heardEvents) +
    (ofRuntime.events['stream-down'] ?? 0);
  report({
    bench: 'venue-load',
    symbols: symbols.length,
    positions,
    held: last.runtime.held,
    protected: last.runtime.protected,
    maxConditionalOrders,
    reconcileEveryMs: reconcileEveryMs(positions),
    maxConditionalOrdersRaised: maxConditionalOrders > 200,
    speed: SPEED,
    simulatedHours: last.hour,
    barsSent: bars,
    barsMissing: missing,
    barsOutOfOrder: ofRuntime.barFaults,
    privateEventsSent: venueEvents,
    privateEventsHeard: heardEvents,
    streamsLost: ofRuntime.events['stream-down'] ?? 0,
    gaps: ofRuntime.heard.gap ?? 0,
    dropped,
    met: dropped === 0 && ofRuntime.failures.length === 0,
    failures: ofRuntime.failures.length,
    framesPerSecond: last.exchange.counts.publicFrames / seconds,
    rowsPerSecond: last.runtime.rows / last.runtime.sample.seconds,
    burstTimes: bursts.map(({ times }) => Math.round(times)),
    leastBurst: Math.min(...bursts.map(({ times }) => times)),
    // Each held the market up for as long.
    allBursts: bursts.length / bursts.reduce((sum, { times }) => sum + 1 / times, 0),
    longestBurstMs: (HELD_MS * SPEED) / Math.min(...bursts.map(({ times }) => times)),
    burstMb: bursts.map(({ bytes }) => Number((bytes / 2 ** 20).toFixed(1))),
    runtimeHeapMb: runtimeHeap.map(({ heapMb }) => Math.round(heapMb ?? 0)),
    runtimeHeapSlopeMbPerHour: slope(runtimeHeap),
    exchangeHeapMb: exchangeHeap.map(({ heapMb }) => Math.round(heapMb ?? 0)),
    exchangeHeapSlopeMbPerHour: slope(exchangeHeap),
    runtimeLoopP99Ms: last.runtime.sample.loopP99Ms,
    runtimeLoopMaxMs: last.runtime.sample.loopMaxMs,
    exchangeLoopP99Ms: last.exchange.sample.loopP99Ms,
    exchangeLoopMaxMs: last.exchange.sample.loopMaxMs,
    runtimeCpu: last.runtime.sample.cpuSeconds / last.runtime.sample.seconds,
    exchangeCpu: last.exchange.sample.cpuSeconds / seconds,
  });
}

const wanted = process.argv.slice(2).map(Number);
for (const positions of wanted.length > 0 ? wanted : [100, 1_000]) await measure(positions);
process.exit(0);
