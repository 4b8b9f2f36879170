/** PagerDuty and Sentry on loopback: what they are told, what becomes of it when they refuse, stall or are away. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { AlertSink } from '../../src/alerts/alert-sink.ts';
import { dedupKey } from '../../src/alerts/alert-text.ts';
import type { Firing } from '../../src/alerts/alert-watch.ts';
import { type AlertLimits, Alerts } from '../../src/alerts/alerts.ts';
import { parseDsn } from '../../src/alerts/dsn.ts';
import type { Sample } from '../../src/alerts/expression.ts';
import { Incidents, MOST_INCIDENTS, owes } from '../../src/alerts/incidents.ts';
import { PagerDutyAlertSink } from '../../src/alerts/pagerduty-alert-sink.ts';
import { SentryAlertSink } from '../../src/alerts/sentry-alert-sink.ts';
import { defined } from '../../src/core/assert.ts';
import { sleep, systemTime } from '../../src/core/clock.ts';
import { SILENT } from '../../src/core/logger.ts';
import { type AlertServer, alertServer, ROUTING_KEY } from '../support/alert-server.ts';
import { tempDir } from '../support/temp.ts';

const SECRET = 'hunter2-of-the-database';
const origin = { instance: 'instance-abc', account: 'main', mode: 'live', version: '0.1.0' };
const time = systemTime();

/** What happens here rather than at the server. */
async function eventually(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !isSo(); await sleep(time.timers, 5))
    assert.ok(performance.now() < end, 'it never came to pass');
}

const firing = (key: string, severity: Firing['severity'] = 'critical'): Firing => ({
  key,
  alert: key.split('/')[0] ?? '',
  severity,
  summary: 'It is so.',
  labels: {},
  value: 1,
});

function sinksOf(server: AlertServer, timeoutMs = 5_000): [PagerDutyAlertSink, SentryAlertSink] {
  const common = { origin, secrets: [SECRET], time, timeoutMs: () => timeoutMs };
  const dsn = defined(parseDsn(server.dsn), 'DSN');
  return [
    new PagerDutyAlertSink({ ...common, url: server.url, routingKey: ROUTING_KEY }),
    new SentryAlertSink({ ...common, dsn }),
  ];
}

/** Alerts of a run whose kill switch, lease and freshness after a crash the test sets. */
async function world(
  t: TestContext,
  { dir = tempDir(t), timeoutMs = 5_000, tookOver = false, only }: WorldOptions = {},
) {
  const server = await alertServer(t);
  const state = { kill: 0, isFresh: false, isReady: true, isFenced: false, lease: 1 };
  const limits: { -readonly [K in keyof AlertLimits]: AlertLimits[K] } = {
    ...{ least: 'warning', everyMs: 10, healAfterMs: 20, firstRetryMs: 10 },
  };
  const ends: string[] = [];
  const sample = (value: number, labels: Sample['labels'] = {}): Sample[] => [{ labels, value }];
  const begin = (sinks: readonly AlertSink[] = sinksOf(server, timeoutMs)): Promise<Alerts> =>
    Alerts.start({
      path: path.join(dir, 'alerts.json'),
      sinks: sinks.filter(({ name }) => only === undefined || name === only),
      look: async () => ({
        samples: new Map([
          ['bulkhead_kill_engaged', sample(state.kill)],
          ['bulkhead_started_ago_seconds', sample(state.isFresh ? 1 : 601, { how: 'crash' })],
          ['bulkhead_health', sample(state.lease, { check: 'lease' })],
        ]),
        isReady: state.isReady,
      }),
      detailsOf: () => ({ reason: `postgres://bulkhead:${SECRET}@db/x is away` }),
      limits: () => limits,
      tookOver,
      isFenced: () => state.isFenced,
      ...{ time, log: SILENT },
      onEnd: (sink, outcome) => {
        ends.push(`${sink} ${outcome}`);
      },
    });
  const alerts = await begin();
  t.after(() => alerts.stop());
  return { server, state, limits, ends, alerts, begin, dir };
}
interface WorldOptions {
  readonly dir?: string;
  readonly timeoutMs?: number;
  readonly tookOver?: boolean;
  readonly only?: string;
}

const actionsOf = ({ events }: AlertServer): string[] =>
  events.map(({ event_action, dedup_key }) => `${event_action} ${dedup_key.split('/').at(-1)}`);

