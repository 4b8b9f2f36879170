/** What becomes of a configuration while it is in force: pure rules. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ConfigViews } from '../../src/app/views/config-views.ts';
import { CONFIG_KEYS } from '../../src/config/keys.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { readSecrets } from '../../src/config/secrets.ts';
import {
  atTakeover,
  configDiff,
  insistOnHot,
  needRestart,
  storedConfig,
  withKeys,
  withSource,
  withVersion,
} from '../../src/config/versions.ts';
import type { ConfigVersion } from '../../src/journal/journal.ts';
import { ConfigWorld } from '../support/config-world.ts';

const SECRETS = readSecrets({});
const config = (more: object = {}): Config => configSchema.parse(more);
const DEFAULTS = config();

describe('which keys may change while running', () => {
  test('every key is hot, or says why it is not', () => {
    for (const { path, needsRestart } of CONFIG_KEYS)
      assert.ok(needsRestart === null || needsRestart.length > 10, path);
  });

  test('what protects is hot; what a journal, a store or a socket belongs to is not', () => {
    const isHot = (path: string) => CONFIG_KEYS.find((key) => key.path === path)?.needsRestart === null;
    for (const path of [
      ...['risk.maxLeverage', 'risk.stop.maxPercent', 'entry.coolDownMs', 'breakers.maxDrawdownPercent'],
      ...['position.trailing.stepPercent', 'position.exits.hardCap.loss', 'telegram.users'],
      ...['telegram.quietHours', 'log.level', 'http.requestsPerMinute', 'backup.everyMs'],
      ...['venue.reconcileEveryMs', 'market.speed'],
    ])
      assert.ok(isHot(path), path);
    for (const path of ['account', 'mode', 'store.engine', 'data.dir', 'venue.restUrl', 'market.symbols'])
      assert.ok(!isHot(path), path);
  });

  test('a change of one that is not is refused with its reason', () => {
    const changes = configDiff(
      DEFAULTS,
      config({ market: { symbols: ['BTCUSDT'] }, risk: { maxLeverage: 3 } }),
    );
    assert.deepEqual(needRestart(changes), [
      'market.symbols: a journal belongs to one market, and its actors are those of its symbols',
    ]);
    assert.throws(() => insistOnHot(changes), {
      code: 'NEEDS_RESTART',
      message: /market\.symbols: a journal/,
    });
  });
});

describe('keys that are set', () => {
  test('are read as a file or a variable would be; null is the default', () => {
    const set = withKeys(
      DEFAULTS,
      {
        'risk.maxLeverage': '3',
        'risk.baseNotional': 250.5,
        'log.level': 'debug',
        'http.allowedHosts': 'a.example, b.example',
        'telegram.enabled': 'false',
      },
      SECRETS,
    );
    assert.deepEqual(
      [set.risk.maxLeverage, set.risk.baseNotional, set.log.level, set.http.allowedHosts],
      [3, '250.5', 'debug', ['a.example', 'b.example']],
    );
    const back = withKeys(set, { 'risk.maxLeverage': null, 'log.level': null }, SECRETS);
    assert.equal(back.risk.maxLeverage, DEFAULTS.risk.maxLeverage);
    assert.equal(back.log.level, 'info');
  });

  test('what is wrong is refused as a whole, in the words of a start', () => {
    const wrong = { 'risk.maxLeverage': 500, 'log.level': 'debug' };
    const atStart = /risk\.maxLeverage: 500 .*is not allowed; allowed: a whole number from 1 to 125/;
    assert.throws(() => withKeys(DEFAULTS, wrong, SECRETS), { code: 'CONFIG_INVALID', message: atStart });
    const flags = [{ path: 'risk.maxLeverage', value: 500, flag: '--x' }];
    assert.throws(() => loadConfig({ env: {}, cwd: '/nowhere', flags }), { message: atStart });
    for (const [changes, message] of [
      [{ 'risk.maxLeverag': 3 }, /risk\.maxLeverag: there is no such key\. Did you mean/],
      [{ risk: { maxLeverage: 3 } }, /risk: this is a group of keys/],
      [{ 'telegram.token': '1:abc' }, /telegram\.token: a secret does not belong into the file/],
      [{ 'position.exits.hardCap.loss': 7 }, /below hardCap\.loss/],
      [{ 'constructor.prototype': 1 }, /constructor/],
    ] as const)
      assert.throws(() => withKeys(DEFAULTS, changes, SECRETS), { code: 'CONFIG_INVALID', message });
    try {
      withKeys(DEFAULTS, { 'telegram.token': '110201543:SECRET' }, SECRETS);
    } catch (error) {
      assert.doesNotMatch(String(error), /SECRET/);
    }
  });
});

describe('the file against what was set', () => {
  const source = config({ risk: { maxLeverage: 10 } });
  const set = withKeys(source, { 'risk.maxLeverage': 3, 'log.level': 'debug' }, SECRETS);

  test('a file that was not edited leaves everything that was set', () => {
    assert.deepEqual(configDiff(withSource({ config: set, source }, source, SECRETS), set), []);
  });

  test('an edit counts for its keys, what was set for all others', () => {
    const edited = config({ risk: { maxLeverage: 5 }, market: { symbols: ['ETHUSDT'] } });
    const next = withSource({ config: set, source }, edited, SECRETS);
    assert.deepEqual([next.risk.maxLeverage, next.log.level, next.market.symbols], [5, 'debug', ['ETHUSDT']]);
  });

  test('a standby that takes over goes by what was in force, but for what only counts at a start', () => {
    const own = config({ risk: { maxLeverage: 20 }, lease: { standby: true } });
    const next = atTakeover(set, own, SECRETS);
    assert.deepEqual([next.risk.maxLeverage, next.lease.standby], [3, true]);
  });

  test('a takeover is no version of its own for where the other process has its place', async () => {
    const world = new ConfigWorld();
    await world.begin();
    world.file = config({ data: { dir: '/elsewhere' }, lease: { standby: true } });
    await world.begin(true);
    assert.deepEqual([world.running.version.version, world.running.now.data.dir], [1, '/elsewhere']);
    assert.equal(world.running.now.lease.standby, true);
    const set = { kind: 'config-set', changes: { 'log.level': 'warn' }, reason: 'quiet' } as const;
    assert.match(await world.say(set, 'r1'), /version 2, log.level info → warn$/);
    assert.equal((await (await world.history()).read(2)).diff.length, 1);
    world.file = config({ data: { dir: '/back' }, http: { port: 9_000 } });
    await world.begin(true);
    assert.deepEqual([world.running.version.version, world.running.now.http.port], [3, 9_000]);
  });

  test('an older version brings back what may change, and leaves the rest', () => {
    const older = config({ risk: { maxLeverage: 7 }, http: { port: 1 } });
    const next = withVersion(set, older, SECRETS);
    assert.deepEqual([next.risk.maxLeverage, next.http.port, next.log.level], [7, 8_787, 'info']);
  });

  test('a stored document: keys that are gone are left out, new ones have their default', () => {
    const stored = JSON.stringify({ risk: { maxLeverage: 4, gone: 1 }, nothing: { of: 'this' } });
    assert.equal(storedConfig(1, stored).risk.maxLeverage, 4);
    assert.throws(() => storedConfig(9, '{"risk":{"maxLeverage":"x"}}'), {
      code: 'CONFIG_INVALID',
      message: /version 9 .*risk\.maxLeverage/,
    });
    assert.deepEqual(configDiff(storedConfig(1, JSON.stringify(set)), set), []);
  });
});

test('a version that this program can no longer use is listed all the same', async () => {
  const unusable = JSON.stringify({ risk: { maxLeverage: 'x' } });
  const version: ConfigVersion = {
    ...{ version: 1, at: 5, n: 9, by: 'Ann', channel: 'http', why: 'calmer', request: 'r' },
    ...{ config: unusable, source: unusable },
    diff: JSON.stringify([{ key: 'risk.maxLeverage', before: 5, after: 3 }]),
  };
  const store = { newestConfigVersion: async () => 1, configVersions: async () => [version] };
  const views = new ConfigViews(store, () => 1);
  const [line] = await views.list();
  assert.deepEqual([line?.why, line?.changes.length, line?.runs], ['calmer', 1, true]);
  await assert.rejects(views.read(1), { code: 'CONFIG_INVALID' });
});

test('docs/configuration.md lists what needs a restart, with the reason', () => {
  const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const [, table = ''] = text.split('### What needs a restart');
  const rows = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| `(.*)` \| (.*) \|$/gm)];
  assert.deepEqual(
    rows.map(([, key, why]) => [key, why]),
    CONFIG_KEYS.flatMap(({ path, needsRestart }) => (needsRestart === null ? [] : [[path, needsRestart]])),
  );
});
