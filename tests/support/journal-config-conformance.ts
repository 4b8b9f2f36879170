/** What every journal store must do with the configuration's versions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigVersion, JournalStore, Lease } from '../../src/journal/journal.ts';

const configVersion = (version: number): ConfigVersion => ({
  version,
  at: 1_700_000_000_000 + version,
  by: 'žluťoučký 🐎',
  channel: 'telegram',
  why: 'calmer',
  request: `tg:${version}`,
  n: version * 10,
  config: '{"a" : 1,  "b":[ ]}',
  source: '{"b":1,"a":1}',
  diff: '[ ]',
});

interface World {
  readonly store: JournalStore;
  readonly lease: Lease;
}

export function configVersionsConformance(world: () => Promise<World>): void {
  test('versions of the configuration follow one another, come back as they were, and are written once', async () => {
    const { store, lease } = await world();
    assert.equal(await store.newestConfigVersion(), 0);
    assert.deepEqual(await store.configVersions(0, 10), []);
    const one = configVersion(1);
    const two = configVersion(2);
    await store.addConfigVersion(lease, one);
    await store.addConfigVersion(lease, one);
    await assert.rejects(store.addConfigVersion(lease, configVersion(3)), { code: 'STORE_CORRUPT' });
    await assert.rejects(store.addConfigVersion(lease, { ...one, request: 'another' }), {
      code: 'STORE_CORRUPT',
    });
    await store.addConfigVersion(lease, two);
    assert.equal(await store.newestConfigVersion(), 2);
    assert.deepEqual(await store.configVersions(0, 10), [one, two]);
    assert.deepEqual(await store.configVersions(1, 1), [two]);
    const other = await world();
    assert.equal(await other.store.newestConfigVersion(), 0, 'accounts apart');
    const next = await store.acquireLease('first', 60_000);
    await assert.rejects(store.addConfigVersion(lease, configVersion(3)), { code: 'FENCED' });
    await store.addConfigVersion(next, configVersion(3));
    await store.close();
    await other.store.close();
  });
}
