/** The operator's machine: what people decide is told to the portfolio and the door, kept, answered once, and ends in time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { barsOf } from '../../machines/operator/bars.ts';
import { createOperatorMachine, type OperatorContext } from '../../machines/operator.ts';
import type { Command, Who } from '../../src/domain/command.ts';
import { MachineBench } from '../support/machine-bench.ts';

const ALICE: Who = { name: 'alice', role: 'admin', channel: 'cli' };
const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
const AT = Date.UTC(2026, 0, 5, 12);

const operator = () => new MachineBench(createOperatorMachine(), { symbols: SYMBOLS }, AT);
const contextOf = (bench: MachineBench) => bench.context<OperatorContext>();

let ids = 0;
function give(bench: MachineBench, command: Command, more: Record<string, unknown> = {}) {
  ids += 1;
  bench.send('COMMAND', { id: `c${ids}`, command, who: ALICE, issuedAt: AT, ...more });
  return contextOf(bench).answered.at(-1);
}

/** What the portfolio heard with the newest event: [breaker, state, cause, scope]. */
const told = (bench: MachineBench, to = 'portfolio') =>
  bench.last.flatMap((intent) =>
    intent.type === 'send' && intent.to === to
      ? [[intent.event.breaker ?? intent.event.type, intent.event.state, intent.event.scope]]
      : [],
  );

describe('what forbids entries', () => {
  test('a pause names who paused and since when, to the door first, and ends by itself', () => {
    const bench = operator();
    const answer = give(bench, { kind: 'pause', minutes: 30, reason: 'news' });
    assert.match(
      answer?.text ?? '',
      /paused by alice since 2026-01-05 12:00 UTC until 2026-01-05 12:30 UTC: news/,
    );
    assert.equal(bench.value, 'paused');
    const receivers = bench.last.flatMap((intent) => (intent.type === 'send' ? [intent.to] : []));
    assert.deepEqual(receivers, ['venue', 'portfolio']);
    bench.wait(31 * 60_000);
    assert.equal(bench.value, 'open');
    assert.deepEqual(told(bench), [['operator/pause', 'closed', undefined]]);
  });

  test('a second pause outlives the first one’s timer', () => {
    const bench = operator();
    give(bench, { kind: 'pause', minutes: 10 });
    give(bench, { kind: 'pause' });
    bench.wait(60 * 60_000);
    assert.equal(bench.value, 'paused');
    give(bench, { kind: 'resume' });
    assert.equal(bench.value, 'open');
  });

  test('what is stopped is not resumed but started, and a start lifts the halt of a reconciliation', () => {
    const bench = operator();
    give(bench, { kind: 'stop' });
    assert.deepEqual(told(bench), [['operator/stop', 'halted', undefined]]);
    assert.equal(give(bench, { kind: 'resume' })?.code, 'STOPPED');
    assert.equal(bench.value, 'stopped');
    give(bench, { kind: 'start' });
    assert.equal(bench.value, 'open');
    assert.deepEqual(told(bench), [
      ['operator/stop', 'closed', undefined],
      ['OPERATOR_RESUME', undefined, undefined],
    ]);
  });

  test('direction, lists and locks are bars of their own scope', () => {
    const bench = operator();
    give(bench, { kind: 'direction', direction: 'long' });
    assert.deepEqual(told(bench), [['operator/no-short', 'reducing', { direction: 'short' }]]);
    give(bench, { kind: 'whitelist', change: 'add', symbols: ['BTCUSDT'] });
    assert.deepEqual(told(bench), [['operator/whitelist', 'reducing', { symbols: ['ETHUSDT', 'SOLUSDT'] }]]);
    give(bench, { kind: 'blacklist', change: 'add', symbols: ['BTCUSDT', 'ETHUSDT'] });
    give(bench, { kind: 'blacklist', change: 'remove', symbols: ['BTCUSDT'] });
    give(bench, { kind: 'lock', symbol: 'SOLUSDT', minutes: 5, direction: 'long', reason: 'thin' });
    assert.deepEqual(Object.keys(barsOf(contextOf(bench))).sort(), [
      'operator/blacklist/ETHUSDT',
      'operator/lock/SOLUSDT',
      'operator/no-short',
      'operator/whitelist',
    ]);
    bench.wait(6 * 60_000);
    assert.deepEqual(contextOf(bench).locks, {});
    give(bench, { kind: 'direction', direction: 'none' });
    assert.deepEqual(
      Object.keys(barsOf(contextOf(bench))).filter((name) => name.includes('no-')),
      ['operator/no-long', 'operator/no-short'],
    );
  });

  test('an unlocked symbol does not hear of its old timer, nor a new lock of the old one’s', () => {
    const bench = operator();
    give(bench, { kind: 'lock', symbol: 'BTCUSDT', minutes: 5, reason: 'a' });
    give(bench, { kind: 'unlock', symbol: 'BTCUSDT' });
    assert.equal(bench.timers.size, 0);
    give(bench, { kind: 'lock', symbol: 'BTCUSDT', minutes: 50, reason: 'b' });
    bench.wait(10 * 60_000);
    assert.equal(contextOf(bench).locks.BTCUSDT?.reason, 'b');
    assert.equal(give(bench, { kind: 'unlock', symbol: 'ETHUSDT' })?.code, 'NOT_LOCKED');
    assert.equal(
      give(bench, { kind: 'lock', symbol: 'DOGEUSDT', minutes: 5, reason: 'c' })?.code,
      'UNKNOWN_SYMBOL',
    );
  });

  test('it all survives a restart', () => {
    const bench = operator();
    give(bench, { kind: 'pause', reason: 'news' });
    bench.restart();
    assert.equal(bench.value, 'paused');
    give(bench, { kind: 'resume' });
    assert.deepEqual(told(bench), [['operator/pause', 'closed', undefined]]);
  });
});

