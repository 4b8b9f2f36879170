/** What people write and press, and what comes back, over the Bot API: with fixed views and the operator's real rules. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { scaledTime, systemTime } from '../../src/core/clock.ts';
import { createLogger } from '../../src/core/logger.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Operator } from '../../src/operator/operator.ts';
import { line } from '../../src/telegram/markup.ts';
import { startTelegram } from '../../src/telegram/start.ts';
import { BOT_TOKEN, type BotApiServer, botApiServer } from '../support/bot-api-server.ts';
import { fixedViews, RecordingOperator } from '../support/telegram-views.ts';
import { tempDir } from '../support/temp.ts';

const ANN = 11;
const TOM = 22;
const VIC = 33;
const STRANGER = 99;
const GROUP = -500;
const USERS = [
  { id: ANN, name: 'Ann', role: 'admin', notify: 'none' },
  { id: TOM, name: 'Tom', role: 'trader', notify: 'none' },
  { id: VIC, name: 'Vic', role: 'viewer', notify: 'none' },
];
const FASTER = 20;

interface WorldOptions {
  readonly config?: object;
  readonly dataDir?: string;
  readonly operator?: Operator & { readonly done: RecordingOperator['done'] };
  readonly server?: BotApiServer;
  readonly faster?: number;
}

async function world(t: TestContext, options: WorldOptions = {}) {
  const real = systemTime();
  const time = scaledTime(real, real.clock.now(), options.faster ?? FASTER);
  const server = options.server ?? (await botApiServer(t, { now: () => time.clock.now() }));
  const operator = options.operator ?? new RecordingOperator(() => time.clock.now());
  const dataDir = options.dataDir ?? join(tempDir(t), 'data');
  const logged: string[] = [];
  const { telegram: config } = configSchema.parse({
    telegram: {
      users: USERS,
      groups: [GROUP],
      apiUrl: server.url,
      commandsPerMinute: 600,
      ...options.config,
    },
  });
  const telegram = await startTelegram({
    ...{ config, token: BOT_TOKEN, dataDir, operator, views: fixedViews(), time },
    random: seededRandom('telegram'),
    log: createLogger({
      ...{ level: 'debug', pretty: false, now: () => time.clock.now() },
      output: { write: (text) => logged.push(text) },
    }),
  });
  t.after(() => telegram.stop());
  /** Says it and gives the answer. */
  const ask = async (userId: number, words: string, pattern: RegExp | string = /./, chatId = userId) => {
    const after = server.sentTo(chatId).at(-1)?.id ?? 0;
    server.says(userId, words, { chatId });
    return server.next(chatId, pattern, after);
  };
  /** When everything that was said is handled. */
  const handled = () => server.until(() => server.updates.isPolled && server.updates.pending === 0);
  return { server, operator, telegram, ask, handled, time, dataDir, logged };
}

describe('who may speak', () => {
  it('a stranger is told once, with the id the list would need, and nothing is done', async (t) => {
    const { server, ask, handled, operator } = await world(t);
    const refusal = await ask(STRANGER, '/kill');
    assert.equal(refusal.text, `You are not on this bot's list. Your id is ${STRANGER}.`);
    server.says(STRANGER, '/close BTCUSDT');
    await handled();
    assert.equal(server.sentTo(STRANGER).length, 1);
    assert.deepEqual(operator.done, []);
  });

  it('in a listed group only those who are listed; in another nobody', async (t) => {
    const { server, ask, handled } = await world(t);
    await ask(VIC, '/whoami@bulkhead_bot', /You are Vic, viewer/, GROUP);
    server.says(STRANGER, '/status', { chatId: GROUP });
    server.says(ANN, '/status', { chatId: -777 });
    server.says(ANN, 'good morning', { chatId: GROUP });
    await handled();
    assert.equal(server.sentTo(GROUP).length, 1);
    assert.equal(server.sentTo(-777).length, 0);
  });

  it('each is offered in the menu what their role may do, others nothing', async (t) => {
    const { server, ask } = await world(t);
    for (const id of [ANN, TOM, VIC]) await ask(id, '/version');
    await server.until(
      () => server.menuOf(VIC).length > 0 && server.menuOf(ANN).length > 0 && server.menuOf(TOM).length > 0,
    );
    const names = (id: number) => server.menuOf(id).map(({ command }) => command);
    assert.ok(names(VIC).includes('status') && !names(VIC).includes('close') && !names(VIC).includes('set'));
    assert.ok(names(TOM).includes('close') && !names(TOM).includes('set'));
    assert.ok(names(ANN).includes('set'));
    assert.deepEqual(server.menuOf(STRANGER), []);
  });

  it('too much at once is refused once; kill, stop and pause never', async (t) => {
    const { server, ask, handled, operator } = await world(t, { config: { commandsPerMinute: 3 } });
    for (let i = 0; i < 12; i++) server.says(TOM, '/version');
    await handled();
    await ask(TOM, '/stop', /stop is done/);
    const texts = server.sentTo(TOM).map(({ text }) => text);
    assert.equal(texts.filter((text) => text.includes('too much at once')).length, 1);
    assert.deepEqual(
      operator.done.map(({ command }) => command.kind),
      ['stop'],
    );
  });
});

