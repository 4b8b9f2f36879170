/**
 * Whatever positions report and in whatever order: all that was approved and is not over counts in the next decision,
 * at its worst case, UNKNOWN or not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPortfolioMachine, type PortfolioContext } from '../../machines/portfolio.ts';
import { fromNumber, lte, mul, sum } from '../../src/core/decimal.ts';
import type { SizedEntry } from '../../src/domain/risk.ts';
import { riskJudge } from '../../src/risk/learning.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { entry, INSTRUMENT, MachineBench, told } from '../support/machine-bench.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT'];
/** So near that a single entry that is not counted breaks it. */
const LIMITS = {
  ...DEFAULT_LIMITS,
  maxTotalExposure: '0.3',
  maxSideExposure: '0.25',
  maxSymbolExposure: '0.2',
};
const EQUITY = '1000';

type Stage = 'none' | 'approved' | 'reported';
interface Place {
  stage: Stage;
  life: number;
  direction: 'long' | 'short';
  reservation: string;
  /** The most that may be open at the venue. */
  worst: string;
}

class World {
  readonly bench = new MachineBench(createPortfolioMachine(riskJudge), {
    ...{ wallet: EQUITY, limits: LIMITS, equityBreakers: [], tradeBreakers: [] },
  });
  readonly places = new Map<string, Place>();
  approvals = 0;
  unknown = 0;

  at(symbol: string): Place {
    const known = this.places.get(symbol);
    if (known) return known;
    const place: Place = { stage: 'none', life: 0, direction: 'long', reservation: '', worst: '0' };
    this.places.set(symbol, place);
    return place;
  }

  ask(symbol: string, direction: 'long' | 'short'): void {
    const place = this.at(symbol);
    if (place.stage !== 'none') return;
    const stopPrice = direction === 'long' ? '95' : '105';
    const from = `entry/${symbol}`;
    const instrument = { ...INSTRUMENT, symbol };
    this.bench.send('ASSESS', {
      entry: entry({ symbol, direction, stopPrice, atrPercent: 2 }),
      instrument,
      from,
    });
    const answer = told(this.bench).find(([to]) => to === from)?.[1];
    if (answer?.type !== 'APPROVED') return;
    const { quantity, referencePrice } = answer.entry as SizedEntry;
    const worst = mul(quantity, referencePrice);
    Object.assign(place, { stage: 'approved', life: place.life + 1, direction, worst });
    place.reservation = String(answer.reservation);
    this.approvals += 1;
    this.check();
  }

  /** Part of it is filled, and nobody knows of the rest, or the rest may still fill. */
  report(symbol: string, share: number, unknown: boolean): void {
    const place = this.at(symbol);
    if (place.stage === 'none') return;
    place.stage = 'reported';
    if (unknown) this.unknown += 1;
    const quantity = fromNumber(Math.round((Number(place.worst) / 100) * share) / 100);
    this.bench.send('EXPOSURE', {
      ...{ actor: `position/${symbol}/BOTH/${place.life}`, symbol, direction: place.direction },
      ...{ notional: place.worst, quantity, entryPrice: '100', unknown },
    });
  }

  end(symbol: string): void {
    const place = this.at(symbol);
    if (place.stage === 'none') return;
    if (place.stage === 'approved') this.bench.send('RELEASE', { reservation: place.reservation });
    else
      this.bench.send('POSITION_CLOSED', {
        actor: `position/${symbol}/BOTH/${place.life}`,
        trade: null,
        reason: 'x',
      });
    Object.assign(place, { stage: 'none', worst: '0' });
  }

  /** Against what the model knows may be open: not against the portfolio's own books. */
  check(): void {
    const open = [...this.places.values()].filter(({ stage }) => stage !== 'none');
    const all = sum(open.map(({ worst }) => worst));
    assert.ok(lte(all, mul(EQUITY, LIMITS.maxTotalExposure)), `${all} in all`);
    for (const side of ['long', 'short']) {
      const one = sum(open.filter(({ direction }) => direction === side).map(({ worst }) => worst));
      assert.ok(lte(one, mul(EQUITY, LIMITS.maxSideExposure)), `${one} ${side}`);
    }
    const { exposures, reservations } = this.bench.context<PortfolioContext>();
    const counted = [...Object.values(exposures), ...Object.values(reservations)].map(
      ({ notional }) => notional,
    );
    assert.equal(sum(counted), all);
  }
}

test('all that is approved and not over counts at its worst case', () => {
  const symbol = fc.constantFrom(...SYMBOLS);
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('ask' as const),
      symbol,
      direction: fc.constantFrom('long' as const, 'short' as const),
    }),
    fc.record({
      ...{ kind: fc.constant('report' as const), symbol },
      ...{ share: fc.integer({ min: 0, max: 100 }), unknown: fc.boolean() },
    }),
    fc.record({ kind: fc.constant('end' as const), symbol }),
    fc.record({ kind: fc.constant('mark' as const) }),
  );
  const seen = { approvals: 0, unknown: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const world = new World();
      for (const one of steps) {
        if (one.kind === 'ask') world.ask(one.symbol, one.direction);
        else if (one.kind === 'report') world.report(one.symbol, one.share, one.unknown);
        else if (one.kind === 'end') world.end(one.symbol);
        else world.bench.send('MARK', { prices: { BTCUSDT: 100, ETHUSDT: 100 } });
      }
      seen.approvals += world.approvals;
      seen.unknown += world.unknown;
    }),
    { numRuns: 300, seed: 20_221_108 },
  );
  assert.ok(seen.approvals > 300 && seen.unknown > 100, JSON.stringify(seen));
});
