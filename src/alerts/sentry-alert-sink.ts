/**
 * Sentry by its envelope endpoint: each alert once when it opens, and errors of the log. Sentry has no word for "healed"
 * on this endpoint; its issues are resolved there.
 *
 * Invariant: an event's id follows from what it reports, so that an attempt that may have arrived can be repeated.
 */
import { createHash } from 'node:crypto';
import type { Time } from '../core/clock.ts';
import { redact } from '../core/redact.ts';
import type { AlertSink, Delivered, Report } from './alert-sink.ts';
import { type Origin, runbookOf, titleOf } from './alert-text.ts';
import type { Dsn } from './dsn.ts';
import { post } from './post.ts';

export interface SentryOptions {
  readonly origin: Origin;
  readonly dsn: Dsn;
  /** Nothing of these leaves. Read anew for each report: a run may be given others. */
  readonly secrets: Iterable<string>;
  readonly time: Time;
  readonly timeoutMs: () => number;
}

const LEVELS = { critical: 'fatal', warning: 'warning', info: 'info' } as const;
const LONGEST_MESSAGE = 2_000;

export class SentryAlertSink implements AlertSink {
  readonly name = 'sentry';
  readonly resolves = false;
  readonly takesErrors = true;
  readonly #options: SentryOptions;

  constructor(options: SentryOptions) {
    this.#options = options;
  }

  deliver(report: Report, stop: AbortSignal): Promise<Delivered> {
    const { origin, dsn, secrets, time, timeoutMs } = this.#options;
    const event = redact(eventOf(report, origin), [...secrets, dsn.publicKey]) as { event_id: string };
    return post({
      url: dsn.endpoint,
      headers: {
        'content-type': 'application/x-sentry-envelope',
        'x-sentry-auth': `Sentry sentry_version=7, sentry_client=bulkhead/${origin.version}, sentry_key=${dsn.publicKey}`,
      },
      body: envelope(event, time.clock.now()),
      ...{ time, timeoutMs: timeoutMs(), stop },
    });
  }
}

/** Lines of JSON: the envelope's header, the item's, the item. */
function envelope(event: { readonly event_id: string }, now: number): string {
  const payload = JSON.stringify(event);
  const header = { event_id: event.event_id, sent_at: new Date(now).toISOString() };
  const item = { type: 'event', content_type: 'application/json', length: Buffer.byteLength(payload) };
  return `${JSON.stringify(header)}\n${JSON.stringify(item)}\n${payload}\n`;
}

function eventOf(report: Report, origin: Origin): object {
  const { account, mode, version, instance } = origin;
  const common = {
    platform: 'node',
    logger: 'bulkhead',
    release: `bulkhead@${version}`,
    environment: mode,
  };
  if (report.kind === 'error') {
    const { message, at, fields } = report.error;
    return {
      ...common,
      event_id: idOf(instance, 'error', message, String(at)),
      timestamp: at / 1_000,
      level: 'error',
      message: { formatted: message.slice(0, LONGEST_MESSAGE) },
      tags: { account, ...tagsOf(fields) },
      extra: fields,
    };
  }
  const { incident } = report;
  const { key, alert, severity, labels, value, openedAt, details } = incident;
  return {
    ...common,
    event_id: idOf(instance, 'alert', key, String(openedAt)),
    timestamp: openedAt / 1_000,
    level: LEVELS[severity],
    message: { formatted: titleOf(incident) },
    fingerprint: ['bulkhead', instance, key],
    tags: { account, alert, ...labels },
    extra: { ...details, value, runbook: runbookOf(incident) },
  };
}

/** By what a person would look for. */
function tagsOf({ actor, position, clientOrderId }: Readonly<Record<string, unknown>>): object {
  const tags = { actor, position, clientOrderId };
  return Object.fromEntries(Object.entries(tags).filter(([, value]) => typeof value === 'string'));
}

const idOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
