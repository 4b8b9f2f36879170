/**
 * PagerDuty's Events API v2 and Sentry's envelope endpoint on one loopback port, behaving like the real ones: what is
 * malformed is refused with 400 and a reason, a foreign key with 400 or 403, and incidents are kept by their dedup_key.
 * Trouble is made on demand: statuses with or without Retry-After, silence, connections cut before or after the effect.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';

export const ROUTING_KEY = 'R0UT1NGKEYR0UT1NGKEYR0UT1NGKEY00';
export const SENTRY_KEY = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const LONGEST_SUMMARY = 1_024;
const LONGEST_KEY = 255;

export interface PagerDutyEvent {
  readonly event_action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedup_key: string;
  readonly payload?: {
    readonly summary: string;
    readonly source: string;
    readonly severity: string;
    readonly timestamp?: string;
    readonly class?: string;
    readonly custom_details?: Readonly<Record<string, unknown>>;
  };
}

export interface SentryEvent {
  readonly event_id: string;
  readonly level: string;
  readonly message: { readonly formatted: string };
  readonly fingerprint?: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly extra: Readonly<Record<string, unknown>>;
}

export interface PagerDutyIncident {
  readonly key: string;
  isOpen: boolean;
  /** How often it went from closed to open. */
  opened: number;
  triggers: number;
}

export type AlertTrouble =
  | { readonly status: number; readonly retryAfter?: string }
  | 'silence'
  | 'cut'
  | 'cut-after';

export class AlertServer {
  /** Whatever arrived, malformed or not. */
  readonly bodies: string[] = [];
  readonly events: PagerDutyEvent[] = [];
  readonly incidents = new Map<string, PagerDutyIncident>();
  readonly sentry: SentryEvent[] = [];
  readonly arrivals: number[] = [];
  readonly #troubles: AlertTrouble[] = [];
  #refusal: AlertTrouble | undefined;
  readonly #waiting = new Set<() => void>();
  url = '';

  get dsn(): string {
    return `${this.url.replace('http://', `http://${SENTRY_KEY}@`)}/42`;
  }

  /** Of the next calls, one each. */
  trouble(...troubles: readonly AlertTrouble[]): void {
    this.#troubles.push(...troubles);
  }

  /** Of every call until `heal`. */
  refuse(status: number): void {
    this.#refusal = { status };
  }

  heal(): void {
    this.#troubles.length = 0;
    this.#refusal = undefined;
  }

  incident(part: string): PagerDutyIncident | undefined {
    return [...this.incidents.values()].find(({ key }) => key.includes(part));
  }

  until<T>(condition: () => T | undefined | false): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = condition();
        if (found === undefined || found === false) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    this.bodies.push(body);
    this.arrivals.push(performance.now());
    const trouble = this.#troubles.shift() ?? this.#refusal;
    if (trouble === 'cut') response.destroy();
    else if (typeof trouble === 'object') {
      const { status, retryAfter } = trouble;
      const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      response.writeHead(status, headers).end(status === 429 ? 'Too many requests' : 'Trouble');
    } else if (trouble !== 'silence') {
      const { status, answer } = request.url?.startsWith('/api/')
        ? this.#takeEnvelope(request, body)
        : this.#takeEvent(request, body);
      if (trouble === 'cut-after') response.destroy();
      else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    }
    for (const look of [...this.#waiting]) look();
  }

  #takeEvent({ url, method }: IncomingMessage, body: string): { status: number; answer: object } {
    if (url !== '/v2/enqueue' || method !== 'POST') return { status: 404, answer: { message: 'Not Found' } };
    const errors: string[] = [];
    const event = JSON.parse(body) as PagerDutyEvent & { readonly routing_key?: string };
    if (event.routing_key !== ROUTING_KEY) errors.push("'routing_key' is invalid");
    if (!['trigger', 'acknowledge', 'resolve'].includes(event.event_action))
      errors.push("'event_action' is missing or invalid");
    if (event.event_action !== 'trigger' && !event.dedup_key) errors.push("'dedup_key' is missing or blank");
    if ((event.dedup_key ?? '').length > LONGEST_KEY) errors.push("'dedup_key' is too long");
    if (event.event_action === 'trigger') {
      const { summary, source, severity, timestamp } = event.payload ?? {};
      if (!summary || summary.length > LONGEST_SUMMARY)
        errors.push("'payload.summary' is missing or too long");
      if (!source) errors.push("'payload.source' is missing or blank");
      if (!['critical', 'error', 'warning', 'info'].includes(severity ?? ''))
        errors.push("'payload.severity' is invalid");
      if (timestamp !== undefined && Number.isNaN(Date.parse(timestamp)))
        errors.push("'payload.timestamp' is invalid");
    }
    if (errors.length > 0)
      return { status: 400, answer: { status: 'invalid event', message: 'Event object is invalid', errors } };
    this.events.push(event);
    this.#incident(event);
    return {
      status: 202,
      answer: { status: 'success', message: 'Event processed', dedup_key: event.dedup_key },
    };
  }

  /** A trigger of an open incident is noted in it; a resolve of what is not open does nothing. */
  #incident({ event_action, dedup_key: key }: PagerDutyEvent): void {
    const known = this.incidents.get(key);
    if (event_action === 'resolve') {
      if (known) known.isOpen = false;
      return;
    }
    const incident = known ?? { key, isOpen: false, opened: 0, triggers: 0 };
    if (!incident.isOpen) incident.opened += 1;
    incident.isOpen = true;
    incident.triggers += 1;
    this.incidents.set(key, incident);
  }

  #takeEnvelope({ url, headers }: IncomingMessage, body: string): { status: number; answer: object } {
    if (url !== '/api/42/envelope/') return { status: 404, answer: { detail: 'Not Found' } };
    if (!String(headers['x-sentry-auth']).includes(`sentry_key=${SENTRY_KEY}`))
      return { status: 403, answer: { detail: 'event submission rejected with_reason: ProjectId' } };
    const [head = '', item = '', payload = ''] = body.split('\n');
    const { event_id: id } = JSON.parse(head) as { event_id?: string };
    const { type, length } = JSON.parse(item) as { type?: string; length?: number };
    const event = JSON.parse(payload) as SentryEvent;
    if (type !== 'event' || length !== Buffer.byteLength(payload) || !/^[0-9a-f]{32}$/.test(id ?? ''))
      return { status: 400, answer: { detail: 'invalid event envelope' } };
    // Sentry keeps one event an id.
    if (!this.sentry.some(({ event_id }) => event_id === id)) this.sentry.push(event);
    return { status: 200, answer: { id } };
  }
}

/** Started on loopback, and gone with the test. */
export async function alertServer(t: Pick<TestContext, 'after'>): Promise<AlertServer> {
  const alerts = new AlertServer();
  const server = createServer((request, response) => void alerts.handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  alerts.url = `http://127.0.0.1:${address.port}`;
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return alerts;
}
