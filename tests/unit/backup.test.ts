/** Sealed bytes open whole or not at all; names, order and what is superfluous; an archive says when it is cut. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { backupName, backupsOf, superfluous } from '../../src/backup/backup-place.ts';
import { FolderBackupPlace } from '../../src/backup/folder-backup-place.ts';
import { newIdentity, readSealKey, type SealKey, seal, unseal } from '../../src/backup/seal.ts';
import { seededRandom } from '../../src/core/random.ts';
import { instanceAt, reincarnated } from '../../src/journal/instances.ts';
import { archiveText, openArchive } from '../../src/journal/journal-archive.ts';
import { goldenDatabase, readGolden } from '../support/golden.ts';
import { tempDir } from '../support/temp.ts';

async function* pieces(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const piece of bytes) read.push(piece);
  return Buffer.concat(read);
}

const open = async (sealed: Uint8Array, key: SealKey): Promise<Buffer> =>
  all(await unseal(pieces(sealed), key));

describe('sealing', () => {
  const random = seededRandom('backup/seal');
  // Several chunks of age's 64 KiB, that zstd cannot make small.
  const plain = Buffer.from(Array.from({ length: 200_000 }, () => random.int(256)));

  test('a recipient seals what its identity opens; a key file holds either', async () => {
    const { identity, recipient } = await newIdentity();
    const sealed = await all(await seal(pieces(plain), readSealKey(recipient)));
    assert.deepEqual(await open(sealed, readSealKey(`# made today\n${identity}\n`)), plain);
    await assert.rejects(open(sealed, readSealKey(recipient)), { code: 'CONFIG_INVALID' });
    assert.throws(() => readSealKey('hunter2'), { code: 'CONFIG_INVALID', hint: /--new-key/ });
  });

  test('another key, a changed byte anywhere, and every cut are refused', async () => {
    const key: SealKey = { kind: 'identity', text: (await newIdentity()).identity };
    const sealed = await all(await seal(pieces(plain), key));
    const other: SealKey = { kind: 'identity', text: (await newIdentity()).identity };
    await assert.rejects(open(sealed, other), { code: 'BACKUP_INVALID' });
    for (let i = 0; i < 40; i++) {
      const changed = Buffer.from(sealed);
      const at = random.int(sealed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 + random.int(255));
      await assert.rejects(open(changed, key), { code: 'BACKUP_INVALID' }, `byte ${at}`);
    }
    const cuts = [0, 1, 100, 65_536, 131_072 + 216, sealed.length - 1];
    for (const cut of [...cuts, ...Array.from({ length: 20 }, () => random.int(sealed.length))])
      await assert.rejects(open(sealed.subarray(0, cut), key), { code: 'BACKUP_INVALID' }, `cut at ${cut}`);
  });

  test('a passphrase opens what it sealed', async () => {
    const key: SealKey = { kind: 'passphrase', text: 'correct horse' };
    const sealed = await all(await seal(pieces(plain.subarray(0, 1_000)), key));
    assert.deepEqual(await open(sealed, key), plain.subarray(0, 1_000));
  });
});

describe('an archive', () => {
  test('that ends early, or whose rows were changed, is refused', async () => {
    const golden = await readGolden('0.1.0-paper');
    const { store } = await goldenDatabase(golden, 'paper', golden.rows.length);
    let text = '';
    for await (const part of archiveText(store, golden.header)) text += part;
    const rowsOf = async (changed: string): Promise<number> => {
      const { batches } = await openArchive(pieces(Buffer.from(changed)));
      let rows = 0;
      for await (const batch of batches) rows += batch.length;
      return rows;
    };
    assert.equal(await rowsOf(text), golden.rows.length);
    const lines = text.trimEnd().split('\n');
    const changes: [string, string][] = [
      ['without its end', lines.slice(0, -1).join('\n')],
      ['without its last rows', [...lines.slice(0, -5), lines.at(-1)].join('\n')],
      ['without a row in the middle', lines.filter((_, i) => i !== 100).join('\n')],
      ['with a row twice', lines.flatMap((line, i) => (i === 100 ? [line, line] : [line])).join('\n')],
      ['with a changed row', lines.with(200, (lines[200] ?? '').replace(/"at":1/, '"at":2')).join('\n')],
      ['nothing at all', ''],
      ['something else', 'hello\nworld\n'],
      ['of the future', text.replace('"version":1', '"version":3')],
      ['that says it was cut, and not where', text.replace('"version":1', '"version":2')],
    ];
    for (const [what, changed] of changes)
      await assert.rejects(rowsOf(changed), { code: 'BACKUP_INVALID' }, what);
  });
});

describe('backups in a folder', () => {
  test('newest first, each account\u2019s own, whatever else lies there', async (t) => {
    const folder = tempDir(t);
    const place = new FolderBackupPlace(path.join(folder, 'made', 'anew'));
    assert.deepEqual(await backupsOf(place, 'main'), []);
    const at = Date.UTC(2026, 0, 2, 3, 4, 5);
    for (const [account, days, n] of [
      ['main', 0, 10],
      ['main', 2, 30],
      ['main', 1, 20],
      ['main-2', 1, 5],
    ] as const)
      await place.write(backupName(account, at + days * 86_400_000, n), pieces(Buffer.from('x')));
    writeFileSync(path.join(place.name, 'notes.txt'), '');
    const found = await backupsOf(place, 'main');
    assert.deepEqual(
      found.map(({ n, at: taken, bytes }) => [n, (taken - at) / 86_400_000, bytes]),
      [
        [30, 2, 1],
        [20, 1, 1],
        [10, 0, 1],
      ],
    );
    assert.deepEqual(
      superfluous(found, 2).map(({ n }) => n),
      [10],
    );
    assert.deepEqual(superfluous(found, 9), []);
    await place.remove(found[0]?.name ?? '');
    assert.equal((await backupsOf(place, 'main')).length, 2);
    await assert.rejects(place.read('bulkhead-none.age'), { code: 'NOT_FOUND' });
  });

  test('what broke off is not there, and what a dead process left goes', async (t) => {
    const place = new FolderBackupPlace(tempDir(t));
    const broken = async function* () {
      yield Buffer.from('half');
      throw new Error('the source ended');
    };
    await assert.rejects(place.write('a.age', broken()), { code: 'BACKUP_UNREACHABLE' });
    assert.deepEqual(await place.list(), []);
    writeFileSync(path.join(place.name, 'b.age.partial'), 'left by a kill');
    assert.deepEqual(await place.list(), []);
    await place.write('c.age', pieces(Buffer.from('whole')));
    assert.deepEqual(readdirSync(place.name), ['c.age']);
  });

  test('a folder that cannot be is said so', async (t) => {
    const file = path.join(tempDir(t), 'file');
    writeFileSync(file, '');
    const place = new FolderBackupPlace(path.join(file, 'under'));
    await assert.rejects(place.write('a.age', pieces(Buffer.from('x'))), { code: 'BACKUP_UNREACHABLE' });
  });
});

describe('installations of a journal', () => {
  test('each row keeps the name of the one that wrote it, over several restores', () => {
    const first = reincarnated({ instance: 'one', run: '{}' }, 100);
    assert.notEqual(first.instance, 'one');
    const second = reincarnated(first.meta, 150);
    const { instance: current, instances } = second.meta;
    const all = { current, earlier: JSON.parse(instances ?? '') };
    const writers = [1, 100, 101, 150, 151].map((n) => instanceAt(all, n));
    assert.deepEqual(writers, ['one', 'one', first.instance, first.instance, second.instance]);
    // Back into the first one's time.
    const back = reincarnated(second.meta, 60);
    const earlier = JSON.parse(back.meta.instances ?? '');
    assert.deepEqual(earlier, [{ instance: 'one', upTo: 60 }]);
    assert.equal(back.meta.run, '{}');
  });
});
