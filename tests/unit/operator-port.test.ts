/** The operator's port over the whole system in this process: answers, audit, once only, and the kill switch without a journal. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { EntryContext } from '../../machines/entry.ts';
import { entryDeskOf, OPERATOR } from '../../machines/messages.ts';
import type { OperatorContext } from '../../machines/operator.ts';
import type { PortfolioContext } from '../../machines/portfolio.ts';
import { configSchema } from '../../src/config/schema.ts';
import { systemTime } from '../../src/core/clock.ts';
import * as D from '../../src/core/decimal.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import type { Command } from '../../src/domain/command.ts';
import { keyOf } from '../../src/domain/position-key.ts';
import { MemoryDatabase } from '../../src/journal/memory-journal.ts';
import type { MarketData } from '../../src/market/market-data.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { JournaledOperator } from '../../src/operator/journaled-operator.ts';
import { asked, busyDay, contextOf, openIn, operatorOf, SYMBOLS } from '../support/operator-over-run.ts';
import { BUSY_CONFIG, startRun } from '../support/system-harness.ts';

let market: MarketData;

before(async () => {
  market = await busyDay();
});

describe('the operator over the whole system', () => {
  test('a pause is answered with its row, refuses entries by name, and survives a restart', async () => {
    const database = new MemoryDatabase();
    const run = await startRun({ market, database });
    const operator = operatorOf(run);
    const answer = await operator.execute(asked({ kind: 'pause', reason: 'news' }));
    assert.equal(answer.outcome, 'accepted');
    const row = run.rows().find(({ n }) => n === answer.n);
    assert.equal(row?.actor, OPERATOR, 'its audit is that row');
    assert.match(row?.event ?? '', /"name":"alice","role":"admin","channel":"http"/);
    assert.equal(await run.drive(), 'end');
    const { refusals, counts } = contextOf<PortfolioContext>(run, 'portfolio');
    assert.equal(counts.approved, undefined, 'nothing was entered all day');
    assert.match(refusals.at(-1)?.refusals[0]?.detail ?? '', /paused by alice since .*: news/);
    const later = await startRun({ market, database });
    assert.equal(contextOf<OperatorContext>(later, OPERATOR).paused?.by, 'alice');
  });

  test('the same id is done once: at the same time, later, and after a restart', async () => {
    const database = new MemoryDatabase();
    const run = await startRun({ market, database });
    const operator = operatorOf(run);
    const lock = asked({ kind: 'lock', symbol: 'BTCUSDT', minutes: 5, reason: 'a' });
    const [one, two] = await Promise.all([operator.execute(lock), operator.execute(lock)]);
    assert.deepEqual(one, two);
    const other = { ...lock, command: { kind: 'stop' } as const };
    assert.equal((await operator.execute(other)).text, one.text);
    await run.system.runtime.quiescent();
    const again = operatorOf(await startRun({ market, database }));
    assert.equal((await again.execute(other)).text, one.text);
  });

  test('while the journal takes no rows nothing is told as done, however often it is asked', async () => {
    let isAway = false;
    let comesBack = (): void => {};
    const back = new Promise<void>((resolve) => {
      comesBack = resolve;
    });
    const faults = { before: (what: string) => (isAway && what === 'append' ? back : undefined) };
    const run = await startRun({ market, faults });
    await run.system.runtime.quiescent();
    isAway = true;
    const operator = operatorOf(run, false, 1);
    const pause = asked({ kind: 'pause', reason: 'news' });
    for (let times = 1; times <= 3; times++)
      assert.equal((await operator.execute(pause)).outcome, 'pending', `asked ${times} times`);
    const rows = () => run.rows().filter(({ event }) => event.includes(`"${pause.id}"`));
    assert.deepEqual(rows(), [], 'a crash would undo it');
    isAway = false;
    comesBack();
    await run.system.runtime.quiescent();
    assert.equal((await operator.execute(pause)).outcome, 'accepted');
    assert.equal(rows().filter(({ actor }) => actor === OPERATOR).length, 1);
  });

  test('what moves money wants a second word; closing closes', async () => {
    const run = await startRun({ market });
    await run.drive();
    const operator = operatorOf(run);
    const [actor] = openIn(run);
    assert.ok(actor, 'the day ends with a position');
    const symbol = actor.split('/')[1] ?? '';
    const close = asked({ kind: 'close', symbol });
    const first = await operator.execute(close);
    assert.equal(first.outcome, 'confirm');
    assert.match(
      first.text,
      new RegExp(`^Closes all of ${symbol} (long|short) [\\d.]+ at market, now [\\d.]+\\.$`),
    );
    const { tickSize } = contextOf<EntryContext>(run, `entry/${symbol}`).instrument;
    const shown = /now ([\d.]+)\.$/.exec(first.text)?.[1] ?? '';
    assert.ok(D.isMultipleOf(shown, tickSize), `${shown} is a price to trade at, in steps of ${tickSize}`);
    const done = await operator.execute({ ...close, confirmed: true });
    assert.equal(done.outcome, 'accepted', done.text);
    assert.match(done.text, /to be closed at market/, 'the position itself answered');
    await run.system.runtime.quiescent();
    assert.ok(!openIn(run).includes(actor));
    assert.equal(contextOf<PortfolioContext>(run, 'portfolio').lastTrades.at(-1)?.reason, 'operator');
    const nothing = await operator.execute(asked({ kind: 'close', symbol }, { confirmed: true }));
    assert.deepEqual([nothing.outcome, nothing.code], ['refused', 'NOTHING_OPEN']);
  });

  test('moving a breaker wants a second word, which says what is closed and what is opened again', async () => {
    const config = configSchema.parse({ ...BUSY_CONFIG, breakers: { flatten: ['drawdown'] } });
    const run = await startRun({ market, config });
    await run.drive();
    const operator = operatorOf(run);
    const open = openIn(run);
    assert.ok(open.length > 0, 'the day ends with a position');
    const trip = (breaker: string) => asked({ kind: 'trip', breaker, reason: 'news' });
    const ask = async (command: Command): Promise<string> => {
      const { outcome, n, text } = await operator.execute(asked(command));
      assert.deepEqual([outcome, n], ['confirm', undefined], text);
      return text;
    };
    assert.match(
      await ask(trip('api-errors').command),
      /^Opens the breaker api-errors: no entries .* stays open/,
    );
    assert.match(
      await ask(trip('drawdown').command),
      new RegExp(`CLOSES ${open.length} positions? at market.*: \\w+USDT (long|short) [\\d.]+`),
    );
    const [missing, closed] = [
      trip('api-error'),
      asked({ kind: 'release', breaker: 'api-errors', reason: 'x' }),
    ];
    assert.equal(
      (await operator.execute(missing)).code,
      'UNKNOWN_BREAKER',
      'what is not there is not asked about',
    );
    assert.match((await operator.execute(closed)).text, /closed already/);
    const barred = { kind: 'release', breaker: 'guardian/breaker/daily-loss', reason: 'looked at' } as const;
    assert.match(await ask(barred), /^Closes the breaker guardian\/breaker\/daily-loss: entries are open/);

    for (const breaker of ['api-errors', 'drawdown'])
      assert.equal((await operator.execute({ ...trip(breaker), confirmed: true })).outcome, 'accepted');
    await run.system.runtime.quiescent();
    assert.deepEqual(openIn(run), [], 'closed, as was said');
    await operator.execute(asked({ kind: 'pause' }));
    const release = { kind: 'release', breaker: 'api-errors', reason: 'over' } as const;
    assert.match(
      await ask(release),
      /^Closes the breaker api-errors \(alice: news\): .*what the breaker drawdown, the pause still holds back\.$/,
    );
    const lift = { kind: 'release-kill', reason: 'over' } as const;
    assert.match(
      await ask(lift),
      /^Lifts the kill switch: .*(the breaker (drawdown|api-errors), ){2}the pause still holds back/,
    );
    await operator.execute(asked({ kind: 'resume' }));
    await operator.execute(
      asked({ kind: 'release', breaker: 'drawdown', reason: 'over' }, { confirmed: true }),
    );
    assert.match(await ask(release), /entries are open again at once\.$/);
  });

  test('the kill switch’s breaker is not moved by hand: refused on record, told to nobody, and the way is named', async () => {
    const run = await startRun({ market });
    const operator = operatorOf(run);
    const state = () => run.system.runtime.actor('breaker/kill')?.snapshotText;
    const before = state();
    for (const kind of ['trip', 'release'] as const)
      for (const confirmed of [false, true]) {
        const answer = await operator.execute(
          asked({ kind, breaker: 'kill', reason: 'by hand' }, { confirmed }),
        );
        assert.deepEqual([answer.outcome, answer.code], ['refused', 'KILL_SWITCH']);
        assert.match(answer.text, /"kill" engages it, "release-kill" lifts it/);
        assert.ok(answer.n, 'it has its row');
      }
    await run.system.runtime.quiescent();
    assert.equal(state(), before);
  });

  test('a forced entry is risk’s to decide, and the answer says what it decided', async () => {
    const run = await startRun({ market });
    await run.drive();
    const operator = operatorOf(run);
    const symbol = SYMBOLS.find((name) => !openIn(run).some((actor) => actor.includes(name))) ?? '';
    const price = run.system.audience.prices()[symbol] ?? 0;
    const force = (more: object = {}) =>
      operator.execute(
        asked({ kind: 'force-entry', symbol, direction: 'long', ...more }, { confirmed: true }),
      );
    assert.equal((await force()).code, 'NO_STOP', 'the strategy of this test gives none');
    assert.equal((await force({ stopPrice: String(price * 2) })).code, 'STOP_SIDE');
    await operator.execute(asked({ kind: 'blacklist', change: 'add', symbols: [symbol] }));
    const barred = await force({ stopPrice: String(Math.round(price * 0.97)) });
    assert.equal(barred.outcome, 'refused');
    assert.match(barred.text, /blacklisted by alice|cooling down/);
    await operator.execute(asked({ kind: 'blacklist', change: 'clear', symbols: [] }));
    const desk = contextOf<{ coolUntil: number | null }>(run, entryDeskOf(keyOf({ symbol })));
    const forced = await force({ stopPrice: String(Math.round(price * 0.97)) });
    assert.ok(['ENTERING', 'RISK'].includes(forced.code), JSON.stringify([forced, desk]));
  });

  test('a test event is taken like a real one, under the name of who sent it, and only after a second word', async () => {
    const run = await startRun({ market });
    await run.drive();
    const operator = operatorOf(run);
    const [actor = ''] = openIn(run);
    const event = { type: 'OPERATOR_CLOSE', by: 'a test' };
    const sent = asked({ kind: 'test-event', actor, event });
    const first = await operator.execute(sent);
    assert.deepEqual([first.outcome, first.n], ['confirm', undefined]);
    const done = await operator.execute({ ...sent, confirmed: true });
    assert.equal(done.outcome, 'accepted', done.text);
    assert.match(done.text, /^OPERATOR_CLOSE was taken; it is in \w/);
    const audit = run.rows().find(({ n }) => n === done.n);
    assert.equal(audit?.actor, OPERATOR);
    assert.match(audit?.event ?? '', /"kind":"test-event".*"name":"alice"/);
    const answer = run.rows().find((row) => row.actor === actor && row.event.includes('"by":"a test"'));
    assert.deepEqual(JSON.parse(answer?.cause ?? '{}').n, done.n, 'caused by the audit’s row');
    await run.system.runtime.quiescent();
    assert.ok(!openIn(run).includes(actor), 'it closed, as it would have');
  });

  test('a test event that nobody can be told, and every one outside a demo, is refused on record and told to nobody', async () => {
    const run = await startRun({ market });
    await run.drive();
    const [actor = ''] = openIn(run);
    const before = run.system.runtime.actor(actor)?.snapshotText;
    const close = { type: 'OPERATOR_CLOSE', by: 'x' };
    const code = async (to: string, event: { type: string }, isShared = false) => {
      const command = { kind: 'test-event', actor: to, event } as const;
      const answer = await operatorOf(run, isShared).execute(asked(command, { confirmed: true }));
      assert.ok(answer.n, 'it has its row');
      assert.ok(answer.text.length > 20, answer.text);
      return `${answer.outcome} ${answer.code}`;
    };
    assert.equal(await code(actor, { type: 'NEVER_HEARD_OF' }), 'refused UNKNOWN_EVENT');
    assert.equal(await code('position/BTCUSDT/BOTH/999', close), 'refused UNKNOWN_ACTOR');
    assert.equal(await code('venue', close), 'refused UNKNOWN_ACTOR');
    assert.equal(await code(OPERATOR, { type: 'COMMAND' }), 'refused NOT_HERE');
    assert.equal(await code(actor, close, true), 'refused NOT_HERE');
    await run.system.runtime.quiescent();
    assert.equal(run.system.runtime.actor(actor)?.snapshotText, before);
  });

  test('in hedge mode a word names the side that it means', async () => {
    const config = configSchema.parse({
      ...BUSY_CONFIG,
      venue: { positionMode: 'hedge' },
      risk: { ...BUSY_CONFIG.risk, baseNotional: '300' },
    });
    const run = await startRun({ market, config });
    await run.drive();
    const operator = operatorOf(run);
    const symbol = SYMBOLS.find((name) => !openIn(run).some((actor) => actor.includes(name))) ?? '';
    const price = run.system.audience.prices()[symbol] ?? 0;
    const say = (command: Command) => operator.execute(asked(command, { confirmed: true }));
    for (const direction of ['long', 'short'] as const) {
      const stopPrice = String(Math.round(price * (direction === 'long' ? 0.97 : 1.03)));
      const entered = await say({ kind: 'force-entry', symbol, direction, stopPrice });
      assert.equal(entered.code, 'ENTERING', entered.text);
      await run.system.runtime.quiescent();
    }
    const own = () => openIn(run).filter((actor) => actor.includes(symbol));
    assert.equal(own().length, 2);
    const stop = String(Math.round(price * 0.98));
    assert.equal((await say({ kind: 'move-stop', symbol, price: stop })).code, 'SIDE_NEEDED');
    const moved = await say({ kind: 'move-stop', symbol, direction: 'long', price: stop });
    assert.equal(moved.outcome, 'accepted', moved.text);
    const closed = await say({ kind: 'close', symbol, direction: 'short' });
    assert.equal(closed.outcome, 'accepted', closed.text);
    await run.system.runtime.quiescent();
    assert.deepEqual(
      own().map((actor) => actor.split('/')[2]),
      ['LONG'],
    );
  });

  test('roles and age are refused on record, and do nothing', async () => {
    const run = await startRun({ market });
    const operator = operatorOf(run);
    const bob = { name: 'bob', role: 'viewer', channel: 'telegram' } as const;
    const role = await operator.execute(asked({ kind: 'stop' }, { who: bob }));
    const stale = await operator.execute(asked({ kind: 'start' }, { issuedAt: 0 }));
    assert.deepEqual([role.code, stale.code], ['ROLE', 'STALE']);
    assert.ok(role.n && stale.n, 'both have their row');
    assert.equal(contextOf<OperatorContext>(run, OPERATOR).stopped, null);
    const late = await operator.execute(asked({ kind: 'stop' }, { issuedAt: 0 }));
    assert.equal(late.outcome, 'accepted', 'a stop is honoured however late');
  });
});

test('the kill switch needs no running system; a confirmed one is engaged first', async () => {
  const kills: string[] = [];
  const time = systemTime();
  const operator = new JournaledOperator({
    host: () => undefined,
    kill: {
      engage: (by, reason) => {
        kills.push(`${by}: ${reason}`);
        return 'engaged';
      },
      release: () => 'released',
      nothingToLift: () => undefined,
    },
    isShared: true,
    now: () => time.clock.now(),
    timers: time.timers,
  });
  const kill = asked({ kind: 'kill', reason: 'fire' });
  assert.equal((await operator.execute(kill)).outcome, 'confirm');
  assert.deepEqual(kills, []);
  assert.equal((await operator.execute({ ...kill, confirmed: true })).outcome, 'accepted');
  assert.deepEqual(kills, ['alice: fire']);
  assert.equal((await operator.execute(asked({ kind: 'pause' }))).code, 'NOT_READY');
});

test('a kill switch that is not engaged is not asked about: it is said at once, and on record', async () => {
  const run = await startRun({ market: new SyntheticMarketData({ seed: 3, days: 1, symbols: ['BTCUSDT'] }) });
  const time = systemTime();
  let isEngaged = false;
  const released: string[] = [];
  const operator = new JournaledOperator({
    host: () => ({
      tell: (message) => run.system.runtime.tell(message),
      actorIds: () => run.system.runtime.actorIds(),
      snapshot: (actor) => run.system.runtime.actor(actor)?.snapshotText,
      price: () => undefined,
      tickSize: () => undefined,
      distances: () => undefined,
    }),
    kill: {
      engage: () => 'engaged',
      release: (by) => {
        released.push(by);
        return 'released';
      },
      nothingToLift: () =>
        isEngaged
          ? undefined
          : new BulkheadError('NOT_FOUND', 'No kill switch is engaged.', { hint: 'Look elsewhere.' }),
    },
    isShared: true,
    now: () => time.clock.now(),
    timers: time.timers,
  });
  run.system.runtime.observe((committed) => operator.observe(committed));
  const lift = { kind: 'release-kill', reason: 'over' } as const;
  const none = await operator.execute(asked(lift));
  assert.deepEqual([none.outcome, none.code], ['refused', 'NOT_FOUND']);
  assert.equal(none.text, 'No kill switch is engaged. Look elsewhere.');
  assert.ok(none.n, 'it has its row');
  isEngaged = true;
  const engaged = asked(lift);
  assert.equal((await operator.execute(engaged)).outcome, 'confirm');
  assert.deepEqual(released, []);
  assert.equal((await operator.execute({ ...engaged, confirmed: true })).text, 'released');
  assert.deepEqual(released, ['alice']);
  await run.writer.close();
});
