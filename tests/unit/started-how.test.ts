import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startedHow } from '../../src/app/run/started-how.ts';
import { statusPath } from '../../src/app/status/status-file.ts';
import { tempDir } from '../support/temp.ts';

test('how the process before ended is read from what it said last', (t) => {
  const dir = tempDir(t);
  assert.equal(startedHow(dir), 'first');
  const after = (state: string): string => {
    writeFileSync(statusPath(dir), JSON.stringify({ format: 1, state }));
    return startedHow(dir);
  };
  for (const state of ['recovering', 'connecting', 'running', 'stopping'])
    assert.equal(after(state), 'crash');
  // Neither had the account.
  for (const state of ['starting', 'standby', 'stopped']) assert.equal(after(state), 'clean', state);
  assert.equal(after('failed'), 'failed');
  writeFileSync(statusPath(dir), '{"for');
  assert.equal(startedHow(dir), 'first');
});
