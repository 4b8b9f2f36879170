/**
 * What a person asks of a running account from another process: small files in the data folder, taken up once.
 *
 * Invariants: a request appears whole (written beside and renamed); its file goes only after the row that
 * consumed it is durable, so a request survives a crash; told twice it does no more than once, because the
 * executor looks at what stands at the venue.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { breakerOf } from '../../machines/messages.ts';
import type { Committed } from '../../supervisors/actor-runtime.ts';
import type { Time, TimerHandle } from '../core/clock.ts';
import { BulkheadError, errorText } from '../core/errors.ts';
import { type ActorId, freshId } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { type ActorEvent, type Message, VENUE } from '../domain/events.ts';
import type { SymbolName } from '../domain/instrument.ts';

export const FOREIGN_REQUESTS = ['adopt', 'ignore'] as const;
export type ForeignRequest = (typeof FOREIGN_REQUESTS)[number];

/** What to do with a position at the venue that nobody here opened. */
interface ForeignWord {
  readonly request: ForeignRequest;
  readonly symbol: SymbolName;
  /** Who asks, for the record. */
  readonly by: string;
}

export const BREAKER_REQUESTS = ['trip', 'release'] as const;
export type BreakerRequest = (typeof BREAKER_REQUESTS)[number];

/** To open or close a breaker by hand. */
interface BreakerWord {
  readonly request: BreakerRequest;
  /** Its name, without "breaker/". */
  readonly breaker: string;
  readonly by: string;
  readonly reason: string;
}

export type PersonRequest = ForeignWord | BreakerWord;

const FOLDER = 'requests';
const SUFFIX = '.json';
const LOOK_EVERY_MS = 500;

const isForeign = (request: PersonRequest): request is ForeignWord =>
  (FOREIGN_REQUESTS as readonly string[]).includes(request.request);
const isBreakerWord = (request: PersonRequest): request is BreakerWord =>
  !isForeign(request) &&
  BREAKER_REQUESTS.includes(request.request) &&
  typeof request.breaker === 'string' &&
  typeof request.reason === 'string';

const EVENT_TYPES: Readonly<Record<PersonRequest['request'], string>> = {
  adopt: 'ADOPT',
  ignore: 'IGNORE',
  trip: 'OPERATOR_TRIP',
  release: 'OPERATOR_RESET',
};

function readingOf(request: PersonRequest): { what: string; to: ActorId; event: ActorEvent } {
  const type = EVENT_TYPES[request.request];
  const { by } = request;
  if (isForeign(request))
    return { what: request.symbol, to: VENUE, event: { type, symbol: request.symbol, by } };
  const { breaker, reason } = request;
  return { what: breaker, to: breakerOf(breaker), event: { type, by, reason } };
}

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
      const { what, to, event } = readingOf(request);
      this.#options.log.info(`a person asks: ${request.request} ${what}`, { by: request.by });
      this.#options.tell({ to, event, cause: { kind: 'external', id } });
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
      if (isForeign(request) ? typeof request.symbol === 'string' : isBreakerWord(request)) return request;
      throw new Error('it asks for nothing known');
    } catch (error) {
      this.#options.log.warn('a request that cannot be read', { path, reason: errorText(error) });
      renameSync(path, `${path}.refused`);
      return undefined;
    }
  }
}

const nameOf = (id: string): string => id.slice('request:'.length);
