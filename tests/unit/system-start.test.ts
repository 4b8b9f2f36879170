import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSystem, type TradingSystem } from '../../src/app/run/system.ts';
import { PORTFOLIO, VENUE } from '../../src/domain/events.ts';
import type { Recovered } from '../../supervisors/recovery.ts';

const NOTHING: Recovered = {
  head: { n: 0, hash: '' },
  settledN: 0,
  headAt: undefined,
  cursor: undefined,
  live: new Map(),
  deadLetters: undefined,
  pending: [],
  unconsumed: [],
};

async function start(missing: readonly string[]): Promise<readonly string[]> {
  const did: string[] = [];
  const system = {
    runtime: { open: () => did.push('open'), quiescent: async () => did.push('quiescent') },
    host: { unrestorable: missing.map((actor) => ({ actor, reason: 'written by a newer program' })) },
    root: { start: async () => did.push('start') },
    audience: {},
  };
  await startSystem(system as unknown as TradingSystem, NOTHING);
  return did;
}

for (const actor of [VENUE, PORTFOLIO])
  test(`a run without its ${actor} ends before anything moves, and says why`, async () => {
    await assert.rejects(start([actor]), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'ACTOR_UNRESTORABLE');
      assert.match(error.message, new RegExp(`^${actor} cannot be restored: written by a newer program`));
      assert.match(error.hint ?? '', /version that wrote this journal/);
      return true;
    });
  });

test('a position that cannot be restored stops nobody: the guardian has it', async () => {
  assert.deepEqual(await start(['position/BTCUSDT/BOTH/1']), ['start', 'open', 'quiescent']);
});
