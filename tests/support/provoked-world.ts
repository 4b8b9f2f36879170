/**
 * A run on the local exchange that is made unwell for real, and everybody who hears of it: /metrics as Prometheus
 * would read it, judged by the rule's own expression, and PagerDuty and Sentry on loopback. All its clocks run faster
 * by one factor, the venue's and its own, so that an alert's minutes are seconds here.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ALERT_RULES, type AlertRule } from '../../src/alerts/alert-rules.ts';
import type { Look } from '../../src/alerts/expression.ts';
import type { SecretSource } from '../../src/app/compose/open-secrets.ts';
import type { Secrets } from '../../src/config/secrets.ts';
import { type AlertServer, alertServer, ROUTING_KEY } from './alert-server.ts';
import { cli } from './cli-process.ts';
import { PaperWorld, type PaperWorldOptions, pause } from './paper-world.ts';
import { readScrape } from './scrape.ts';

const RUNBOOK = readFileSync(new URL('../../docs/RUNBOOK.md', import.meta.url), 'utf8');
const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 50;

export interface ProvokedOptions extends PaperWorldOptions {
  readonly config?: Readonly<Record<string, object>>;
  /** Whether its secrets can be read again; absent: they are not looked at again. */
  readonly readable?: () => boolean;
}

export class ProvokedWorld {
  readonly world: PaperWorld;
  readonly pagerduty: AlertServer;
  readonly sentry: AlertServer;
  readonly #speed: number;
  readonly #looks: Look[] = [];

  private constructor(world: PaperWorld, pagerduty: AlertServer, sentry: AlertServer, speed: number) {
    this.world = world;
    this.pagerduty = pagerduty;
    this.sentry = sentry;
    this.#speed = speed;
  }

  static async start(t: TestContext, options: ProvokedOptions = {}): Promise<ProvokedWorld> {
    const { speed = 60, config = {}, readable, ...rest } = options;
    const [pagerduty, sentry] = [await alertServer(t), await alertServer(t)];
    const secrets = { pagerdutyRoutingKey: ROUTING_KEY, sentryDsn: sentry.dsn } as Secrets;
    const world = await PaperWorld.open(t, {
      symbols: ['BTCUSDT'],
      ...rest,
      speed,
      ownTime: 'venue',
      run: { secrets, ...(readable ? { secretSource: sourceOf(secrets, readable) } : {}) },
      config: {
        ...config,
        // What is a second for people is one for this run; what really takes as long as it takes may take it.
        venue: { timeFactor: 1, recvWindowMs: 60_000, callTimeoutMs: 60_000, ...config.venue },
        lease: { ttlMs: 600_000 },
        shutdown: { deadlineMs: 600_000 },
        status: { intervalMs: 200 * speed },
        http: { port: 0, requestsPerMinute: 1_000_000 },
        breakers: { maxLatencyMs: 60_000, maxClockSkewMs: 60_000, ...config.breakers },
        alerts: {
          ...{ pagerdutyUrl: pagerduty.url, timeoutMs: 60_000, firstRetryMs: 10, least: 'info' },
          ...config.alerts,
        },
      },
    });
    await world.begin();
    return new ProvokedWorld(world, pagerduty, sentry, speed);
  }

