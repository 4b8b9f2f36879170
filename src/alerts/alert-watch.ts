/**
 * Which alerts are on, look by look: on once a condition held for its time, over once it did not for a while. Pure but
 * for its memory of the looks; time comes with them.
 *
 * Invariant: an alert of an earlier life is over only when this life has been ready once: before that the metrics show
 * what is not known yet as if it were well.
 */
import { ALERT_RULES, type AlertRule, LONGEST_RANGE_MS, type Severity } from './alert-rules.ts';
import { type Look, labelText, type Sample } from './expression.ts';

/** One alert for one set of labels. */
export interface Firing {
  /** The same in every life, e.g. "BreakerOpen/breaker=drawdown". */
  readonly key: string;
  readonly alert: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Turn {
  readonly opened: readonly Firing[];
  readonly healed: readonly string[];
}

export class AlertWatch {
  readonly #rules: readonly AlertRule[];
  readonly #healAfterMs: () => number;
  #looks: Look[] = [];
  /** Since when each condition holds without a break. */
  readonly #since = new Map<string, number>();
  /** Alerts that are on, and since when their condition does not hold. */
  readonly #on = new Map<string, number | undefined>();
  readonly #inherited: Set<string>;

  constructor(options: {
    readonly healAfterMs: () => number;
    readonly inherited?: readonly string[];
    readonly rules?: readonly AlertRule[];
  }) {
    this.#healAfterMs = options.healAfterMs;
    this.#rules = options.rules ?? ALERT_RULES;
    this.#inherited = new Set(options.inherited ?? []);
    for (const key of this.#inherited) this.#on.set(key, undefined);
  }

  /** `isFinal`: there will be no other look, so what holds is told at once. */
  look(look: Look, isReady: boolean, isFinal = false): Turn {
    this.#looks.push(look);
    this.#looks = this.#looks.filter(({ at }) => at >= look.at - LONGEST_RANGE_MS);
    if (isReady) this.#inherited.clear();
    const holding = new Map(this.#rules.flatMap((rule) => this.#holding(rule)));
    const opened = this.#opened(holding, look.at, isFinal);
    const healed = isFinal ? [] : this.#healed(holding, look.at);
    return { opened, healed };
  }

  /** Whatever could be on, at the newest look, and is not. */
  off(): Firing[] {
    return this.#rules.flatMap((rule) =>
      rule.expression
        .values(this.#looks)
        .map((sample) => firingOf(rule, sample))
        .filter(({ key }) => !this.#on.has(key)),
    );
  }

  #holding(rule: AlertRule): [string, Firing & { readonly forMs: number }][] {
    const { forMs } = rule;
    return rule.expression.holds(this.#looks).map((sample) => {
      const firing = firingOf(rule, sample);
      return [firing.key, { ...firing, forMs }];
    });
  }

  #opened(
    holding: ReadonlyMap<string, Firing & { readonly forMs: number }>,
    at: number,
    isFinal: boolean,
  ): Firing[] {
    for (const key of this.#since.keys()) if (!holding.has(key)) this.#since.delete(key);
    const opened: Firing[] = [];
    for (const [key, { forMs, ...firing }] of holding) {
      const since = this.#since.get(key) ?? at;
      this.#since.set(key, since);
      if (this.#on.has(key)) this.#on.set(key, undefined);
      else if (at - since >= forMs || (isFinal && firing.alert === 'BulkheadDown')) {
        this.#on.set(key, undefined);
        opened.push(firing);
      }
    }
    return opened;
  }

  #healed(holding: ReadonlyMap<string, unknown>, at: number): string[] {
    const healed: string[] = [];
    for (const [key, clearSince] of this.#on) {
      if (holding.has(key) || this.#inherited.has(key)) continue;
      const since = clearSince ?? at;
      this.#on.set(key, since);
      if (at - since < this.#healAfterMs()) continue;
      this.#on.delete(key);
      healed.push(key);
    }
    return healed;
  }
}

/** What a target is called by whoever scrapes it says nothing here. */
const UNSAID = new Set(['job', 'check', 'how', 'level', 'percentile']);

function firingOf({ alert, severity, summary }: AlertRule, { labels, value }: Sample): Firing {
  return { key: keyOf(alert, labels), alert, severity, summary, labels, value };
}

function keyOf(alert: string, labels: Sample['labels']): string {
  const said = Object.fromEntries(Object.entries(labels).filter(([name]) => !UNSAID.has(name)));
  const text = labelText(said);
  return text === '' ? alert : `${alert}/${text}`;
}
