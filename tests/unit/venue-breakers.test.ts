import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VenueBreakers } from '../../src/app/live/venue-breakers.ts';
import type { Message } from '../../src/domain/events.ts';
import type { JournalRow } from '../../src/journal/journal.ts';

function bench() {
  const told: Message[] = [];
  const self = { now: 0 };
  const breakers = new VenueBreakers({
    ...{ epoch: 1, timeFactor: 1, maxLatencyMs: 1_000, maxClockSkewMs: 1_000 },
    now: () => self.now,
    knows: () => true,
    tell: (message) => told.push(message),
  });
  const row = (value: unknown): { row: JournalRow } => ({
    row: { actor: 'breaker/journal', snapshot: JSON.stringify({ value }) } as JournalRow,
  });
  const types = (): string[] => told.splice(0).map(({ to, event }) => `${to} ${event.type}`);
  return { self, breakers, row, told, types };
}

describe('what the journal’s breaker hears', () => {
  test('a halt is told once, when it is over, with how long it was and why', () => {
    const { self, breakers, told } = bench();
    breakers.journal('halted', 'the database did not answer');
    self.now = 2_500;
    breakers.journal('halted', 'the database did not answer');
    assert.equal(told.length, 0);
    breakers.journal('ok', 'the database did not answer');
    breakers.journal('ok', 'the database did not answer');
    assert.deepEqual(
      told.map(({ to, event }) => [to, event]),
      [
        [
          'breaker/journal',
          { type: 'FAULT', reason: 'it took no rows for 2.5 s: the database did not answer' },
        ],
      ],
    );
  });

  test('on trial it is told that the journal writes, but never while it halts', () => {
    const { self, breakers, row, types } = bench();
    breakers.observe(row({ open: 'halted' }));
    assert.deepEqual(types(), []);
    breakers.journal('halted', 'x');
    breakers.observe(row('halfOpen'));
    assert.deepEqual(types(), []);
    breakers.journal('ok', 'x');
    assert.deepEqual(types(), ['breaker/journal FAULT']);
    self.now = 5_000;
    breakers.observe(row('halfOpen'));
    assert.deepEqual(types(), ['breaker/journal OK']);
    breakers.observe(row('closed'));
    breakers.hear({ type: 'called', call: 'query', outcome: 'done', latencyMs: 1 });
    assert.deepEqual(types(), []);
  });

  test('recovered on trial, with nobody there to hear it, it is told with the next word of the venue', () => {
    const { self, breakers, row, types } = bench();
    breakers.observe(row('halfOpen'));
    types();
    self.now = 60_000;
    breakers.hear({ type: 'called', call: 'query', outcome: 'done', latencyMs: 1 });
    assert.deepEqual(types(), ['breaker/journal OK']);
  });
});