describe('what moves money', () => {
  it('is done after its question was answered, and the answer takes the question\u2019s place', async (t) => {
    const { server, ask, operator } = await world(t);
    const question = await ask(TOM, '/close btcusdt 50%', /Sure\?/);
    assert.equal(operator.done.length, 0);
    server.presses(TOM, question, 'Yes');
    await server.until(() => question.text.includes('close is done'));
    assert.equal(question.edits, 1);
    assert.deepEqual(question.buttons, []);
    const [request] = operator.done;
    assert.deepEqual(request?.command, { kind: 'close', symbol: 'BTCUSDT', share: '0.5' });
    assert.deepEqual(request?.who, { name: 'telegram:Tom', role: 'trader', channel: 'telegram' });
  });

  it('can be declined', async (t) => {
    const { server, ask, operator, handled } = await world(t);
    const question = await ask(TOM, '/closeall', /Sure\?/);
    server.presses(TOM, question, 'No');
    await server.until(() => question.text.includes('nothing was done'));
    await handled();
    assert.deepEqual(operator.done, []);
  });

  it('is not done by somebody else\u2019s press, nor by a second one, nor by a made-up one', async (t) => {
    const { server, ask, operator, handled } = await world(t);
    const question = await ask(TOM, '/close BTCUSDT', /Sure\?/, GROUP);
    const data = question.buttons[0]?.[0]?.callback_data ?? '';
    server.presses(ANN, question, 'Yes');
    await server.next(GROUP, /put to somebody else/);
    server.sendsPress(STRANGER, question, data);
    server.sendsPress(TOM, question, 'c:made-up');
    await server.next(GROUP, /This question is over/);
    assert.deepEqual(operator.done, []);
    server.sendsPress(TOM, question, data);
    server.sendsPress(TOM, question, data);
    await server.next(GROUP, /answered already/);
    await handled();
    assert.equal(operator.done.length, 1);
  });

  it('is not done by a late answer', async (t) => {
    const { server, ask, operator, time } = await world(t);
    const question = await ask(TOM, '/close BTCUSDT', /Sure\?/);
    await new Promise<void>((resolve) => time.timers.set(61_000, resolve));
    server.presses(TOM, question, 'Yes');
    await server.next(TOM, /Too late/);
    assert.deepEqual(operator.done, []);
  });
});

describe('once', () => {
  it('an update that comes twice is acted on once', async (t) => {
    const { server, handled, operator } = await world(t);
    server.says(TOM, '/pause 30 news');
    server.updates.again(server.lastUpdate());
    await handled();
    assert.equal(operator.done.length, 1);
    assert.equal(server.sentTo(TOM).length, 1);
  });

  it('also after a restart that forgot everything but the journal', async (t) => {
    const first = await world(t);
    await first.ask(TOM, '/pause', /pause is done/);
    await first.handled();
    await first.telegram.stop();
    const update = first.server.lastUpdate();
    // As if the crash came before the memory was written: only the operator remembers.
    const second = await world(t, { server: first.server, operator: first.operator });
    first.server.updates.again(update);
    await second.handled();
    assert.equal(first.operator.done.length, 1);
    // With the memory it is not even answered again.
    await second.telegram.stop();
    const before = first.server.sentTo(TOM).length;
    const third = await world(t, { server: first.server, operator: first.operator, dataDir: first.dataDir });
    first.server.updates.again(update);
    await third.handled();
    assert.equal(first.server.sentTo(TOM).length, before);
  });
});

