/** The history of hourly returns as a replayed logic: it only listens; the host reads it when risk asks. */
import type { ActorEvent } from '../src/domain/events.ts';
import { type HourlyCloses, RETURNS, ReturnHistory } from '../src/risk/return-history.ts';
import type { EngineFactory, ReplayedEngine } from './replayed-logic.ts';

/** An hour is a row: a start replays at most so many. */
export const RETURNS_CHECKPOINT_ROWS = 24;

export interface ReturnsFactory extends EngineFactory {
  /** Of the live actor; undefined before its start. */
  readonly current: () => ReturnHistory | undefined;
}

/** For the registry of machines. */
export const returnsEngine = (factory: ReturnsFactory) => ({
  type: RETURNS,
  factory,
  checkpointEvery: RETURNS_CHECKPOINT_ROWS,
});

export function returnsFactory(): ReturnsFactory {
  let current: ReturnHistory | undefined;
  const asEngine = (history: ReturnHistory): ReplayedEngine => {
    current = history;
    return {
      apply: (event: ActorEvent) => {
        if (event.type === 'CLOSES') history.apply(event as unknown as HourlyCloses);
        return [];
      },
      checkpoint: () => history.checkpoint(),
    };
  };
  return {
    machine: 'returns@1',
    create: () => asEngine(new ReturnHistory()),
    restore: (checkpoint) => asEngine(ReturnHistory.restore(checkpoint)),
    current: () => current,
  };
}
