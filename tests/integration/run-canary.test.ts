/**
 * A canary in each place where a secret goes: a whole paper run with page, bot, PostgreSQL and backup, through a wrong
 * key, a venue that echoes what it was sent, a database that goes away, a crash and a recovery. Then everything that was
 * written, answered, sent or shown is searched for every one of them.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import pg from 'pg';
import { VIEW_ROUTES } from '../../src/http/view-routes.ts';
import { DEMO_ACCOUNT } from '../../src/venue-server/demo-account.ts';
import { botApiServer } from '../support/bot-api-server.ts';
import { CliProcess, cli } from '../support/cli-process.ts';
import { startPostgres } from '../support/postgres.ts';
import { tempDir } from '../support/temp.ts';
import { WholeVenue } from '../support/whole-venue.ts';

const CANARY = {
  apiKey: 'cAnArY-api-key-1f6a',
  apiSecret: 'cAnArY-api-secret-2e7b',
  nextKey: 'cAnArY-next-key-3d8c',
  nextSecret: 'cAnArY-next-secret-4c9d',
  database: 'cAnArY-db-password-5bae',
  redis: 'cAnArY-redis-password-6abf',
  http: 'cAnArY-http-token-79c0',
  telegram: '110201543:cAnArYAAHdqTcvCH1vGWJxfSeofSAs0K5PAL',
  passphrase: 'cAnArY-backup-passphrase-88d1',
  s3Id: 'cAnArY-s3-id-97e2',
  s3Secret: 'cAnArY-s3-secret-a6f3',
};
const ADMIN = 11;

const server = await startPostgres({ durable: true });

/** The venue behind a front that now and then answers 503 with all that it was sent. */
async function echoingFront(t: TestContext, target: string) {
  const state = { echoes: 0, every: 0 };
  let count = 0;
  const front = createServer((request, response) => {
    count += 1;
    if (state.every > 0 && count % state.every === 0) {
      state.echoes += 1;
      const msg = `upstream broke: ${request.url} ${JSON.stringify(request.headers)}`;
      response
        .writeHead(503, { 'content-type': 'application/json' })
        .end(JSON.stringify({ code: -1001, msg }));
      request.resume();
      return;
    }
    const { method, headers, url = '/' } = request;
    const onwards = httpRequest(new URL(url, target), { method: method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onwards.on('error', () => response.destroy());
    request.pipe(onwards);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    front.closeAllConnections();
    front.close();
  });
  return Object.assign(state, { url: `http://127.0.0.1:${(front.address() as AddressInfo).port}` });
}

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(dir, name))
    .filter((file) => statSync(file).isFile());
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (
    const end = performance.now() + 60_000;
    performance.now() < end;
    await new Promise((go) => setTimeout(go, 50))
  )
    if (await isSo()) return;
  assert.fail(`never: ${what}`);
}

