import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BulkheadError } from '../../src/core/errors.ts';
import { displayUrl } from '../../src/journal/postgres-journal.ts';
import { storeError } from '../../src/journal/sql-errors.ts';

const withCode = (code: string) => Object.assign(new Error('reason'), { code });

const TABLE: [string, string][] = [
  ['53100', 'STORE_FULL'],
  ['ENOSPC', 'STORE_FULL'],
  ['57P01', 'STORE_UNAVAILABLE'],
  ['57P03', 'STORE_UNAVAILABLE'],
  ['57014', 'STORE_UNAVAILABLE'],
  ['08006', 'STORE_UNAVAILABLE'],
  ['53300', 'STORE_UNAVAILABLE'],
  ['40001', 'STORE_UNAVAILABLE'],
  ['40P01', 'STORE_UNAVAILABLE'],
  ['25006', 'STORE_UNAVAILABLE'],
  ['28P01', 'STORE_UNAVAILABLE'],
  ['3D000', 'STORE_UNAVAILABLE'],
  ['ECONNREFUSED', 'STORE_UNAVAILABLE'],
  ['ECONNRESET', 'STORE_UNAVAILABLE'],
  ['EPIPE', 'STORE_UNAVAILABLE'],
  ['23505', 'STORE_CORRUPT'],
  ['XX001', 'STORE_CORRUPT'],
  ['22P02', 'INTERNAL'],
  ['42P01', 'INTERNAL'],
];
for (const [code, expected] of TABLE) {
  test(`${code} is ${expected}`, () => assert.equal(storeError(withCode(code)).code, expected));
}

test('an error without a code is an unknown outcome', () => {
  for (const error of [
    new Error('Connection terminated unexpectedly'),
    new Error('Query read timeout'),
    'odd',
  ]) {
    assert.equal(storeError(error).kind, 'unknown');
  }
});

test('an error of ours passes unchanged', () => {
  const error = new BulkheadError('FENCED', 'ours');
  assert.equal(storeError(error), error);
});

test('a URL is shown without its password', () => {
  assert.equal(
    displayUrl('postgres://me:secret@db.example:5433/live?sslmode=require'),
    'postgres://me@db.example:5433/live',
  );
  assert.equal(displayUrl('postgres://me:secret@localhost/live?host=/run/pg'), 'postgres://me@/run/pg/live');
  assert.equal(displayUrl('not a url: secret'), 'postgres://?');
});
