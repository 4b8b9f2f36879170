/**
 * What people hear unasked, over the Bot API, while days of virtual time go by: levels, quiet hours and their digest,
 * reports with the equity's picture, floods, a Telegram that is away, restarts.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { systemTime, type Time, VirtualTime } from '../../src/core/clock.ts';
import { SILENT } from '../../src/core/logger.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Views } from '../../src/operator/views.ts';
import { line } from '../../src/telegram/markup.ts';
import type { CommittedRow } from '../../src/telegram/notices.ts';
import type { Notice } from '../../src/telegram/notifier.ts';
import { startTelegram, type Telegram } from '../../src/telegram/start.ts';
import { BOT_TOKEN, type BotApiServer, botApiServer } from '../support/bot-api-server.ts';
import type { SentMessage } from '../support/bot-api-types.ts';
import { fixedViews, RecordingOperator } from '../support/telegram-views.ts';
import { tempDir } from '../support/temp.ts';

/** Hears everything, from warnings on, only what is critical, nothing. */
const [ANN, WIM, CIA, NIL] = [11, 22, 33, 44];
const GROUP = -500;
const USERS = [
  { id: ANN, name: 'Ann', role: 'admin', notify: 'info' },
  { id: WIM, name: 'Wim', role: 'trader', notify: 'warning' },
  { id: CIA, name: 'Cia', role: 'viewer', notify: 'critical' },
  { id: NIL, name: 'Nil', role: 'viewer', notify: 'none' },
];
const PNG = [0x89, 0x50, 0x4e, 0x47];

const at = (text: string): number => Date.parse(`${text}:00Z`);

interface WorldOptions {
  readonly now: string;
  readonly config?: object;
  readonly dataDir?: string;
  readonly server?: BotApiServer;
}

/** Deadlines of calls and of drawings are about real work, and days of virtual time pass beside it. */
const DEADLINES = new Set([3_000, 15_000, 45_000]);

function timeFor(virtual: VirtualTime): Time {
  const real = systemTime();
  const set: Time['timers']['set'] = (delayMs, fire) =>
    (DEADLINES.has(delayMs) ? real.timers : virtual).set(delayMs, fire);
  return { clock: virtual, monotonic: virtual, timers: { set } };
}

async function world(t: TestContext, { now, config = {}, dataDir, server: old }: WorldOptions) {
  const time = new VirtualTime(at(now));
  const server = old ?? (await botApiServer(t, { now: () => time.now() }));
  server.setClock(() => time.now());
  for (const chat of [ANN, WIM, CIA, NIL, GROUP]) server.chats.meet(chat);
  const folder = dataDir ?? join(tempDir(t, 'notices'), 'data');
  const { telegram } = configSchema.parse({
    telegram: { users: USERS, groups: [GROUP], apiUrl: server.url, ...config },
  });
  const bot = await startTelegram({
    ...{ config: telegram, token: BOT_TOKEN, dataDir: folder, log: SILENT, time: timeFor(time) },
    operator: new RecordingOperator(() => time.now()),
    views: fixedViews() as Views,
    random: seededRandom('notices'),
  });
  let isOver = false;
  const stop = async (): Promise<void> => {
    if (isOver) return;
    isOver = true;
    await bot.stop();
  };
  t.after(stop);
  /** Time goes by, and what follows from it happens. */
  const until = async (text: string): Promise<void> => {
    for (const end = at(text); time.now() < end; ) {
      time.advanceTo(Math.min(end, time.nextDeadline() ?? end));
      await settled();
    }
  };
  const pass = (ms: number): Promise<void> =>
    until(new Date(time.now() + ms).toISOString().slice(0, 16)).then(async () => {
      time.advanceTo(time.now() + (ms % 60_000));
      await settled();
    });
  return { time, server, bot, folder, until, pass, stop };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve));
}

const say = (bot: Telegram, level: Notice['level'], text: string): void =>
  bot.notify({ level, lines: [line`${text}`] });

const textsTo = (server: BotApiServer, chat: number): string[] => server.sentTo(chat).map(({ text }) => text);

/** What the chat has in the end, once the condition holds. */
const heard = (server: BotApiServer, chat: number, isSo: (messages: readonly SentMessage[]) => boolean) =>
  server.until(() => isSo(server.sentTo(chat)) && server.sentTo(chat));

