import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { SimulatedExchange } from '../../src/exchange/simulated-exchange.ts';
import { VenueBench } from '../support/venue.ts';

test('the port reports the engine of the moment at the clock of the moment', async () => {
  const time = new VirtualTime(1_000);
  const venue = new VenueBench();
  venue.submit({}, 100);
  let { engine } = venue;
  const exchange = new SimulatedExchange(() => engine, time.clock);
  assert.equal(exchange.notFoundIsFinal, true);
  const report = await exchange.report();
  assert.equal(report.at, 1_000);
  assert.equal(report.walletBalance, '9999.95');
  assert.deepEqual(
    report.positions.map(({ symbol, quantity, owner }) => ({ symbol, quantity, owner })),
    [{ symbol: 'BTCUSDT', quantity: '1', owner: 'position/BTCUSDT/BOTH/1' }],
  );
  engine = new VenueBench().engine;
  assert.deepEqual((await exchange.report()).positions, []);
});

test('a report values positions at the newest quote, which decides nothing', async () => {
  const venue = new VenueBench();
  venue.submit({}, 100);
  const before = JSON.stringify(venue.engine.checkpoint());
  venue.engine.setQuote('BTCUSDT', 50, 90);
  const exchange = new SimulatedExchange(() => venue.engine, new VirtualTime().clock);
  const [position] = (await exchange.report()).positions;
  assert.deepEqual([position?.markPrice, position?.unrealizedPnl], ['90', '-10']);
  assert.equal(JSON.stringify(venue.engine.checkpoint()), before);
});
