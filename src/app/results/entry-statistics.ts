/**
 * What became of the entries that were asked for: approved, cut, refused by which rule, denied by which breaker. Pure:
 * the portfolio's rows in, counts out.
 *
 * Invariants: asked = approved + refused; an entry that several rules refuse counts once with each of them.
 */
import type { ActorEvent, Intent } from '../../domain/events.ts';
import { PORTFOLIO } from '../../domain/events.ts';
import type { Entry, Refusal } from '../../domain/risk.ts';
import type { JournalRow } from '../../journal/journal.ts';

export interface RefusedBy {
  readonly rule: string;
  readonly entries: number;
  readonly symbols: Readonly<Record<string, number>>;
  readonly last: { readonly at: number; readonly symbol: string; readonly detail: string };
}

export interface EntryStatistics {
  readonly asked: number;
  readonly approved: number;
  readonly refused: number;
  /** Approved, and denied when the order was about to go: a breaker opened in between. */
  readonly denied: number;
  /** The most frequent first. */
  readonly refusedBy: readonly RefusedBy[];
  /** What made an approved size other than the base: a factor, a limit that cut it, the least lot. */
  readonly resizedBy: Readonly<Record<string, number>>;
}

export class EntryTally {
  #approved = 0;
  #refused = 0;
  #denied = 0;
  readonly #rules = new Map<string, RefusedBy>();
  readonly #resized: Record<string, number> = {};

  take(row: JournalRow): void {
    if (row.actor !== PORTFOLIO || row.kind !== 'event') return;
    if (!/"(ASSESS|CONFIRM)"/.test(row.event)) return;
    const event = JSON.parse(row.event) as ActorEvent;
    const answers = (JSON.parse(row.intents) as Intent[]).flatMap((intent) =>
      intent.type === 'send' ? [intent.event] : [],
    );
    for (const answer of answers) this.#count(event, answer, row.at);
  }

  #count(event: ActorEvent, answer: ActorEvent, at: number): void {
    if (answer.type === 'DENIED') this.#denied += 1;
    if (event.type !== 'ASSESS') return;
    const { symbol } = event.entry as Entry;
    if (answer.type === 'APPROVED') {
      this.#approved += 1;
      for (const name of resizedBy(answer.notes)) this.#resized[name] = (this.#resized[name] ?? 0) + 1;
    }
    if (answer.type !== 'REFUSED') return;
    this.#refused += 1;
    for (const { rule, detail } of answer.refusals as readonly Refusal[]) {
      const known = this.#rules.get(rule);
      this.#rules.set(rule, {
        rule,
        entries: (known?.entries ?? 0) + 1,
        symbols: { ...known?.symbols, [symbol]: (known?.symbols[symbol] ?? 0) + 1 },
        last: { at, symbol, detail },
      });
    }
  }

  statistics(): EntryStatistics {
    return {
      asked: this.#approved + this.#refused,
      approved: this.#approved,
      refused: this.#refused,
      denied: this.#denied,
      refusedBy: [...this.#rules.values()].sort(
        (a, b) => b.entries - a.entries || a.rule.localeCompare(b.rule),
      ),
      resizedBy: this.#resized,
    };
  }
}

/** "volatility ×0.5 (ATR 4 %)", "cut from … by total-exposure", "rounded up to …": by whom, each once. */
function resizedBy(notes: unknown): Set<string> {
  const names = (Array.isArray(notes) ? notes : []).flatMap((note) => {
    const found = /^(\S+) ×|^cut .* by (.+)$|^(rounded up) /.exec(String(note));
    return found ? [found[1] ?? found[2] ?? 'least lot'] : [];
  });
  return new Set(names);
}