describe('levels', { timeout: 300_000 }, () => {
  it('reach whom they should, mere information without a sound', async (t) => {
    const { server, bot, pass } = await world(t, { now: '2025-01-30T12:00' });
    say(bot, 'info', 'an entry');
    say(bot, 'warning', 'a breaker');
    say(bot, 'critical', 'no stop');
    await pass(60_000);
    await heard(server, ANN, ({ length }) => length === 3);
    assert.deepEqual(textsTo(server, ANN).sort(), ['a breaker', 'an entry', 'no stop']);
    await heard(server, WIM, ({ length }) => length === 2);
    await heard(server, CIA, ({ length }) => length === 1);
    await heard(server, GROUP, ({ length }) => length === 3);
    assert.deepEqual(textsTo(server, CIA), ['no stop']);
    assert.deepEqual(textsTo(server, NIL), []);
    for (const { text, isSilent } of server.sentTo(ANN)) assert.equal(isSilent, text === 'an entry', text);
  });

  it('many of one moment become one message of bounded length', async (t) => {
    const { server, bot, pass } = await world(t, { now: '2025-01-30T12:00' });
    for (let i = 1; i <= 400; i++) say(bot, 'info', `trade ${i}`);
    await pass(60_000);
    const [first] = await heard(server, ANN, ({ length }) => length >= 1);
    assert.match(first?.text ?? '', /^388 more before these/);
    assert.match(first?.text ?? '', /trade 400$/);
    assert.equal(textsTo(server, ANN).length, 1);
  });
});

describe('quiet hours', { timeout: 300_000 }, () => {
  const night = { quietHours: '22:00-07:00', timeZone: 'Europe/Berlin', reports: 'none' };

  it('hold back all but what is critical; the morning has the digest, of each person only what is theirs', async (t) => {
    const { server, bot, pass, until } = await world(t, { now: '2025-01-30T20:55', config: night });
    say(bot, 'info', 'before the night');
    await pass(120_000);
    await heard(server, ANN, ({ length }) => length === 1);
    await until('2025-01-30T21:00');
    say(bot, 'info', 'a trade <b>');
    say(bot, 'warning', 'a breaker');
    say(bot, 'critical', 'unprotected');
    await pass(60_000);
    await heard(server, CIA, ({ length }) => length === 1);
    await heard(server, ANN, ({ length }) => length === 2);
    assert.deepEqual(textsTo(server, ANN), ['before the night', 'unprotected']);
    // In Berlin the night is over an hour before it is in UTC.
    await until('2025-01-31T05:59');
    assert.equal(textsTo(server, ANN).length, 2);
    await until('2025-01-31T06:01');
    const [, , digest] = await heard(server, ANN, ({ length }) => length === 3);
    assert.equal(
      digest?.text,
      ['While it was quiet: 2', '01-30 22:00 a trade <b>', '01-30 22:00 a breaker'].join('\n'),
    );
    const wims = await heard(server, WIM, ({ length }) => length === 2);
    assert.match(wims.at(-1)?.text ?? '', /^While it was quiet: 1\n01-30 22:00 a breaker$/);
    assert.equal(textsTo(server, CIA).length, 1);
    await until('2025-01-31T06:30');
    assert.equal(textsTo(server, ANN).length, 3, 'told once');
  });

  it('keep what they hold over a restart', async (t) => {
    const first = await world(t, { now: '2025-01-30T23:00', config: night });
    say(first.bot, 'warning', 'in the night');
    await first.stop();
    const { server, folder } = first;
    const { until } = await world(t, { now: '2025-01-31T05:00', config: night, server, dataDir: folder });
    await until('2025-01-31T06:01');
    await heard(server, WIM, (messages) => messages.some(({ text }) => /in the night$/.test(text)));
  });

  it('a digest that could not be sent before the end is told by the next process', async (t) => {
    const first = await world(t, { now: '2025-01-30T23:00', config: night });
    const { server, folder } = first;
    say(first.bot, 'warning', 'in the night');
    await first.pass(60_000);
    server.trouble({ methods: ['sendMessage'], kind: { status: 502 } });
    await first.until('2025-01-31T06:05');
    await server.until(() => server.struck('sendMessage') > 0);
    await first.stop();
    server.heal();
    const { until } = await world(t, { now: '2025-01-31T08:00', config: night, server, dataDir: folder });
    await until('2025-01-31T08:01');
    await heard(server, WIM, (messages) => messages.some(({ text }) => /in the night$/.test(text)));
  });

  it('hold a bounded number, and say how many came before', async (t) => {
    const { server, bot, until } = await world(t, { now: '2025-01-30T23:00', config: night });
    for (let i = 1; i <= 230; i++) say(bot, 'warning', `note ${i}`);
    await until('2025-01-31T06:02');
    const messages = await heard(server, WIM, (all) => all.some(({ text }) => text.endsWith('note 230')));
    const all = messages.map(({ text }) => text).join('\n');
    assert.match(all, /^While it was quiet: 230\n30 more came before these/);
    assert.ok(!all.includes('note 30\n') && all.includes('note 31\n'));
  });
});

