/** What the operator says before and beside what is done: no question that leads nowhere, no half of the truth. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Command } from '../../src/domain/command.ts';
import type { MarketData } from '../../src/market/market-data.ts';
import { asked, busyDay, contextOf, openIn, operatorOf, SYMBOLS } from '../support/operator-over-run.ts';
import { startRun } from '../support/system-harness.ts';

let market: MarketData;

before(async () => {
  market = await busyDay();
});

describe('the operator’s words', () => {
  test('what is refused whatever a second word says is not asked about', async () => {
    const run = await startRun({ market });
    await run.drive();
    const operator = operatorOf(run);
    const free = SYMBOLS.find((name) => !openIn(run).some((actor) => actor.includes(name))) ?? '';
    const refused = async (command: Command): Promise<string> => {
      const { outcome, code, n } = await operator.execute(asked(command));
      assert.equal(outcome, 'refused');
      assert.ok(n, 'on record');
      return code;
    };
    assert.equal(await refused({ kind: 'close', symbol: free }), 'NOTHING_OPEN');
    assert.equal(await refused({ kind: 'close', symbol: 'NOPE' }), 'NOTHING_OPEN');
    assert.equal(await refused({ kind: 'move-stop', symbol: free, price: '1' }), 'NOTHING_OPEN');
    assert.equal(await refused({ kind: 'force-entry', symbol: 'NOPE', direction: 'long' }), 'UNKNOWN_SYMBOL');
    assert.equal(
      await refused({ kind: 'force-entry', symbol: free, direction: 'long', stopPrice: '999999999' }),
      'STOP_SIDE',
    );
    assert.equal(await refused({ kind: 'adopt', symbol: free }), 'NOT_HERE');
  });

  test('a forced entry never closes what is held: it is refused before and after the second word', async () => {
    const run = await startRun({ market });
    await run.drive();
    const operator = operatorOf(run);
    const [actor = ''] = openIn(run);
    const symbol = actor.split('/')[1] ?? '';
    const { direction: held } = contextOf<{ direction: 'long' | 'short' }>(run, actor);
    const price = run.system.audience.prices()[symbol] ?? 0;
    for (const direction of ['long', 'short'] as const)
      for (const confirmed of [false, true]) {
        const stopPrice = String(Math.round(price * (direction === 'long' ? 0.97 : 1.03)));
        const command = { kind: 'force-entry', symbol, direction, stopPrice } as const;
        const answer = await operator.execute(asked(command, { confirmed }));
        assert.deepEqual([answer.outcome, answer.code], ['refused', 'HELD'], answer.text);
        assert.match(answer.text, new RegExp(`^${symbol} ${held} [\\d.]+ is held: close it first$`));
      }
    await run.system.runtime.quiescent();
    assert.ok(openIn(run).includes(actor), 'it is still open');
  });

  test('who opens entries again hears what still holds them back', async () => {
    const run = await startRun({ market });
    const operator = operatorOf(run);
    const say = async (command: Command): Promise<string> =>
      (await operator.execute(asked(command, { confirmed: true }))).text;
    assert.equal(await say({ kind: 'start' }), 'entries were open already');
    await say({ kind: 'trip', breaker: 'api-errors', reason: 'news' });
    await run.system.runtime.quiescent();
    for (const kind of ['start', 'resume'] as const)
      assert.equal(
        await say({ kind }),
        'entries were open already, but for what the breaker api-errors still holds back',
      );
  });
});
