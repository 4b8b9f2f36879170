/**
 * Secrets changed in files while a real run lasts, on a PostgreSQL that asks for passwords, behind a page and a bot:
 * what is wrong is refused and said, what is right is used from then on, the old one is of no use, and nothing is lost.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { readStatus } from '../../src/app/status/status-file.ts';
import { BOT_TOKEN, type BotApiServer, botApiServer } from '../support/bot-api-server.ts';
import { CliProcess, cli } from '../support/cli-process.ts';
import { startPostgres } from '../support/postgres.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const ANN = 11;
const HTTP = ['the-first-token-of-the-page', 'the-second-token-of-the-page'] as const;
const BOT = [BOT_TOKEN, `${BOT_TOKEN.split(':')[0]}:BBHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1`] as const;
const PASSWORD = ['pAsSwOrD-one', 'pAsSwOrD %41:/@two'] as const;
const LIMIT_MS = 30_000;

const server = await startPostgres({ durable: true });

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + LIMIT_MS; performance.now() < end; await pause(25))
    if (await isSo()) return;
  assert.fail(`never: ${what}`);
}

/** A live stream of the page, as a page keeps it. */
function openStream(url: string, headers: Record<string, string>) {
  const state = { text: '', hasEnded: false };
  const abort = new AbortController();
  const listen = async (): Promise<void> => {
    const response = await fetch(`${url}/api/stream`, { headers, signal: abort.signal });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? [])
      state.text += decoder.decode(chunk as Uint8Array, { stream: true });
  };
  listen()
    .catch(() => {})
    .finally(() => {
      state.hasEnded = true;
    });
  return Object.assign(state, { close: () => abort.abort() });
}

