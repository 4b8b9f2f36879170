/**
 * UNKNOWN never for ever: whatever order has no outcome, whatever happens meanwhile, and whatever the evidence
 * turns out to be, the position takes it: the order is known again, the books hold exactly what was filled, and
 * once everything has its answer nothing is open without protection.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OrderRecord, OrderRole } from '../../machines/position/context.ts';
import { add, fromNumber, gt, min, sub } from '../../src/core/decimal.ts';
import { INSTRUMENT, PositionBench } from '../support/machine-bench.ts';

type Role = Exclude<OrderRole, 'venue'>;

/** Brings a position to where its newest order of the role waits for its first word. */
const ASKED: Readonly<Record<Role, (bench: PositionBench) => void>> = {
  entry: (bench) => void bench.enter(),
  stop: (bench) => {
    bench.enter();
    bench.fill('entry-1', '2');
  },
  add: (bench) => {
    bench.open();
    bench.send('ADD');
    bench.send('APPROVED', { entry: { ...bench.state.entry, quantity: '1' }, reservation: 'r1' });
  },
  exit: (bench) => {
    bench.open();
    bench.price(100.9);
  },
  reduce: (bench) => {
    bench.open();
    // What rests at the venue is no obstacle; what nobody has heard of is.
    for (const { ref, role } of bench.state.orders) if (role === 'exit') bench.acknowledge(ref);
    bench.send('PARTIAL_CLOSE', { by: 'ann', share: '50' });
  },
  close: (bench) => {
    bench.open();
    bench.send('EXIT_SIGNAL', { reason: 'faded' });
  },
  emergency: (bench) => {
    bench.open();
    bench.send('KILL', { reason: 'all' });
  },
};
const ROLES = Object.keys(ASKED) as Role[];

const MEANWHILE: Readonly<Record<string, (bench: PositionBench) => void>> = {
  'a price beyond the stop': (bench) => void bench.price(90),
  'a price far in profit': (bench) => void bench.price(120),
  'an exit signal': (bench) => void bench.send('EXIT_SIGNAL', { reason: 'faded' }),
  'the kill switch': (bench) => void bench.send('KILL', { reason: 'all' }),
  'a halt': (bench) => void bench.send('ABORT_ENTRY', { reason: 'halted' }),
  'new filters': (bench) => void bench.send('INSTRUMENT', { instrument: { ...INSTRUMENT, tickSize: '0.5' } }),
  'the guardian': (bench) =>
    void bench.send('GUARD_STOP', { symbol: 'BTCUSDT', quantity: '2', protected: '0' }),
  'a person who wants a part': (bench) => void bench.send('PARTIAL_CLOSE', { by: 'ann', quantity: '0.5' }),
  'a person who moves the stop': (bench) =>
    void bench.send('MOVE_STOP', { by: 'ann', price: '96', mark: 100 }),
  'half a minute': (bench) => bench.wait(30_000),
  'a deadline': (bench) => void bench.fireNext(),
};

const EVIDENCE = [
  'acknowledged',
  'never arrived',
  'too late',
  'judged and refused',
  'would trigger at once',
  'nothing to reduce',
  'filled whole',
  'filled in two',
  'canceled',
  'expired half filled',
] as const;
type Evidence = (typeof EVIDENCE)[number];

const REFUSALS: Partial<Record<Evidence, number>> = {
  'never arrived': 0,
  'too late': -1021,
  'judged and refused': -4131,
  'would trigger at once': -2021,
  'nothing to reduce': -2022,
};

const PLAN = {
  scaleOut: [{ profitPercent: '0.9', sharePercent: '50' }],
  pyramid: { maxAdds: 1, stepPercent: '10', sizeFactor: '0.5', confirm: 'touch' as const, maxExposure: '10' },
  stopOverrunPercent: '1',
};

class Unknown {
  readonly bench: PositionBench;
  readonly known = new Map<string, string>();

  constructor(restingTargets: boolean) {
    this.bench = new PositionBench({ plan: { ...PLAN, restingTargets } });
  }

  order(ref: string): OrderRecord | undefined {
    return this.bench.state.orders.find((order) => order.ref === ref);
  }

  newest(role: Role): OrderRecord {
    const order = this.bench.state.orders.findLast((one) => one.role === role);
    assert.ok(order, `no ${role}`);
    return order;
  }