describe('what is told to others', () => {
  const sent = (bench: MachineBench) =>
    bench.last.flatMap((intent) => (intent.type === 'send' ? [[intent.to, intent.event]] : []));
  const targets = ['position/BTCUSDT/BOTH/3'];

  test('closing, in part or whole, and moving a stop go to the position', () => {
    const bench = operator();
    give(bench, { kind: 'close', symbol: 'BTCUSDT' }, { targets });
    assert.deepEqual(sent(bench), [[targets[0], { type: 'OPERATOR_CLOSE', by: 'alice' }]]);
    give(bench, { kind: 'close', symbol: 'BTCUSDT', share: '0.5' }, { targets });
    assert.deepEqual(sent(bench), [[targets[0], { type: 'PARTIAL_CLOSE', share: '50', by: 'alice' }]]);
    give(bench, { kind: 'move-stop', symbol: 'BTCUSDT', price: '99000' }, { targets });
    assert.deepEqual(sent(bench), [[targets[0], { type: 'MOVE_STOP', price: '99000', by: 'alice' }]]);
    assert.equal(give(bench, { kind: 'close-all' }, { targets: [] })?.code, 'NOTHING_OPEN');
    assert.deepEqual(sent(bench), []);
  });

  test('a breaker that is not there is named as such', () => {
    const bench = operator();
    assert.equal(give(bench, { kind: 'trip', breaker: 'x', reason: 'y' })?.code, 'UNKNOWN_BREAKER');
    give(bench, { kind: 'release', breaker: 'drawdown', reason: 'seen' }, { targets: ['breaker/drawdown'] });
    assert.deepEqual(sent(bench), [
      ['breaker/drawdown', { type: 'OPERATOR_RESET', by: 'alice', reason: 'seen' }],
    ]);
  });

  test('a forced entry asks the desk with the signal that came along, or is refused for want of a price', () => {
    const bench = operator();
    const command = { kind: 'force-entry', symbol: 'BTCUSDT', direction: 'long' } as const;
    assert.equal(give(bench, command)?.code, 'NO_PRICE');
    give(bench, command, { signal: { kind: 'enter', symbol: 'BTCUSDT' } });
    assert.equal(sent(bench)[0]?.[0], 'entry/BTCUSDT');
  });
});

test('one id is answered once, whatever comes with it again', () => {
  const bench = operator();
  const event = { id: 'once', command: { kind: 'pause' }, who: ALICE, issuedAt: AT };
  bench.send('COMMAND', event);
  bench.send('COMMAND', { ...event, command: { kind: 'stop' } });
  assert.equal(bench.value, 'paused');
  assert.deepEqual(
    bench.last.filter(({ type }) => type === 'send'),
    [],
  );
  assert.equal(contextOf(bench).counts.repeated, 1);
});

test('what was refused before it came is on record, and changes nothing', () => {
  const bench = operator();
  const refused = { code: 'ROLE', text: 'a viewer may only look' };
  assert.equal(give(bench, { kind: 'stop' }, { refused })?.outcome, 'refused');
  assert.equal(bench.value, 'open');
  for (let i = 0; i < 400; i++) give(bench, { kind: 'resume' });
  assert.equal(contextOf(bench).answered.length, 256, 'memory of answers is bounded');
});
