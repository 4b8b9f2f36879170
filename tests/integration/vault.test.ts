/** Secrets from Vault: logins, renewal, what it refuses, what goes wrong on the way; over a real socket. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { loadWhole } from '../../src/app/compose/open-secrets.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import { cli, errorOf } from '../support/cli-process.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';
import { JWT, ROLE_ID, SECRET_ID, startVault, type VaultServer } from '../support/vault-server.ts';

const MINUTE_MS = 60_000;

describe('secrets from Vault', () => {
  let server: VaultServer;
  let time: VirtualTime;
  const dir = makeTempDir('vault');
  before(async () => {
    server = await startVault();
  });
  after(async () => {
    await server.stop();
    removeTempDir(dir);
  });
  beforeEach(() => {
    server.tokens.clear();
    server.asked.splice(0);
    server.trouble = undefined;
    server.life = { ttlS: 3_600, renewable: true, maxS: 86_400 };
    server.put({ apiKey: 'key-1', apiSecret: 'secret-1' });
    time = new VirtualTime(0);
  });

  const load = (env: Record<string, string>) =>
    loadWhole({ env: { BULKHEAD_VAULT_ADDRESS: server.url, ...env }, cwd: dir }, time);
  const approle = {
    BULKHEAD_VAULT_AUTH: 'approle',
    BULKHEAD_VAULT_ROLE_ID: ROLE_ID,
    BULKHEAD_VAULT_SECRET_ID: SECRET_ID,
  };
  async function source(env: Record<string, string>) {
    const { secretSource } = await load(env);
    assert.ok(secretSource);
    return secretSource;
  }
  /** Both clocks go on. */
  const pass = (ms: number): void => {
    time.advanceTo(time.clock.now() + ms);
    server.advance(ms);
  };
  async function refusal(env: Record<string, string>): Promise<BulkheadError> {
    const error = await load(env).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof BulkheadError, String(error));
    assert.ok(error.hint, 'it says what to do');
    for (const secret of [
      ...server.tokens.keys(),
      ROLE_ID,
      SECRET_ID,
      JWT,
      'key-1',
      'secret-1',
      ...Object.values(env).filter((text) => text.startsWith('hvs.')),
    ])
      assert.ok(!`${error.message}${error.hint}`.includes(secret), error.message);
    return error;
  }
  const count = (what: RegExp): number => server.asked.filter((name) => what.test(name)).length;

  test('by token, by role and by service account', async () => {
    const jwtFile = path.join(dir, 'jwt');
    writeFileSync(jwtFile, `${JWT}\n`);
    for (const env of [
      { BULKHEAD_VAULT_TOKEN: server.newToken() },
      { VAULT_TOKEN: server.newToken({ ttlS: 0 }) },
      approle,
      { BULKHEAD_VAULT_AUTH: 'kubernetes', BULKHEAD_VAULT_JWT_FILE: jwtFile },
    ]) {
      const { secrets, secretSource } = await load(env);
      assert.deepEqual([secrets.apiKey, secrets.apiSecret], ['key-1', 'secret-1']);
      assert.equal((await secretSource?.read())?.secrets.apiKey, 'key-1');
    }
  });

  test('a new version is read', async () => {
    const secrets = await source(approle);
    const before = secrets.version ?? 0;
    server.put({ apiKey: 'key-2', apiSecret: 'secret-2' });
    const read = await secrets.read();
    assert.equal(read.version, before + 1);
    assert.equal(read.secrets.apiKey, 'key-2');
  });

  test('a token is renewed before it ends, for days', async () => {
    const secrets = await source({ BULKHEAD_VAULT_TOKEN: server.newToken({ ttlS: 600, maxS: 1_000_000 }) });
    for (let i = 0; i < 500; i++) {
      pass(secrets.dueInMs() ?? assert.fail('it wants to be asked again'));
      assert.ok((await secrets.read()).version);
    }
    assert.ok(count(/renew-self/) >= 500);
    assert.equal(count(/lookup-self/), 1);
  });

  test('at the end of its longest life another one is fetched', async () => {
    server.life = { ttlS: 600, renewable: true, maxS: 1_500 };
    const secrets = await source(approle);
    for (let i = 0; i < 20; i++) {
      pass(Math.max(1_000, secrets.dueInMs() ?? 0));
      await secrets.read();
    }
    assert.ok(count(/approle\/login/) >= 3, server.asked.join());
  });

  test('what cannot be renewed is fetched anew, and a token of that kind is warned of', async () => {
    server.life = { ttlS: 600, renewable: false, maxS: 600 };
    const byRole = await source(approle);
    pass(9 * MINUTE_MS);
    await byRole.read();
    assert.equal(count(/approle\/login/), 2);
    assert.equal(count(/renew-self/), 0);
    const byToken = await source({
      BULKHEAD_VAULT_TOKEN: server.newToken({ ttlS: 1_800, renewable: false }),
    });
    assert.match(byToken.warning() ?? '', /cannot be renewed and ends in 30 minutes/);
    pass(31 * MINUTE_MS);
    await assert.rejects(byToken.read(), { code: 'VAULT_REFUSED' });
  });

  test('a revoked token is logged in anew; a file’s is read anew', async () => {
    const byRole = await source(approle);
    server.tokens.clear();
    assert.ok((await byRole.read()).version);
    const file = path.join(dir, 'token');
    writeFileSync(file, server.newToken());
    const byFile = await source({ BULKHEAD_VAULT_TOKEN_FILE: file });
    server.tokens.clear();
    await assert.rejects(byFile.read(), { code: 'VAULT_REFUSED' });
    writeFileSync(file, server.newToken());
    assert.ok((await byFile.read()).version);
  });

  test('what it refuses, and what to do', async () => {
    assert.equal((await refusal({ BULKHEAD_VAULT_TOKEN: 'hvs.nobody-knows-this' })).code, 'VAULT_REFUSED');
    assert.match(
      (await refusal({ BULKHEAD_VAULT_AUTH: 'approle', BULKHEAD_VAULT_ROLE_ID: 'x' })).message,
      /invalid role or secret ID/,
    );
    const token = { BULKHEAD_VAULT_TOKEN: server.newToken() };
    assert.match(
      (await refusal({ ...token, BULKHEAD_VAULT_PATH: 'other' })).hint ?? '',
      /policy must allow "read"/,
    );
    server.put(undefined);
    assert.match(
      (await refusal(token)).message,
      /no secret at .* secret\/bulkhead, or its newest version was deleted/,
    );
    assert.equal((await refusal({})).code, 'CONFIG_INVALID');
    assert.match((await refusal({ BULKHEAD_VAULT_TOKEN: 'hvs.two\nlines' })).message, /not shown/);
  });

  test('what goes wrong on the way can be tried again', async () => {
    const token = { BULKHEAD_VAULT_TOKEN: server.newToken(), BULKHEAD_VAULT_TIMEOUT_MS: '300' };
    for (const [trouble, words] of [
      ['sealed', /sealed/],
      ['slow', /no answer within 300 ms/],
      ['not-json', /not JSON/],
      ['odd', /cannot be read/],
      ['redirect', /leads elsewhere/],
      ['cut', /cannot be asked/],
    ] as const) {
      server.trouble = trouble;
      const error = await refusal(token);
      assert.equal(error.code, 'VAULT_UNREACHABLE', error.message);
      assert.match(error.message, words);
    }
  });

  test('a secret is said in one place, under its own name, as text', async () => {
    const token = { BULKHEAD_VAULT_TOKEN: server.newToken() };
    assert.match(
      (await refusal({ ...token, BULKHEAD_API_KEY: 'own' })).message,
      /apiKey is there, and BULKHEAD_API_KEY is set/,
    );
    server.put({ apikey: 'key-1' });
    assert.match((await refusal(token)).message, /"apikey" is no secret of ours. Did you mean "apiKey"/);
    server.put({ vaultToken: 'key-1' });
    assert.match((await refusal(token)).message, /"vaultToken" is no secret/);
    server.put({ apiKey: 7 });
    assert.match((await refusal(token)).message, /"apiKey" is no text/);
  });

  test('its address is encrypted, or this machine’s', async () => {
    assert.match(
      (await refusal({ BULKHEAD_VAULT_ADDRESS: 'http://vault.example.org:8200' })).message,
      /vault.address/,
    );
  });

  test('a command says so and ends; the kill switch goes on without it', async () => {
    server.trouble = 'sealed';
    const env = { BULKHEAD_VAULT_ADDRESS: server.url, BULKHEAD_VAULT_TOKEN: server.newToken() };
    const dataDir = path.join(dir, 'data');
    const run = await cli(['run', '--json', '--data-dir', dataDir], { env });
    assert.equal(run.code, 69, run.stderr);
    assert.equal(errorOf(run).code, 'VAULT_UNREACHABLE');
    const kill = await cli(['kill', '--data-dir', dataDir], { env });
    assert.equal(kill.code, 66, kill.stderr);
    assert.match(kill.stderr, /No run has ever used/);
    assert.match(kill.stdout, /kill switch engaged/);
    assert.match(kill.stderr, /Going on without what it holds/);
  });
});