  /** Prometheus' look. */
  async scrape(): Promise<Look> {
    const { url } = this.world.status().http ?? {};
    assert.ok(url, 'the page is served');
    const token = readFileSync(join(this.world.dataDir, 'http-token'), 'utf8').trim();
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
    const look = { at: performance.now() * this.#speed, samples: readScrape(await answer.text()) };
    this.#looks.push(look);
    return look;
  }

  /** Whether the rule's expression holds for what was scraped. */
  holds(alert: string): boolean {
    return ruleOf(alert).expression.holds(this.#looks).length > 0;
  }

  /** Until the page shows it, and whoever is told hears of it; `keep` keeps it so meanwhile. */
  async heard(alert: string, { keep }: { keep?: () => unknown } = {}): Promise<void> {
    await this.#until(`${alert} at /metrics`, () => this.holds(alert), keep);
    await this.#until(`${alert} at PagerDuty`, () => this.pagerduty.incident(alert)?.isOpen === true, keep);
    await this.#until(`${alert} at Sentry`, () => this.sentryOf(alert) !== undefined, keep);
    const { severity, summary } = ruleOf(alert);
    const trigger = this.pagerduty.events.find(({ dedup_key: key }) => key.includes(alert));
    assert.equal(trigger?.payload?.severity, severity);
    const said = trigger?.payload?.summary ?? '';
    assert.ok(said.startsWith(`main (paper): ${alert}`) && said.endsWith(`: ${summary}`), said);
  }

  async healed(alert: string): Promise<void> {
    await this.#until(`${alert} over at /metrics`, () => !this.holds(alert));
    await this.#until(`${alert} resolved`, () => this.pagerduty.incident(alert)?.isOpen === false);
    const { opened, triggers } = this.pagerduty.incident(alert) ?? {};
    assert.deepEqual([opened, triggers], [1, 1], `${alert} was told once`);
  }

  /** What the runbook's "Look" shows, as it is written there, but for the address and the folder. */
  async look(alert: string): Promise<string> {
    const section = RUNBOOK.split(/^## /m).find((text) => text.startsWith(`${alert}\n`)) ?? '';
    const [, written = ''] = /\*\*Look\.\*\*\s+```sh\n([\s\S]*?)```/.exec(section) ?? [];
    const shown: string[] = [];
    for (const line of written.trim().split('\n')) {
      const [, address] = /^curl -s '?http:\/\/127\.0\.0\.1:8787([^']+)'?$/.exec(line) ?? [];
      shown.push(address === undefined ? await this.#said(line) : await this.#fetched(address));
    }
    return shown.join('\n');
  }

  async #fetched(address: string): Promise<string> {
    const answer = await fetch(`${this.world.status().http?.url}${address}`);
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return text;
  }

  async #said(line: string): Promise<string> {
    const [program, ...words] = line.split(' ');
    assert.equal(program, 'bulkhead', line);
    const { code, stdout, stderr } = await cli([...words, '--data-dir', this.world.dataDir]);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  sentryOf(alert: string) {
    return this.sentry.sentry.find(({ tags }) => tags.alert === alert);
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    await this.#until(what, isSo);
  }

  async #until(what: string, isSo: () => boolean, keep?: () => unknown): Promise<void> {
    for (const end = performance.now() + LIMIT_MS; ; await pause(LOOK_EVERY_MS)) {
      await keep?.();
      await this.scrape();
      if (isSo()) return;
      if (performance.now() > end) throw new Error(`never: ${what}\n${this.#seen()}`);
    }
  }

  #seen(): string {
    const { samples } = this.#looks.at(-1) ?? { samples: new Map() };
    const told = this.pagerduty.events.map(({ event_action: act, dedup_key: key }) => `${act} ${key}`);
    const metrics = [...new Set(ALERT_RULES.flatMap(({ expression }) => expression.metrics))];
    const lines = metrics.map((name) => `${name} ${JSON.stringify(samples.get(name) ?? null)}`);
    return [...told, ...lines, this.world.io.err().slice(-2_000)].join('\n');
  }
}

/** Files that now and then nobody may read. */
const sourceOf = (secrets: Secrets, readable: () => boolean): SecretSource => ({
  where: 'files',
  version: null,
  read: async () => {
    if (readable()) return { secrets, version: null };
    throw new Error('EACCES: permission denied');
  },
  dueInMs: () => undefined,
  warning: () => null,
});

function ruleOf(alert: string): AlertRule {
  const rule = ALERT_RULES.find((one) => one.alert === alert);
  assert.ok(rule, alert);
  return rule;
}
