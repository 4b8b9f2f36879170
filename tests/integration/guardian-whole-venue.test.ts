/**
 * The guardian and the executor before the real local venue, and nobody who owns the position: the executor books
 * it for an actor that never answers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuardianMachine } from '../../machines/guardian.ts';
import { systemTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Emitted } from '../../src/domain/events.ts';
import type { CallEnded } from '../../src/domain/remote.ts';
import { CcxtExchange } from '../../src/exchange/binance/ccxt-exchange.ts';
import { Executor, type ExecutorInput } from '../../src/execution/executor.ts';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { anOrder, until } from '../support/gateway-harness.ts';
import { MachineBench } from '../support/machine-bench.ts';
import { WholeVenue } from '../support/whole-venue.ts';

const SPEED = 20;

test('nobody answers for an uncovered position: the guardian’s own stop is at the venue', async (t) => {
  const venue = await WholeVenue.open(t, { symbols: ['BTCUSDT'], speed: SPEED });
  const time = venue.clientTime();
  const gateway = new CcxtExchange({
    mode: 'paper',
    restUrl: venue.server.url,
    streamUrl: venue.server.url.replace('http', 'ws'),
    apiKey: DEMO_API_KEY,
    apiSecret: DEMO_API_SECRET,
    time,
    realTime: systemTime(),
    random: seededRandom(3),
    mayAct: () => true,
    symbols: ['BTCUSDT'],
    limits: { maxLeverage: 20, marginMode: 'isolated', positionMode: 'one-way' },
    allowWithdrawals: false,
  });
  t.after(() => gateway.close());
  const executor = new Executor({ symbols: ['BTCUSDT'], tickSizes: { BTCUSDT: '0.1' }, timeFactor: SPEED });
  const guardian = new MachineBench(createGuardianMachine(), { guardBoundMs: 20_000 }, time.clock.now());
  let isOver = false;
  const timers: { cancel(): void }[] = [];
  const later = (delayMs: number, act: () => void): void => {
    if (!isOver) timers.push(time.timers.set(delayMs, act));
  };
  t.after(() => {
    isOver = true;
    for (const timer of timers) timer.cancel();
  });

  const tell = (input: Record<string, unknown>): void => {
    if (isOver) return;
    for (const emitted of executor.apply({ ...input, at: time.clock.now() } as unknown as ExecutorInput))
      void carry(emitted);
  };
  const carry = async (emitted: Emitted): Promise<void> => {
    if (emitted.type === 'venue.call') {
      const { call } = emitted;
      const result = await gateway.call(call);
      tell({
        type: 'CALL_ENDED',
        call: call.call,
        id: call.id,
        result,
        venueAt: gateway.venueNow(),
      } as Partial<CallEnded>);
    } else if (emitted.type === 'timer.set') {
      later(emitted.delayMs, () => tell({ type: 'RESOLVE' }));
    } else if (emitted.type === 'send' && emitted.to === 'guardian') guard(emitted.event.type, emitted.event);
  };
  const guard = (type: string, event: object): void => {
    if (isOver) return;
    const { type: _, ...data } = event as { type: string };
    const intents = guardian.send(type, data, Math.max(0, time.clock.now() - guardian.at));
    for (const intent of intents) {
      if (intent.type === 'timer.set') later(intent.delayMs, () => guard('LOOK', { type: 'LOOK' }));
      else if (intent.type === 'send' && intent.to === 'venue') tell(intent.event);
      else if (intent.type === 'order.submit') {
        const { order } = intent;
        tell({
          type: 'order.submit',
          order: { ...order, owner: 'guardian', clientOrderId: `bh-${order.ref}` },
        });
      }
    }
  };

  await gateway.open((event) => {
    if (event.type === 'stream') tell({ type: 'STREAM', event: event.event });
    else if (event.type === 'stream-up') tell({ type: 'STREAM_UP' });
  });
  tell({ type: 'RESTARTED', epoch: 1 });
  await until(() => executor.state.ready);
  tell({ type: 'order.submit', order: anOrder({ quantity: '0.02', owner: 'position/BTCUSDT/BOTH/1' }) });
  const openStops = () =>
    ((venue.ledger()?.algoOrders ?? []) as readonly Record<string, unknown>[]).filter(
      ({ algoStatus }) => algoStatus === 'NEW',
    );
  await until(() => openStops().length === 1);
  const [stop] = openStops();
  assert.deepEqual(
    [stop?.clientAlgoId, stop?.side, stop?.reduceOnly, Number(stop?.quantity)],
    ['bh-guard-1', 'SELL', true, 0.02],
  );
  const mark = venue.market.quote('BTCUSDT')?.mark ?? 0;
  assert.ok(
    Number(stop?.triggerPrice) > mark * 0.9 && Number(stop?.triggerPrice) < mark,
    'behind the market',
  );
  assert.equal(guardian.sent('position/BTCUSDT/BOTH/1')[0]?.type, 'GUARD_STOP', 'the owner was asked first');
});
