/**
 * The composition root of simulated worlds: names what a world is made of, and simulates one seed in it.
 */
import type { SymbolName } from '../../domain/instrument.ts';
import { openCcxtExchange } from '../../exchange/binance/ccxt-exchange.ts';
import { MemoryDatabase, MemoryJournal } from '../../journal/memory-journal.ts';
import { SYNTHETIC_START_AT, SyntheticMarketData } from '../../market/synthetic/synthetic-market-data.ts';
import { SYNTHETIC_SYMBOLS } from '../../market/synthetic/synthetic-symbols.ts';
import { registerStrategy } from '../../strategy/strategy.ts';
import { ACCOUNT } from '../simulation/config.ts';
import type { Timed } from '../simulation/job.ts';
import { type PastAndFuture, readMarket } from '../simulation/market.ts';
import { RESTLESS, Restless } from '../simulation/restless.ts';
import { type SimulateOptions, simulateSeed } from '../simulation/simulate.ts';
import type { SimDatabase, WorldParts } from '../simulation/world.ts';

registerStrategy(RESTLESS, (options) => new Restless(options as { exitsOneIn?: number }));

const WARM_UP_MS = 2.5 * 86_400_000;
/** Of one-minute bars before the beginning, for whoever asks for the finest past. */
const FINE_PAST_MS = 4 * 3_600_000;
/** Beyond the hours: for healing. */
const AFTERMATH_MS = 3 * 3_600_000;
/** So many different markets; a world's seed chooses one. */
const MARKETS = 8;

/** Markets that were read, for the next worlds on them; the oldest goes first. */
const markets = new Map<string, Promise<PastAndFuture>>();

const source: WorldParts['source'] = (seed, count, from, hours) => {
  const key = `${seed % MARKETS}/${count}/${hours}`;
  const known = markets.get(key);
  if (known) return known;
  const synthetic = new SyntheticMarketData({
    seed: seed % MARKETS,
    symbols: symbolNames(count),
    stress: 10,
  });
  const market = readMarket(synthetic, from - FINE_PAST_MS, from + hours * 3_600_000 + AFTERMATH_MS);
  const [oldest] = markets.keys();
  if (markets.size >= MARKETS && oldest !== undefined) markets.delete(oldest);
  markets.set(key, market);
  return market;
};

/** The known ones first, then made-up names. */
const symbolNames = (count: number): SymbolName[] =>
  Array.from({ length: count }, (_, i) => SYNTHETIC_SYMBOLS[i] ?? `SIM${i}USDT`);

function database(instance: string): SimDatabase {
  const memory = new MemoryDatabase();
  const account = memory.account(ACCOUNT);
  account.meta.set('instance', instance);
  return {
    rows: () => account.rows,
    lease: () => account.lease,
    meta: (key) => account.meta.get(key),
    connect: (clock, faults) => new MemoryJournal({ account: ACCOUNT, clock, database: memory, faults }),
    liveRows: () => [...account.live.values()],
    damage: (n) => memory.damage(ACCOUNT, n),
    truncate: (n) => memory.truncate(ACCOUNT, n),
  };
}

const gateway: WorldParts['gateway'] = (request, random, connect, dial) => {
  const { target, config, time, realTime, log, mayAct, refuses, bare, symbols } = request;
  const { marginMode, positionMode, allowWithdrawals, recvWindowMs, callTimeoutMs } = config.venue;
  const opened = openCcxtExchange({
    ...target,
    ...{ time, realTime, random, mayAct, symbols, allowWithdrawals, recvWindowMs, callTimeoutMs, log },
    ...(refuses ? { refuses } : {}),
    ...(bare === undefined ? {} : { bare }),
    limits: { maxLeverage: config.risk.maxLeverage, marginMode, positionMode },
    ...{ connect, dial },
  });
  return { gateway: opened, rateUse: () => opened.budgetUse() };
};

export const WORLD_PARTS: WorldParts = {
  database,
  source,
  startAt: SYNTHETIC_START_AT + WARM_UP_MS,
  gateway,
};

/** One seed, with the time that its core took for it. */
export async function simulateTimed(options: SimulateOptions): Promise<Timed> {
  const before = process.threadCpuUsage();
  const report = await simulateSeed(options, WORLD_PARTS);
  const { user, system } = process.threadCpuUsage(before);
  return { report, cpuMs: (user + system) / 1000 };
}
