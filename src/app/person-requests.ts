/**
 * What a person asks of a running account from another process: small files in the data folder, taken up once.
 *
 * Invariants: a request appears whole (written beside and renamed); its file goes only after the row that
 * consumed it is durable, so a request survives a crash; told twice it does no more than once, because the
 * executor looks at what stands at the venue.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Committed } from '../../supervisors/actor-runtime.ts';
import type { Time, TimerHandle } from '../core/clock.ts';
import { BulkheadError, errorText } from '../core/errors.ts';
import { freshId } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { type ActorEvent, type Message, VENUE } from '../domain/events.ts';
import type { SymbolName } from '../domain/instrument.ts';

export const FOREIGN_REQUESTS = ['adopt', 'ignore'] as const;
export type ForeignRequest = (typeof FOREIGN_REQUESTS)[number];

/** What to do with a position at the venue that nobody here opened. */
export interface PersonRequest {
  readonly request: ForeignRequest;
  readonly symbol: SymbolName;
  /** Who asks, for the record. */
  readonly by: string;
}

const FOLDER = 'requests';
const SUFFIX = '.json';
const LOOK_EVERY_MS = 500;

const EVENT_TYPES: Readonly<Record<ForeignRequest, string>> = {
  adopt: 'ADOPT',
  ignore: 'IGNORE',
};

/** Leaves a request for the run that uses this folder. */
export function leaveRequest(dataDir: string, request: PersonRequest): string {
  const folder = join(dataDir, FOLDER);
  const id = freshId(request.request);
  const path = join(folder, `${id}${SUFFIX}`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${path}.tmp`, JSON.stringify(request));
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${path} cannot be written: ${errorText(error)}`, {
      hint: 'Run it as the user who runs Bulkhead, or name the right folder with --data-dir.',
      cause: error,
    });
  }
  return id;
}

export interface DeskOptions {
  readonly dataDir: string;
  readonly time: Time;
  readonly log: Logger;
  readonly tell: (message: Message) => void;
}

/** Takes requests up while the account runs. */
export class RequestDesk {
  readonly #options: DeskOptions;
  readonly #folder: string;
  readonly #told = new Set<string>();
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

  /** An observer of committed rows: what is consumed is over. */
  readonly observe = ({ cause }: Committed): void => {
    if (cause.kind !== 'external' || !this.#told.has(cause.id)) return;
    this.#told.delete(cause.id);
    rmSync(join(this.#folder, `${nameOf(cause.id)}${SUFFIX}`), { force: true });
  };

  #look(): void {
    for (const file of this.#files()) {
      const id = `request:${file.slice(0, -SUFFIX.length)}`;
      if (this.#told.has(id)) continue;
      const request = this.#read(join(this.#folder, file));
      if (!request) continue;
      this.#told.add(id);
      const event: ActorEvent = {
        type: EVENT_TYPES[request.request],
        symbol: request.symbol,
        by: request.by,
      };
      this.#options.log.info(`a person asks: ${request.request} ${request.symbol}`, { by: request.by });
      this.#options.tell({ to: VENUE, event, cause: { kind: 'external', id } });
    }
  }

  #files(): string[] {
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
      const request = JSON.parse(readFileSync(path, 'utf8')) as PersonRequest;
      if (FOREIGN_REQUESTS.includes(request.request) && typeof request.symbol === 'string') return request;
      throw new Error('it asks for nothing known');
    } catch (error) {
      this.#options.log.warn('a request that cannot be read', { path, reason: errorText(error) });
      renameSync(path, `${path}.refused`);
      return undefined;
    }
  }
}

const nameOf = (id: string): string => id.slice('request:'.length);
