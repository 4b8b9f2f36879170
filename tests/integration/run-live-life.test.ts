import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PositionContext } from '../../machines/position/context.ts';
import { remoteRegistry } from '../../src/app/compose/compose-live.ts';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
import type { RemoteIdentity } from '../../src/app/run/run-identity.ts';
import { abs, eq } from '../../src/core/decimal.ts';
import type { RemoteCall } from '../../src/domain/remote.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { Replay } from '../../supervisors/replay.ts';
import { LiveWorld, settle } from '../support/live-world.ts';
import { BUSY_CONFIG } from '../support/system-harness.ts';

const MINUTE = 60_000;

const typeOf = (row: JournalRow): string => (JSON.parse(row.event) as { type: string }).type;

const rowsOf = (world: LiveWorld, actor: string, type: string): JournalRow[] =>
  world.rows().filter((row) => row.actor.startsWith(actor) && typeOf(row) === type);

const submits = (world: LiveWorld): Extract<RemoteCall, { call: 'submit' }>[] =>
  world.lines.calls.filter((call) => call.call === 'submit');

/** What the journal's positions hold, by symbol. */
function held(world: LiveWorld): Record<string, string> {
  const newest = new Map(world.rows().map((row) => [row.actor, row]));
  const open = [...newest.values()].filter((row) => row.actor.startsWith('position/') && !row.final);
  return Object.fromEntries(
    open
      .map((row) => (JSON.parse(row.snapshot ?? '') as { context: PositionContext }).context)
      .filter(({ quantity }) => !eq(quantity, '0'))
      .map(({ symbol, quantity }) => [symbol, quantity]),
  );
}

/** What must hold whenever nothing is under way. */
function agree(world: LiveWorld): void {
  const { venue } = world.lines;
  const atVenue = Object.entries(venue.state.positions).map(([symbol, { amount }]) => [symbol, abs(amount)]);
  assert.deepEqual(held(world), Object.fromEntries(atVenue), 'the books and the venue hold the same');
  for (const [id, times] of venue.executed) assert.equal(times, 1, `${id} was executed once`);
  for (const symbol of Object.keys(venue.state.positions)) {
    const stops = venue.state.algos.filter((algo) => algo.symbol === symbol && algo.status === 'NEW');
    assert.ok(stops.length > 0, `${symbol} has a live stop`);
  }
}

/** Every row must come out of its replay byte for byte, over restarts too. */
function replays(world: LiveWorld): void {
  const { meta } = world.database.account('main');
  const { registry } = remoteRegistry(JSON.parse(meta.get('run') ?? '') as RemoteIdentity);
  const replay = new Replay(registry, () => meta.get('instance') ?? '');
  for (const row of world.rows()) assert.deepEqual(replay.take(row), []);
}

const hasPosition =
  (world: LiveWorld, symbol = 'ETHUSDT') =>
  (): boolean =>
    symbol in held(world);

