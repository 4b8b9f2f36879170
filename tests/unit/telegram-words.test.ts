/** What the bot's looks say: nothing that contradicts itself, nothing passed over, no machine's words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BreakerStatus, StatusDocument } from '../../src/operator/status-document.ts';
import type { DecisionsView, TradesPage } from '../../src/operator/views.ts';
import { commandNamed } from '../../src/telegram/command-table.ts';
import { type Message, pages } from '../../src/telegram/markup.ts';
import { lifeText, statusText } from '../../src/telegram/text-now.ts';
import { tradesText } from '../../src/telegram/text-results.ts';
import { breakersText } from '../../src/telegram/text-state.ts';
import { fixedViews, POSITION, TRADES } from '../support/telegram-views.ts';

const views = fixedViews();
const said = (message: Message): string => pages(message).join('\n');
const FREE: DecisionsView = {
  ...{ stopped: null, paused: null, direction: { allowed: 'both', mark: null } },
  ...{ blacklist: {}, whitelist: {}, locks: {}, symbols: [] },
};
const CLOSED: BreakerStatus = { name: 'kill', state: 'closed', since: null, reason: null };

test('the light is red for what stands still, yellow for what is held back, green for the rest', () => {
  const lightOf = (more: Partial<StatusDocument>, decisions = FREE): string =>
    [
      ...said(statusText({ ...views.status(), tradingState: 'active', breakers: [], ...more }, decisions, 0)),
    ][0] ?? '';
  const halfOpen = { ...CLOSED, name: 'consecutive-losses', state: 'half-open' } as const;
  assert.equal(lightOf({}), '🟢');
  assert.equal(lightOf({ breakers: [halfOpen] }), '🟡');
  assert.equal(lightOf({ tradingState: 'reducing' }), '🟡');
  const paused = { by: 'telegram:Ann', at: 1, reason: null, until: null };
  assert.equal(lightOf({}, { ...FREE, paused }), '🟡');
  assert.equal(lightOf({ tradingState: 'halted' }), '🔴');
  assert.equal(lightOf({ state: 'failed' }), '🔴');
});

test('a position is told in a person’s words', async () => {
  const view = await views.position('BTCUSDT');
  const story = Array.from({ length: 26 }, (_, n) => ({ n, at: n, what: `line ${n}`, numbers: {} }));
  const text = said(lifeText({ ...view, story, status: { ...POSITION, doing: 'protected, trailing' } }, 0));
  assert.match(text, /^protected, trailing$/m);
  assert.doesNotMatch(text, /open filled/);
  assert.match(text, /^1 line before these/m);
});

test('killed, and not all closed, in one breath', () => {
  const kill = { id: 'kill-1', at: 0, by: 'Ann', reason: 'news', accountWide: false };
  const text = said(
    breakersText({ breakers: [CLOSED, { ...CLOSED, name: 'drawdown' }], kill, tradingState: 'halted' }),
  );
  assert.match(text, /killed.* by Ann/);
  assert.match(text, /1 of 2 is not closed/);
  assert.doesNotMatch(text, /closed: kill|All breakers/);
  assert.match(
    said(breakersText({ breakers: [CLOSED], kill: null, tradingState: 'active' })),
    /All breakers are closed/,
  );
});

test('a trade’s reason is its kind; a symbol without trades is named', () => {
  const [one] = TRADES;
  assert.ok(one);
  const page: TradesPage = {
    ...{ trades: [{ ...one, reason: 'regime: trend-up' }], count: 1, net: '1', next: null, complete: true },
  };
  assert.match(said(tradesText(page)), / regime \+/);
  assert.match(said(tradesText({ ...page, trades: [] }, 'NOPE')), /No trade of NOPE was closed yet/);
});

test('no word of a look is passed over', () => {
  const plan =
    (name: string, ...words: string[]) =>
    () =>
      commandNamed(name)?.plan(words);
  assert.throws(plan('trades', '-5'), /"-5" is no count/);
  assert.throws(plan('trades', 'BTCUSDT', 'ETHUSDT'), /"ETHUSDT" is one word too many/);
  assert.throws(plan('trades', '5', '6'), /"6" is one word too many/);
  assert.throws(plan('logs', 'eror'), /no level/);
  for (const words of [['1000PEPEUSDT', '5'], ['5', 'BTCUSDT'], []])
    assert.doesNotThrow(plan('trades', ...words));
  for (const words of [['3', 'WARN'], ['error'], []]) assert.doesNotThrow(plan('logs', ...words));
});