describe('secrets changed in files', { skip: typeof server === 'string' ? server : false }, () => {
  assert.ok(typeof server !== 'string');
  const dir = makeTempDir('rotation');
  const dataDir = path.join(dir, 'data');
  const undo: (() => unknown)[] = [];
  let run: CliProcess;
  let bot: BotApiServer;
  let url: string;
  let database: URL;
  let admin: pg.Client;
  let env: Record<string, string>;

  const put = (name: string, text: string): string => {
    writeFileSync(path.join(dir, name), `${text}\n`);
    return path.join(dir, name);
  };
  const databaseUrl = (password: string): string => {
    const its = new URL(database);
    its.username = 'rotated';
    its.password = encodeURIComponent(password);
    return its.href;
  };
  const trouble = (): string => readStatus(dataDir).secrets?.trouble.join() ?? '';
  const changes = (what: string): number =>
    run.stderr.split(`${what} was changed and is in force`).length - 1;
  const hangUp = (): void => run.kill('SIGHUP');
  /** One that is not to be taken up is said, and the old one stays. */
  async function refused(name: string, text: string, words: RegExp): Promise<void> {
    put(name, text);
    hangUp();
    await until(String(words), () => words.test(trouble()));
  }
  async function taken(name: string, text: string, what: string): Promise<void> {
    const before = changes(what);
    put(name, text);
    hangUp();
    await until(`${what} is in force`, () => changes(what) > before);
    await until('no trouble is left', () => trouble() === '');
  }

  before(async () => {
    const context = { after: (act: () => unknown) => undo.push(act) };
    bot = await botApiServer(context as unknown as Parameters<typeof botApiServer>[0]);
    bot.chats.meet(ANN);
    database = new URL(await server.createDatabase());
    admin = new pg.Client({ connectionString: database.href });
    await admin.connect();
    undo.push(() => admin.end());
    await admin.query(`create role rotated login password '${PASSWORD[0]}'`);
    await admin.query(`grant create on database "${database.pathname.slice(1)}" to rotated`);
    const { rows } = await admin.query<{ hba_file: string }>('show hba_file');
    const rules = "values ('local all rotated scram-sha-256'), ('local all all trust')";
    await admin.query(`copy (${rules}) to '${rows[0]?.hba_file}'`);
    await admin.query('select pg_reload_conf()');
    env = {
      BULKHEAD_STORE_ENGINE: 'postgres',
      BULKHEAD_DATABASE_URL_FILE: put('database', databaseUrl(PASSWORD[0])),
      BULKHEAD_HTTP_ENABLED: 'true',
      BULKHEAD_HTTP_PORT: '0',
      BULKHEAD_HTTP_TOKEN_FILE: put('http', HTTP[0]),
      BULKHEAD_TELEGRAM_TOKEN_FILE: put('bot', BOT[0]),
      BULKHEAD_TELEGRAM_API_URL: bot.url,
      BULKHEAD_TELEGRAM_USERS: JSON.stringify([{ id: ANN, name: 'Ann', role: 'admin', notify: 'none' }]),
      BULKHEAD_SECRETS_CHECK_EVERY_MS: '0',
      BULKHEAD_STATUS_INTERVAL_MS: '100',
      BULKHEAD_MARKET_WARM_UP_DAYS: '1',
    };
    const args = ['run', '--data-dir', dataDir, '--seed', '42', '--symbols', 'BTCUSDT', '--json'];
    run = new CliProcess(args, { env });
    undo.push(() => run.reap());
    await run.said(/"event":"running"/);
    await run.said(/telegram: connected/, 'stderr');
    url = readStatus(dataDir).http?.url ?? assert.fail('it serves no page');
  });
  after(async () => {
    for (const act of undo.reverse()) await act();
    await server.stop();
    removeTempDir(dir);
  });

  test('the page: the old token is refused, the new one accepted, and the old one’s streams end', async () => {
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const command = async (token: string): Promise<number> => {
      const answer = await fetch(`${url}/api/commands`, {
        method: 'POST',
        headers: { ...bearer(token), 'content-type': 'application/json' },
        body: JSON.stringify({ id: `rotation-${performance.now()}`, command: { kind: 'pause' } }),
      });
      return answer.status;
    };
    const fromElsewhere = async (token: string): Promise<number> => {
      const headers = { ...bearer(token), 'x-forwarded-for': '198.51.100.7' };
      return (await fetch(`${url}/api/status`, { headers })).status;
    };
    const kept = openStream(url, bearer(HTTP[0]));
    const free = openStream(url, {});
    await until('both streams speak', () => kept.text.includes('hello') && free.text.includes('hello'));
    await refused('http', 'short', /shorter than 16/);
    assert.deepEqual([await command(HTTP[0]), await fromElsewhere(HTTP[0])], [200, 200]);
    assert.equal(kept.hasEnded, false);

    await taken('http', HTTP[1], 'the token of the controls');
    await until('the stream of the old token ends', () => kept.hasEnded);
    assert.equal(free.hasEnded, false, 'who reads without one reads on');
    assert.deepEqual([await command(HTTP[0]), await fromElsewhere(HTTP[0])], [401, 401]);
    assert.deepEqual([await command(HTTP[1]), await fromElsewhere(HTTP[1])], [200, 200]);
    // The configuration is read again, its limits told to the server: that must not bring the old token back.
    const reloads = run.stderr.split('SIGHUP: ').length;
    hangUp();
    await until('the configuration is read again', () => run.stderr.split('SIGHUP: ').length > reloads);
    assert.deepEqual([await command(HTTP[0]), await fromElsewhere(HTTP[1])], [401, 200]);
    const next = openStream(url, bearer(HTTP[1]));
    await until('a stream of the new token speaks', () => next.text.includes('hello'));
    next.close();
    free.close();
  });

  test('the bot: an answer that the old token could not carry goes out with the new one, once', async () => {
    await refused('bot', BOT[1], /Telegram refuses it/);
    await refused('bot', `999:${BOT[1].split(':')[1]}`, /no token of the same bot/);
    bot.revoke(BOT[1]);
    const failed = bot.calls.filter(({ code }) => code === 401).length;
    bot.says(ANN, '/version');
    await bot.until(() => bot.calls.filter(({ code }) => code === 401).length > failed);
    assert.equal(bot.sentTo(ANN).length, 0);
    await taken('bot', BOT[1], 'the token of the Telegram bot');
    const answer = await bot.next(ANN, /bulkhead/i, 0);
    bot.says(ANN, '/version');
    await bot.next(ANN, /bulkhead/i, answer.id);
    assert.equal(bot.sentTo(ANN).length, 2);
    assert.equal(readStatus(dataDir).state, 'running');
  });

  test('the database: connections there are go on, new ones use the new password, no row is lost', async () => {
    const pids = async (): Promise<number[]> => {
      const query = "select pid from pg_stat_activity where usename = 'rotated' order by pid";
      return (await admin.query<{ pid: number }>(query)).rows.map(({ pid }) => pid);
    };
    const rows = async (): Promise<number> => {
      const { rows: counted } = await admin.query<{ n: string }>(
        'select count(*) as n from bulkhead.journal',
      );
      return Number(counted[0]?.n);
    };
    const first = await pids();
    assert.ok(first.length > 0);
    await refused('database', databaseUrl('a-typing-error'), /does not open the database/);
    await refused(
      'database',
      databaseUrl(PASSWORD[0]).replace('rotated', 'postgres'),
      /differs in more than/,
    );

    await admin.query(`alter role rotated password '${PASSWORD[1]}'`);
    const atChange = await rows();
    await until('the journal goes on over the old connections', async () => (await rows()) > atChange);
    assert.ok((await pids()).some((pid) => first.includes(pid)));
    // They are lost before anybody has told the new password: the journal waits for it.
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'rotated'");
    await run.said(/journal halted/, 'stderr');
    await taken('database', databaseUrl(PASSWORD[1]), 'the password of the database');
    await run.said(/takes rows again/, 'stderr');
    const atReturn = await rows();
    await until('rows are written under the new password', async () => (await rows()) > atReturn);
    const old = new pg.Client({ connectionString: databaseUrl(PASSWORD[0]) });
    await assert.rejects(old.connect(), /password authentication failed/);

    run.kill('SIGTERM');
    assert.equal((await run.ended).code, 143, run.tail());
    const verified = await cli(['replay', '--verify', '--data-dir', dataDir], { env });
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    for (const secret of [...HTTP, ...PASSWORD, ...BOT.map((token) => token.slice(token.indexOf(':') + 1))])
      assert.ok(!(run.stdout + run.stderr).includes(secret), 'no secret in what it says');
  });
});