describe('a live run', () => {
  test('reads the past, enters, gets its stop at once, and leaves it at the venue when stopped', async () => {
    const world = await LiveWorld.create();
    const life = world.begin();
    await world.until('a position', hasPosition(world));
    await settle();
    agree(world);
    assert.equal(rowsOf(world, 'venue', 'RESTARTED').length, 1);
    assert.equal(rowsOf(world, 'venue', 'RESTARTED')[0]?.seq, 2, 'it is the first thing the executor hears');
    assert.equal(rowsOf(world, 'scanner/ETHUSDT', 'SEED').length, 1);
    const { venue, positions, state } = life.status();
    assert.equal(state, 'running');
    assert.equal(venue?.reconcile.ready, true);
    assert.equal(venue?.stream.state, 'up');
    await world.advance(15_000);
    assert.equal(life.status().venue?.protection.fillToStop.count, 1);
    assert.equal(life.status().positions.length, 1, JSON.stringify(positions));

    const before = submits(world).length;
    assert.equal(await world.stop(), 143);
    assert.equal(submits(world).length, before, 'a stop sends no order');
    agree(world);
    assert.equal(life.status().state, 'stopped');
  });

  test('killed with a position, it comes back with the same one, its missed bars and its peak', async () => {
    const world = await LiveWorld.create();
    world.begin();
    await world.until('a position', hasPosition(world));
    await world.advance(2 * MINUTE);
    const seen = rowsOf(world, 'scanner/ETHUSDT', 'CANDLES').length;
    const sent = submits(world).length;
    world.life.kill();
    await world.sleepDead(35 * MINUTE);
    const second = world.begin();
    await world.advance(MINUTE);
    agree(world);
    assert.equal(rowsOf(world, 'venue', 'RESTARTED').length, 2);
    const closes = rowsOf(world, 'scanner/ETHUSDT', 'CANDLES')
      .slice(seen)
      .map(
        (row) =>
          (JSON.parse(row.event) as { closed: { '15m': { openTime: number } } }).closed['15m'].openTime,
      );
    assert.equal(closes.length, 2, 'the two bars that closed meanwhile');
    assert.equal((closes[1] ?? 0) - (closes[0] ?? 0), 15 * MINUTE);
    for (const { order } of submits(world).slice(sent))
      assert.ok(order.reduceOnly || order.closePosition === true || order.symbol !== 'ETHUSDT');
    assert.deepEqual(
      second.market.marksAsked.map(({ symbol, timeframe }) => [symbol, timeframe]),
      [['ETHUSDT', '1m']],
      'its peak is of the mark price',
    );
    assert.ok(second.market.asked.every(({ timeframe }) => timeframe !== '1m'));
    assert.equal(second.status().venue?.unknownOrders.length, 0);
    await world.stop();
    replays(world);
  });

  test('begun again with other position keys: the desks hear of it once, what is open keeps its plan', async () => {
    const world = await LiveWorld.create();
    world.begin();
    await world.until('a position', hasPosition(world));
    const position = { ...BUSY_CONFIG.position, stopRetryMs: 4_321 };
    const planOf = (actor: string): number | undefined => {
      const row = world.rows().findLast((each) => each.actor === actor);
      const { context } = JSON.parse(row?.snapshot ?? '') as { context: PositionContext };
      return context.plan.stopRetryMs;
    };
    for (let life = 0; life < 2; life++) {
      world.life.kill();
      await world.sleepDead();
      world.begin({ position });
      await world.advance(MINUTE);
      assert.equal(rowsOf(world, 'entry/', 'CONFIG').length, world.symbols.length, 'once for each desk');
    }
    assert.notEqual(planOf('position/ETHUSDT/BOTH/1'), 4_321);
    assert.equal(planOf('entry/ETHUSDT'), 4_321);
    await world.stop();
    replays(world);
  });

  test('an answer that is lost is looked up, and the order is not sent again', async () => {
    const world = await LiveWorld.create();
    world.begin();
    let lost = 0;
    world.lines.mishap = (call) => (call.call === 'submit' && ++lost <= 2 ? 'lost-after' : undefined);
    await world.until('a position', hasPosition(world));
    await world.advance(2 * MINUTE);
    agree(world);
    const ids = submits(world).map(({ order }) => order.clientOrderId);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(world.life.status().venue?.unknownOrders.length, 0);
    await world.stop();
  });

  test('a request that never came there is given up on evidence, and another entry may follow', async () => {
    const world = await LiveWorld.create();
    world.begin();
    let first: string | undefined;
    world.lines.mishap = (call) => {
      if (call.call !== 'submit') return undefined;
      first ??= call.order.clientOrderId;
      return call.order.clientOrderId === first ? 'lost-before' : undefined;
    };
    await world.until('the loss', () => first !== undefined);
    await world.advance(5 * MINUTE);
    assert.equal(world.life.status().venue?.unknownOrders.length, 0);
    assert.equal(world.lines.venue.executed.has(first ?? ''), false);
    assert.ok(rowsOf(world, 'position/ETHUSDT', 'ORDER_UNKNOWN').length > 0);
    agree(world);
    await world.stop();
  });

  test('a gateway that throws, or dies with the call, leaves an order whose fate the next life finds out', async () => {
    const world = await LiveWorld.create();
    world.begin();
    world.lines.mishap = (call) => (call.call === 'submit' ? 'never' : undefined);
    await world.until('a submit', () => submits(world).length > 0);
    world.life.kill();
    world.lines.mishap = () => undefined;
    await world.sleepDead(2 * MINUTE);
    world.begin();
    await world.advance(3 * MINUTE);
    assert.equal(world.life.status().venue?.unknownOrders.length, 0);
    agree(world);
    await world.stop();
  });

  test('killed between the order and its answer, the fill is found and protected', async () => {
    const world = await LiveWorld.create();
    world.begin();
    world.lines.mishap = (call) => {
      if (call.call !== 'submit') return undefined;
      // Executed, and nobody lives to hear of it.
      world.lines.listeners.clear();
      world.lines.venue.submit(call.order);
      world.lines.venue.takeEvents();
      return 'never';
    };
    await world.until('the order', () => Object.keys(world.lines.venue.state.positions).length > 0);
    world.life.kill();
    world.lines.mishap = () => undefined;
    await world.sleepDead(90_000);
    world.begin();
    await world.advance(MINUTE);
    agree(world);
    assert.equal(Object.keys(held(world)).length, 1);
    await world.stop();
  });
});

