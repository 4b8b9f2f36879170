import { VirtualTime } from '../../src/core/clock.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { journalConformance } from '../support/journal-conformance.ts';

const time = new VirtualTime(1_750_000_000_000);
const database = new MemoryDatabase();

journalConformance('memory', () => ({
  store: (account) => new MemoryJournal({ account, clock: time, database }),
  passTime: async (ms) => time.advanceTo(time.now() + ms),
}));
