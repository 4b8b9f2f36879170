/**
 * PagerDuty by its Events API v2: an incident is triggered when an alert opens and resolved when it healed, both under
 * one dedup_key, which the installation and the alert make: the same in every process that trades this journal.
 */
import type { Time } from '../core/clock.ts';
import { redact } from '../core/redact.ts';
import type { AlertSink, Delivered, Report } from './alert-sink.ts';
import { dedupKey, type Origin, runbookOf, titleOf } from './alert-text.ts';
import type { Incident } from './incident.ts';
import { post } from './post.ts';

export interface PagerDutyOptions {
  readonly origin: Origin;
  /** https://events.pagerduty.com, or https://events.eu.pagerduty.com. */
  readonly url: string;
  readonly routingKey: string;
  /** Nothing of these leaves. Read anew for each report: a run may be given others. */
  readonly secrets: Iterable<string>;
  readonly time: Time;
  readonly timeoutMs: () => number;
}

const LONGEST_SUMMARY = 1_024;

export class PagerDutyAlertSink implements AlertSink {
  readonly name = 'pagerduty';
  readonly resolves = true;
  readonly takesErrors = false;
  readonly #options: PagerDutyOptions;

  constructor(options: PagerDutyOptions) {
    this.#options = options;
  }

  async deliver(report: Report, stop: AbortSignal): Promise<Delivered> {
    if (report.kind === 'error') return { kind: 'taken' };
    const { origin, url, routingKey, secrets, time, timeoutMs } = this.#options;
    const event = redact(eventOf(report.kind, report.incident, origin), [...secrets, routingKey]);
    return post({
      url: `${url}/v2/enqueue`,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ routing_key: routingKey, ...(event as object) }),
      ...{ time, timeoutMs: timeoutMs(), stop },
    });
  }
}

function eventOf(kind: 'opened' | 'healed', incident: Incident, origin: Origin): object {
  const dedup_key = dedupKey(origin, incident.key);
  if (kind === 'healed') return { event_action: 'resolve', dedup_key };
  const { account, mode, version } = origin;
  const { alert, severity, labels, value, openedAt, details } = incident;
  return {
    event_action: 'trigger',
    dedup_key,
    client: 'Bulkhead',
    payload: {
      summary: `${account} (${mode}): ${titleOf(incident)}`.slice(0, LONGEST_SUMMARY),
      source: `bulkhead/${account}`,
      severity,
      timestamp: new Date(openedAt).toISOString(),
      component: 'bulkhead',
      group: account,
      class: alert,
      custom_details: { ...details, ...labels, value, version, runbook: runbookOf(incident) },
    },
  };
}
