import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { ccxtStreams, conformanceTable, ROWS, sdkStreams } from '../support/conformance/conformance-table.ts';
import { differencesTable } from '../support/conformance/recorded-differences.ts';
import { CoreBench } from '../support/venue-account.ts';
import { marketBench } from '../support/venue-market.ts';

test('docs/CONFORMANCE.md holds the table that the conformance tests keep', () => {
  const text = readFileSync('docs/CONFORMANCE.md', 'utf8');
  assert.ok(text.includes(conformanceTable()), conformanceTable());
  assert.ok(text.includes(differencesTable()), differencesTable());
  for (const stream of [...ccxtStreams(), ...sdkStreams()]) assert.ok(text.includes(`\`${stream}\``), stream);
});

test('the table names every endpoint that the exchange has, and no other', () => {
  const market = new SyntheticMarketData({ seed: 1, symbols: ['BTCUSDT'], days: 1 });
  const { side } = marketBench({ source: { kind: 'bars', market }, startAt: 0 });
  const served = [...new CoreBench().core.endpoints(), ...side.endpoints()];
  assert.deepEqual(
    ROWS.map(([endpoint]) => endpoint).sort(),
    served.map(({ method, path }) => `${method} ${path}`).sort(),
  );
});
