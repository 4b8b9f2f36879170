/** An alert as somebody outside is told of it, from its opening until its end was told. */
import type { Firing } from './alert-watch.ts';

export type SinkName = 'pagerduty' | 'sentry';

/** 'trying': it may have heard of the opening. */
export type Told = 'trying' | 'opened' | 'healed';

export interface Incident extends Firing {
  /** Epoch ms. */
  readonly openedAt: number;
  readonly healedAt: number | null;
  /** What stood beside it when it began, for whoever is woken. */
  readonly details: Readonly<Record<string, string>>;
  readonly told: Readonly<Partial<Record<SinkName, Told>>>;
}
