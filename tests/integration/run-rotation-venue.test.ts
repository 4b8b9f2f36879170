/**
 * Keys of the venue changed while real processes trade on paper: a standby that takes up a changed key and works with
 * it once it leads, and a rotation in Vault, whose tokens end and are revoked meanwhile. Each time the old key is taken
 * away at the venue, and whatever is done after that is done with the new one.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { DEMO_ACCOUNT, DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { CliProcess } from '../support/cli-process.ts';
import { startPostgres } from '../support/postgres.ts';
import { tempDir } from '../support/temp.ts';
import { ROLE_ID, SECRET_ID, startVault } from '../support/vault-server.ts';
import { WholeVenue } from '../support/whole-venue.ts';

type Key = { readonly apiKey: string; readonly apiSecret: string };
const FIRST: Key = { apiKey: DEMO_API_KEY, apiSecret: DEMO_API_SECRET };
const NEXT: Key = { apiKey: 'the-second-key', apiSecret: 'its-secret' };
const OTHER: Key = { apiKey: 'somebody-elses-key', apiSecret: 'not-ours' };
const PAGE = ['the-first-token-of-the-page', 'the-second-token-of-the-page'] as const;
const SYMBOL = 'BTCUSDT';
const LIMIT_MS = 60_000;

const server = await startPostgres({ durable: true });

/** One process on the paper venue. */
class Trader {
  readonly dataDir: string;
  readonly process: CliProcess;

  constructor(t: TestContext, venue: WholeVenue, env: Record<string, string>, flags: readonly string[] = []) {
    this.dataDir = path.join(tempDir(t, 'rotation'), 'data');
    const args = ['run', '--mode', 'paper', '--venue', venue.server.url, '--json', ...flags];
    this.process = new CliProcess([...args, '--data-dir', this.dataDir], {
      env: {
        BULKHEAD_VENUE_TIME_FACTOR: '10',
        BULKHEAD_MARKET_SYMBOLS: SYMBOL,
        BULKHEAD_MARKET_WARM_UP_DAYS: '1',
        BULKHEAD_HTTP_ENABLED: 'true',
        BULKHEAD_HTTP_PORT: '0',
        BULKHEAD_SECRETS_CHECK_EVERY_MS: '0',
        BULKHEAD_STATUS_INTERVAL_MS: '100',
        ...env,
      },
    });
    t.after(() => this.process.reap());
  }

  status(): StatusDocument {
    return readStatus(this.dataDir);
  }

  async until(what: string, isSo: (status: StatusDocument) => boolean): Promise<void> {
    for (const end = performance.now() + LIMIT_MS; performance.now() < end; await pause(25)) {
      assert.ok(!this.process.isOver, `${what}: it ended\n${this.process.tail()}`);
      let so = false;
      try {
        so = isSo(this.status());
      } catch {
        // The status is not written yet.
      }
      if (so) return;
    }
    assert.fail(`never: ${what}\n${this.process.tail()}`);
  }

  untilReady(): Promise<void> {
    return this.until('everything is read', ({ venue }) => venue?.reconcile.ready === true);
  }

  /** By the clock's choice or a hang-up, whichever the test wants. */
  async taken(what: string, act: () => void): Promise<void> {
    const count = (): number => this.process.stderr.split(`${what} was changed and is in force`).length;
    const before = count();
    act();
    await this.until(`${what} is in force`, () => count() > before);
    await this.until('no trouble is left', ({ secrets }) => secrets?.trouble.length === 0);
  }

