import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RETURNS_KEPT, ReturnHistory } from '../../src/risk/return-history.ts';
import { returnsFactory } from '../../supervisors/returns-logic.ts';

const HOUR_MS = 3_600_000;
const closes = (hour: number, prices: Record<string, number>) =>
  ({
    type: 'CLOSES',
    closes: Object.entries(prices).map(([symbol, close]) => [symbol, hour * HOUR_MS, close] as const),
  }) as const;

test('returns are of one hour to the next, in hundred-thousandths', () => {
  const history = new ReturnHistory();
  for (const [hour, price] of [100, 101, 99.99].entries()) history.apply(closes(hour, { BTCUSDT: price }));
  assert.deepEqual(history.of(['BTCUSDT', 'ETHUSDT']), { BTCUSDT: [995, -1005] });
});

test('a missed hour begins anew, and no price is no price', () => {
  const history = new ReturnHistory();
  history.apply(closes(0, { BTCUSDT: 100, ETHUSDT: 10 }));
  history.apply(closes(1, { BTCUSDT: 100, ETHUSDT: 0 }));
  history.apply(closes(2, { BTCUSDT: 100, ETHUSDT: 10 }));
  history.apply(closes(3, { BTCUSDT: 100, ETHUSDT: 11 }));
  const { BTCUSDT, ETHUSDT } = history.of(['BTCUSDT', 'ETHUSDT']);
  assert.equal(BTCUSDT?.length, 3);
  assert.deepEqual(ETHUSDT, [9531]);
});

test('an hour that was told already changes nothing', () => {
  const history = new ReturnHistory();
  for (const hour of [0, 1, 1, 0, 2]) history.apply(closes(hour, { BTCUSDT: 100 + hour }));
  assert.deepEqual(history.of(['BTCUSDT']).BTCUSDT, [995, 985]);
});

test('a week is kept, and what is handed out is the asker’s own', () => {
  const history = new ReturnHistory();
  for (let hour = 0; hour < 300; hour++) history.apply(closes(hour, { BTCUSDT: 100 + (hour % 7) }));
  const mine = history.of(['BTCUSDT']).BTCUSDT as number[];
  assert.equal(mine.length, RETURNS_KEPT);
  mine.length = 0;
  assert.equal(history.of(['BTCUSDT']).BTCUSDT?.length, RETURNS_KEPT);
});

test('from any checkpoint the rest gives the same bytes', () => {
  const hour = fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.double({ min: 0.01, max: 1e5, noNaN: true }));
  fc.assert(
    fc.property(fc.array(hour, { minLength: 1, maxLength: 40 }), fc.nat(), (hours, at) => {
      const cut = at % hours.length;
      const through = returnsFactory().create(undefined);
      const before = returnsFactory().create(undefined);
      const events = hours.map((prices, i) => closes(i, prices));
      for (const event of events) through.apply(event);
      for (const event of events.slice(0, cut)) before.apply(event);
      const after = returnsFactory().restore(JSON.parse(JSON.stringify(before.checkpoint())));
      for (const event of events.slice(cut)) after.apply(event);
      assert.equal(JSON.stringify(after.checkpoint()), JSON.stringify(through.checkpoint()));
    }),
  );
});
