/**
 * From an entry's first fill to its protective stop live, both moments taken at the venue: fill, private frame,
 * executor's row, position's row with the stop, executor's row with the call, request, order. 35 symbols stream;
 * runtime and exchange are two processes that speak over loopback; every row is flushed before anything leaves.
 * "single": one entry at a time; "together": all 35 in one instant.
 *
 *     node run.cjs bench/fill-to-stop.ts [pglite] [postgres] [memory]
 *
 * Baseline in the same run: the bare round trip of two signed orders, a market order and a stop after it.
 */
import { join } from 'node:path';
import { systemTime } from '../src/core/clock.ts';
import type { JournalStore } from '../src/journal/journal.ts';
import { MemoryDatabase, MemoryJournal } from '../src/journal/memory-journal.ts';
import { pgliteStore } from '../src/journal/pglite-journal.ts';
import { postgresStore } from '../src/journal/postgres-journal.ts';
import { startPostgres } from '../tests/support/postgres.ts';
import { makeTempDir, removeTempDir } from '../tests/support/temp.ts';
import type { Moment } from './exchange-child.ts';
import { BenchExchange, symbolNames } from './exchange-process.ts';
import { LiveRuntime } from './live-runtime.ts';
import { report } from './measure.ts';
import { SignedClient } from './signed-client.ts';

const SYMBOLS = symbolNames(35);
/**
 * The venue's clock: its limits of orders a minute are those of a minute of its own, and nothing is to wait for
 * them here. The 35 symbols say as many times more.
 */
const SPEED = 5;
const REST_MS = 1_000;
/** Nobody else's: what the bare client trades there concerns no position. */
const BARE_SYMBOL = 'BTCUSDT';
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 10);
/** At each rest between rounds. */
const BARE_PAIRS = 20;

const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};

/** Of each fill, how long until its stop stood; exactly one of each for every symbol. */
function gaps(moments: readonly Moment[], symbols: readonly string[]): number[] {
  return symbols.map((symbol) => {
    const fill = moments.find((one) => one.symbol === symbol && one.what === 'fill');
    const stop = moments.find((one) => one.symbol === symbol && one.what === 'stop');
    if (!fill || !stop) throw new Error(`${symbol} has no ${fill ? 'stop' : 'fill'}`);
    return stop.at - fill.at;
  });
}

/** A market order and a stop order, one after the other, by a client that does nothing else. */
async function barePairs(exchange: BenchExchange): Promise<number[]> {
  const symbol = BARE_SYMBOL;
  const client = new SignedClient(exchange.port, clockOf(await exchange.ask('sample')));
  const { price } = (await client.get(`/fapi/v1/ticker/price?symbol=${symbol}`)) as { price: string };
  const quantity = '0.002';
  const order = { symbol, side: 'BUY', type: 'MARKET', quantity };
  // The venue pads its prices; what they show beyond the padding is on the tick.
  const digits = String(Number(price)).split('.')[1]?.length ?? 0;
  const trigger = (Number(price) * 0.9).toFixed(digits);
  const stop = { symbol, side: 'SELL', type: 'STOP_MARKET', algoType: 'CONDITIONAL', triggerPrice: trigger };
  const pairs: number[] = [];
  for (let i = 0; i < BARE_PAIRS; i++) {
    const begun = performance.now();
    await client.send('POST', '/fapi/v1/order', order);
    const placed = await client.send('POST', '/fapi/v1/algoOrder', { ...stop, quantity, reduceOnly: 'true' });
    pairs.push(performance.now() - begun);
    const { algoId } = placed as { algoId: number };
    await client.send('DELETE', '/fapi/v1/algoOrder', { algoId });
    await client.send('POST', '/fapi/v1/order', { ...order, side: 'SELL', reduceOnly: 'true' });
  }
  client.close();
  return pairs;
}

function clockOf({ at }: { at: number }): () => number {
  const askedAt = performance.now();
  return () => Math.round(at + (performance.now() - askedAt) * SPEED);
}

async function round(runtime: LiveRuntime, symbols: readonly string[]): Promise<void> {
  for (const symbol of symbols) runtime.enter(symbol);
  await runtime.until('all are protected', () => {
    const { held, protected: safe } = runtime.positions();
    return symbols.every((symbol) => held.has(symbol) && safe.has(symbol));
  });
}

async function flat(runtime: LiveRuntime): Promise<void> {
  for (const symbol of SYMBOLS) runtime.exit(symbol);
  await runtime.until('all are closed', () => runtime.positions().held.size === 0);
  // The desks rest a moment, and the venue counts orders by ten seconds.
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
}

async function measure(engine: string, store: JournalStore): Promise<void> {
  const exchange = await BenchExchange.start({ symbols: [...SYMBOLS, BARE_SYMBOL], speed: SPEED });
  const runtime = await LiveRuntime.open({ restUrl: exchange.url, speed: SPEED, symbols: SYMBOLS, store });
  await runtime.until(
    'prices',
    () => Object.keys(runtime.system.audience.prices()).length === SYMBOLS.length,
  );
  // The first round warms up.
  await round(runtime, SYMBOLS);
  await flat(runtime);
  const single: number[] = [];
  const together: number[] = [];
  const bare: number[] = [];
  await exchange.ask('moments');
  for (let i = 0; i < ROUNDS; i++) {
    for (const symbol of SYMBOLS) await round(runtime, [symbol]);
    single.push(...gaps((await exchange.ask('moments')).moments, SYMBOLS));
    await flat(runtime);
    await exchange.ask('moments');
    await round(runtime, SYMBOLS);
    together.push(...gaps((await exchange.ask('moments')).moments, SYMBOLS));
    await flat(runtime);
    bare.push(...(await barePairs(exchange)));
    await exchange.ask('moments');
  }
  await runtime.close();
  await exchange.stop();
  report({
    bench: 'fill-to-stop',
    engine,
    symbols: SYMBOLS.length,
    speed: SPEED,
    entries: single.length,
    p50Ms: quantile(single, 0.5),
    p99Ms: quantile(single, 0.99),
    togetherP50Ms: quantile(together, 0.5),
    togetherP99Ms: quantile(together, 0.99),
    bareTwoOrdersP50Ms: quantile(bare, 0.5),
    bareTwoOrdersP99Ms: quantile(bare, 0.99),
    ratio: quantile(single, 0.5) / quantile(bare, 0.5),
  });
}

const wanted = process.argv.slice(2);
const isWanted = (engine: string): boolean =>
  wanted.length === 0 ? engine !== 'memory' : wanted.includes(engine);

if (isWanted('memory'))
  await measure(
    'memory',
    new MemoryJournal({ account: 'main', clock: systemTime().clock, database: new MemoryDatabase() }),
  );
if (isWanted('pglite')) {
  const dir = makeTempDir('bench');
  await measure('pglite', pgliteStore({ dir: join(dir, 'journal'), account: 'main' }));
  removeTempDir(dir);
}
if (isWanted('postgres')) {
  const server = await startPostgres({ durable: true });
  if (typeof server === 'object') {
    await measure(
      'postgres',
      postgresStore({ url: await server.createDatabase(), account: 'main', migrations: 'apply' }),
    );
    await server.stop();
  }
}
process.exit(0);
