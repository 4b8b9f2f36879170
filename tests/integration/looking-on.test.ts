/** Commands that only look at a journal: where there is none, and where a run has it open. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { lockFolder } from '../../src/journal/pglite-lock.ts';
import { cli, errorOf } from '../support/cli-process.ts';
import { tempDir } from '../support/temp.ts';

const LOOKS = [
  ['export', 'trades'],
  ['stats'],
  ['explain', 'BTCUSDT'],
  ['replay', '--verify'],
  ['backup', '--place', 'backups'],
  ['compact', '--keep-days', '30'],
];

test('a mistyped folder is not one in which nothing was traded, and nothing is made there', async (t) => {
  const dataDir = path.join(tempDir(t), 'mistyped');
  for (const words of LOOKS) {
    const end = await cli([...words, '--json', '--data-dir', dataDir]);
    assert.deepEqual([end.code, errorOf(end).code, end.stdout], [66, 'NOT_FOUND', ''], words.join(' '));
  }
  const versions = await cli(['config', 'versions', '--data-dir', dataDir]);
  assert.deepEqual([versions.code, versions.stdout], [0, 'There is no version yet.\n']);
  assert.equal(existsSync(dataDir), false);
});

test('beside a run with an embedded store nobody is told to stop it', async (t) => {
  const dataDir = tempDir(t);
  mkdirSync(path.join(dataDir, 'journal'));
  writeFileSync(path.join(dataDir, 'journal', 'PG_VERSION'), '18\n');
  const lock = lockFolder(path.join(dataDir, 'journal'));
  t.after(() => lock.release());
  for (const words of LOOKS.slice(0, 4)) {
    const end = await cli([...words, '--json', '--data-dir', dataDir]);
    const { code, hint } = errorOf(end);
    assert.deepEqual([end.code, code], [75, 'STORE_LOCKED'], words.join(' '));
    assert.match(String(hint), /^Leave it running: its page .*tells the same/);
  }
});
