import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { isBulkheadError } from '../../src/core/errors.ts';
import { RequestJournal } from '../../src/venue-server/request-journal.ts';
import { tempDir } from '../support/temp.ts';

interface Entry {
  readonly i: number;
}

const open = (dir: string, snapshotEvery = 1_000) => new RequestJournal<Entry>({ dir, snapshotEvery });

/** What a state made of these entries would be, and how a restart finds it. */
function total(journal: RequestJournal<Entry>): number {
  const base = (journal.recovered.snapshot as { sum: number } | undefined)?.sum ?? 0;
  return journal.recovered.entries.reduce((sum, { i }) => sum + i, base);
}

function filled(dir: string, count: number, snapshotEvery = 1_000): number {
  const journal = open(dir, snapshotEvery);
  let sum = total(journal);
  for (let i = 1; i <= count; i++) {
    journal.append({ i });
    sum += i;
    journal.snapshotWhenDue(() => ({ sum }));
  }
  journal.close();
  return sum;
}

const logs = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.startsWith('log-'))
    .sort();

describe('the request journal', () => {
  test('what was appended is there again, with and without snapshots', (t) => {
    for (const every of [1_000, 7, 1]) {
      const dir = tempDir(t);
      let sum = 0;
      for (let start = 0; start < 4; start++) sum = filled(dir, 25, every);
      const again = open(dir, every);
      assert.equal(total(again), sum);
      assert.equal(again.last, 100);
      again.close();
      assert.ok(logs(dir).length <= 3, logs(dir).join());
    }
  });

  test('a torn last line is cut off, at every length', (t) => {
    const dir = tempDir(t);
    filled(dir, 3);
    const file = path.join(dir, logs(dir)[0] ?? '');
    const whole = readFileSync(file);
    const two = whole.indexOf(10, whole.indexOf(10) + 1) + 1;
    for (let length = two; length < whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const journal = open(dir);
      assert.equal(journal.last, 2);
      journal.append({ i: 9 });
      journal.close();
      const again = open(dir);
      assert.equal(total(again), 1 + 2 + 9);
      again.close();
    }
  });

  test('damage anywhere else is refused', (t) => {
    const dir = tempDir(t);
    filled(dir, 3);
    const file = path.join(dir, logs(dir)[0] ?? '');
    writeFileSync(file, readFileSync(file, 'utf8').replace('{"i":2}', '{"i":3}'));
    assert.throws(
      () => open(dir),
      (error) => isBulkheadError(error, 'DATA_INVALID') && /damaged at entry 2/.test(error.message),
    );
  });

  test('a damaged newest snapshot costs nothing: the one before it and the logs tell the same', (t) => {
    const dir = tempDir(t);
    const sum = filled(dir, 25, 10);
    appendFileSync(path.join(dir, 'snapshot-000000000020.json'), '');
    const file = path.join(dir, 'snapshot-000000000020.json');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -5));
    const journal = open(dir, 10);
    assert.equal(total(journal), sum);
    journal.close();
  });

  test('after it is closed it takes nothing', (t) => {
    const journal = open(tempDir(t));
    journal.close();
    assert.throws(() => journal.append({ i: 1 }), /closed/);
  });
});
