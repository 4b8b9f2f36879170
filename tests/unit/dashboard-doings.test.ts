/** The overview's lines: what the runtime does now, and what it did of late. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { doingsOf, nowWords, plainText, type Sources, when } from '../../src/http/dashboard/doings.ts';
import type { StatusDocument } from '../../src/operator/status-document.ts';

describe('what it is doing, and why', () => {
  const notice = { level: 'warning', actor: 'breaker/losses', at: 50, n: 5 } as const;
  const trade = {
    ...{ n: 9, actor: 'position/A/BOTH/1', symbol: 'A', direction: 'short', quantity: '2', entryPrice: '10' },
    ...{
      exitPrice: '9.123',
      tickSize: '0.01',
      netPnl: '1.5',
      reason: 'model: much more',
      openedAt: 10,
      closedAt: 60,
    },
  };
  const position = {
    actor: 'position/B/BOTH/3',
    direction: 'long',
    quantity: '1',
    entryPrice: '7',
    openedAt: 70,
  };
  const sources = {
    notices: [{ ...notice, text: 'breaker losses: reducing, 5 in a row' }],
    refusals: [{ at: 20, symbol: 'C', refusals: [{ rule: 'exposure', detail: 'too much' }] }],
    trades: [trade],
    positions: [position, { ...position, actor: 'position/D/BOTH/1', openedAt: undefined }],
  } as unknown as Sources;

  test('entries, exits, refusals and what actors said, by time, the newest first', () => {
    assert.deepEqual(
      doingsOf(sources, 10).map(({ actor, text, tone: colour }) => [actor, text, colour]),
      [
        ['position/B/BOTH/3', 'opened long at 7', ''],
        ['position/A/BOTH/1', 'closed short at 9.12: +1.50 (model)', 'good'],
        ['breaker/losses', 'reducing, 5 in a row', 'warn'],
        ['entry/C', 'C refused: exposure (too much)', ''],
        ['position/A/BOTH/1', 'opened short at 10.00', ''],
      ],
    );
    assert.equal(doingsOf(sources, 2).length, 2);
  });

  test('who says it is not named again', () => {
    assert.equal(
      plainText({ actor: 'position/A/BOTH/1', text: 'position/A/BOTH/1: stop moved' }),
      'stop moved',
    );
    assert.equal(plainText({ actor: 'operator', text: 'pause by Ann' }), 'pause by Ann');
  });

  test('now: what it may do, and what keeps it from more', () => {
    const breakers = [
      { name: 'losses', state: 'open', reason: '5 in a row' },
      { name: 'other', state: 'half-open', reason: 'x' },
    ];
    const words = (more: object, decisions: object | null = null) =>
      nowWords(
        {
          ...{ state: 'running', tradingState: 'active', breakers: [], positions: [{}, {}] },
          ...{ market: { symbols: ['A', 'B'] }, ...more },
        } as unknown as StatusDocument,
        decisions as never,
      );
    assert.equal(words({}), 'It looks for entries on 2 symbols at each closed candle. 2 positions open.');
    assert.equal(
      words({ breakers: breakers.slice(1) }),
      'It looks for entries on 2 symbols at each closed candle, one at a time where half-open: other. 2 positions open.',
    );
    assert.equal(
      words({ tradingState: 'reducing', breakers, positions: [] }),
      'It opens nothing new (losses: 5 in a row), and manages what is open. Nothing is open.',
    );
    assert.match(words({ tradingState: 'halted', breakers }), /^Trading is halted \(losses: 5 in a row\)\./);
    assert.match(words({ state: 'connecting' }), /^The run is connecting\./);
    assert.match(
      words({ tradingState: 'halted' }, { stopped: { by: 'Ann' }, paused: null }),
      /^Trading is halted \(stopped by Ann\)\./,
    );
    const paused = { by: 'Bob', until: Date.UTC(2025, 0, 1, 12) };
    assert.match(
      words({ tradingState: 'reducing' }, { stopped: null, paused }),
      /^It opens nothing new \(entries paused by Bob until 2025-01-01 12:00:00\), and manages/,
    );
  });

  test('of another day the day is told', () => {
    const now = Date.UTC(2025, 0, 8, 3);
    assert.equal(when(Date.UTC(2025, 0, 8, 1, 2, 3), now), '01:02:03');
    assert.equal(when(Date.UTC(2025, 0, 6, 23), now), '01-06 23:00');
    assert.equal(when(Date.UTC(2025, 0, 6, 23), null), '01-06 23:00');
  });
});
