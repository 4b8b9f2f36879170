/** A market side on a clock moved by hand: what it pushed, what the engine heard, and its endpoints by path. */
import assert from 'node:assert/strict';
import { seededRandom } from '../../src/core/random.ts';
import type { EngineInput } from '../../src/exchange/engine/engine-types.ts';
import type { MarketSource } from '../../src/venue-server/market/market-feed.ts';
import { MarketSide } from '../../src/venue-server/market/market-side.ts';
import type { Push } from '../../src/venue-server/protocol.ts';
import { type ManualClock, manualClock } from '../../src/venue-server/venue-clock.ts';

export interface MarketBench {
  readonly clock: ManualClock;
  readonly side: MarketSide;
  readonly inputs: EngineInput[];
  /** Public frames of one stream, oldest first. */
  of<T = Record<string, unknown>>(stream: string): T[];
  readonly pushes: Push[];
  call<T = Record<string, unknown>>(path: string, params?: Record<string, string | number>): T;
  advance(to: number): Promise<void>;
}

export interface MarketBenchOptions {
  readonly source: MarketSource;
  readonly startAt: number;
  readonly seed?: number;
  readonly streams?: readonly string[];
  readonly onInput?: (input: EngineInput, side: MarketSide) => void;
}

export function marketBench({
  source,
  startAt,
  seed = 1,
  streams = [],
  onInput,
}: MarketBenchOptions): MarketBench {
  const clock = manualClock(startAt);
  const inputs: EngineInput[] = [];
  const pushes: Push[] = [];
  const side: MarketSide = new MarketSide({
    source,
    clock,
    push: (push) => pushes.push(push),
    onInput: (input) => {
      inputs.push(input);
      onInput?.(input, side);
    },
    random: seededRandom(seed),
  });
  for (const stream of streams) side.subscribed(stream);
  const endpoints = side.endpoints();
  return {
    clock,
    side,
    inputs,
    pushes,
    of: <T>(stream: string) =>
      pushes.flatMap((push) =>
        push.socket !== 'private' && push.stream === stream ? [push.data as unknown as T] : [],
      ),
    call: <T>(path: string, params: Record<string, string | number> = {}) => {
      const endpoint = endpoints.find((candidate) => candidate.path === path);
      assert.ok(endpoint, `no endpoint ${path}`);
      const entries = Object.entries(params).map(
        ([name, value]) => [name.toLowerCase(), String(value)] as const,
      );
      return endpoint.handle({
        method: 'GET',
        path,
        params: new Map(entries),
        at: clock.now(),
      }) as unknown as T;
    },
    advance: async (to) => {
      await side.prepare(to);
      clock.advanceTo(to);
    },
  };
}
