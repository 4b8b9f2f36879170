import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { grown, holds, type Row, type Stretch } from '../../src/http/dashboard/inspector-stretch.ts';

/** Its own numbers from … to …; in the journal each tenth row is its. */
const rows = (from: number, to: number): Row[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ seq: from + i, n: (from + i) * 10 }) as Row);
const stretch = (from: number, to: number, newest = to, first = 1): Stretch => ({
  ...{ rows: rows(from, to), oldest: rows(first, first)[0] as Row, newest },
});

describe('a stretch of an actor’s rows', () => {
  test('holds the moments between its ends, and those beyond where the life has an end itself', () => {
    const middle = stretch(501, 1_000, 3_000);
    assert.deepEqual(
      [5_009, 5_010, 7_777, 10_000, 10_001, null].map((n) => holds(middle, n)),
      [false, true, true, true, false, false],
    );
    assert.equal(holds(stretch(1, 20, 3_000), 5), true, 'before its birth its first row is shown');
    assert.equal(holds(stretch(7, 20, 3_000, 7), 5), true, 'the rows before were removed');
    assert.equal(holds(stretch(2_501, 3_000), null), true);
    assert.equal(holds(stretch(2_501, 3_000), 99_999), true, 'what is newest still stands then');
    assert.equal(holds({ ...stretch(1, 1), rows: [] }, null), false);
  });

  test('grows by what follows, each row once, and forgets its oldest when it is long', () => {
    const more = grown(stretch(1, 500), rows(499, 502));
    assert.deepEqual([more.rows.length, more.rows.at(-1)?.seq, more.newest], [502, 502, 502]);
    const long = grown(stretch(1, 1_900), rows(1_901, 2_400));
    assert.deepEqual([long.rows.length, long.rows[0]?.seq, long.oldest.seq], [2_000, 401, 1]);
    assert.equal(holds(long, 4_000), false, 'what was forgotten is read again');
    assert.equal(grown(stretch(1, 5, 9), []).newest, 9);
  });
});
