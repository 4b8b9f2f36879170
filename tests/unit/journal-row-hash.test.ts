import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalRow } from '../../src/journal/journal.ts';
import { EMPTY_HEAD, sealRows, verifyChain } from '../../src/journal/row-hash.ts';
import { draft, drafts } from '../support/journal-rows.ts';

const sealed = (): JournalRow[] => sealRows(EMPTY_HEAD, 7, drafts('position/BTCUSDT/BOTH/1', 5));

/** The rows with one of them replaced. */
const altered = (n: number, change: Partial<JournalRow>): JournalRow[] =>
  sealed().map((row) => (row.n === n ? { ...row, ...change } : row));

test('sealing numbers rows contiguously and a sound chain verifies to its head', () => {
  const rows = sealed();
  assert.deepEqual(
    rows.map((row) => [row.n, row.epoch]),
    [1, 2, 3, 4, 5].map((n) => [n, 7]),
  );
  assert.deepEqual(verifyChain(rows), { n: 5, hash: rows[4]?.hash });
});

test('a chain verifies in pieces from any head', () => {
  const rows = sealed();
  const middle = verifyChain(rows.slice(0, 2));
  assert.equal(verifyChain(rows.slice(2), middle).n, 5);
});

const changes: Partial<JournalRow>[] = [
  { epoch: 8 },
  { seq: 33 },
  { at: 1 },
  { final: true },
  { actor: 'position/ETHUSDT/BOTH/1' },
  { kind: 'dead-letter' },
  { machine: 'position@2' },
  { event: '{}' },
  { cause: '{}' },
  { snapshot: null },
  { intents: '[1]' },
  { host: '[]' },
  { note: '' },
  { hash: '0'.repeat(64) },
];
for (const change of changes) {
  test(`a changed ${Object.keys(change)[0]} is found and its n named`, () => {
    assert.throws(() => verifyChain(altered(3, change)), { code: 'STORE_CORRUPT', message: /row 3 / });
  });
}

test('a missing row and two swapped rows are found', () => {
  const rows = sealed();
  assert.throws(() => verifyChain(rows.filter((row) => row.n !== 2)), { message: /row 2 is missing/ });
  const [first, second, third] = rows;
  assert(first && second && third);
  assert.throws(() => verifyChain([first, third, second]), { code: 'STORE_CORRUPT' });
});

test('text that moves from one column to the next changes the hash', () => {
  const [one] = sealRows(EMPTY_HEAD, 1, [draft('a', 1, { event: '"ab"', cause: '"c"' })]);
  const [two] = sealRows(EMPTY_HEAD, 1, [draft('a', 1, { event: '"a', cause: 'b""c"' })]);
  assert.notEqual(one?.hash, two?.hash);
});
