import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { CommandOptions, CreateStore } from '../../src/app/cli/io.ts';
import type { Check } from '../../src/app/doctor/check.ts';
import { clock, doctor, nodeVersion } from '../../src/app/doctor/doctor.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import type { JournalStore } from '../../src/journal/journal.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempDir } from '../support/temp.ts';

const healthy: CreateStore = async () =>
  ({
    open: async () => ({
      ...{ engine: 'Test 1', location: 'nowhere', durable: true },
      checks: [{ name: 'flush', ok: true, detail: 'flushes' }],
    }),
    head: async () => ({ n: 7, hash: '' }),
    liveRows: async () => [],
    leaseState: async () => ({ account: 'main', owner: 'o', epoch: 3, expiresAt: 0, leftMs: 0 }),
    close: async () => undefined,
  }) as unknown as JournalStore;

async function examine(dir: string, env: Record<string, string>, createStore: CreateStore = healthy) {
  const load = (): CommandOptions => {
    const { config, secrets } = loadConfig({
      env: { BULKHEAD_DATA_DIR: path.join(dir, 'data'), ...env },
      cwd: dir,
    });
    return { config, secrets, configFile: undefined, json: true, quiet: false };
  };
  const io = fakeIo({ cwd: dir });
  const code = await doctor({ load, json: true }, io, createStore);
  const { ok, checks } = JSON.parse(io.out()) as { ok: boolean; checks: Check[] };
  return { code, ok, checks, check: (name: string) => checks.find((one) => one.name === name) };
}

describe('the doctor', () => {
  test('is content with a healthy machine', async (t) => {
    const { code, ok, checks, check } = await examine(tempDir(t), {});
    assert.deepEqual(
      checks.filter((one) => !one.ok),
      [],
    );
    assert.equal(ok, true);
    assert.equal(code, 0);
    assert.match(check('lease')?.detail ?? '', /free, epoch 3/);
    assert.match(check('data folder')?.detail ?? '', /will be created/);
  });

  test('a journal that opens and cannot be read is a finding, with what to do', async (t) => {
    const lost = new BulkheadError('STORE_CORRUPT', 'invalid page in block 4', {
      hint: 'restore the last backup',
    });
    const damaged: CreateStore = async (...how) =>
      Object.assign(await healthy(...how), { liveRows: () => Promise.reject(lost) });
    const { code, check } = await examine(tempDir(t), {}, damaged);
    assert.equal(code, 1);
    assert.match(check('journal')?.detail ?? '', /invalid page/);
    assert.match(check('journal')?.hint ?? '', /restore/);
    assert.equal(check('lease')?.ok, true);
  });

  test('a wrong configuration is a finding, and does not hide the others', async (t) => {
    const { code, check } = await examine(tempDir(t), { BULKHEAD_MODE: 'x' });
    assert.equal(code, 1);
    assert.match(check('configuration')?.detail ?? '', /mode: "x"/);
    assert.equal(check('node')?.ok, true);
  });

  test('missing recording, missing keys, a folder that is a file', async (t) => {
    const dir = tempDir(t);
    writeFileSync(path.join(dir, 'data'), '');
    const recorded = { BULKHEAD_MARKET_SOURCE: 'recorded', BULKHEAD_MARKET_RECORDING: 'nowhere' };
    const demo = await examine(dir, recorded);
    assert.equal(demo.code, 1);
    assert.match(demo.check('recording')?.detail ?? '', /nowhere cannot be read/);
    const live = await examine(dir, { BULKHEAD_MODE: 'live', BULKHEAD_API_KEY: 'k' });
    assert.equal(live.code, 1);
    assert.match(live.check('secrets')?.detail ?? '', /^BULKHEAD_API_SECRET not set/);
    assert.match(live.check('venue')?.detail ?? '', /symbols/);
    assert.equal(live.check('data folder')?.ok, false);
    assert.ok(demo.check('recording')?.hint);
    for (const name of ['secrets', 'venue', 'data folder']) assert.ok(live.check(name)?.hint, name);
  });

  test('a store that refuses is reported with its code and hint', async (t) => {
    const broken: CreateStore = async () => {
      throw new BulkheadError('STORE_NOT_DURABLE', 'fsync is off.', { hint: 'Turn it on.' });
    };
    const { check, code } = await examine(tempDir(t), {}, broken);
    assert.equal(code, 1);
    assert.deepEqual(check('store'), {
      name: 'store',
      ok: false,
      detail: 'fsync is off. [STORE_NOT_DURABLE]',
      hint: 'Turn it on.',
    });
  });

  test('an old Node and a clock of another age are found', () => {
    assert.equal(nodeVersion('24.0.0').ok, true);
    assert.ok(nodeVersion('20.20.2').hint);
    assert.ok(clock(0).hint);
  });

  test('for eyes: marks, and what to do under each failure', async (t) => {
    const dir = tempDir(t);
    const io = fakeIo({ cwd: dir });
    const load = (): CommandOptions => {
      throw new BulkheadError('CONFIG_INVALID', 'bad', { hint: 'mend it' });
    };
    assert.equal(await doctor({ load, json: false }, io, healthy), 1);
    assert.match(io.out(), /^ok {4}node/m);
    assert.match(io.out(), /^FAIL {2}configuration {2}bad \[CONFIG_INVALID\]\n\s+→ mend it$/m);
  });
});
