/**
 * What committed rows tell of speed and of orders. Invariant: a few look-ups a row; every memory is bounded.
 */
import type { Monotonic } from '../../core/clock.ts';
import { type ActorId, actorType } from '../../core/ids.ts';
import { Recent } from '../../core/recent.ts';
import type { Metrics } from '../../http/metrics-registry.ts';
import { type CommittedRow, commandLine } from '../../operator/feed.ts';
import { Histogram } from '../status/histogram.ts';

export class RowMetrics {
  /** Submit to last fill of orders at market; real time where there is a venue. */
  readonly fills = new Histogram();
  orders = 0;
  rejected = 0;
  unknown = 0;
  /** Real time of the newest event that nobody could take. */
  #deadLetterAt: number | undefined;
  readonly #metrics: Metrics;
  readonly #monotonic: Monotonic;
  /** How much faster the rows' clock runs than people's. */
  readonly #timeFactor: number;
  /** When the market event behind a row was durable, real time. */
  readonly #origins = new Recent<number, number>();
  readonly #submitted = new Recent<string, number>();
  readonly #firstFill = new Recent<ActorId, number>();

  constructor(metrics: Metrics, monotonic: Monotonic, timeFactor = 1) {
    this.#metrics = metrics;
    this.#monotonic = monotonic;
    this.#timeFactor = timeFactor;
  }

  /** How long ago an event could not be taken; null: none was in this process. */
  get deadLetterAgoMs(): number | null {
    return this.#deadLetterAt === undefined ? null : this.#monotonic.now() - this.#deadLetterAt;
  }

  readonly observe = (committed: CommittedRow): void => {
    const { row, cause } = committed;
    if (row.kind === 'dead-letter') this.#deadLetterAt = this.#monotonic.now();
    this.#metrics.count('bulkhead_journal_rows_total', { type: actorType(row.actor) });
    const origin =
      cause.kind === 'input'
        ? this.#monotonic.now()
        : cause.kind === 'intent'
          ? this.#origins.get(cause.n)
          : undefined;
    if (origin !== undefined) this.#origins.set(row.n, origin);
    this.#submits(committed, origin);
    this.#order(committed);
    const said = commandLine(committed);
    if (said) this.#metrics.count('bulkhead_commands_total', { kind: said.kind, outcome: said.outcome });
  };

  #submits({ row, intents }: CommittedRow, origin: number | undefined): void {
    for (const intent of intents) {
      if (intent.type !== 'order.submit') continue;
      this.orders += 1;
      this.#metrics.count('bulkhead_order_events_total', { event: 'submitted' });
      if (intent.order.type === 'MARKET') this.#submitted.set(intent.order.clientOrderId, row.at);
      if (origin !== undefined)
        this.#metrics.observe('bulkhead_tick_to_order_seconds', (this.#monotonic.now() - origin) / 1_000);
    }
  }

  #order({ row, event, cause }: CommittedRow): void {
    if (!event.type.startsWith('ORDER_') || cause.kind === 'postponed') return;
    if (actorType(row.actor) !== 'position') return;
    this.#metrics.count('bulkhead_order_events_total', { event: event.type.slice(6).toLowerCase() });
    if (event.type === 'ORDER_REJECTED') this.rejected += 1;
    if (event.type === 'ORDER_UNKNOWN') this.unknown += 1;
    if (event.type === 'ORDER_FILLED')
      this.#filled(row, String(event.clientOrderId), event.complete === true);
    if (event.type === 'ORDER_ACKNOWLEDGED' && String(event.ref).startsWith('stop')) {
      const at = this.#firstFill.take(row.actor);
      if (at !== undefined)
        this.#metrics.observe('bulkhead_fill_to_stop_seconds', this.#real(row.at - at) / 1_000);
    }
  }

  #filled({ actor, at }: CommittedRow['row'], clientOrderId: string, isComplete: boolean): void {
    const submitted = this.#submitted.get(clientOrderId);
    if (submitted === undefined) return;
    if (this.#firstFill.get(actor) === undefined) this.#firstFill.set(actor, at);
    if (!isComplete) return;
    this.#submitted.take(clientOrderId);
    const tookMs = this.#real(at - submitted);
    this.fills.add(tookMs);
    this.#metrics.observe('bulkhead_order_fill_seconds', tookMs / 1_000);
  }

  #real(ms: number): number {
    return ms / this.#timeFactor;
  }
}