describe('reports', { timeout: 300_000 }, () => {
  const reports = (which: string) => ({ reports: which, reportAt: '07:00', timeZone: 'Asia/Tokyo' });
  const isReport = (title: string) => (all: readonly SentMessage[]) =>
    all.some(({ text }) => text.startsWith(title));

  it('come at their time by the person’s clock, with the equity’s picture, once', async (t) => {
    // Late on a Saturday in Tokyo; 07:00 there is 22:00 UTC of the day before.
    const first = await world(t, { now: '2025-02-01T14:30', config: reports('both') });
    await first.stop();
    const { server, folder: dataDir } = first;
    const sunday = await world(t, { now: '2025-02-01T21:50', config: reports('both'), server, dataDir });
    await sunday.until('2025-02-01T21:59');
    assert.deepEqual(textsTo(server, ANN), []);
    await sunday.until('2025-02-01T22:02');
    const [day] = await heard(server, ANN, isReport('The day'));
    assert.deepEqual([...(day?.photo ?? []).slice(0, 4)], PNG);
    assert.ok(day?.isSilent);
    assert.match(day?.text ?? '', /\d+ trades, \d+ won: [+-]\d.* USDT after \d.* of fees/);
    assert.match(day?.text ?? '', /best XRPUSDT \+4\.50, worst XRPUSDT -1\.25/);
    assert.match(day?.text ?? '', /1 open with \+12\.59/);
    assert.match(day?.text ?? '', /consecutive-losses/);
    await sunday.until('2025-02-01T22:30');
    assert.equal(textsTo(server, ANN).length, 1);
    await sunday.stop();
    const monday = await world(t, { now: '2025-02-02T21:58', config: reports('both'), server, dataDir });
    await monday.until('2025-02-02T22:02');
    const all = await heard(server, ANN, ({ length }) => length === 3);
    assert.deepEqual(
      all.map(({ text }) => text.split('\n')[0]?.replace(/:.*/, '')),
      ['The day', 'The week', 'The day'],
    );
    assert.deepEqual(textsTo(server, WIM), [], 'whoever wants only warnings gets none');
    await heard(server, GROUP, ({ length }) => length === 3);
  });

  it('go out late when nothing ran at their time, and not again after a restart', async (t) => {
    const first = await world(t, { now: '2025-01-31T20:00', config: reports('both') });
    await first.stop();
    const { server, folder: dataDir } = first;
    // Asleep over Monday morning, until Wednesday noon in Tokyo.
    const second = await world(t, { now: '2025-02-05T03:00', config: reports('both'), server, dataDir });
    await second.pass(60_000);
    const late = await heard(server, ANN, ({ length }) => length === 2);
    assert.deepEqual(late.map(({ text }) => text.slice(0, 8)).sort(), ['The day\n', 'The week']);
    await second.stop();
    const third = await world(t, { now: '2025-02-05T03:10', config: reports('both'), server, dataDir });
    await third.pass(120_000);
    assert.equal(textsTo(server, ANN).length, 2);
  });

  it('are still owed when Telegram was away until the end', async (t) => {
    const before = await world(t, { now: '2025-02-03T14:50', config: reports('daily') });
    await before.stop();
    const { server, folder: dataDir } = before;
    const first = await world(t, { now: '2025-02-03T21:50', config: reports('daily'), server, dataDir });
    server.trouble({ methods: ['sendPhoto'], kind: { status: 502 } });
    await first.until('2025-02-03T22:05');
    await server.until(() => server.struck('sendPhoto') > 0);
    await first.stop();
    server.heal();
    const second = await world(t, { now: '2025-02-03T22:30', config: reports('daily'), server, dataDir });
    await second.pass(60_000);
    await heard(server, ANN, isReport('The day'));
  });

  it('an installation owes none at its first start, and none where they are not wanted', async (t) => {
    const { server, until } = await world(t, { now: '2025-02-03T03:00', config: reports('both') });
    await until('2025-02-03T03:30');
    assert.deepEqual(textsTo(server, ANN), []);
    const none = await world(t, { now: '2025-02-03T03:00', config: reports('none') });
    await none.until('2025-02-03T22:30');
    assert.deepEqual(textsTo(none.server, ANN), []);
  });
});

