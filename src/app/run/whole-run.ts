/**
 * A whole run in this process's memory at full speed, for those who want its outcome and not its journal: the same
 * tree as every other run. The same market and configuration give the same rows.
 */
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import { readRecovery } from '../../../supervisors/recovery.ts';
import type { Config } from '../../config/schema.ts';
import { type Time, VirtualTime } from '../../core/clock.ts';
import { JournalWriter } from '../../journal/journal-writer.ts';
import type { MarketData } from '../../market/market-data.ts';
import { composeSystem, startSystem } from '../compose/compose.ts';
import { openMemory } from '../compose/open-memory.ts';
import { MarketDriver } from '../drive/market-driver.ts';

export interface MemoryRun {
  readonly config: Config;
  /** What is in force later, ascending: after the first step at or after `from`. */
  readonly later?: readonly { readonly from: number; readonly config: Config }[];
  readonly market: MarketData;
  readonly realTime: Time;
  readonly observe: (committed: Committed) => void;
  /** Steps after this instant are not taken. */
  readonly until?: number;
  readonly onStep?: (at: number) => void;
}

export async function runInMemory(run: MemoryRun): Promise<void> {
  const { config, market, realTime, until = Number.POSITIVE_INFINITY } = run;
  const { store, lease } = await openMemory('memory', realTime);
  const recovered = await readRecovery(store);
  const failures: unknown[] = [];
  const fail = (error: unknown): unknown => failures.push(error);
  const writer = new JournalWriter(store, lease, recovered.head, { time: realTime, onError: fail });
  const time = new VirtualTime(market.range().from);
  let now = config;
  const system = composeSystem({
    config,
    configNow: () => now,
    instance: 'memory',
    instruments: market.instruments(),
    timeframe: market.timeframe,
    recovered,
    writer,
    time,
    onBroken: fail,
    onRootExit: fail,
  });
  system.runtime.observe(run.observe);
  const { runtime, audience } = system;
  const due = [...(run.later ?? [])];
  let version = 1;
  const takeUp = (at: number): void => {
    for (; due[0] && due[0].from <= at; due.shift()) {
      now = due[0].config;
      version += 1;
      const telling = `version ${version}`;
      for (const message of system.unheard({ config: now, version, telling })) runtime.tell(message);
    }
  };
  const driver = new MarketDriver({
    market: endingAt(market, until),
    runtime,
    audience,
    time,
    realTime,
    speed: () => 'max',
    onStep: ({ at }) => {
      takeUp(at);
      run.onStep?.(at);
    },
  });
  await startSystem(system, recovered);
  await driver.run(undefined);
  await system.root.stop();
  await writer.close();
  await store.close();
  if (failures.length > 0) throw failures[0];
}

function endingAt(market: MarketData, until: number): MarketData {
  return {
    name: market.name,
    timeframe: market.timeframe,
    instruments: () => market.instruments(),
    range: () => market.range(),
    close: () => market.close(),
    async *steps(after) {
      for await (const steps of market.steps(after)) {
        const wanted = steps.filter(({ at }) => at <= until);
        if (wanted.length > 0) yield wanted;
        if (wanted.length < steps.length) return;
      }
    },
  };
}
