/** The port behind which somebody is told of alerts, outside of this process. */
import type { Incident, SinkName } from './incident.ts';

/** An error of the log, for sinks that collect them. */
export interface ErrorReport {
  readonly message: string;
  /** Epoch ms. */
  readonly at: number;
  /** What the line said beside its message. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export type Report =
  | { readonly kind: 'opened' | 'healed'; readonly incident: Incident }
  | { readonly kind: 'error'; readonly error: ErrorReport };

/**
 * How one attempt ended. 'refused': the same would be refused again. 'later': not taken, or nobody knows; `waitMs`
 * where a pause was asked for.
 */
export type Delivered =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'later'; readonly reason: string; readonly waitMs?: number };

export interface AlertSink {
  readonly name: SinkName;
  /** Hears when an incident is over. Else it hears of each once, even when that is over by then. */
  readonly resolves: boolean;
  /** Collects errors of the log. */
  readonly takesErrors: boolean;
  /** One attempt, within its deadline; never throws, and may be repeated: the same report twice counts once. */
  deliver(report: Report, stop: AbortSignal): Promise<Delivered>;
}
