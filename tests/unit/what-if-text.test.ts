import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WhatIf, whatIfText } from '../../src/app/replay/what-if.ts';

test('a what-if for people: averages and reasons no longer than one reads, a trade that one side lacks', () => {
  const trade = {
    ...{ openedAt: '2025-01-26T08:30:00.000Z', symbol: 'ETHUSDT', direction: 'long', quantity: '0.057' },
    ...{ entryPrice: '2572.34', exitPrice: '2586.753684210526', netPnl: '0.67930178' },
    reason: 'model: 1h close beyond its slow EMA, 1h close beyond its fast EMA',
  };
  const text = whatIfText({
    ...{
      against: 'the journal',
      since: null,
      before: '0.6',
      after: '0',
      changes: { 'risk.baseNotional': '50' },
    },
    trades: [{ kind: 'only before', before: trade, after: null }],
  } as unknown as WhatIf);
  assert.match(text, /0\.057 2572\.34 → 2586\.7537 0\.67930178 model: 1h close beyond its slow EMA, 1h… +-/);
});
