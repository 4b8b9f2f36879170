/** Alerts to PagerDuty and Sentry, where one of them is configured: what they look at, and what they are told with. */
import { join } from 'node:path';
import { ALERT_METRICS } from '../../alerts/alert-rules.ts';
import type { AlertSink } from '../../alerts/alert-sink.ts';
import type { Firing } from '../../alerts/alert-watch.ts';
import { Alerts } from '../../alerts/alerts.ts';
import { parseDsn } from '../../alerts/dsn.ts';
import { PagerDutyAlertSink } from '../../alerts/pagerduty-alert-sink.ts';
import { SentryAlertSink } from '../../alerts/sentry-alert-sink.ts';
import { isBulkheadError } from '../../core/errors.ts';
import { SHORTEST_SECRET } from '../../core/redact.ts';
import type { Metrics } from '../../http/metrics-registry.ts';
import type { LogLine } from '../../operator/log-ring.ts';
import type { Views } from '../../operator/views.ts';
import type { Session } from '../run/run-session.ts';
import type { SecretWatch } from '../run/secret-watch.ts';
import { VERSION } from '../version.ts';

export interface AlertSights {
  readonly views: Views;
  readonly metrics: Metrics;
  /** Brings the gauges up to date. */
  readonly refresh: () => void;
}

/** Undefined where nobody is to be told. */
export async function openAlerts(session: Session, sights: AlertSights): Promise<Alerts | undefined> {
  const { options, io, folder, log, logs, signals, startedHow } = session;
  const sinks = options.config.alerts.enabled ? sinksOf(session) : [];
  if (sinks.length === 0) return undefined;
  const { metrics } = sights;
  const alerts = await Alerts.start({
    path: join(folder.path, 'alerts.json'),
    ...{ sinks, log },
    limits: () => session.running.now.alerts,
    look: () => look(sights),
    detailsOf: (firing) => detailsOf(firing, sights.views),
    isFenced: () => isBulkheadError(signals.failure, 'FENCED'),
    tookOver: startedHow === 'takeover',
    time: io.time,
    onEnd: (sink, outcome) => metrics.count('bulkhead_alert_reports_total', { sink, outcome }),
  });
  session.running.follow(() => alerts.configure());
  logs.onLine((line) => {
    if (line.level === 'error') alerts.error(errorOf(line));
  });
  return alerts;
}

function sinksOf({ options, io, instance, running, secrets: watch }: Session): AlertSink[] {
  const { config } = options;
  const { pagerdutyUrl: url } = config.alerts;
  const timeoutMs = (): number => running.now.alerts.timeoutMs;
  const { pagerdutyRoutingKey: routingKey, sentryDsn } = options.secrets;
  watch.needRestart('the key of PagerDuty', 'pagerdutyRoutingKey');
  watch.needRestart('the address of Sentry', 'sentryDsn');
  const secrets = { [Symbol.iterator]: () => unspeakable(watch) };
  const origin = { instance, account: config.account, mode: config.mode, version: VERSION };
  const common = { origin, secrets, time: io.time, timeoutMs };
  const dsn = sentryDsn === undefined ? undefined : parseDsn(sentryDsn);
  return [
    ...(routingKey === undefined ? [] : [new PagerDutyAlertSink({ ...common, url, routingKey })]),
    ...(dsn ? [new SentryAlertSink({ ...common, dsn })] : []),
  ];
}

/** Those of now, too, that were taken up since. */
function* unspeakable(watch: SecretWatch): Generator<string> {
  for (const secret of watch.unspeakable)
    if (secret !== undefined && secret.length >= SHORTEST_SECRET) yield secret;
}

async function look({ views, metrics, refresh }: AlertSights) {
  refresh();
  const samples = new Map(await metrics.samples(ALERT_METRICS));
  const status = views.status();
  // Whoever scrapes finds nobody there; who is there can only say that it goes.
  samples.set('up', [{ labels: { job: 'bulkhead' }, value: status.state === 'failed' ? 0 : 1 }]);
  return { samples, isReady: views.health().ready };
}

/** What is not well, in the words of the health checks; and of a breaker or the kill switch who and why. */
function detailsOf({ alert, labels }: Firing, views: Views): Record<string, string> {
  const { error, state, breakers, positions } = views.status();
  const unwell = views.health().checks.filter(({ ok }) => !ok);
  const breaker = breakers.find(({ name }) => name === labels.breaker);
  const { kill } = views.breakers();
  return {
    state,
    openPositions: positions.map(({ actor }) => actor).join(', ') || 'none',
    ...(error === null ? {} : { error }),
    ...(breaker?.reason ? { reason: breaker.reason } : {}),
    ...(alert === 'KillSwitchEngaged' && kill ? { reason: kill.reason, by: kill.by } : {}),
    ...Object.fromEntries(unwell.map(({ check, detail }) => [`check ${check}`, detail])),
  };
}

function errorOf({ id: _id, level: _level, at, message, ...fields }: LogLine) {
  return { message, at: Date.parse(at), fields };
}