describe('what is not there', () => {
  test('a venue that cannot be reached is waited for, and the status says so', async () => {
    const world = await LiveWorld.create();
    world.lines.isReachable = false;
    const life = world.begin();
    await world.advance(2 * MINUTE);
    assert.equal(life.status().state, 'connecting');
    assert.match(life.status().venue?.waitingFor ?? '', /no line/);
    assert.equal(world.rows().length, 0);
    world.lines.isReachable = true;
    await world.advance(MINUTE);
    assert.equal(life.status().state, 'running');
    assert.equal(life.status().venue?.waitingFor, null);
    await world.stop();
  });

  test('while a venue is waited for, the status tells what the journal has open', async () => {
    const world = await LiveWorld.create();
    world.begin();
    await world.until('a position', () => Object.keys(held(world)).length > 0);
    world.life.kill();
    await world.sleepDead(90_000);
    world.lines.isReachable = false;
    const life = world.begin();
    await world.advance(MINUTE);
    const { state, positions, toldAt } = life.status();
    assert.deepEqual([state, positions.length, toldAt], ['connecting', 1, undefined]);
    await world.stop();
  });

  test('stopped while it waits, it ends', async () => {
    const world = await LiveWorld.create();
    world.lines.isReachable = false;
    world.begin();
    await world.advance(MINUTE);
    assert.equal(await world.stop(), 143);
  });

  test('a market that cannot be reached stops entries and nothing else', async () => {
    const world = await LiveWorld.create();
    const life = world.begin();
    life.market.failures = 4;
    await world.advance(2 * MINUTE);
    assert.equal(life.status().state, 'running');
    assert.equal(life.status().venue?.market.warmingUp, 0);
    await world.until('a position', hasPosition(world));
    await world.stop();
  });

  test('an account that another process took is left alone', async () => {
    const world = await LiveWorld.create();
    const life = world.begin();
    await world.until('a position', hasPosition(world));
    const record = world.database.account('main');
    record.epoch += 1;
    if (record.lease) record.lease = { ...record.lease, owner: 'another', epoch: record.epoch };
    const before = world.lines.calls.filter(({ call }) => call === 'submit' || call === 'cancel').length;
    let ended: unknown;
    life.ended.catch((error: unknown) => {
      ended = error;
    });
    await world.until('its end', () => ended !== undefined, 10 * MINUTE);
    assert.equal((ended as { code?: string }).code, 'FENCED');
    const after = world.lines.calls.filter(({ call }) => call === 'submit' || call === 'cancel').length;
    assert.equal(after, before, 'nothing that changes anything left it');
  });
});

