import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { engageKill, killPath, lastRelease, readKill, releaseKill } from '../../src/app/kill/kill-file.ts';
import { KillLog, killLogPath } from '../../src/app/kill/kill-log.ts';
import { KillVenue, type OwnedView } from '../../src/app/kill/kill-venue.ts';
import { liftKill } from '../../src/app/kill/release.ts';
import type { Time } from '../../src/core/clock.ts';
import { add, neg } from '../../src/core/decimal.ts';
import { keyOf } from '../../src/domain/position-key.ts';
import type { RemoteAnswers, RemoteCall, RemoteOutcome } from '../../src/domain/remote.ts';
import type { VenueGateway } from '../../src/exchange/venue-gateway.ts';
import { tempDir } from '../support/temp.ts';

const ORDER = { by: 'ann', reason: 'test', accountWide: false, at: 1_000 };

/** Time that passes only by waiting. */
function patientTime(): Time & { now: number } {
  const time = {
    now: 1_000_000,
    clock: { now: () => time.now },
    monotonic: { now: () => time.now },
    timers: {
      set: (ms: number, fire: () => void) => {
        const handle = setImmediate(() => {
          time.now += ms;
          fire();
        });
        return { cancel: () => clearImmediate(handle) };
      },
    },
  };
  return time;
}

type Answer = 'do' | 'lose' | 'do-silently';

/** A venue of positions and standing orders that does what it is told, or says nothing. */
class TinyVenue {
  readonly calls: RemoteCall[] = [];
  readonly positions = new Map<string, string>();
  orders: { id: string; symbol: string; reduceOnly: boolean }[] = [];
  answers: Answer[] = [];
  onCall: (call: RemoteCall) => void = () => {};
  readonly #known = new Set<string>();

  readonly gateway = {
    venueNow: () => 5,
    instruments: async () => [],
    call: async (call: RemoteCall) => {
      this.calls.push(call);
      this.onCall(call);
      return this.#answer(call);
    },
  } as unknown as Pick<VenueGateway, 'call' | 'venueNow' | 'instruments'>;

  get sent(): string[] {
    return this.calls.flatMap((call) =>
      call.call === 'submit'
        ? [`close ${call.order.symbol} ${call.order.side} ${call.order.quantity}`]
        : call.call === 'cancel'
          ? [`cancel ${call.clientOrderId}`]
          : [],
    );
  }

  #answer(call: RemoteCall): RemoteOutcome<unknown> {
    if (call.call === 'report') return { outcome: 'done', value: this.#report() };
    if (call.call === 'query')
      return {
        outcome: 'done',
        value: this.#known.has(call.clientOrderId) ? ({} as RemoteAnswers['query']) : null,
      };
    const fate = this.answers.shift() ?? 'do';
    if (fate !== 'lose') this.#do(call);
    return fate === 'do' ? { outcome: 'done', value: {} } : { outcome: 'unknown', reason: 'no answer' };
  }

  #do(call: RemoteCall): void {
    if (call.call === 'cancel') this.orders = this.orders.filter(({ id }) => id !== call.clientOrderId);
    if (call.call !== 'submit') return;
    const { symbol, side, quantity = '0', clientOrderId, reduceOnly } = call.order;
    assert.ok(reduceOnly);
    this.#known.add(clientOrderId);
    const signed = side === 'BUY' ? quantity : neg(quantity);
    this.positions.set(symbol, add(this.positions.get(symbol) ?? '0', signed));
  }

  #report() {
    const positions = [...this.positions]
      .filter(([, amount]) => amount !== '0')
      .map(([symbol, amount]) => ({ symbol, positionSide: 'BOTH', amount, entryPrice: '1' }));
    const openOrders = this.orders.map(({ id, symbol, reduceOnly }) => ({
      ...{ symbol, orderId: id, clientOrderId: id, reduceOnly },
    }));
    return { positions, openOrders, openAlgoOrders: [] };
  }
}

const BTC = keyOf({ symbol: 'BTCUSDT' });

function bench(t: TestContext, owned: Partial<OwnedView> = {}, accountWide = false) {
  const dataDir = tempDir(t, 'kill');
  const { order } = engageKill(dataDir, { ...ORDER, accountWide });
  const venue = new TinyVenue();
  const time = patientTime();
  const log = new KillLog(dataDir, order.id, () => time.now);
  t.after(() => log.close());
  const run = (own = log) =>
    new KillVenue({
      ...{ order, log: own, time, realTime: time, timeFactor: 1, gateway: venue.gateway },
      owned: { places: [], foreign: {}, ...owned },
      isEngaged: () => readKill(dataDir)?.id === order.id,
      say: () => {},
    }).run();
  return { dataDir, order, venue, log, time, run };
}

