/** Secrets that change while a run lasts: what is taken up, what is not, and what is said of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SecretSource } from '../../src/app/compose/open-secrets.ts';
import { SecretWatch } from '../../src/app/run/secret-watch.ts';
import { readSecrets, type Secrets } from '../../src/config/secrets.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import { createLogger } from '../../src/core/logger.ts';

const FIRST = readSecrets({}, { apiKey: 'key-1', apiSecret: 'secret-1', httpToken: 'token-1' });

function bench({ checkEveryMs = 30_000, dueInMs = undefined as number | undefined } = {}) {
  const time = new VirtualTime(0);
  let text = '';
  const values = new Set<string | undefined>();
  const log = createLogger({
    level: 'trace',
    output: { write: (line) => (text += line) },
    pretty: false,
    secrets: values,
    now: () => 0,
  });
  const state = {
    held: FIRST as Secrets,
    version: 1,
    error: undefined as Error | undefined,
    reads: 0,
    warning: null as string | null,
  };
  const source: SecretSource = {
    where: 'a test',
    version: 1,
    read: async () => {
      state.reads += 1;
      if (state.error) throw state.error;
      return { secrets: state.held, version: state.version };
    },
    dueInMs: () => dueInMs,
    warning: () => state.warning,
  };
  const watch = new SecretWatch({
    ...{ initial: FIRST, source, checkEveryMs, time },
    log: () => log,
    unspeakable: values,
  });
  const put = (changes: Partial<Secrets>): void => {
    state.held = { ...state.held, ...changes };
    state.version += 1;
  };
  const pass = async (ms: number): Promise<void> => {
    time.advanceTo(time.clock.now() + ms);
    await watch.look();
  };
  return { time, watch, state, put, pass, said: () => text };
}

describe('secrets that change', () => {
  test('are in force once their taker has taken them, together, and for whoever keeps the view', async () => {
    const { watch, put } = bench();
    const kept = { ...{ secrets: watch.secrets } };
    const seen: unknown[] = [];
    watch.add({
      what: 'the API key',
      names: ['apiKey', 'apiSecret'],
      take: ({ apiKey, apiSecret }) => void seen.push([apiKey, apiSecret, kept.secrets.apiKey]),
    });
    put({ apiKey: 'key-2', apiSecret: 'secret-2' });
    await watch.look();
    assert.deepEqual(seen, [['key-2', 'secret-2', 'key-1']]);
    assert.deepEqual([kept.secrets.apiKey, kept.secrets.apiSecret], ['key-2', 'secret-2']);
    assert.deepEqual(
      Object.values(watch.secrets).filter((value) => value === 'key-2'),
      ['key-2'],
    );
    await watch.look();
    assert.equal(seen.length, 1, 'what is as before is not taken again');
    assert.equal(watch.status()?.version, 2);
  });

  test('what is refused leaves the old one, is said once without its value, and is tried again', async () => {
    const { watch, put, said } = bench();
    let refuses = true;
    watch.add({
      what: 'the token of the controls',
      names: ['httpToken'],
      take: ({ httpToken }) => {
        if (refuses) throw new Error(`too short: ${httpToken}`);
      },
    });
    put({ httpToken: 'token-2' });
    await watch.look();
    await watch.look();
    assert.equal(watch.secrets.httpToken, 'token-1');
    assert.equal(said().match(/cannot be taken up/g)?.length, 1);
    assert.doesNotMatch(said(), /token-2/);
    assert.match(watch.status()?.trouble[0] ?? '', /the token of the controls/);
    refuses = false;
    await watch.look();
    assert.equal(watch.secrets.httpToken, 'token-2');
    assert.deepEqual(watch.status()?.trouble, []);
  });

  test('what nobody owns is in force at once; what is gone stays', async () => {
    const { watch, put } = bench();
    put({ backupPassphrase: 'new' });
    await watch.look();
    assert.equal(watch.secrets.backupPassphrase, 'new');
    put({ backupPassphrase: undefined });
    await watch.look();
    assert.equal(watch.secrets.backupPassphrase, 'new');
    assert.match(watch.status()?.trouble[0] ?? '', /backupPassphrase is not there any more/);
    put({ backupPassphrase: 'new' });
    await watch.look();
    assert.deepEqual(watch.status()?.trouble, []);
  });

  test('what cannot be read is tried again, sooner at first, and said once', async () => {
    const { watch, state, time, said } = bench();
    watch.start();
    state.error = new Error('sealed');
    await watch.look();
    assert.equal(watch.secrets.apiKey, 'key-1');
    assert.deepEqual(watch.status()?.trouble, ['sealed']);
    for (const waitMs of [1_000, 2_000, 4_000]) {
      const before = state.reads;
      time.advanceTo(time.clock.now() + waitMs);
      await new Promise(setImmediate);
      assert.equal(state.reads, before + 1, `after ${waitMs} ms`);
    }
    state.error = undefined;
    time.advanceTo(time.clock.now() + 8_000);
    await new Promise(setImmediate);
    assert.deepEqual(watch.status()?.trouble, []);
    assert.equal(said().match(/those in force stay/g)?.length, 1);
    assert.match(said(), /read again/);
    watch.stop();
  });

  test('asks as often as it is told, or as a token wants, and not at all where nothing can change', async () => {
    const asked = async (options: Parameters<typeof bench>[0], ms: number): Promise<number> => {
      const { watch, state, time } = bench(options);
      watch.start();
      for (let at = 0; at < ms; at += 1_000) {
        time.advanceTo(at + 1_000);
        await new Promise(setImmediate);
      }
      watch.stop();
      return state.reads;
    };
    assert.equal(await asked({ checkEveryMs: 10_000 }, 60_000), 6);
    assert.equal(await asked({ checkEveryMs: 0 }, 60_000), 0);
    assert.equal(await asked({ checkEveryMs: 0, dueInMs: 20_000 }, 60_000), 3);
    assert.equal(await asked({ checkEveryMs: 0, dueInMs: 0 }, 10_000), 10);
    const time = new VirtualTime(0);
    const still = new SecretWatch({
      ...{ initial: FIRST, source: undefined, checkEveryMs: 1_000, time },
      log: () => assert.fail('nothing to say'),
      unspeakable: new Set(),
    });
    still.start();
    await still.look();
    assert.equal(still.status(), undefined);
  });

  test('a warning of its source is trouble', () => {
    const { watch, state } = bench();
    state.warning = 'the token ends in 5 minutes';
    assert.deepEqual(watch.status()?.trouble, ['the token ends in 5 minutes']);
  });
});
