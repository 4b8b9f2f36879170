/**
 * What a person asks of a running account from another process: small files in the data folder, taken up once and
 * answered with a file beside them.
 *
 * Invariants: a request appears whole (written beside and renamed); its file goes only after its answer, so a
 * request survives a crash; told twice it is done once, because the operator remembers its id.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Time, TimerHandle } from '../../core/clock.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Command } from '../../domain/command.ts';
import type { Operator, OperatorAnswer } from '../../operator/operator.ts';
import { parseCommand } from '../../operator/parse-command.ts';

export interface PersonRequest {
  readonly command: Command;
  /** Who asks, for the record. */
  readonly by: string;
  /** Real epoch ms. */
  readonly at: number;
  /** It is for the journal that has this row, and for no other. */
  readonly row?: { readonly n: number; readonly hash: string };
}

const FOLDER = 'requests';
const SUFFIX = '.json';
const ANSWER = '.answer';
const LOOK_EVERY_MS = 500;

/** Leaves a request for the run that uses this folder; its id. One that was left under its id before is the same. */
export function leaveRequest(
  dataDir: string,
  request: PersonRequest,
  id: string = freshId(request.command.kind),
): string {
  const path = join(dataDir, FOLDER, `${id}${SUFFIX}`);
  try {
    mkdirSync(join(dataDir, FOLDER), { recursive: true });
    writeWhole(path, JSON.stringify(request));
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${path} cannot be written: ${errorText(error)}`, {
      hint: 'Run it as the user who runs Bulkhead, or name the right folder with --data-dir.',
      cause: error,
    });
  }
  return id;
}

/** What became of a request whose answer nobody takes; 'waits': no run has taken it up. Undefined: there is none. */
export function requestStanding(dataDir: string, id: string): OperatorAnswer | 'waits' | undefined {
  const path = join(dataDir, FOLDER, id);
  try {
    return JSON.parse(readFileSync(`${path}${ANSWER}`, 'utf8')) as OperatorAnswer;
  } catch {
    return existsSync(`${path}${SUFFIX}`) ? 'waits' : undefined;
  }
}

/** Takes the answer away; undefined: there is none yet. */
export function takeAnswer(dataDir: string, id: string): OperatorAnswer | undefined {
  const path = join(dataDir, FOLDER, `${id}${ANSWER}`);
  try {
    const answer = JSON.parse(readFileSync(path, 'utf8')) as OperatorAnswer;
    rmSync(path, { force: true });
    return answer;
  } catch {
    return undefined;
  }
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

export interface DeskOptions {
  readonly dataDir: string;
  readonly time: Time;
  readonly log: Logger;
  readonly operator: Pick<Operator, 'execute'>;
  /** Of the run's own journal; undefined: it has no such row. */
  readonly hashOf: (n: number) => Promise<string | undefined>;
}

const FOREIGN_PLAN = {
  outcome: 'refused',
  code: 'DATA_INVALID',
  text: 'it is of a plan for another journal; make a new one with "bulkhead replay --against venue --plan FILE"',
} as const;

/** Takes requests up while the account runs. */
export class RequestDesk {
  readonly #options: DeskOptions;
  readonly #folder: string;
  readonly #taken = new Set<string>();
  #timer: TimerHandle | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#folder = join(options.dataDir, FOLDER);
  }

  start(): void {
    this.#look();
    this.#timer = this.#options.time.timers.set(LOOK_EVERY_MS, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    for (const file of this.#files()) {
      const id = file.slice(0, -SUFFIX.length);
      if (this.#taken.has(id)) continue;
      const request = this.#read(join(this.#folder, file));
      if (!request) continue;
      this.#taken.add(id);
      void this.#do(id, request);
    }
  }

  async #do(id: string, { command, by, at, row }: PersonRequest): Promise<void> {
    const { log, operator, hashOf } = this.#options;
    log.info(`a person asks: ${command.kind}`, { by });
    const who = { name: by, role: 'admin', channel: 'cli' } as const;
    try {
      if (row && (await hashOf(row.n)) !== row.hash) {
        log.warn(`${command.kind} is refused: ${FOREIGN_PLAN.text}`, { by });
        this.#answer(id, { id, ...FOREIGN_PLAN });
        return;
      }
      const answer = await operator.execute({ id, command, who, issuedAt: at, confirmed: true });
      // Without a row it would be lost with this process: the next one takes the file up again.
      if (answer.outcome === 'pending' || answer.code === 'NOT_READY') this.#taken.delete(id);
      else this.#answer(id, answer);
    } catch (error) {
      log.error('a request could not be carried out', { id, reason: errorText(error) });
    }
  }

  #answer(id: string, answer: OperatorAnswer): void {
    const path = join(this.#folder, id);
    writeWhole(`${path}${ANSWER}`, JSON.stringify(answer));
    rmSync(`${path}${SUFFIX}`, { force: true });
    this.#taken.delete(id);
  }

  #files(): string[] {
    if (!existsSync(this.#folder)) return [];
    try {
      return readdirSync(this.#folder)
        .filter((file) => file.endsWith(SUFFIX))
        .sort();
    } catch {
      // Nobody has asked for anything yet.
      return [];
    }
  }

  /** What is no request is put aside, so that it is complained of once. */
  #read(path: string): PersonRequest | undefined {
    try {
      const { command, by, at, row } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
      if (typeof by !== 'string' || typeof at !== 'number')
        throw new Error('it does not say who asks and when');
      return { command: parseCommand(command), by, at, ...(row === undefined ? {} : { row: rowOf(row) }) };
    } catch (error) {
      this.#options.log.warn('a request that cannot be read', { path, reason: errorText(error) });
      renameSync(path, `${path}.refused`);
      return undefined;
    }
  }
}

function rowOf(row: unknown): NonNullable<PersonRequest['row']> {
  const { n, hash } = (row ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof n !== 'number' || typeof hash !== 'string') throw new Error('it does not say for which journal');
  return { n, hash };
}
