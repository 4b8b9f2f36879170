/** Positions that may pay hear of a settlement ahead, once, at the same step whoever resumes the run. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LiveAudience } from '../../src/app/drive/live-audience.ts';
import { MarketAudience } from '../../src/app/drive/step-audience.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import type { MarketStep } from '../../src/market/market-data.ts';
import { INSTRUMENT, PositionBench } from '../support/machine-bench.ts';

const HOUR_MS = 3_600_000;
const LEAD_MS = 1_800_000;
const T0 = 1_750_003_200_000 - (1_750_003_200_000 % (8 * HOUR_MS));
const POSITION = 'position/BTCUSDT/BOTH/1';

const held = (): string => new PositionBench().open().snapshot();

describe('on a recorded or generated market', () => {
  const stepAt = (at: number, rate?: number): MarketStep => ({
    at,
    bars: [],
    funding: rate === undefined ? [] : [{ symbol: 'BTCUSDT', rate }],
    faults: [],
  });
  const audience = () =>
    new MarketAudience({
      instruments: [INSTRUMENT],
      timeframe: '1m',
      engine: () => undefined,
      fundingLeadMs: () => LEAD_MS,
      now: () => T0,
    });
  /** Steps of a minute from one moment to another; what was told, and when. */
  function drive(from: number, to: number, rate: number, seenFrom = from): [at: number, event: ActorEvent][] {
    const heard: [number, ActorEvent][] = [];
    const watcher = audience();
    watcher.watch(POSITION, held());
    for (let at = seenFrom; at <= to; at += 60_000) {
      const one = stepAt(at, at % (8 * HOUR_MS) === 0 ? rate : undefined);
      watcher.absorb(one);
      if (at >= from) watcher.market(one, (_to, event) => heard.push([at, event]));
    }
    return heard.filter(([, { type }]) => type === 'FUNDING_AHEAD');
  }

  test('half an hour before the next, with the rate of the last', () => {
    const settlesAt = T0 + 8 * HOUR_MS;
    assert.deepEqual(drive(T0, settlesAt - 60_000, 0.002), [
      [settlesAt - LEAD_MS, { type: 'FUNDING_AHEAD', rate: 0.002, settlesAt }],
    ]);
    assert.deepEqual(drive(T0, settlesAt - 60_000, 0.0001), [], 'small ones are told to nobody');
  });

  test('a run that was killed in between knows the rate again, and tells no more and no less', () => {
    const settlesAt = T0 + 8 * HOUR_MS;
    for (const at of [settlesAt - 2 * HOUR_MS, settlesAt - LEAD_MS, settlesAt - LEAD_MS + 60_000]) {
      const seenFrom = audience().absorbFrom(at);
      assert.ok(seenFrom <= T0);
      const rest = drive(at, settlesAt - 60_000, 0.002, Math.max(seenFrom, T0));
      assert.equal(rest.length, at <= settlesAt - LEAD_MS ? 1 : 0);
    }
  });
});

test('on a live market, once a settlement, as the marks tell it', () => {
  const audience = new LiveAudience(['BTCUSDT'], '15m', () => LEAD_MS);
  const heard: ActorEvent[] = [];
  const tell = (_to: string, event: ActorEvent) => void heard.push(event);
  audience.watch(POSITION, held());
  const settlesAt = T0 + 8 * HOUR_MS;
  audience.funding('BTCUSDT', 0.002, settlesAt);
  audience.settlements(settlesAt - LEAD_MS - 1, tell);
  assert.deepEqual(heard, []);
  audience.settlements(settlesAt - LEAD_MS, tell);
  audience.settlements(settlesAt - 1, tell);
  assert.deepEqual(heard, [{ type: 'FUNDING_AHEAD', rate: 0.002, settlesAt }]);
  audience.funding('BTCUSDT', -0.002, settlesAt + 8 * HOUR_MS);
  audience.settlements(settlesAt + 8 * HOUR_MS - 1, tell);
  assert.equal(heard.length, 2);
  audience.watch(POSITION, null);
  audience.funding('BTCUSDT', 0.002, settlesAt + 16 * HOUR_MS);
  audience.settlements(settlesAt + 16 * HOUR_MS - 1, tell);
  assert.equal(heard.length, 2, 'nothing is open any more');
});
