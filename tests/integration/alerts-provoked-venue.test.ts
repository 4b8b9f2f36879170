/**
 * Alerts of trouble around the run, at the venue and on the way to it, each provoked for real: seen, heard, looked at as the runbook
 * says, healed by what it says, resolved.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
import type { Command } from '../../src/domain/command.ts';
import { parseFaults } from '../../src/venue-server/faults-parse.ts';
import { ProvokedWorld } from '../support/provoked-world.ts';

const SYMBOL = 'BTCUSDT';

const say = ({ world }: ProvokedWorld, command: Command): void => {
  leaveRequest(world.dataDir, { command, by: 'test', at: Date.now() });
};
const trouble = ({ world }: ProvokedWorld, rules: readonly object[]): void =>
  world.venue.server.addFaults(parseFaults(rules));
const calm = ({ world }: ProvokedWorld): void => world.venue.server.clearFaults();

/** A position that the run holds, with its stop at the venue. */
async function holding(run: ProvokedWorld): Promise<void> {
  await run.world.buyByHand(SYMBOL, '0.02');
  await run.until('a stop', () => run.world.openStops().length === 1);
  await run.until('a position', () => run.world.status().positions.length === 1);
}
const ADOPTING = { config: { venue: { foreign: 'adopt' } } };

describe('an alert of the venue is provoked, heard, and resolved when it is healed', {
  timeout: 300_000,
}, () => {
  it('ForeignPosition: somebody else opened one; the runbook’s adopt ends it', async (t) => {
    const run = await ProvokedWorld.start(t);
    assert.ok(!run.holds('ForeignPosition'));
    await run.world.buyByHand(SYMBOL, '0.02');
    await run.heard('ForeignPosition');
    assert.match(await run.look('ForeignPosition'), /BTCUSDT/);
    say(run, { kind: 'adopt', symbol: SYMBOL });
    await run.healed('ForeignPosition');
    await run.until('with a stop', () => run.world.openStops().length === 1);
  });

  it('StreamDown: the private stream ends and cannot be had again for a while', async (t) => {
    const run = await ProvokedWorld.start(t);
    assert.ok(!run.holds('StreamDown'));
    trouble(run, [{ time: true, times: 1, do: 'maintenance', forMs: 2_500 }]);
    await run.heard('StreamDown');
    calm(run);
    await run.healed('StreamDown');
  });

  it('ApiErrors: whatever is read is answered with an error page', async (t) => {
    const run = await ProvokedWorld.start(t);
    assert.ok(!run.holds('ApiErrors'));
    trouble(run, [{ request: 'GET *', do: 'answer', as: 'html-502' }]);
    await run.heard('ApiErrors');
    calm(run);
    await run.healed('ApiErrors');
  });

  it('ReconciliationStale: what is open cannot be read', async (t) => {
    const run = await ProvokedWorld.start(t);
    assert.ok(!run.holds('ReconciliationStale'));
    trouble(run, [{ request: 'GET *', do: 'answer', as: 'html-502' }]);
    await run.heard('ReconciliationStale');
    assert.match(await run.look('ReconciliationStale'), /read .* ago/);
    calm(run);
    await run.healed('ReconciliationStale');
  });

  it('ReconciliationFindings: the stream was away, and what it missed cannot be read', async (t) => {
    const run = await ProvokedWorld.start(t);
    assert.ok(!run.holds('ReconciliationFindings'));
    trouble(run, [
      { time: true, times: 1, do: 'close', sockets: 'private', code: 1006 },
      { request: 'GET *', do: 'answer', as: 'html-502' },
    ]);
    await run.heard('ReconciliationFindings');
    assert.match(await run.look('ReconciliationFindings'), /[Rr]econcil|read|entries/);
    calm(run);
    await run.healed('ReconciliationFindings');
  });

  it('VenueUnreachable, BulkheadNotReady: the venue is in maintenance at a start', async (t) => {
    const run = await ProvokedWorld.start(t);
    await run.world.stop();
    trouble(run, [{ request: '*', do: 'maintenance', forMs: 400 }]);
    const begun = run.world.begin();
    await run.world.until('the page', () => run.world.status().http !== undefined);
    await run.heard('VenueUnreachable');
    await run.heard('BulkheadNotReady');
    assert.match(await run.look('BulkheadNotReady'), /"check":"venue","ok":false/);
    calm(run);
    await begun;
    await run.healed('BulkheadNotReady');
    await run.healed('VenueUnreachable');
  });

  it('UnknownOrders: an order is sent, the answer is lost, and nobody can be asked', async (t) => {
    const run = await ProvokedWorld.start(t, ADOPTING);
    await holding(run);
    assert.ok(!run.holds('UnknownOrders'));
    trouble(run, [
      { request: 'POST *', do: 'drop-before' },
      { request: 'GET *', do: 'answer', as: 'html-502' },
    ]);
    say(run, { kind: 'close', symbol: SYMBOL });
    await run.heard('UnknownOrders');
    assert.match(await run.look('UnknownOrders'), /being looked up/);
    calm(run);
    await run.healed('UnknownOrders');
    await run.until('closed', () => run.world.venue.ledger()?.positions.length === 0);
  });

  it('PositionUnprotected: the venue takes neither a stop nor the emergency’s order', async (t) => {
    const run = await ProvokedWorld.start(t, ADOPTING);
    assert.ok(!run.holds('PositionUnprotected'));
    trouble(run, [{ request: 'POST /fapi/v1/algoOrder', do: 'answer', as: 'html-502' }]);
    await run.world.buyByHand(SYMBOL, '0.02');
    trouble(run, [{ request: 'POST *', do: 'answer', as: 'html-502' }]);
    await run.heard('PositionUnprotected');
    assert.match(await run.look('PositionUnprotected'), /stop-1/);
    calm(run);
    await run.healed('PositionUnprotected');
  });

  it('SecretsStale: the files with the secrets cannot be read any more', async (t) => {
    let isReadable = true;
    const run = await ProvokedWorld.start(t, {
      readable: () => isReadable,
      config: { secrets: { checkEveryMs: 60_000 } },
    });
    assert.ok(!run.holds('SecretsStale'));
    isReadable = false;
    await run.heard('SecretsStale');
    assert.match(run.world.status().secrets?.trouble.join() ?? '', /permission denied/);
    isReadable = true;
    await run.healed('SecretsStale');
  });

  it('ClockOff: the venue’s clock is five seconds off this machine’s', async (t) => {
    const run = await ProvokedWorld.start(t, { speed: 20 });
    assert.ok(!run.holds('ClockOff'));
    trouble(run, [{ request: '*', do: 'skew', ms: 5_000, forMs: 20_000 }]);
    await run.heard('ClockOff');
    calm(run);
    await run.healed('ClockOff');
  });
});
