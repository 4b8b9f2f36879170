/** What a gateway's old API key opened is closed when nothing needs it any more, and not before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { Line, type LineParts } from '../../src/exchange/binance/ccxt-line.ts';

const turn = (): Promise<void> => new Promise(setImmediate);

test('a retired line ends with its last call, and not while a late answer may come', async () => {
  const time = new VirtualTime(0);
  let closed = 0;
  const client = {
    send: () => assert.fail('nothing is sent'),
    close: async () => {
      closed += 1;
    },
  };
  const line = new Line({ client } as unknown as LineParts);
  let answer = (): void => {};
  const call = line.use(
    () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
  );
  line.retire(time, 30_000);
  time.advanceTo(30_000);
  await turn();
  assert.equal(closed, 0, 'a call is under way');
  answer();
  await call;
  assert.equal(closed, 1);

  const idle = new Line({ client } as unknown as LineParts);
  idle.retire(time, 30_000);
  await idle.use(async () => {});
  assert.equal(closed, 1, 'its answer may still come late');
  time.advanceTo(60_000);
  assert.equal(closed, 2);
});