describe('the sinks of alerts', { timeout: 300_000 }, () => {
  it('trigger, resolve when healed, under one key; Sentry hears of it once', async (t) => {
    const { server, state, alerts } = await world(t);
    state.kill = 1;
    await server.until(() => server.incident('KillSwitchEngaged')?.isOpen && server.sentry.length === 1);
    assert.deepEqual(
      alerts.open.map(({ key }) => key),
      ['KillSwitchEngaged'],
    );
    state.kill = 0;
    await server.until(() => server.incident('KillSwitchEngaged')?.isOpen === false);
    assert.deepEqual(actionsOf(server), ['trigger KillSwitchEngaged', 'resolve KillSwitchEngaged']);
    const [trigger, resolve] = server.events;
    assert.equal(trigger?.dedup_key, 'bulkhead/instance-abc/KillSwitchEngaged');
    assert.equal(resolve?.dedup_key, trigger?.dedup_key);
    assert.equal(trigger?.payload?.severity, 'critical');
    assert.match(trigger?.payload?.summary ?? '', /^main \(live\): KillSwitchEngaged: The kill switch/);
    assert.equal(trigger?.payload?.custom_details?.runbook, 'docs/RUNBOOK.md#killswitchengaged');
    assert.equal(server.sentry[0]?.level, 'fatal');
    assert.deepEqual(server.sentry[0]?.fingerprint, ['bulkhead', 'instance-abc', 'KillSwitchEngaged']);
    await alerts.stop();
    assert.equal(server.sentry.length, 1);
    assert.deepEqual(
      alerts.status.map(({ state, waiting }) => [state, waiting]),
      [
        ['up', 0],
        ['up', 0],
      ],
    );
  });

  it('go by limits that change while they look: how often, from which severity on', async (t) => {
    const { server, state, limits, alerts } = await world(t, { only: 'pagerduty' });
    Object.assign(limits, { everyMs: 3_600_000, least: 'info' });
    alerts.configure();
    state.kill = 1;
    Object.assign(limits, { everyMs: 10, least: 'critical' });
    alerts.configure();
    await server.until(() => server.incident('KillSwitchEngaged')?.isOpen);
    limits.healAfterMs = 0;
    state.kill = 0;
    await server.until(() => server.incident('KillSwitchEngaged')?.isOpen === false);
  });

  it('leave no secret in what they send', async (t) => {
    const { server, state, alerts } = await world(t);
    state.kill = 1;
    const fields = { url: `redis://x:${SECRET}@r`, api_key: 'abc', actor: 'position/BTCUSDT/BOTH/1' };
    alerts.error({ message: `no route to ${SECRET}`, at: 1_000, fields });
    await server.until(() => server.sentry.length === 2 && server.events.length === 1);
    for (const body of server.bodies) assert.ok(!body.includes(SECRET) && !body.includes('"abc"'), body);
    assert.match(server.bodies.join(), /postgres:\/\/\*\*\*@db/);
    const error = server.sentry.find(({ level }) => level === 'error');
    assert.equal(error?.message.formatted, 'no route to ***');
    assert.equal(error?.tags.actor, 'position/BTCUSDT/BOTH/1');
  });

  it('wait as long as a 429 asks, go on after 5xx and cut connections, and count nothing twice', async (t) => {
    const { server, state, alerts } = await world(t, { only: 'pagerduty' });
    server.trouble({ status: 429, retryAfter: '1' }, { status: 503 }, 'cut', 'cut-after');
    state.kill = 1;
    await eventually(() => alerts.status[0]?.state === 'down');
    const [sink] = alerts.status;
    assert.deepEqual([sink?.state, sink?.waiting], ['down', 1]);
    assert.match(sink?.reason ?? '', /429 Too many requests/);
    await server.until(() => actionsOf(server).length === 2);
    const [first = 0, second = 0] = server.arrivals;
    assert.ok(second - first >= 990, `asked again after ${second - first} ms`);
    // The cut one had arrived: the same incident, triggered once more, never a second one.
    const incident = server.incident('KillSwitchEngaged');
    assert.deepEqual([incident?.opened, incident?.triggers, server.incidents.size], [1, 2, 1]);
    await eventually(() => alerts.status[0]?.state === 'up');
    assert.equal(alerts.status[0]?.taken, 1);
  });

  it('offer a refusal no second time, and say so', async (t) => {
    const { server, state, ends, alerts } = await world(t, { only: 'pagerduty' });
    server.trouble({ status: 400 });
    state.kill = 1;
    state.isFresh = true;
    await server.until(() => server.events.length === 1);
    await alerts.stop();
    assert.deepEqual(
      actionsOf(server),
      ['trigger BulkheadRestarted'],
      'the next one is offered all the same',
    );
    assert.ok(ends.includes('pagerduty refused'));
    assert.equal(server.bodies.length, 2);
    assert.equal(alerts.status[0]?.refused, 1);
  });

  it('do not wait for who is silent, and hold no run up at its end', async (t) => {
    const { server, state, alerts } = await world(t, { timeoutMs: 60, only: 'pagerduty' });
    server.trouble(...Array.from({ length: 50 }, () => 'silence' as const));
    state.kill = 1;
    await server.until(() => server.bodies.length >= 3);
    await eventually(() => alerts.status[0]?.state === 'down');
    assert.match(alerts.status[0]?.reason ?? '', /no answer in 60 ms/);
    const begun = performance.now();
    await alerts.stop();
    assert.ok(performance.now() - begun < 3_500);
  });

  it('are told by the next process what this one did not get through, and of the healing under the same key', async (t) => {
    const { server, state, alerts, begin, dir } = await world(t, { only: 'pagerduty' });
    server.trouble(...Array.from({ length: 50 }, () => ({ status: 500 }) as const));
    state.kill = 1;
    await server.until(() => server.bodies.length >= 2);
    await alerts.stop();
    assert.match(readFileSync(path.join(dir, 'alerts.json'), 'utf8'), /"pagerduty":"trying"/);
    server.heal();
    state.kill = 0;
    state.isReady = false;
    const next = await begin();
    t.after(() => next.stop());
    await server.until(() => server.incident('KillSwitchEngaged')?.isOpen);
    state.isReady = true;
    await server.until(() => server.incident('KillSwitchEngaged')?.isOpen === false);
    assert.equal(server.incident('KillSwitchEngaged')?.opened, 1);
  });

  it('wake nobody for what was over before they could hear of it', async (t) => {
    const dir = tempDir(t);
    const incidents = await Incidents.open(path.join(dir, 'alerts.json'), SILENT);
    await incidents.opened(firing('StreamDown'), time.clock.now(), {});
    await incidents.healed('StreamDown', time.clock.now());
    const { server, alerts } = await world(t, { dir });
    await alerts.stop();
    assert.deepEqual(server.events, []);
    await eventually(() => server.sentry.length === 1);
  });

  it('after a takeover hear that all is well of whatever the process before may have left open', async (t) => {
    const { server, state } = await world(t, { tookOver: true, only: 'pagerduty' });
    state.isFresh = true;
    await server.until(() => server.incident('BulkheadRestarted')?.isOpen && server.events.length >= 3);
    assert.deepEqual(actionsOf(server).sort(), [
      'resolve KillSwitchEngaged',
      'resolve LeaseLost',
      'trigger BulkheadRestarted',
    ]);
  });

  it('hear from a process that lost the account that its own troubles are over with it', async (t) => {
    const dir = tempDir(t);
    const incidents = await Incidents.open(path.join(dir, 'alerts.json'), SILENT);
    for (const key of ['LeaseLost', 'BulkheadRestarted']) {
      await incidents.opened(firing(key), 1, {});
      await incidents.told(key, 'pagerduty', 'opened');
    }
    const { server, state, alerts } = await world(t, { dir, only: 'pagerduty' });
    Object.assign(state, { lease: 0, isFresh: true, isFenced: true });
    await alerts.stop();
    assert.deepEqual(actionsOf(server), ['resolve LeaseLost']);
  });

  it('take errors of the log within a bound, the same words once a minute', async (t) => {
    const { server, alerts, ends } = await world(t, { only: 'sentry' });
    server.trouble({ status: 429, retryAfter: '30' });
    for (let i = 0; i < 80; i++) alerts.error({ message: `error ${i}`, at: i, fields: {} });
    for (let i = 0; i < 80; i++) alerts.error({ message: 'error 79', at: i, fields: {} });
    await server.until(() => server.bodies.length > 0);
    assert.equal(alerts.status[0]?.waiting, 50);
    assert.equal(ends.filter((end) => end === 'sentry dropped').length, 30);
    assert.equal(alerts.status[0]?.dropped, 30);
  });
});

