/** `bulkhead handover`: asks the run of this data folder to give its account to the standby, and waits until it has it. */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { sleep } from '../../core/clock.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { JournalStore, LeaseState } from '../../journal/journal.ts';
import type { CreateStore, HandoverOptions, Io } from '../cli/io.ts';
import { answerTo, type HandoverAnswer, wishHandover, withdrawWish } from './handover-file.ts';

const ANSWER_WITHIN_MS = 10_000;
const TAKEN_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

export async function handover(options: HandoverOptions, io: Io, create: CreateStore): Promise<number> {
  const { config, json, force } = options;
  if (config.store.engine !== 'postgres')
    throw new BulkheadError('MODE_UNAVAILABLE', 'Only an account on PostgreSQL can be handed over.', {
      hint: 'The embedded store has one process: stop the run (SIGTERM) and start the new version.',
    });
  const store = await create(options, io, 'require');
  try {
    await store.open();
    const before = await store.leaseState();
    if (!before) throw notRunning('Nobody trades this account now.');
    const dataDir = resolve(io.cwd, config.data.dir);
    const askedAt = io.time.monotonic.now();
    const answer = await ask(dataDir, force, io);
    if (answer.refused !== null)
      throw new BulkheadError('HANDOVER_REFUSED', `The account stays where it is: ${answer.refused}.`, {
        hint: 'Start a standby (bulkhead run --standby, the same account and database) and wait until it is ready, or insist with --force.',
      });
    const taken = await nextHolder(store, before, io);
    const seconds = ((io.time.monotonic.now() - askedAt) / 1000).toFixed(1);
    if (!taken)
      return tell(
        json,
        io,
        { handedOver: false, seconds },
        `The run has let go; nobody has taken the account over in ${TAKEN_WITHIN_MS / 1000} s.`,
        1,
      );
    const { owner, epoch } = taken;
    return tell(
      json,
      io,
      { handedOver: true, owner, epoch, seconds },
      `${owner} has the account now (epoch ${epoch}), ${seconds} s after it was asked for.`,
      0,
    );
  } finally {
    await store.close();
  }
}

async function ask(dataDir: string, force: boolean, io: Io): Promise<HandoverAnswer> {
  const until = io.time.clock.now() + ANSWER_WITHIN_MS;
  const { id } = wishHandover(dataDir, { by: userInfo().username, until, force });
  for (const end = io.time.monotonic.now() + ANSWER_WITHIN_MS; io.time.monotonic.now() < end; ) {
    const answer = answerTo(dataDir, id);
    if (answer) return answer;
    await sleep(io.time.timers, LOOK_EVERY_MS);
  }
  withdrawWish(dataDir);
  throw notRunning(`No run answers in ${dataDir}.`);
}

async function nextHolder(store: JournalStore, before: LeaseState, io: Io): Promise<LeaseState | undefined> {
  for (const end = io.time.monotonic.now() + TAKEN_WITHIN_MS; io.time.monotonic.now() < end; ) {
    const held = await store.leaseState();
    if (held && held.epoch > before.epoch) return held;
    await sleep(io.time.timers, LOOK_EVERY_MS);
  }
  return undefined;
}

function tell(json: boolean, io: Io, line: object, text: string, code: number): number {
  io.stdout.write(`${json ? JSON.stringify(line) : text}\n`);
  return code;
}

const notRunning = (message: string): BulkheadError =>
  new BulkheadError('NOT_FOUND', message, {
    hint: 'Name the data folder of the run that trades (--data-dir); a handover is asked for where the leader runs.',
  });