describe('canaries', { skip: typeof server === 'string' ? server : false }, () => {
  test('none of them is told anywhere', async (t) => {
    assert.ok(typeof server !== 'string');
    t.after(() => server.stop());
    const dir = tempDir(t, 'canary');
    const dataDir = path.join(dir, 'data');
    const backups = path.join(dir, 'backups');
    const said = new Map<string, string>();
    const venue = await WholeVenue.open(t, {});
    venue.server.addKey({ id: DEMO_ACCOUNT, apiKey: CANARY.apiKey, apiSecret: CANARY.apiSecret });
    const front = await echoingFront(t, venue.server.url);
    const bot = await botApiServer(t, { token: CANARY.telegram });
    bot.chats.meet(ADMIN);
    const database = new URL(await server.createDatabase());
    database.password = CANARY.database;
    const file = (name: string, text: string): string => {
      writeFileSync(path.join(dir, name), text);
      return path.join(dir, name);
    };
    const env = {
      BULKHEAD_STORE_ENGINE: 'postgres',
      BULKHEAD_DATABASE_URL: database.href,
      BULKHEAD_REDIS_URL: `redis://:${CANARY.redis}@localhost:6379`,
      BULKHEAD_API_KEY_FILE: file('api-key', CANARY.apiKey),
      BULKHEAD_API_SECRET_FILE: file('api-secret', CANARY.apiSecret),
      BULKHEAD_BACKUP_PASSPHRASE: CANARY.passphrase,
      BULKHEAD_BACKUP_TO: backups,
      BULKHEAD_BACKUP_VERIFY: 'false',
      BULKHEAD_S3_ACCESS_KEY_ID: CANARY.s3Id,
      BULKHEAD_S3_SECRET_ACCESS_KEY: CANARY.s3Secret,
      BULKHEAD_HTTP_ENABLED: 'true',
      BULKHEAD_HTTP_PORT: '0',
      BULKHEAD_HTTP_TOKEN: CANARY.http,
      BULKHEAD_TELEGRAM_TOKEN: CANARY.telegram,
      BULKHEAD_TELEGRAM_API_URL: bot.url,
      BULKHEAD_TELEGRAM_USERS: JSON.stringify([{ id: ADMIN, name: 'a', role: 'admin', notify: 'info' }]),
      BULKHEAD_VENUE_REST_URL: front.url,
      BULKHEAD_VENUE_STREAM_URL: venue.server.url.replace('http', 'ws'),
      BULKHEAD_VENUE_TIME_FACTOR: '10',
      BULKHEAD_LOG_LEVEL: 'trace',
      BULKHEAD_SECRETS_CHECK_EVERY_MS: '0',
      BULKHEAD_MARKET_WARM_UP_DAYS: '1',
      BULKHEAD_MARKET_SYMBOLS: 'BTCUSDT,ETHUSDT',
    };
    const args = ['run', '--mode', 'paper', '--json', '--data-dir', dataDir];
    let runs = 0;
    const start = (): CliProcess => {
      const run = new CliProcess(args, { env });
      t.after(() => run.reap());
      return run;
    };
    const keep = (run: CliProcess): void => {
      said.set(`standard output of run ${++runs}`, run.stdout);
      said.set(`standard error of run ${runs}`, run.stderr);
    };
    const status = () =>
      JSON.parse(readFileSync(path.join(dataDir, 'status.json'), 'utf8')) as {
        http?: { url: string };
        venue?: { reconcile: { ready: boolean } };
        secrets?: { trouble: string[]; changedAt: number | null };
      };
    const isReady = (): boolean =>
      existsSync(path.join(dataDir, 'status.json')) && status().venue?.reconcile.ready === true;

    // A wrong secret ends a start with an error.
    writeFileSync(env.BULKHEAD_API_SECRET_FILE, CANARY.nextSecret);
    const wrong = await cli(args, { env });
    assert.equal(wrong.code, 77, wrong.stderr);
    said.set('a refused start', wrong.stdout + wrong.stderr);
    writeFileSync(env.BULKHEAD_API_SECRET_FILE, CANARY.apiSecret);

    const first = start();
    await first.said(/"event":"running"/);
    await until('it is ready', isReady);
    if (existsSync(`/proc/${first.pid}/cmdline`)) {
      said.set('its command line', readFileSync(`/proc/${first.pid}/cmdline`, 'utf8'));
      said.set('its title', readFileSync(`/proc/${first.pid}/comm`, 'utf8'));
    }
    // A venue that echoes, while people ask for everything.
    front.every = 3;
    await until('it echoed', () => front.echoes > 5);
    for (const words of ['/status', '/risk', '/health', '/settings']) bot.says(ADMIN, words);
    front.every = 0;
    await until('the bot answered', () => bot.sentTo(ADMIN).length >= 4);
    // A key that the venue does not know is refused, one of the account's is taken up.
    writeFileSync(env.BULKHEAD_API_KEY_FILE, CANARY.nextKey);
    writeFileSync(env.BULKHEAD_API_SECRET_FILE, CANARY.nextSecret);
    first.kill('SIGHUP');
    await until('it is refused', () => (status().secrets?.trouble.length ?? 0) > 0);
    venue.server.addKey({ id: DEMO_ACCOUNT, apiKey: CANARY.nextKey, apiSecret: CANARY.nextSecret });
    first.kill('SIGHUP');
    await until(
      'it is in force',
      () => status().secrets?.trouble.length === 0 && status().secrets?.changedAt !== null,
    );
    // A database that goes away and comes back.
    await server.crash?.();
    await first.said(/journal halted/, 'stderr');
    await server.restart?.();
    await first.said(/takes rows again/, 'stderr');
    const taken = await cli(['backup', '--data-dir', dataDir, '--json'], { env });
    assert.equal(taken.code, 0, taken.stderr);
    said.set('a backup', taken.stdout + taken.stderr);
    // Killed in the middle; the next one recovers.
    first.kill('SIGKILL');
    await first.ended;
    keep(first);
    const second = start();
    await second.said(/"event":"running"/);
    await until('it is ready again', isReady);
    const { url } = status().http ?? assert.fail('it serves no page');
    const headers = { authorization: `Bearer ${CANARY.http}` };
    const asked = [
      ...Object.keys(VIEW_ROUTES).map((name) => `/api/${name}`),
      '/metrics',
      '/healthz',
      '/readyz',
      '/',
      '/nowhere',
    ];
    for (const at of asked) {
      const answer = await fetch(url + at, { headers });
      said.set(`GET ${at}`, `${JSON.stringify([...answer.headers])} ${await answer.text()}`);
    }
    const refused = await fetch(`${url}/api/commands`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{',
    });
    said.set('a refused command', await refused.text());
    for (const words of [
      ['status', '--json'],
      ['doctor'],
      ['export', 'journal', '--format', 'json'],
      ['stats'],
      ['breakers'],
    ]) {
      const end = await cli([...words, '--data-dir', dataDir], { env });
      said.set(words.join(' '), `${end.stdout}${end.stderr}`);
    }
    second.kill('SIGTERM');
    await second.ended;
    keep(second);

    for (const name of filesUnder(dataDir)) said.set(name, readFileSync(name, 'latin1'));
    const sealed = filesUnder(backups);
    assert.ok(sealed.length > 0, 'there is a backup');
    for (const name of sealed) said.set(name, readFileSync(name, 'latin1'));
    const client = new pg.Client({ connectionString: database.href });
    await client.connect();
    const tables = await client.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'bulkhead'",
    );
    for (const { name } of tables.rows) {
      const { rows } = await client.query(`select row_to_json(t)::text as row from bulkhead."${name}" t`);
      said.set(`table ${name}`, JSON.stringify(rows));
    }
    await client.end();
    said.set('what the bot sent', JSON.stringify(bot.sentTo(ADMIN)));

    assert.ok(
      said.size > 40 && [...said.keys()].some((name) => name === 'table rows' || name.startsWith('table ')),
    );
    const told = [...said].flatMap(([where, text]) =>
      Object.entries(CANARY).flatMap(([what, secret]) => {
        const hidden = what === 'telegram' ? secret.slice(secret.indexOf(':') + 1) : secret;
        return [hidden, encodeURIComponent(hidden), Buffer.from(hidden).toString('base64').slice(0, -3)]
          .filter((form) => text.includes(form))
          .map(() => `${where} tells ${what}`);
      }),
    );
    assert.deepEqual([...new Set(told)], []);
  });
});
