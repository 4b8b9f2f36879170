/**
 * Any sequence of sets, reloads, rollbacks, edits of the file, kills and lost answers: what runs is what the newest
 * version says, every version comes back as it was, and one request makes one version at most.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { configSchema } from '../../src/config/schema.ts';
import { configDiff, needRestart } from '../../src/config/versions.ts';
import type { ConfigCommand } from '../../src/operator/command.ts';
import { ConfigWorld, type Trouble } from '../support/config-world.ts';

type Act =
  | {
      readonly act: 'say';
      readonly command: ConfigCommand;
      readonly trouble: Trouble;
      readonly again: boolean;
    }
  | { readonly act: 'edit'; readonly leverage: number; readonly port: number }
  | { readonly act: 'begin'; readonly isTakeover: boolean };

const leverage = fc.integer({ min: 1, max: 6 });
const changes = fc.oneof(
  { weight: 6, arbitrary: leverage.map((value) => ({ 'risk.maxLeverage': value })) },
  { weight: 2, arbitrary: leverage.map((value) => ({ 'risk.maxLeverage': value, 'log.level': 'debug' })) },
  { weight: 1, arbitrary: fc.constant({ 'risk.maxLeverage': 500, 'log.level': 'error' }) },
  { weight: 1, arbitrary: fc.constant({ 'market.symbols': ['BTCUSDT'], 'log.level': 'error' }) },
  { weight: 1, arbitrary: fc.constant({ 'no.such.key': 1 }) },
);
const command: fc.Arbitrary<ConfigCommand> = fc.oneof(
  changes.map((one) => ({ kind: 'config-set' as const, changes: one, reason: 'a whim' })),
  fc
    .integer({ min: 1, max: 9 })
    .map((version) => ({ kind: 'config-rollback' as const, version, reason: 'back' })),
  fc.constant({ kind: 'config-reload' as const, reason: 'edited' }),
);
const trouble = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Trouble>('none') },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Trouble>('killed before', 'killed after', 'lost before', 'lost after'),
  },
);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constant('say' as const), command, trouble, again: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('edit' as const),
      leverage,
      port: fc.constantFrom(8_787, 9_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('begin' as const), isTakeover: fc.boolean() }) },
);

async function agrees(world: ConfigWorld): Promise<void> {
  const newest = await (await world.history()).newest();
  assert.ok(newest);
  assert.equal(world.running.version.version, newest.version, 'the newest version runs');
  assert.deepEqual(configDiff(world.running.now, newest.config), []);
  assert.doesNotThrow(() => configSchema.parse(world.running.now), 'what runs was judged');
}

async function historyHolds(world: ConfigWorld, kept: Map<number, string>): Promise<void> {
  const history = await world.history();
  const newest = await history.newest();
  const requests = new Set<string>();
  for (let version = 1; version <= (newest?.version ?? 0); version++) {
    const one = await history.read(version);
    const { config, source, diff, by, channel, why, request } = one;
    const text = JSON.stringify({ config, source, diff, by, channel, why, request });
    assert.equal(text, kept.get(version) ?? text, `version ${version} never changes`);
    kept.set(version, text);
    assert.ok(!requests.has(request), 'one request, one version');
    requests.add(request);
    const before = version === 1 ? undefined : await history.read(version - 1);
    if (before) assert.deepEqual(diff, configDiff(before.config, config), 'its diff is the one to the last');
  }
}

test('whatever is said, edited, killed or lost: the newest version runs, and each can come back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 14 }), async (acts) => {
      const world = new ConfigWorld();
      await world.begin();
      const kept = new Map<number, string>();
      for (const [i, one] of acts.entries()) {
        if (one.act === 'edit') {
          world.file = configSchema.parse({ risk: { maxLeverage: one.leverage }, http: { port: one.port } });
        } else if (one.act === 'begin') {
          await world.begin(one.isTakeover);
        } else {
          const before = JSON.stringify(world.running.version);
          world.trouble = one.trouble;
          const answer = await world.say(one.command, `r${i}`);
          if (answer === 'killed') await world.begin();
          if (answer.startsWith('refused'))
            assert.equal(JSON.stringify(world.running.version), before, answer);
          world.trouble = 'none';
          if (one.again) assert.notEqual(await world.say(one.command, `r${i}`), 'killed');
        }
        await agrees(world);
      }
      await historyHolds(world, kept);
      const last = world.running.version.version;
      for (let version = 1; version <= last; version++) {
        await world.say({ kind: 'config-rollback', version, reason: 'to see' }, `back${version}`);
        const wanted = (await (await world.history()).read(version)).config;
        const left = configDiff(world.running.now, wanted);
        assert.equal(needRestart(left).length, left.length, 'all that may change while running is back');
        await agrees(world);
      }
      await historyHolds(world, kept);
    }),
    { numRuns: 60 },
  );
});
