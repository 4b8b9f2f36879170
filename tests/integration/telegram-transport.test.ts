/** The bot's way to Telegram and back, over real sockets, in all weathers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { Webhook } from '../../src/telegram/bot-webhook.ts';
import { BOT_TOKEN } from '../support/bot-api-server.ts';
import { transport } from '../support/telegram-world.ts';

const ANN = 111;
const SECRET_PART = BOT_TOKEN.slice(BOT_TOKEN.indexOf(':') + 1);

const noToken = (logged: readonly string[]): void => {
  for (const one of logged) assert.ok(!one.includes(SECRET_PART), one);
};

describe('polling', () => {
  it('hears what is written and pressed, in order, and confirms it', async (t) => {
    const { server, polling, heard } = await transport(t);
    server.says(ANN, '/status');
    polling.start();
    await server.until(() => heard.length === 1 && server.updates.isPolled);
    assert.equal(server.updates.pending, 0, 'confirmed by the next poll');
    server.sendsPress(ANN, { id: 5, chatId: ANN, text: 'Sure?' }, 'c:abc');
    await server.until(() => heard.length === 2 && server.updates.isPolled);
    const [words, press] = heard;
    assert.ok(words?.kind === 'words' && words.text === '/status' && words.userId === ANN && words.isPrivate);
    assert.ok(press?.kind === 'press' && press.data === 'c:abc' && press.messageId === 5);
  });

  it('has an update delivered again that was not handled to its end', async (t) => {
    let letGo = (): void => {};
    const stuck = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const first = await transport(t, { onIncoming: () => stuck });
    first.server.says(ANN, '/close BTCUSDT');
    first.polling.start();
    await first.server.until(() => first.heard.length === 1);
    assert.equal(first.server.updates.pending, 1, 'not confirmed while it is being handled');
    letGo();
    await first.server.until(() => first.server.updates.pending === 0);
  });

  it('goes on after a command that failed', async (t) => {
    const { server, polling, heard, logged } = await transport(t, {
      onIncoming: async () => {
        throw new Error(`odd ${BOT_TOKEN}`);
      },
    });
    polling.start();
    server.says(ANN, '/one');
    server.says(ANN, '/two');
    await server.until(() => heard.length === 2);
    assert.ok(logged.some((one) => one.includes('a command failed')));
    noToken(logged);
  });

  it('says once what is wrong with the token, and never what it is', async (t) => {
    const { server, polling, logged } = await transport(t, {
      botToken: `110201543:${SECRET_PART.slice(0, -1)}X`,
    });
    polling.start();
    await server.until(() => server.callsOf('getMe').length > 0 && logged.length > 0);
    assert.match(logged.join(''), /the token is refused. Compare BULKHEAD_TELEGRAM_TOKEN/);
    for (const one of logged) assert.ok(!one.includes(SECRET_PART.slice(0, -1)), one);
  });

  it('says that another program uses the bot, and comes back when it no longer does', async (t) => {
    const { server, polling, logged, heard } = await transport(t);
    server.trouble({ methods: ['getUpdates'], times: 3, kind: { status: 409 } });
    polling.start();
    await server.until(() => server.callsOf('getUpdates').length > 4);
    server.says(ANN, 'hello');
    await server.until(() => heard.length === 1);
    assert.equal(logged.filter((one) => one.includes('another program uses this bot')).length, 1);
  });

  it('outlives an outage: refused, cut, 502, 429', async (t) => {
    const { server, polling, heard, logged, ups } = await transport(t);
    for (const kind of ['cut', { status: 502 }, { status: 429, retryAfterS: 3 }, 'cut-after'] as const)
      server.trouble({ times: 2, kind });
    polling.start();
    server.says(ANN, 'hello');
    await server.until(() => heard.length >= 1 && ups() === 1);
    assert.equal(heard.length, 1);
    noToken(logged);
  });

  it('stops at once, in the middle of a poll', async (t) => {
    const { server, polling } = await transport(t);
    polling.start();
    await server.until(() => server.updates.isPolled);
    await polling.stop();
  });
});

describe('a delivery', () => {
  it('tells what became of it', async (t) => {
    const { server, bot } = await transport(t);
    const send = (html = 'hello', more = {}) => bot.deliver({ chatId: ANN, html, ...more });
    assert.equal((await send()).kind, 'refused');
    server.chats.meet(ANN);
    const sent = await send('<b>hello</b>', { keyboard: [[{ words: 'Yes', data: 'c:1' }]], isSilent: true });
    assert.ok(sent.kind === 'sent' && sent.messageId !== undefined);
    const [message] = server.sentTo(ANN);
    assert.ok(
      message?.isSilent && message.text === 'hello' && message.buttons[0]?.[0]?.callback_data === 'c:1',
    );
    assert.equal((await send('changed', { edits: sent.messageId })).kind, 'sent');
    assert.deepEqual(await send('changed', { edits: sent.messageId }), {
      kind: 'sent',
      messageId: undefined,
    });
    assert.equal(message.edits, 1);
    const gone = await send('x', { edits: 99_999 });
    assert.ok(gone.kind === 'refused' && gone.why === 'no-such-message');
    const odd = await send('<b>x');
    assert.ok(odd.kind === 'refused' && odd.why === 'other');
    server.chats.block(ANN);
    const blocked = await send();
    assert.ok(blocked.kind === 'refused' && blocked.why === 'gone');
  });

  it('tells trouble from refusal, without the token', async (t) => {
    const { server, bot } = await transport(t);
    server.chats.meet(ANN);
    const under = async (kind: Parameters<typeof server.trouble>[0]['kind']) => {
      server.trouble({ methods: ['sendMessage'], times: 1, kind });
      return bot.deliver({ chatId: ANN, html: 'x' });
    };
    assert.deepEqual(await under({ status: 429, retryAfterS: 7 }), { kind: 'flood', waitMs: 7_000 });
    for (const kind of [{ status: 500 }, 'cut', 'cut-after', 'silence'] as const) {
      const delivery = await under(kind);
      assert.ok(delivery.kind === 'unreachable', JSON.stringify(delivery));
      noToken([delivery.reason]);
    }
  });

  it('to nowhere is trouble, and does not tell the token', async (t) => {
    const { bot } = await transport(t, { apiUrl: 'http://127.0.0.1:9' });
    const delivery = await bot.deliver({ chatId: ANN, html: 'x' });
    assert.ok(delivery.kind === 'unreachable');
    noToken([delivery.reason]);
  });

  it('shows how far Telegram\u2019s clock is from ours', async (t) => {
    let ahead = 0;
    const { server, bot, skews, time } = await transport(t, { now: () => time.clock.now() + ahead });
    server.chats.meet(ANN);
    await bot.deliver({ chatId: ANN, html: 'x' });
    assert.ok(Math.abs(skews[0] ?? 99) < 60_000 * 0 + 5_000, String(skews[0]));
    ahead = 600_000;
    await bot.deliver({ chatId: ANN, html: 'x' });
    assert.ok(Math.abs((skews[1] ?? 0) - 600_000) < 5_000, String(skews[1]));
  });
});

describe('a webhook', () => {
  /** A port that was free a moment ago: Telegram must be told where before anybody listens. */
  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    return typeof address === 'object' && address ? address.port : 0;
  }

  async function begin(t: Parameters<typeof transport>[0], onIncoming?: () => Promise<void>) {
    const world = await transport(t, onIncoming ? { onIncoming } : {});
    const { bot, time, log } = world;
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/bulkhead/hook`;
    const webhook = new Webhook({ bot, time, log, url, host: '127.0.0.1', port, onUp: () => {} });
    await webhook.start();
    t.after(() => webhook.stop());
    return { ...world, webhook, url, port };
  }

  it('is brought the updates, one after the other', async (t) => {
    let running = 0;
    const { server, heard } = await begin(t, async () => {
      assert.equal(++running, 1);
      await new Promise(setImmediate);
      running--;
    });
    await server.until(() => server.updates.webhook);
    for (const word of ['a', 'b', 'c']) server.says(ANN, word);
    await server.until(() => heard.length === 3);
    assert.deepEqual(
      heard.map((one) => one.kind === 'words' && one.text),
      ['a', 'b', 'c'],
    );
  });

  it('hears nobody who does not know the secret', async (t) => {
    const { server, heard, url, port } = await begin(t);
    await server.until(() => server.updates.webhook);
    const post = (to: string, headers: Record<string, string> = {}) =>
      fetch(to, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({
          update_id: 1,
          message: {
            message_id: 1,
            date: 1,
            chat: { id: ANN, type: 'private' },
            from: { id: ANN, is_bot: false, first_name: 'Ann' },
            text: '/kill',
          },
        }),
      });
    assert.equal((await post(url)).status, 401);
    assert.equal((await post(url, { 'x-telegram-bot-api-secret-token': 'guess' })).status, 401);
    assert.equal((await post(`http://127.0.0.1:${port}/`)).status, 404);
    assert.equal((await fetch(url)).status, 404);
    assert.deepEqual(heard, []);
  });

  it('whose port is taken says so', async (t) => {
    const { bot, time, log, port, url } = await begin(t);
    const second = new Webhook({ bot, time, log, url, host: '127.0.0.1', port, onUp: () => {} });
    await assert.rejects(second.start(), /telegram.webhook: cannot listen on 127.0.0.1:\d+/);
  });
});
