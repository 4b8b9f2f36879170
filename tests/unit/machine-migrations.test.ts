/**
 * Snapshots of the first version, as that version wrote them (tests/fixtures/machines-v1.json, with the timers
 * their rows held), carried over: restored by this one, they have every field, answer every timer, and go on.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { MachineDefinition, PersistedSnapshot } from '../../machines/definition.ts';
import type { ActorEvent, Emitted } from '../../src/domain/events.ts';
import { migrateSnapshot, XStateLogic } from '../../supervisors/xstate-logic.ts';
import { MACHINE_CASES } from '../support/machine-cases.ts';

interface Kept {
  readonly name: string;
  readonly machine: string;
  readonly at: number;
  readonly snapshot: PersistedSnapshot;
  readonly timers: readonly { readonly id: string; readonly due: number; readonly event: ActorEvent }[];
}

const FILE = new URL('../fixtures/machines-v1.json', import.meta.url);
const KEPT = JSON.parse(readFileSync(FILE, 'utf8')) as readonly Kept[];

function caseOf(kept: Kept) {
  const one = MACHINE_CASES.find(({ definition }) => definition.type === kept.machine.split('@')[0]);
  assert.ok(one);
  return one;
}

interface Restored {
  readonly logic: XStateLogic;
  readonly context: Record<string, unknown> & { readonly unexpected: { readonly count: number } };
  readonly value: unknown;
}

function read(logic: XStateLogic): Restored {
  const { context, value } = JSON.parse(logic.snapshot()) as Restored;
  return { logic, context, value };
}

function carriedOver(kept: Kept, definition: MachineDefinition = caseOf(kept).definition): Restored {
  const logic = new XStateLogic(definition);
  logic.restore(migrateSnapshot(definition, kept.machine, JSON.stringify(kept.snapshot)));
  return read(logic);
}

/** What this version's own actors have in their context. */
function freshContext(kept: Kept): Record<string, unknown> {
  const { definition, input } = caseOf(kept);
  const logic = new XStateLogic(definition);
  logic.start(input);
  return read(logic).context;
}

const named = (name: string): Kept => {
  const kept = KEPT.find((one) => one.name === name);
  assert.ok(kept, name);
  return kept;
};

/** What an open position has beside what the first version knew. */
function withNewRegions(value: unknown): unknown {
  const { open } = (typeof value === 'object' && value !== null ? value : {}) as { open?: unknown };
  return typeof open === 'object' ? { open: { ...open, symbol: 'trading', forced: 'untouched' } } : value;
}

for (const kept of KEPT) {
  test(`${kept.name}: ${kept.machine} is carried over where it stood, with every field there is`, () => {
    const { context, value } = carriedOver(kept);
    assert.deepEqual(value, withNewRegions(kept.snapshot.value));
    assert.deepEqual(Object.keys(context).sort(), Object.keys(freshContext(kept)).sort());
    const before = kept.snapshot.context as Record<string, unknown>;
    for (const key of ['orders', 'quantity', 'blocks', 'cases', 'strategy', 'stopPrice', 'audit'])
      if (key in before) assert.deepEqual(context[key], before[key], key);
    // A breaker counts more things than it did; what it had counted stays.
    if ('counters' in before) assert.partialDeepStrictEqual(context.counters, before.counters);
  });

  test(`${kept.name}: the timers of its old row still mean something`, () => {
    for (const { event, due } of kept.timers) {
      const { logic, context } = carriedOver(kept);
      logic.send({ ...event, at: due });
      assert.equal(read(logic).context.unexpected.count, context.unexpected.count, event.type);
    }
  });
}

const say = (from: Restored, type: string, data: Record<string, unknown> = {}): readonly Emitted[] =>
  from.logic.send({ ref: '', clientOrderId: 'x', symbol: 'BTCUSDT', at: 2_000_000, ...data, type }).emitted;

test('a stop refused twice before goes on counting where it was, and is still placed', () => {
  const position = carriedOver(named('a position whose stop was refused twice'));
  assert.equal(position.context.stopRefusals, 2);
  const retry = named('a position whose stop was refused twice').timers.find(({ event }) =>
    /stopRetry/.test(event.type),
  );
  assert.ok(retry);
  const placed = position.logic.send({ ...retry.event, at: retry.due }).emitted;
  assert.ok(placed.some((intent) => intent.type === 'order.submit' && intent.order.ref === 'stop-3'));
});

test('an UNKNOWN emergency close ends by evidence in this version, too', () => {
  const position = carriedOver(named('a position whose emergency close is UNKNOWN'));
  say(position, 'ORDER_FILLED', {
    ref: 'emergency-1',
    tradeId: 't',
    side: 'SELL',
    price: '95',
    quantity: '2',
    cumulative: '2',
    complete: true,
    maker: false,
    fee: '0',
    realizedPnl: '-10',
  });
  say(position, 'ORDER_CLOSED', { ref: 'stop-1', outcome: 'canceled', cumulative: '0', reason: 'asked' });
  assert.equal(read(position.logic).value, 'closed');
});

test('a desk that cooled down goes on by its old timer; a breaker that was open still closes', () => {
  for (const [name, end] of [
    ['a desk that cools down', 'idle'],
    ['a breaker that is open', 'halfOpen'],
  ] as const) {
    const kept = named(name);
    const restored = carriedOver(kept);
    for (const { event, due } of kept.timers) restored.logic.send({ ...event, at: due });
    assert.equal(read(restored.logic).value, end);
  }
});

test('a breaker that a person opened before there was a hold is held by that person; one opened by its rule is not', () => {
  const { definition } = caseOf(named('a breaker that is open'));
  const heldBy = (audit: readonly object[], openedAt: number | null) => {
    const context = { audit, openedAt } as unknown as PersistedSnapshot;
    const carried = definition.migrations[4]?.({ context })?.context;
    return (carried as { readonly heldBy: string | null } | undefined)?.heldBy;
  };
  const trip = { at: 5, by: 'ann', what: 'trip', reason: 'news' };
  assert.equal(heldBy([trip], 5), 'ann');
  assert.equal(heldBy([trip], 3), 'ann', 'on top of its rule');
  assert.equal(heldBy([trip, { ...trip, at: 6, what: 'reset' }], 7), null);
  assert.equal(heldBy([trip], null), null);
});
