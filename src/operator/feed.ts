/**
 * What happens, as it becomes durable: one stream for everybody who looks on. A listener is called and must return at
 * once; whoever writes to a socket keeps a bounded queue of their own.
 *
 * Invariants: ids rise by one; the newest events are kept for who comes back, but the status, of which there is a new one
 * each second and which may be large: it goes by under the id of what was kept last; a listener that throws is dropped and
 * costs nobody else anything.
 */
import { OPERATOR } from '../../machines/messages.ts';
import type { ActorId } from '../core/ids.ts';
import { stateJson } from '../core/snapshot-parts.ts';
import { stateText } from '../core/state-text.ts';
import type { Verdict, Who } from '../domain/command.ts';
import type { ActorEvent, Cause, Intent, Level } from '../domain/events.ts';
import { PORTFOLIO } from '../domain/events.ts';
import type { JournalRow } from '../journal/journal.ts';

/** A row that just became durable, with its parsed parts. */
export interface CommittedRow {
  readonly row: JournalRow;
  readonly event: ActorEvent;
  readonly cause: Cause;
  readonly intents: readonly Intent[];
}

/** A row as people follow it: names and no snapshots. */
export interface RowLine {
  readonly n: number;
  readonly actor: ActorId;
  readonly seq: number;
  readonly at: number;
  readonly kind: JournalRow['kind'];
  readonly machine: string;
  readonly event: string;
  readonly cause: Cause;
  readonly state: string | null;
  readonly intents: readonly string[];
  readonly final: boolean;
}

export const FEED_TYPES = ['row', 'trade', 'notice', 'command', 'status', 'log', 'reset'] as const;
export type FeedType = (typeof FEED_TYPES)[number];

export interface FeedEvent {
  readonly id: number;
  readonly type: FeedType;
  readonly data: unknown;
}

export interface Notice {
  readonly level: Level;
  readonly text: string;
  readonly actor: ActorId;
  readonly at: number;
  readonly n: number;
  readonly data?: unknown;
}

export interface CommandLine extends Verdict {
  readonly n: number;
  readonly at: number;
  readonly id: string;
  readonly kind: string;
  readonly who: Who;
}

export type FeedListener = (event: FeedEvent) => void;

const KEPT = 2_000;

export class Feed {
  readonly #listeners = new Set<FeedListener>();
  readonly #ring: FeedEvent[] = [];
  #next = 1;

  get lastId(): number {
    return this.#next - 1;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What came after that id; undefined when it is no longer all there, or was never here. */
  since(id: number): readonly FeedEvent[] | undefined {
    const oldest = this.#ring[0]?.id ?? this.#next;
    if (id > this.lastId || id < oldest - 1) return undefined;
    return this.#ring.slice(id - oldest + 1);
  }

  publish(type: FeedType, data: unknown): void {
    const event = type === 'status' ? { id: this.lastId, type, data } : this.#kept(type, data);
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        this.#listeners.delete(listener);
      }
    }
  }

  #kept(type: FeedType, data: unknown): FeedEvent {
    const event = { id: this.#next++, type, data };
    this.#ring.push(event);
    if (this.#ring.length > KEPT * 2) this.#ring.splice(0, this.#ring.length - KEPT);
    return event;
  }

  /** An observer of committed rows. */
  readonly observe = (committed: CommittedRow): void => {
    const { row, event, intents } = committed;
    this.publish('row', rowLine(committed));
    for (const notice of noticesIn(row, intents)) this.publish('notice', notice);
    if (row.actor === PORTFOLIO && event.type === 'POSITION_CLOSED' && event.trade)
      this.publish('trade', { n: row.n, actor: event.actor, trade: event.trade });
    const said = commandLine(committed);
    if (said) this.publish('command', said);
  };
}

/** What a row says to people. */
export function noticesIn(
  { actor, at, n }: Pick<JournalRow, 'actor' | 'at' | 'n'>,
  intents: readonly Intent[],
): readonly Notice[] {
  return intents.flatMap((intent) => {
    if (intent.type !== 'notify') return [];
    const { level, text, data } = intent;
    return [{ level, text, actor, at, n, ...(data ? { data } : {}) }];
  });
}

export function rowLine({ row, event, cause, intents }: CommittedRow): RowLine {
  const { n, actor, seq, at, kind, machine, final, snapshot } = row;
  return {
    ...{ n, actor, seq, at, kind, machine, event: event.type, cause, final },
    state: snapshot === null ? null : stateOf(snapshot),
    intents: intents.map((intent) =>
      intent.type === 'send' ? `${intent.to} ${intent.event.type}` : intent.type,
    ),
  };
}

/** For people, by the state's JSON: there are some hundred states, and each is met again and again. */
const told = new Map<string, string>();
const MOST_TOLD = 1_000;

/** The state that a snapshot is in, for people. */
export function stateOf(snapshot: string): string | null {
  const state = stateJson(snapshot);
  if (state === undefined) return null;
  const known = told.get(state);
  if (known !== undefined) return known;
  const text = stateText(JSON.parse(state));
  if (told.size >= MOST_TOLD) told.clear();
  told.set(state, text);
  return text;
}

/** The operator's own word on a command, from the row that took it. */
export function commandLine({ row, event }: Pick<CommittedRow, 'row' | 'event'>): CommandLine | undefined {
  if (row.actor !== OPERATOR || event.type !== 'COMMAND' || row.snapshot === null) return undefined;
  const { id, command, who } = event as unknown as { id: string; command: { kind: string }; who: Who };
  const { context } = JSON.parse(row.snapshot) as {
    context: { answered: readonly (Verdict & { id: string })[] };
  };
  const verdict = context.answered.findLast((answer) => answer.id === id);
  if (!verdict) return undefined;
  const { outcome, code, text } = verdict;
  return { n: row.n, at: row.at, id, kind: command.kind, who, outcome, code, text };
}
