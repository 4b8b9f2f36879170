/** Liquidation prices for people: the venue's own word where it is remote, the engine's in a demo. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remoteLiquidations, simulatedLiquidations } from '../../src/app/status/liquidations.ts';
import { gt } from '../../src/core/decimal.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { inMemory } from '../support/array-market.ts';
import { startRun } from '../support/system-harness.ts';

test('of a remote venue: what it said last of what is open, by side; nothing where it says none', () => {
  const said = (symbol: string, amount: string, liquidationPrice?: string) => ({
    ...{ symbol, positionSide: 'BOTH' as const, amount, entryPrice: '100' },
    ...(liquidationPrice === undefined ? {} : { liquidationPrice }),
  });
  const of = remoteLiquidations([
    said('LONG', '2', '61.5'),
    said('SHORT', '-2', '140'),
    said('SAFE', '1', '0'),
    said('SILENT', '1'),
    said('CLOSED', '0', '61.5'),
  ]);
  assert.equal(of('LONG', 'long'), '61.5');
  assert.equal(of('LONG', 'short'), undefined);
  assert.equal(of('SHORT', 'short'), '140');
  for (const symbol of ['SAFE', 'SILENT', 'CLOSED', 'NEVER'])
    assert.equal(of(symbol, 'long'), undefined, symbol);
});

test('of a demo: the simulated venue’s own price, on the losing side of the entry', async () => {
  const symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
  const market = await inMemory(new SyntheticMarketData({ seed: 2, symbols, days: 1, stress: 10 }));
  const run = await startRun({ market });
  await run.drive();
  const report = await run.system.exchange.report();
  assert.ok(report.positions.length > 0, 'the day ends with a position');
  const of = simulatedLiquidations(report);
  for (const { symbol, direction, entryPrice, liquidationPrice } of report.positions) {
    const price = of(symbol, direction);
    assert.equal(price, liquidationPrice);
    if (price !== undefined) assert.equal(gt(price, entryPrice), direction === 'short', `${symbol} ${price}`);
  }
});