describe('at the venue', () => {
  test('what could open goes first, the stop last, and what is somebody else\u2019s stays', async (t) => {
    const { venue, run } = bench(t);
    venue.positions.set('BTCUSDT', '2').set('ETHUSDT', '-3');
    venue.orders = [
      { id: 'bh-stop', symbol: 'BTCUSDT', reduceOnly: true },
      { id: 'bh-entry', symbol: 'BTCUSDT', reduceOnly: false },
      { id: 'web_1', symbol: 'ETHUSDT', reduceOnly: false },
    ];
    assert.equal(await run(), 'flat');
    assert.deepEqual(venue.sent, ['cancel bh-entry', 'close BTCUSDT SELL 2', 'cancel bh-stop']);
    assert.equal(venue.positions.get('ETHUSDT'), '-3');
  });

  test('the whole account is the whole account', async (t) => {
    const { venue, run } = bench(t, {}, true);
    venue.positions.set('ETHUSDT', '-3');
    venue.orders = [{ id: 'web_1', symbol: 'XRPUSDT', reduceOnly: false }];
    assert.equal(await run(), 'flat');
    assert.deepEqual(venue.sent, ['cancel web_1', 'close ETHUSDT BUY 3']);
  });

  test('of a position that is partly foreign only our part goes', async (t) => {
    const { venue, run } = bench(t, { places: [BTC], foreign: { [BTC]: '0.5' } });
    venue.positions.set('BTCUSDT', '2');
    assert.equal(await run(), 'flat');
    assert.deepEqual(venue.sent, ['close BTCUSDT SELL 1.5']);
  });

  test('an order without an answer holds its symbol up until there is evidence', async (t) => {
    const { venue, run, time } = bench(t, { places: [BTC, keyOf({ symbol: 'ETHUSDT' })] });
    venue.positions.set('BTCUSDT', '2').set('ETHUSDT', '1');
    venue.answers = ['lose', 'do-silently'];
    const began = time.now;
    assert.equal(await run(), 'flat');
    assert.deepEqual(venue.sent, ['close BTCUSDT SELL 2', 'close ETHUSDT SELL 1', 'close BTCUSDT SELL 2']);
    assert.ok(time.now - began > 20_000, 'not before the first could no longer land');
    const ids = venue.calls.flatMap((call) => (call.call === 'submit' ? [call.order.clientOrderId] : []));
    assert.equal(new Set(ids).size, 3);
    assert.ok(ids.every((id) => /^[A-Za-z0-9-]{1,36}$/.test(id)));
  });

  test('a killer that wakes up after the release sends nothing', async (t) => {
    const { venue, run, dataDir } = bench(t, { places: [BTC] });
    venue.positions.set('BTCUSDT', '2');
    venue.onCall = ({ call }) => {
      if (call !== 'report') return;
      releaseKill(dataDir, 'bob', 'over', 2_000);
      engageKill(dataDir, { ...ORDER, reason: 'another' });
    };
    assert.equal(await run(), 'released');
    assert.deepEqual(venue.sent, []);
  });

  test('the next process goes on from the log, a line cut short included', async (t) => {
    const { venue, run, log, dataDir, order, time } = bench(t, { places: [BTC] });
    venue.positions.set('BTCUSDT', '2');
    venue.answers = ['do-silently'];
    venue.onCall = ({ call }) => {
      if (call === 'submit') throw new Error('killed');
    };
    await assert.rejects(run(), /killed/);
    venue.onCall = () => {};
    appendFileSync(killLogPath(dataDir, order.id), '{"kind":"inte');
    const again = new KillLog(dataDir, order.id, () => time.now);
    assert.equal(again.unresolved().length, 1);
    assert.deepEqual(again.entries, log.entries);
    assert.equal(await run(again), 'flat');
    assert.deepEqual(venue.sent, ['close BTCUSDT SELL 2', 'close BTCUSDT SELL 2']);
    const third = new KillLog(dataDir, order.id, () => time.now);
    assert.deepEqual(
      third.entries.map(({ seq }) => seq),
      third.entries.map((_, index) => index + 1),
    );
    again.close();
    third.close();
  });
});

describe('the file', () => {
  test('engaged twice is engaged once, and grows to the whole account', (t) => {
    const dataDir = tempDir(t, 'kill');
    const first = engageKill(dataDir, ORDER);
    assert.equal(first.isNew, true);
    assert.deepEqual(engageKill(dataDir, { ...ORDER, reason: 'other' }), {
      order: first.order,
      isNew: false,
    });
    const wide = engageKill(dataDir, { ...ORDER, accountWide: true });
    assert.equal(wide.order.id, first.order.id);
    assert.equal(readKill(dataDir)?.accountWide, true);
  });

  test('made by hand it has one id for all readers; whatever is in it, it is engaged', (t) => {
    const dataDir = tempDir(t, 'kill');
    for (const content of ['', 'mad market\n', '{"half', '[]', '7']) {
      writeFileSync(killPath(dataDir), content);
      const order = readKill(dataDir);
      assert.ok(order, content);
      assert.deepEqual(readKill(dataDir), order);
    }
  });

  test('made by hand in a folder that has never seen a kill it is lifted like any other', (t) => {
    const dataDir = tempDir(t, 'kill');
    writeFileSync(killPath(dataDir), 'mad market');
    const id = readKill(dataDir)?.id;
    assert.match(liftKill(dataDir, 'bob', 'seen', 5), /is released/);
    assert.equal(readKill(dataDir), undefined);
    assert.deepEqual(lastRelease(dataDir), { id, by: 'bob', reason: 'seen', at: 5 });
  });

  test('a release leaves its record; a deleted file leaves none', (t) => {
    const dataDir = tempDir(t, 'kill');
    engageKill(dataDir, ORDER);
    rmSync(killPath(dataDir));
    assert.equal(lastRelease(dataDir), undefined);
    const { order } = engageKill(dataDir, ORDER);
    assert.equal(releaseKill(dataDir, 'bob', 'seen', 5)?.id, order.id);
    assert.deepEqual(lastRelease(dataDir), { id: order.id, by: 'bob', reason: 'seen', at: 5 });
    assert.equal(readKill(dataDir), undefined);
    assert.equal(releaseKill(dataDir, 'bob', 'seen', 6), undefined);
  });
});