describe('what a sink has still to hear', () => {
  it('follows from what it was told and how things stand', () => {
    const cases = [
      ['open', undefined, 'opened', 'opened'],
      ['open', 'trying', 'opened', 'opened'],
      ['open', 'opened', undefined, undefined],
      // It opened again while it was told that it had healed.
      ['open', 'healed', 'opened', 'opened'],
      ['over', undefined, undefined, 'opened'],
      ['over', 'trying', 'healed', 'opened'],
      ['over', 'opened', 'healed', undefined],
      ['over', 'healed', undefined, 'opened'],
    ] as const;
    for (const [state, known, resolving, once] of cases) {
      const healedAt = state === 'open' ? null : 1;
      const told = known === undefined ? {} : { pagerduty: known, sentry: known };
      const what = `${state}, told ${known}`;
      assert.equal(owes({ healedAt, told }, { name: 'pagerduty', resolves: true }), resolving, what);
      if (known !== 'healed')
        assert.equal(owes({ healedAt, told }, { name: 'sentry', resolves: false }), once, what);
    }
  });
});

describe('the incidents', () => {
  it('are bounded, and those without room are counted', async (t) => {
    const incidents = await Incidents.open(path.join(tempDir(t), 'alerts.json'), SILENT);
    for (let i = 0; i < MOST_INCIDENTS + 7; i++)
      void incidents.opened(firing(`BreakerOpen/breaker=${i}`), 1, {});
    await incidents.flush();
    assert.equal(incidents.all.length, MOST_INCIDENTS);
    assert.equal(incidents.dropped, 7);
  });

  it('are begun anew when their file is damaged or none of ours, and the damaged one kept', async (t) => {
    for (const text of ['[{"key":', '{"a":1}', '[{"key":1}]', '[null]']) {
      const file = path.join(tempDir(t), 'alerts.json');
      writeFileSync(file, text);
      const incidents = await Incidents.open(file, SILENT);
      assert.deepEqual(incidents.all, []);
      assert.equal(readFileSync(`${file}.damaged`, 'utf8'), text);
    }
  });

  it('go on when the file cannot be written', async (t) => {
    const dir = tempDir(t);
    const incidents = await Incidents.open(path.join(dir, 'sub', 'alerts.json'), SILENT);
    writeFileSync(path.join(dir, 'sub'), 'a file where the folder should be');
    await incidents.opened(firing('StreamDown'), 1, {});
    assert.deepEqual(incidents.openKeys, ['StreamDown']);
  });
});