describe('a Telegram that cannot keep up', { timeout: 300_000 }, () => {
  it('is waited for as long as it asks; nothing within the bound is lost', async (t) => {
    const { server, bot, pass } = await world(t, { now: '2025-01-30T12:00', config: { maxWaiting: 50 } });
    server.trouble({ methods: ['sendMessage'], times: 1, kind: { status: 429, retryAfterS: 30 } });
    say(bot, 'critical', 'first');
    await server.until(() => server.struck('sendMessage') === 1);
    await settled();
    say(bot, 'critical', 'second');
    const tried = server.callsOf('sendMessage').length;
    await pass(29_000);
    assert.equal(server.callsOf('sendMessage').length, tried, 'quiet meanwhile');
    await pass(60_000);
    await heard(server, CIA, ({ length }) => length === 2);
    assert.deepEqual(textsTo(server, CIA), ['first', 'second']);
  });

  it('costs the least important beyond the bound, and says so when it is back', async (t) => {
    const { server, bot, pass } = await world(t, {
      now: '2025-01-30T12:00',
      config: { maxWaiting: 10, groups: [], users: [USERS[0]] },
    });
    server.trouble({ methods: ['sendMessage'], kind: { status: 502 } });
    for (let i = 1; i <= 30; i++) {
      say(bot, 'info', `trade ${i}`);
      await pass(60_000);
    }
    say(bot, 'critical', 'unprotected');
    await pass(60_000);
    server.heal();
    await pass(300_000);
    const all = await heard(server, ANN, (messages) =>
      messages.some(({ text }) => /dropped while/.test(text)),
    );
    assert.equal(all[0]?.text, 'unprotected');
    const dropped = all.find(({ text }) => /dropped while/.test(text));
    assert.match(dropped?.text ?? '', /^21 messages were dropped while .* \(21 info\)/);
    assert.equal(all.at(-1)?.text === 'trade 30' || all.some(({ text }) => text === 'trade 30'), true);
  });
});

describe('rows become words', { timeout: 300_000 }, () => {
  const row = (actor: string, event: object, more: Partial<CommittedRow> = {}, context?: object) =>
    ({
      row: { actor, at: 0, snapshot: context ? JSON.stringify({ context }) : null },
      event,
      intents: [],
      ...more,
    }) as unknown as CommittedRow;
  const position = {
    ...{ symbol: 'ETHUSDT', direction: 'long', quantity: '0.6', stopPrice: '2400' },
    ...{ entry: { reason: 'breakout' }, entryQuantity: '1', entryNotional: '2500' },
    orders: [
      { ref: 'entry-1', role: 'entry', status: 'done' },
      { ref: 'target-1', role: 'scale-out', status: 'live', reason: 'take-profit 1' },
    ],
  };
  const trade = {
    ...{ symbol: 'ETHUSDT', direction: 'long', quantity: '1', entryPrice: '2500', exitPrice: '2560' },
    ...{ grossPnl: '60', fees: '2.5', funding: '-1.25', netPnl: '56.25', reason: 'trailing-stop' },
    ...{ openedAt: 0, closedAt: 7_200_000, life: 1 },
  };

  it('an exit is told with what it is made of, a part with what is left, a breaker at its own level', async (t) => {
    const { server, bot, pass } = await world(t, { now: '2025-01-30T12:00' });
    bot.observe(row('portfolio', { type: 'POSITION_CLOSED', actor: 'position/ETHUSDT/BOTH/1', trade }));
    const filled = { type: 'ORDER_FILLED', complete: true, ref: 'target-1' };
    const numbers = { quantity: '0.4', price: '2550', realizedPnl: '20' };
    bot.observe(row('position/ETHUSDT/BOTH/1', { ...filled, ...numbers }, {}, position));
    const notify = {
      type: 'notify',
      level: 'warning',
      text: 'breaker drawdown is open: 21 % below the peak',
    };
    bot.observe(row('breaker/drawdown', { type: 'MARK' }, { intents: [notify] as CommittedRow['intents'] }));
    const reconciled = {
      type: 'notify',
      level: 'critical',
      text: 'ETHUSDT: the venue holds 1, the journal 0.6',
    };
    bot.observe(row('venue', { type: 'CALL_ENDED' }, { intents: [reconciled] as CommittedRow['intents'] }));
    await pass(60_000);
    await heard(server, ANN, ({ length }) => length === 3);
    const all = textsTo(server, ANN).join('\n');
    assert.match(all, /ETHUSDT long closed: \+56\.25 USDT \(\+2\.25 %\) trailing-stop/);
    assert.match(all, /price \+60\.00, fees -2\.50, funding -1\.25; 2500 to 2560 in 2h 0m/);
    assert.match(all, /ETHUSDT long: 0\.4 closed at 2550, \+20\.00 USDT \(take-profit 1\); 0\.6 still open/);
    await heard(server, CIA, ({ length }) => length === 1);
    assert.match(textsTo(server, CIA).join(), /the venue holds 1, the journal 0\.6/);
    assert.match(textsTo(server, WIM).join(), /breaker drawdown is open/);
  });
});
