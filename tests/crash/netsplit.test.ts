/**
 * Leader, standby, database and venue, and the links between them cut one by one: in network namespaces, with real
 * processes, where packets vanish and nobody is told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOrders, JournalFacts, withoutStop } from '../../src/app/simulation/ledger-checks.ts';
import { CliProcess } from '../support/cli-process.ts';
import { EpochBounds, FailoverWorld, Member, writersOverlap } from '../support/failover-world.ts';
import { Namespace, type Target, whyNoNamespaces } from '../support/netns.ts';
import { tempDir } from '../support/temp.ts';
import { SOAK_MAIN } from '../support/venue-soak-world.ts';

const TTL_MS = 3_000;
const SPEED = 60;
/** Exit code of a process that was fenced. */
const FENCED = 75;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** PostgreSQL's port, or its socket. */
function databaseTarget(url: string): Target {
  const parsed = new URL(url);
  const port = parsed.port === '' ? 5432 : Number(parsed.port);
  const folder = parsed.searchParams.get('host');
  return folder === null ? { host: parsed.hostname, port } : { path: `${folder}/.s.PGSQL.${port}` };
}

const reason = whyNoNamespaces();

test('links are cut one by one: one writer at every moment, and everything agrees once they are healed', {
  skip: reason ?? false,
  timeout: 590_000,
}, async (t) => {
  const dir = tempDir(t, 'netsplit');
  const world = await FailoverWorld.begin({
    ...{ dir, speed: SPEED, seed: 9, ttlMs: TTL_MS },
    symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'],
  });
  if (typeof world === 'string') return t.skip(world);
  const venue = { host: '127.0.0.1', port: Number(new URL(world.venueUrl).port) };
  const places = new Map<string, Namespace>();
  t.after(async () => {
    await world.end();
    for (const place of places.values()) await place.remove();
  });
  for (const name of ['a', 'b'])
    places.set(name, await Namespace.make(name, databaseTarget(world.databaseUrl), venue));
  const at = (name: string): Namespace => {
    const place = places.get(name);
    assert.ok(place);
    return place;
  };
  const start = (name: string, isStandby: boolean): Member => {
    const { wrap, venueUrl } = at(name);
    const dataDir = `${dir}/${name}`;
    const env = {
      BULKHEAD_STORE_ENGINE: 'postgres',
      BULKHEAD_DATABASE_URL: at(name).databaseUrl(world.databaseUrl),
    };
    const process = new CliProcess(world.runArgs(dataDir, isStandby, venueUrl), {
      main: SOAK_MAIN,
      env,
      wrap,
    });
    return world.adopt(new Member(name, dataDir, process));
  };
  const facts = new JournalFacts();
  const epochs = new EpochBounds();
  /** Nobody's order came after his time, and each was intended. */
  const check = async (): Promise<void> => {
    const [requests, ledger] = [world.requests(), await world.ledger()];
    await world.read(facts, epochs);
    assert.deepEqual(
      [
        ...facts.problems,
        ...epochs.problems,
        ...checkOrders(ledger, facts, 250 * SPEED),
        ...writersOverlap(requests, facts, epochs),
      ],
      [],
    );
  };
  const isSafe = (member: Member): Promise<void> =>
    member.until('safe', () => member.safeHeardAt !== undefined);

  let a = start('a', false);
  await isSafe(a);
  const b = start('b', true);
  await b.untilReady();

  await t.test('a leader without its database, but with the venue: the other one takes over', async () => {
    at('a').database.cut();
    await isSafe(b);
    await pause(1_000);
    at('a').database.heal();
    assert.equal((await a.process.ended).code, FENCED, a.process.tail());
    await check();
    assert.equal(epochs.epochs.length, 2);
  });

  await t.test('a leader without the venue keeps the account, and goes on where it was', async () => {
    a = start('a', true);
    await a.untilReady();
    at('b').venue.cut();
    await b.until('the private stream is down', ({ venue }) => venue?.stream.state === 'down');
    await pause(TTL_MS);
    assert.equal(b.process.isOver, false);
    assert.equal(a.said('leading'), undefined, 'the lease is not the venue\u2019s business');
    at('b').venue.heal();
    await b.until('reconciled', ({ venue }) => venue?.stream.state === 'up' && venue.reconcile.ready);
    await check();
  });

  await t.test('a standby without its database is not ready, and is again when it is back', async () => {
    at('a').database.cut();
    await a.until('not ready', ({ standby }) => standby?.notReady === 'the journal cannot be read');
    at('a').database.heal();
    await a.untilReady();
    assert.equal(b.process.isOver, false);
  });

  await t.test('a leader without either: the other one takes over', async () => {
    at('b').database.cut();
    at('b').venue.cut();
    await isSafe(a);
    await pause(1_000);
    at('b').venue.heal();
    at('b').database.heal();
    assert.equal((await b.process.ended).code, FENCED, b.process.tail());
    await check();
    assert.equal(epochs.epochs.length, 3);
  });

  await t.test('in the end everything open is protected and venue and journal hold the same', async () => {
    let apart = ['nothing was compared'];
    for (let tries = 0; tries < 300 && apart.length > 0; tries++) {
      await pause(100);
      const ledger = await world.ledger();
      const wallet = Number(a.status()?.account.wallet);
      apart = [...withoutStop(ledger), ...(Number(ledger.wallet) === wallet ? [] : ['wallets differ'])];
    }
    assert.deepEqual(apart, []);
  });
});