  /** A person's entry, over the page. */
  async enter(venue: WholeVenue, token: string): Promise<void> {
    const { url } = this.status().http ?? assert.fail('it serves no page');
    const price = venue.market.quote(SYMBOL)?.mark ?? 0;
    const stopPrice = String(Math.floor(price * 0.97));
    const answer = await fetch(`${url}/api/commands`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        id: `rotation-${performance.now()}`,
        command: { kind: 'force-entry', symbol: SYMBOL, direction: 'long', stopPrice },
        confirmed: true,
      }),
    });
    assert.equal(answer.status, 200, await answer.text());
    const ledger = () =>
      venue.ledger() as unknown as { positions: unknown[]; algoOrders: { algoStatus: string }[] };
    await this.until(
      'the position is open at the venue, with its stop',
      () =>
        ledger().positions.length > 0 && ledger().algoOrders.some(({ algoStatus }) => algoStatus === 'NEW'),
    );
  }

  /** Nothing that was asked was refused: no call went out with a key that is gone. */
  assertNoneRefused(): void {
    const { ended } = this.status().venue?.calls ?? assert.fail('no venue');
    const rejected = Object.entries(ended).filter(([, { rejected: count }]) => count > 0);
    assert.deepEqual(rejected, []);
  }
}

const filesOf = (dir: string) => ({
  env: {
    BULKHEAD_API_KEY_FILE: path.join(dir, 'key'),
    BULKHEAD_API_SECRET_FILE: path.join(dir, 'secret'),
    BULKHEAD_HTTP_TOKEN_FILE: path.join(dir, 'page'),
  },
  put: ({ apiKey, apiSecret }: Key): void => {
    writeFileSync(path.join(dir, 'key'), apiKey);
    writeFileSync(path.join(dir, 'secret'), apiSecret);
  },
  putPage: (token: string): void => writeFileSync(path.join(dir, 'page'), token),
});

