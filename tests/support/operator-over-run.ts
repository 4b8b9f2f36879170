/** The operator's port over a whole system in this process, and what a person asks of it. */
import type { EntryContext } from '../../machines/entry.ts';
import { createPositionMachine } from '../../machines/position.ts';
import { systemTime } from '../../src/core/clock.ts';
import type { Command } from '../../src/domain/command.ts';
import type { MarketData } from '../../src/market/market-data.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { type ChartNode, eventsOf } from '../../src/operator/chart-drawing.ts';
import { JournaledOperator } from '../../src/operator/journaled-operator.ts';
import type { OperatorRequest } from '../../src/operator/operator.ts';
import { inMemory } from './array-market.ts';
import type { SystemRun } from './system-harness.ts';

const POSITION_EVENTS = eventsOf(createPositionMachine().machine.root as unknown as ChartNode);

export function operatorOf(run: SystemRun, isShared = false, patienceMs = 10_000): JournaledOperator {
  const { runtime, audience } = run.system;
  const time = systemTime();
  const operator = new JournaledOperator({
    host: () => ({
      tell: (message) => runtime.tell(message),
      actorIds: () => runtime.actorIds(),
      snapshot: (actor) => runtime.actor(actor)?.snapshotText,
      price: (symbol) => audience.prices()[symbol],
      tickSize: (symbol) => contextOf<EntryContext>(run, `entry/${symbol}`).instrument.tickSize,
      distances: () => undefined,
      eventTypes: (type) => (type === 'position' ? POSITION_EVENTS : undefined),
    }),
    kill: {
      engage: () => 'engaged',
      release: () => {
        throw new Error('none is engaged');
      },
      nothingToLift: () => undefined,
    },
    isShared,
    now: () => time.clock.now(),
    timers: time.timers,
    patienceMs,
  });
  runtime.observe((committed) => operator.observe(committed));
  return operator;
}

export const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];

/** A day that ends with something open. */
export const busyDay = (): Promise<MarketData> =>
  inMemory(new SyntheticMarketData({ seed: 2, symbols: SYMBOLS, days: 1, stress: 10 }));

export const openIn = (run: SystemRun): string[] =>
  run.system.runtime.actorIds().filter((actor) => actor.startsWith('position/'));

let ids = 0;
export const asked = (command: Command, more: Partial<OperatorRequest> = {}): OperatorRequest => ({
  id: `id-${++ids}`,
  command,
  who: { name: 'alice', role: 'admin', channel: 'http' },
  issuedAt: systemTime().clock.now(),
  confirmed: false,
  ...more,
});

export const contextOf = <C>(run: SystemRun, actor: string): C =>
  (JSON.parse(run.system.runtime.actor(actor)?.snapshotText ?? '{}') as { context: C }).context;
