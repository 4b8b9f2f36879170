/** Alerts that nothing else brings about, each provoked for real on a run of its own: seen, heard, healed, resolved. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
import type { Command } from '../../src/domain/command.ts';
import { logicWith } from '../support/plants.ts';
import { ProvokedWorld } from '../support/provoked-world.ts';

const SYMBOL = 'BTCUSDT';

const say = ({ world }: ProvokedWorld, command: Command): void => {
  leaveRequest(world.dataDir, { command, by: 'test', at: Date.now() });
};

const priceIn = ({ world }: ProvokedWorld): number => Number(world.venue.market.quote(SYMBOL)?.mark);

/** A position that a person opened and the run took over, with its stop at the venue. */
async function holding(run: ProvokedWorld, quantity: string): Promise<void> {
  await run.world.buyByHand(SYMBOL, quantity);
  await run.until('a stop', () => run.world.openStops().length === 1);
  await run.until('a position', () => run.world.status().positions.length === 1);
}

describe('an alert is provoked, heard, and resolved when it is healed', { timeout: 150_000 }, () => {
  it('DrawdownDeep: the market falls under a position of five times the account, and comes back', async (t) => {
    const run = await ProvokedWorld.start(t, {
      config: {
        venue: { foreign: 'adopt' },
        position: { adoptedStopPercent: '15' },
        breakers: { maxDrawdownPercent: '90', maxMovePercent: 500, maxMeanMovePercent: 500, flatten: [] },
      },
    });
    await holding(run, (50_000 / priceIn(run)).toFixed(3));
    assert.ok(!run.holds('DrawdownDeep'));
    const forMs = 5 * 60_000;
    run.world.venue.market.shock(SYMBOL, -0.05, forMs);
    await run.heard('DrawdownDeep');
    const [risk = '', ...groups] = (await run.look('DrawdownDeep')).split('\n');
    assert.ok(drawdownIn(risk) > 15, risk);
    assert.equal(groups.length, 3, 'by exit, side and symbol');
    await run.healed('DrawdownDeep');
    assert.equal(run.world.status().positions.length, 1, 'held throughout: it was the market that healed it');
  });

  it('LimitNearlyUsed: the account has room for one position, and holds it', async (t) => {
    const run = await ProvokedWorld.start(t, {
      config: { venue: { foreign: 'adopt' }, risk: { capitalPerPosition: '9000' } },
    });
    assert.ok(!run.holds('LimitNearlyUsed'));
    await holding(run, '0.02');
    await run.heard('LimitNearlyUsed');
    assert.match(await run.look('LimitNearlyUsed'), /"limit":"positions","used":1,"max":1,"share":1/);
    say(run, { kind: 'close', symbol: SYMBOL });
    await run.healed('LimitNearlyUsed');
  });

  it('DeadLetters, LogErrors, RestartLoop: an actor crashes on what it is told, again and again', async (t) => {
    const run = await ProvokedWorld.start(t, {
      config: { venue: { foreign: 'adopt' } },
      wrap: logicWith(['position'], {
        events: () => (event) => {
          if (event.type === 'MOVE_STOP') throw new Error('a planted defect');
          return [event];
        },
      }),
    });
    await holding(run, '0.02');
    const move = (): void =>
      say(run, { kind: 'move-stop', symbol: SYMBOL, price: String(Math.round(priceIn(run) * 0.97)) });
    assert.ok(!run.holds('DeadLetters') && !run.holds('RestartLoop'));
    move();
    await run.heard('DeadLetters');
    await run.heard('LogErrors');
    assert.match(await run.look('LogErrors'), /event quarantined/);
    assert.ok(!run.holds('RestartLoop'), 'two restarts are no loop');
    const [rows = '', log = ''] = (await run.look('DeadLetters')).split('\n');
    assert.match(rows, /"rows":\[\]/, 'it reached its actor, and was taken out of its way');
    for (const part of ['position/BTCUSDT/BOTH/1', 'MOVE_STOP', 'a planted defect', 'event quarantined'])
      assert.ok(log.includes(`"${part}"`), `${part} in ${log}`);
    // What ended with its restarts has had them all the same: two, and two more for each of the heir's.
    say(run, { kind: 'close', symbol: SYMBOL });
    await run.until('no position', () => run.world.status().positions.length === 0);
    await holding(run, '0.02');
    for (let i = 0; i < 2; i++) move();
    await run.heard('RestartLoop');
    assert.match(await run.look('RestartLoop'), /position\/BTCUSDT\/BOTH\/2 .*\d restarts.*a planted defect/);
    assert.equal(run.world.openStops().length, 1, 'protected throughout');
    await run.healed('RestartLoop');
    await run.healed('DeadLetters');
    await run.healed('LogErrors');
  });

  it('EventLoopSlow: the loop stands still most of the time', async (t) => {
    const run = await ProvokedWorld.start(t, { speed: 20 });
    assert.ok(!run.holds('EventLoopSlow'));
    await run.heard('EventLoopSlow', { keep: () => stall(700) });
    assert.match(
      await run.look('EventLoopSlow'),
      /"check":"event loop","ok":false,"detail":"\d{3,} ms behind at p99"/,
    );
    await run.healed('EventLoopSlow');
  });

  it('RateBudgetNearlySpent: somebody else at this address spends the minute\u2019s weight', async (t) => {
    const run = await ProvokedWorld.start(t, { speed: 20 });
    assert.ok(!run.holds('RateBudgetNearlySpent'));
    const spend = async (): Promise<void> => {
      const used = await weightUsed(run);
      if (used > 1_900) return;
      await Promise.all(Array.from({ length: 20 }, () => weightUsed(run)));
    };
    await run.heard('RateBudgetNearlySpent', { keep: spend });
    assert.match(await run.look('RateBudgetNearlySpent'), /^Venue .* weight \d+\/2400/m);
    await run.healed('RateBudgetNearlySpent');
  });

  it('AlertSinkDown: one sink refuses, the other hears of it, and both of its end', async (t) => {
    const run = await ProvokedWorld.start(t);
    const { pagerduty } = run;
    pagerduty.refuse(503);
    say(run, { kind: 'trip', breaker: 'drawdown', reason: 'a try' });
    await run.until('shown', () => run.holds('AlertSinkDown'));
    await run.until('told to the other one', () => run.sentryOf('AlertSinkDown') !== undefined);
    assert.deepEqual(pagerduty.events, []);
    assert.match(
      String(run.sentryOf('AlertSinkDown')?.message.formatted),
      /AlertSinkDown \(sink=pagerduty\)/,
    );
    assert.match(await run.look('AlertSinkDown'), /^Alerts .*pagerduty down for .* waiting: 503/m);
    pagerduty.heal();
    await run.until('told at last', () => pagerduty.incident('BreakerOpen')?.isOpen === true);
    await run.until('over', () => !run.holds('AlertSinkDown'));
    await run.until('forgotten', () => {
      const { open = [] } = run.world.status().alerts ?? {};
      return open.every(({ key }) => !key.startsWith('AlertSinkDown'));
    });
    await run.until('nobody is left awake by it', () => !pagerduty.incident('AlertSinkDown')?.isOpen);
  });
});

const drawdownIn = (risk: string): number =>
  (JSON.parse(risk) as { readonly data: { readonly drawdownPercent: number } }).data.drawdownPercent;

/** Nothing else in this process runs meanwhile. */
function stall(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

/** What the venue counts for this address after a request that is not the run's. */
async function weightUsed({ world }: ProvokedWorld): Promise<number> {
  const answer = await fetch(`${world.venue.server.url}/fapi/v1/depth?symbol=${SYMBOL}&limit=1000`);
  await answer.arrayBuffer();
  return Number(answer.headers.get('x-mbx-used-weight-1m'));
}