describe('data that must not be traded on', () => {
  const stateOf = (world: LiveWorld, actor: string): unknown => {
    const row = world.rows().findLast((each) => each.actor === actor);
    return (JSON.parse(row?.snapshot ?? '{}') as { value?: unknown }).value;
  };
  const seenUntil = (world: LiveWorld): number => {
    const row = world.rows().findLast((each) => each.actor === 'scanner/SOLUSDT');
    return (JSON.parse(row?.snapshot ?? '') as { context: { lastCloseAt: number } }).context.lastCloseAt;
  };

  test('an absurd bar is withheld and stops entries on its symbol, over a kill too, until clean ones came', async () => {
    const world = await LiveWorld.create();
    const life = world.begin();
    await world.advance(16 * MINUTE);
    assert.equal(stateOf(world, 'feed/SOLUSDT'), 'live');
    const before = seenUntil(world);
    const openTime = before;
    const real = life.market.of('SOLUSDT', '15m').find((bar) => bar.openTime === openTime);
    assert.ok(real);
    // Also in the venue's history: a restart must judge it as badly.
    const minutes = world.bars.get('SOLUSDT') ?? [];
    const last = minutes.findIndex((bar) => bar.openTime === openTime + 14 * MINUTE);
    const minute = minutes[last];
    assert.ok(minute);
    minutes[last] = { ...minute, high: minute.high * 8 };
    await world.advance(openTime + 15 * MINUTE - world.now);
    assert.equal(stateOf(world, 'feed/SOLUSDT'), 'gapped');
    assert.equal(stateOf(world, 'feed/ETHUSDT'), 'live');
    await world.advance(15_000);
    assert.deepEqual(life.status().venue?.market.outOfOrder, ['SOLUSDT']);
    assert.equal(seenUntil(world), before, 'the scanner never saw it');

    world.life.kill();
    await world.sleepDead(5 * MINUTE);
    const second = world.begin();
    await world.advance(10 * MINUTE + MINUTE - 15_000);
    assert.equal(stateOf(world, 'feed/SOLUSDT'), 'gapped');
    assert.deepEqual(second.status().venue?.market.outOfOrder, ['SOLUSDT']);
    await world.advance(46 * MINUTE);
    assert.equal(stateOf(world, 'feed/SOLUSDT'), 'live');
    assert.deepEqual(second.status().venue?.market.outOfOrder, []);
    assert.equal(seenUntil(world), openTime + 75 * MINUTE);
    await world.stop();
  });

  test('a mark that the book contradicts moves no stop and no money, and is a fault when it lasts', async () => {
    const world = await LiveWorld.create();
    const life = world.begin();
    await world.until('a position', hasPosition(world));
    await settle();
    const sent = submits(world).length;
    const row = world.rows().findLast(({ actor }) => actor === 'position/ETHUSDT/BOTH/1')?.n;
    const price = Number(world.lines.venue.price.ETHUSDT);
    const quote = { type: 'quote', symbol: 'ETHUSDT', bidQuantity: 1, askQuantity: 1 } as const;
    for (let second = 1; second <= 8; second++) {
      const at = world.now + second * 1_000;
      life.time.advanceTo(at);
      life.market.say({ ...quote, at, bid: price * 0.9999, ask: price * 1.0001 });
      life.market.say({ type: 'mark', symbol: 'ETHUSDT', at, mark: price * 3 });
      await settle();
    }
    assert.equal(stateOf(world, 'feed/ETHUSDT'), 'gapped');
    assert.equal(submits(world).length, sent, 'the stop stayed where it was');
    assert.equal(
      world.rows().findLast(({ actor }) => actor === 'position/ETHUSDT/BOTH/1')?.n,
      row,
      'and heard nothing',
    );
    await world.advance(15_000);
    assert.ok(Math.abs(Number(life.status().account?.equity) - 10_000) < 100);
    await world.advance(3 * MINUTE);
    agree(world);
    await world.stop();
  });
});

describe('people and positions that nobody here opened', () => {
  test('one is reported and blocked, then adopted at a word, and gets its stop', async () => {
    const world = await LiveWorld.create({ config: { venue: { reconcileEveryMs: 5_000 } } });
    const { venue } = world.lines;
    venue.trade('SOLUSDT', 'BUY', '2', 'by-hand');
    venue.takeEvents();
    const life = world.begin();
    await world.advance(MINUTE);
    assert.deepEqual(
      life.status().venue?.foreign.map(({ symbol, amount }) => [symbol, amount]),
      [['SOLUSDT', '2']],
    );
    assert.deepEqual(held(world), {});
    leaveRequest(life.dataDir, { command: { kind: 'adopt', symbol: 'SOLUSDT' }, by: 'a person', at: 0 });
    await world.advance(2 * MINUTE);
    assert.equal(held(world).SOLUSDT, '2');
    agree(world);
    assert.deepEqual(life.status().venue?.foreign, []);
    await world.stop();
  });
});