  /** A reduce-only order takes out no more than there is. */
  fill(ref: string, wanted: string, complete: boolean): void {
    const order = this.order(ref);
    assert.ok(order);
    const opens = order.role === 'entry' || order.role === 'add';
    const quantity = opens ? wanted : min(wanted, this.bench.state.quantity);
    if (!gt(quantity, '0')) {
      this.bench.closed(ref, 'expired', order.filled);
      return;
    }
    const cumulative = add(order.filled, quantity);
    this.bench.fill(ref, quantity, '100', { cumulative, complete });
    // What a reduce-only order cannot take expires with it.
    if (complete && this.order(ref)?.status !== 'over') this.bench.closed(ref, 'expired', cumulative);
  }

  prove(ref: string, evidence: Evidence): void {
    const order = this.order(ref);
    if (!order || this.bench.isDone()) return;
    const half = fromNumber(Number(order.quantity) / 2);
    const code = REFUSALS[evidence];
    if (code !== undefined) this.bench.reject(ref, code);
    else if (evidence === 'acknowledged') this.bench.acknowledge(ref);
    else if (evidence === 'canceled') this.bench.closed(ref);
    else if (evidence === 'filled whole') this.fill(ref, order.quantity, true);
    else {
      this.fill(ref, half, false);
      if (this.bench.isDone() || this.order(ref)?.status === 'over') return;
      if (evidence === 'filled in two') this.fill(ref, half, true);
      else this.bench.closed(ref, 'expired', this.order(ref)?.filled ?? half);
    }
  }

  /** An honest venue answers everything that is left. */
  answerAll(): void {
    for (let round = 0; round < 60 && !this.bench.isDone(); round++) {
      const left = this.bench.state.orders.filter((order) => order.status !== 'over');
      const next = left.find(
        (order) => order.status !== 'live' || order.role !== 'stop' || order.cancelRequested,
      );
      if (!next) {
        if (this.quiet() || !this.bench.fireNext()) return;
        continue;
      }
      if (next.cancelRequested) this.bench.closed(next.ref, 'canceled', next.filled);
      else if (next.role === 'stop' && next.status !== 'triggered') this.bench.acknowledge(next.ref);
      else this.fill(next.ref, sub(next.quantity, next.filled), true);
    }
  }

  quiet(): boolean {
    return this.bench.in('open.protection.covered.protected') && this.bench.in('open.entry.filled');
  }
}

/** Returns where it ended. */
function run(
  role: Role,
  meanwhile: readonly string[],
  evidence: Evidence,
  again: boolean,
  resting: boolean,
): string {
  const one = new Unknown(resting);
  const { bench } = one;
  ASKED[role](bench);
  const { ref } = one.newest(role);
  bench.unknown(ref);
  assert.equal(one.order(ref)?.status, 'unknown');
  for (const name of meanwhile) if (!bench.isDone()) MEANWHILE[name]?.(bench);
  const before = bench.state;
  one.prove(ref, evidence);
  const after = bench.state;
  assert.notEqual(one.order(ref)?.status, 'unknown', 'evidence ends it');
  assert.equal(after.unexpected.count, before.unexpected.count, 'and is expected in every state');
  assert.equal(after.broken, null);
  assert.equal(after.inferredQuantity, '0');
  assert.equal(sub(after.enteredQuantity, after.exitedQuantity), after.quantity);
  if (again && !bench.isDone()) {
    // Word of the same, once more, and a lost response that turns up after it.
    bench.unknown(ref);
    assert.notEqual(one.order(ref)?.status, 'unknown', 'a lost response is no news after evidence');
    assert.equal(bench.state.quantity, after.quantity);
  }
  one.answerAll();
  assert.ok(bench.isDone() || one.quiet(), `stuck in ${JSON.stringify(bench.value)}`);
  assert.ok(bench.state.orders.every((order) => order.status !== 'unknown'));
  if (bench.isDone()) assert.equal(bench.state.quantity, '0');
  return bench.isDone() ? String(bench.value) : 'open';
}

test('every role takes every evidence after UNKNOWN, with nothing in between', () => {
  for (const resting of [false, true])
    for (const role of ROLES) for (const evidence of EVIDENCE) run(role, [], evidence, true, resting);
});

test('and whatever else happens meanwhile', () => {
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.constantFrom(...ROLES),
      fc.array(fc.constantFrom(...Object.keys(MEANWHILE)), { maxLength: 5 }),
      fc.constantFrom(...EVIDENCE),
      fc.boolean(),
      fc.boolean(),
      (role, meanwhile, evidence, again, resting) => {
        const end = run(role, meanwhile, evidence, again, resting);
        ends.set(end, (ends.get(end) ?? 0) + 1);
      },
    ),
    { numRuns: 400, seed: 7 },
  );
  for (const end of ['open', 'closed', 'abandoned'])
    assert.ok((ends.get(end) ?? 0) > 5, `too few end ${end}: ${JSON.stringify([...ends])}`);
});