describe('keys and addresses', () => {
  it('are as long as PagerDuty takes, and differ all the same', () => {
    const long = `BreakerOpen/breaker=${'x'.repeat(400)}`;
    assert.equal(dedupKey(origin, long).length, 255);
    assert.notEqual(dedupKey(origin, `${long}a`), dedupKey(origin, `${long}b`));
    assert.notEqual(dedupKey(origin, 'StreamDown'), dedupKey({ instance: 'instance-x' }, 'StreamDown'));
  });

  it('a DSN is what Sentry gives out, in clear text for this machine only', () => {
    const cases: [string, string | undefined][] = [
      ['https://abc@o1.ingest.sentry.io/42', 'https://o1.ingest.sentry.io/api/42/envelope/'],
      [
        'https://abc:def@sentry.example.org:9000/a/b/7',
        'https://sentry.example.org:9000/a/b/api/7/envelope/',
      ],
      ['http://abc@127.0.0.1:9000/7', 'http://127.0.0.1:9000/api/7/envelope/'],
      ['http://abc@sentry.example.org/7', undefined],
      ['http://abc@127.0.0.1.example.org/7', undefined],
      ['https://o1.ingest.sentry.io/42', undefined],
      ['https://abc@o1.ingest.sentry.io/', undefined],
      ['https://abc@o1.ingest.sentry.io/42?x=1', undefined],
    ];
    for (const [text, endpoint] of cases) assert.equal(parseDsn(text)?.endpoint, endpoint, text);
  });
});