describe('keys changed under real processes', { skip: typeof server === 'string' ? server : false }, () => {
  assert.ok(typeof server !== 'string');
  after(() => server.stop());
  test('a standby takes up a changed key and a changed token, and leads with them', {
    timeout: 180_000,
  }, async (t) => {
    const venue = await WholeVenue.open(t, { accounts: [{ id: 'other', ...OTHER }], symbols: [SYMBOL] });
    const store = {
      BULKHEAD_STORE_ENGINE: 'postgres',
      BULKHEAD_DATABASE_URL: await server.createDatabase(),
      BULKHEAD_LEASE_TTL_MS: '3000',
    };
    const its = filesOf(tempDir(t, 'standby'));
    its.put(FIRST);
    its.putPage(PAGE[0]);
    const leader = new Trader(t, venue, { ...store, BULKHEAD_HTTP_ENABLED: 'false' });
    await leader.untilReady();
    const standby = new Trader(t, venue, { ...store, ...its.env }, ['--standby']);
    const hangUp = (): void => standby.process.kill('SIGHUP');
    await standby.until('it is ready', (status) => status.standby?.notReady === null);

    its.put(OTHER);
    hangUp();
    await standby.until('another account’s is refused', ({ secrets }) =>
      /another account/.test(secrets?.trouble.join() ?? ''),
    );
    venue.server.addKey({ id: DEMO_ACCOUNT, ...NEXT });
    await standby.taken('the API key', () => {
      its.put(NEXT);
      hangUp();
    });
    // Nobody uses it yet: it is simply the one that is used later.
    await standby.taken('httpToken', () => {
      its.putPage(PAGE[1]);
      hangUp();
    });
    await standby.until('it is ready with it', (status) => status.standby?.notReady === null);

    venue.server.revokeKey(FIRST.apiKey);
    leader.process.kill('SIGKILL');
    await standby.process.said(/"event":"safe"/);
    await standby.untilReady();
    await standby.enter(venue, PAGE[1]);
    standby.assertNoneRefused();
    assert.doesNotMatch(
      standby.process.stderr,
      /of no use|connecting anew/,
      'what it had ready is what it uses',
    );
    standby.process.kill('SIGTERM');
    await standby.process.ended;
    assert.deepEqual(venue.errors, []);
  });

  test('a standby that begins with a key that is dead takes up one that lives', {
    timeout: 180_000,
  }, async (t) => {
    const venue = await WholeVenue.open(t, { symbols: [SYMBOL] });
    venue.server.addKey({ id: DEMO_ACCOUNT, ...NEXT });
    const store = {
      BULKHEAD_STORE_ENGINE: 'postgres',
      BULKHEAD_DATABASE_URL: await server.createDatabase(),
      BULKHEAD_LEASE_TTL_MS: '3000',
    };
    const its = filesOf(tempDir(t, 'standby'));
    its.put({ ...FIRST, apiSecret: 'long-gone' });
    its.putPage(PAGE[0]);
    const leader = new Trader(t, venue, { ...store, BULKHEAD_HTTP_ENABLED: 'false' });
    await leader.untilReady();
    const standby = new Trader(t, venue, { ...store, ...its.env }, ['--standby']);
    await standby.until('it says that its key is not taken', (status) =>
      /does not take the API key/.test(status.standby?.notReady ?? ''),
    );
    await standby.taken('the API key', () => {
      its.put(NEXT);
      standby.process.kill('SIGHUP');
    });
    await standby.until('it is ready', (status) => status.standby?.notReady === null);
  });

  test('a whole run on Vault: tokens that end, one that is revoked, a rotation, an old key that is gone', {
    timeout: 180_000,
  }, async (t) => {
    const vault = await startVault();
    t.after(() => vault.stop());
    const venue = await WholeVenue.open(t, { symbols: [SYMBOL] });
    // So short a life wants attention every second or two.
    vault.life = { ttlS: 4, renewable: true, maxS: 86_400 };
    const held = { httpToken: PAGE[0] };
    vault.put({ ...held, ...FIRST });
    const trader = new Trader(t, venue, {
      BULKHEAD_STORE_ENGINE: 'postgres',
      BULKHEAD_DATABASE_URL: await server.createDatabase(),
      BULKHEAD_VAULT_ADDRESS: vault.url,
      BULKHEAD_VAULT_AUTH: 'approle',
      BULKHEAD_VAULT_ROLE_ID: ROLE_ID,
      BULKHEAD_VAULT_SECRET_ID: SECRET_ID,
    });
    const asked = (what: RegExp): number => vault.asked.filter((name) => what.test(name)).length;
    await trader.untilReady();
    await trader.until('its token is renewed, and again', () => asked(/renew-self/) >= 2);

    // Sealed for a while: what is in force stays so, and it is said.
    vault.trouble = 'sealed';
    await trader.until('it is said', ({ secrets }) => /sealed/.test(secrets?.trouble.join() ?? ''));
    vault.trouble = undefined;
    await trader.until('it is read again', ({ secrets }) => secrets?.trouble.length === 0);
    // The token is revoked under it, and the secret rotated: both by nothing but Vault.
    const logins = asked(/login/);
    vault.tokens.clear();
    venue.server.addKey({ id: DEMO_ACCOUNT, ...NEXT });
    await trader.taken('the API key', () => vault.put({ ...held, ...NEXT }));
    await trader.until('the version is told', ({ secrets }) => secrets?.version === 2);
    assert.ok(asked(/login/) > logins);
    // The private stream was opened with the old key and ends with it; entries wait for the reading after the next.
    const { since } = trader.status().venue?.stream ?? assert.fail('no venue');
    venue.server.revokeKey(FIRST.apiKey);
    await trader.until(
      'its private stream is another one',
      ({ venue: seen }) => seen?.stream.state === 'up' && seen.stream.since !== since,
    );
    await trader.untilReady();
    await trader.enter(venue, PAGE[0]);
    await trader.taken('the token of the controls', () => vault.put({ httpToken: PAGE[1], ...NEXT }));
    trader.assertNoneRefused();
    trader.process.kill('SIGTERM');
    assert.equal((await trader.process.ended).code, 143, trader.process.tail());
    const said =
      trader.process.stdout + trader.process.stderr + readFileSync(path.join(trader.dataDir, 'status.json'));
    for (const secret of [NEXT.apiKey, NEXT.apiSecret, ...PAGE, ROLE_ID, SECRET_ID])
      assert.ok(!said.includes(secret), 'no secret in what it says');
    assert.deepEqual(venue.errors, []);
  });
});