describe('too late', () => {
  const MINUTE = 60_000;

  it('what was said long ago is answered and not done', async (t) => {
    const { server, operator, time } = await world(t);
    const at = time.clock.now() - 5 * MINUTE;
    server.says(TOM, '/resume', { at });
    await server.next(TOM, /resume was said \d+ s ago and is not done/);
    server.says(TOM, '/close BTCUSDT', { at });
    await server.next(TOM, /close was said \d+ s ago and is not done/);
    server.says(TOM, '/status', { at });
    await server.next(TOM, /\/status was said 5m \d+s ago and nothing was done/);
    assert.deepEqual(operator.done, []);
  });

  it('kill, pause and stop are honoured all the same; a kill at once', async (t) => {
    const { server, operator, time } = await world(t);
    const at = time.clock.now() - 60 * MINUTE;
    for (const word of ['pause', 'stop', 'kill']) {
      server.says(TOM, `/${word}`, { at });
      await server.next(TOM, `${word} is done`);
    }
    assert.deepEqual(
      operator.done.map(({ command }) => command.kind),
      ['pause', 'stop', 'kill'],
    );
  });

  it('a fresh kill is asked about, and its answer is never too late', async (t) => {
    const { server, ask, operator, time } = await world(t);
    const question = await ask(TOM, '/kill the exchange is on fire', /Sure\?/);
    await new Promise<void>((resolve) => time.timers.set(70_000, resolve));
    server.presses(TOM, question, 'Yes');
    await server.until(() => question.text.includes('kill is done'));
    assert.equal(operator.done.length, 1);
  });

  it('a clock that is wrong does not make everything late', async (t) => {
    const { server, operator, ask, time } = await world(t);
    // Telegram is two minutes behind us: the first answer shows it, and then nothing is stale.
    server.setClock(() => time.clock.now() - 2 * MINUTE);
    await ask(TOM, '/resume', /not done/);
    await ask(TOM, '/resume', /resume is done/);
    assert.equal(operator.done.length, 1);
  });

  it('a button that was pressed long ago is not acted on', async (t) => {
    const { server, ask, operator } = await world(t);
    const status = await ask(TOM, '/status BTCUSDT', /BTCUSDT long/);
    server.presses(TOM, status, 'Close half');
    server.agePresses();
    await server.next(TOM, /not done|too long ago/);
    assert.deepEqual(operator.done, []);
  });
});

describe('answers', () => {
  it('name what is wrong and how it is written', async (t) => {
    const { ask } = await world(t);
    await ask(TOM, '/stauts', /There is no command \/stauts. Did you mean "status"\?/);
    await ask(TOM, '/movestop BTCUSDT', /Write: \/movestop SYMBOL \[long\|short\] PRICE/);
    await ask(TOM, '/partial BTCUSDT', /say which share/);
    await ask(TOM, '/partial BTCUSDT long', /say which share/);
    await ask(TOM, '/status NOPEUSDT', /No position of NOPEUSDT/);
    await ask(TOM, '/profit by moon', /no grouping "by"/);
    await ask(TOM, '/trades 0', /"0" is no count/);
    await ask(TOM, 'hello', /Commands begin with \//);
    await ask(VIC, '/close BTCUSDT', /needs the role trader; you are viewer/);
  });

  it('are refreshed in their place', async (t) => {
    const { server, ask, handled } = await world(t);
    const status = await ask(VIC, '/profit', /Profit/);
    server.presses(VIC, status, 'day');
    await server.until(() => status.text.includes('Profit by day'));
    const press = server.presses(VIC, status, 'Refresh');
    await handled();
    assert.ok(server.answers.has(press), 'the press was acknowledged although nothing changed');
    assert.equal(server.sentTo(VIC).length, 1);
  });

  it('come as pictures where pictures say more', async (t) => {
    const { ask } = await world(t, { faster: 1 });
    const chart = await ask(VIC, '/chart BTCUSDT', /BTCUSDT long 0.012/);
    assert.ok((chart.photo?.length ?? 0) > 5_000);
    const equity = await ask(VIC, '/equity', /Equity/);
    assert.ok((equity.photo?.length ?? 0) > 5_000);
  });
});

describe('while Telegram is away', () => {
  it('nothing waits for it, and what was said comes through when it is back', async (t) => {
    const { server, telegram, ask } = await world(t, {
      config: { users: [{ ...USERS[0], notify: 'info' }], groups: [], maxWaiting: 10 },
    });
    await ask(ANN, '/version');
    server.trouble({ kind: { status: 502 } });
    for (let i = 0; i < 40; i++) telegram.notify({ level: 'critical', lines: [line`alarm ${i}`] });
    server.heal();
    const said = await server.next(ANN, /messages were dropped while Telegram could not take them/);
    const dropped = Number(/^\d+/.exec(said.text)?.[0]);
    const alarms = server.sentTo(ANN).filter(({ text }) => text.startsWith('alarm'));
    assert.equal(dropped + alarms.length, 40);
    assert.ok(alarms.length >= 8 && alarms.length <= 10, String(alarms.length));
    assert.match(said.text, /\(\d+ critical\)/);
  });

  it('never writes the token anywhere', async (t) => {
    const { server, ask, logged, dataDir } = await world(t);
    for (const kind of ['cut', 'cut-after', { status: 500 }] as const) server.trouble({ times: 3, kind });
    await ask(ANN, '/version');
    const secret = BOT_TOKEN.split(':')[1] ?? '';
    const kept = readFileSync(join(dataDir, 'telegram.json'), 'utf8');
    for (const one of [...logged, kept, ...server.sentTo(ANN).map(({ html }) => html)])
      assert.ok(!one.includes(secret), one);
  });
});
