/**
 * How a person's wish to hand the account over reaches the run that has it: a file in its data folder, and one with
 * the answer.
 *
 * Invariants: a file appears whole; a wish is answered once; a wish that nobody took up within its time is void.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';

export interface HandoverWish {
  readonly id: string;
  readonly by: string;
  /** Epoch ms: after this it is void. */
  readonly until: number;
  /** Also without a standby that is ready. */
  readonly force: boolean;
}

export interface HandoverAnswer {
  readonly id: string;
  /** Who is ready to take over; null: nobody, and it was forced. */
  readonly standby: { readonly owner: string; readonly host: string } | null;
  /** Why not; null: it hands over now. */
  readonly refused: string | null;
}

const wishPath = (dataDir: string): string => join(dataDir, 'handover.json');
const answerPath = (dataDir: string): string => join(dataDir, 'handover-answer.json');

function writeWhole(path: string, value: object): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(value));
  renameSync(`${path}.tmp`, path);
}

function readWhole<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

export function wishHandover(dataDir: string, wish: Omit<HandoverWish, 'id'>): HandoverWish {
  const whole = { id: freshId('handover'), ...wish };
  try {
    mkdirSync(dataDir, { recursive: true });
    rmSync(answerPath(dataDir), { force: true });
    writeWhole(wishPath(dataDir), whole);
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${wishPath(dataDir)} cannot be written: ${errorText(error)}`, {
      hint: 'Run it as the user who runs Bulkhead, or name the right folder with --data-dir.',
      cause: error,
    });
  }
  return whole;
}

/** The wish that stands, taken away with the asking. */
export function takeWish(dataDir: string, now: number): HandoverWish | undefined {
  const wish = readWhole<HandoverWish>(wishPath(dataDir));
  if (wish === undefined) return undefined;
  withdrawWish(dataDir);
  return typeof wish.id === 'string' && wish.until > now ? wish : undefined;
}

export function withdrawWish(dataDir: string): void {
  rmSync(wishPath(dataDir), { force: true });
}

export function answerWish(dataDir: string, answer: HandoverAnswer): void {
  writeWhole(answerPath(dataDir), answer);
}

export function answerTo(dataDir: string, id: string): HandoverAnswer | undefined {
  const answer = readWhole<HandoverAnswer>(answerPath(dataDir));
  return answer?.id === id ? answer : undefined;
}
