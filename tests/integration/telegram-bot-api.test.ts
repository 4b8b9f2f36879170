/** The local Bot API server, seen by grammY: the tests' Telegram must refuse what Telegram refuses. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Bot, GrammyError, HttpError, InputFile } from 'grammy';
import { BOT_TOKEN, botApiServer } from '../support/bot-api-server.ts';

const ANN = 111;
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

async function begin(t: TestContext, token = BOT_TOKEN) {
  const server = await botApiServer(t);
  const { api } = new Bot(token, { client: { apiRoot: server.url } });
  return { server, api };
}

const refusal = (code: number, pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof GrammyError, String(error));
  assert.equal(error.error_code, code);
  assert.match(error.description, pattern);
  return true;
};

describe('the local Bot API server', () => {
  it('hands out updates from an offset on and forgets those before it', async (t) => {
    const { server, api } = await begin(t);
    const first = server.says(ANN, '/status');
    server.says(ANN, '/profit day');
    const both = await api.getUpdates();
    assert.deepEqual(
      both.map(({ message }) => message?.text),
      ['/status', '/profit day'],
    );
    assert.deepEqual(both[0]?.message?.entities, [{ type: 'bot_command', offset: 0, length: 7 }]);
    assert.equal((await api.getUpdates({ offset: first })).length, 2);
    assert.equal((await api.getUpdates({ offset: first + 1 })).length, 1);
    assert.equal((await api.getUpdates()).length, 1);
  });

  it('keeps a poll open until something comes', async (t) => {
    const { server, api } = await begin(t);
    const poll = api.getUpdates({ timeout: 30 });
    await server.until(() => server.updates.isPolled);
    server.says(ANN, 'hello');
    assert.equal((await poll)[0]?.message?.text, 'hello');
  });

  it('ends a poll when another begins, and when a webhook is set', async (t) => {
    const { server, api } = await begin(t);
    const poll = api.getUpdates({ timeout: 30 });
    const ended = assert.rejects(poll, refusal(409, /terminated by other getUpdates/));
    await server.until(() => server.updates.isPolled);
    await api.getUpdates();
    await ended;
    await api.setWebhook(`${server.url}/nowhere`);
    await assert.rejects(api.getUpdates(), refusal(409, /webhook is active/));
    await api.deleteWebhook();
    assert.deepEqual(await api.getUpdates(), []);
  });

  it('refuses markup that Telegram refuses', async (t) => {
    const { server, api } = await begin(t);
    server.chats.meet(ANN);
    const send = (html: string) => api.sendMessage(ANN, html, { parse_mode: 'HTML' });
    await assert.rejects(
      send('<b>x'),
      refusal(400, /can't parse entities: Can't find end tag corresponding to start tag "b"/),
    );
    await assert.rejects(send('a <c>x</c>'), refusal(400, /Unsupported start tag "c" at byte offset 2/));
    await assert.rejects(
      send('ü <b>x</i>'),
      refusal(400, /Unmatched end tag at byte offset 7, expected "<\/b>", found "<\/i>"/),
    );
    await assert.rejects(send('a < b'), refusal(400, /Unsupported start tag ""/));
    await assert.rejects(send('<b> </b>'), refusal(400, /message text is empty/));
    await send('a &lt; b &amp;&amp; <b>c</b>');
    assert.equal(server.sentTo(ANN)[0]?.text, 'a < b && c');
  });

  it('refuses what is too long, and people who have never written', async (t) => {
    const { server, api } = await begin(t);
    await assert.rejects(api.sendMessage(ANN, 'x'), refusal(400, /chat not found/));
    server.says(ANN, 'hi');
    await assert.rejects(api.sendMessage(ANN, 'x'.repeat(4_097)), refusal(400, /message is too long/));
    await api.sendMessage(ANN, `<b>${'x'.repeat(4_096)}</b>`, { parse_mode: 'HTML' });
    server.chats.block(ANN);
    await assert.rejects(api.sendMessage(ANN, 'x'), refusal(403, /bot was blocked by the user/));
  });

  it('edits a message once, and takes buttons within their limits', async (t) => {
    const { server, api } = await begin(t);
    server.chats.meet(ANN);
    const button = (data: string) => ({ inline_keyboard: [[{ text: 'Yes', callback_data: data }]] });
    const { message_id } = await api.sendMessage(ANN, 'sure?', { reply_markup: button('c:1') });
    await assert.rejects(
      api.sendMessage(ANN, 'sure?', { reply_markup: button('x'.repeat(65)) }),
      refusal(400, /BUTTON_DATA_INVALID/),
    );
    await api.editMessageText(ANN, message_id, 'done');
    await assert.rejects(
      api.editMessageText(ANN, message_id, 'done'),
      refusal(400, /message is not modified/),
    );
    await assert.rejects(api.editMessageText(ANN, 999, 'done'), refusal(400, /message to edit not found/));
    assert.deepEqual(server.sentTo(ANN)[0]?.buttons, []);
  });

  it('takes one answer a press, and none when it is old', async (t) => {
    const { server, api } = await begin(t);
    server.chats.meet(ANN);
    await api.sendMessage(ANN, 'sure?', {
      reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'c:1' }]] },
    });
    const [message] = server.sentTo(ANN);
    assert.ok(message);
    const press = server.presses(ANN, message, 'Yes');
    const [update] = await api.getUpdates();
    assert.equal(update?.callback_query?.data, 'c:1');
    await api.answerCallbackQuery(press, { text: 'done' });
    assert.deepEqual(server.answers.get(press), { text: 'done', isAlert: false });
    const old = server.presses(ANN, message, 'Yes');
    server.agePresses();
    await assert.rejects(api.answerCallbackQuery(old), refusal(400, /query is too old/));
  });

  it('takes pictures with captions', async (t) => {
    const { server, api } = await begin(t);
    server.chats.meet(ANN);
    await api.sendPhoto(ANN, new InputFile(PNG, 'chart.png'), { caption: '<b>BTC</b>', parse_mode: 'HTML' });
    const [sent] = server.sentTo(ANN);
    assert.deepEqual(Buffer.from(sent?.photo ?? []), PNG);
    assert.equal(sent?.text, 'BTC');
    await assert.rejects(
      api.sendPhoto(ANN, new InputFile(PNG), { caption: 'x'.repeat(1_025) }),
      refusal(400, /message caption is too long/),
    );
    await assert.rejects(
      api.sendPhoto(ANN, new InputFile(Buffer.from('no picture'))),
      refusal(400, /IMAGE_PROCESS_FAILED/),
    );
  });

  it('shows each chat its own menu', async (t) => {
    const { server, api } = await begin(t);
    server.chats.meet(ANN);
    const menu = [{ command: 'status', description: 'what is open' }];
    await api.setMyCommands(menu, { scope: { type: 'chat', chat_id: ANN } });
    assert.deepEqual(server.menuOf(ANN), menu);
    assert.deepEqual(server.menuOf(222), []);
    await assert.rejects(
      api.setMyCommands([{ command: 'Close-All', description: 'x' }]),
      refusal(400, /BOT_COMMAND_INVALID/),
    );
  });

  it('makes the trouble it is told to make', async (t) => {
    const { server, api } = await begin(t);
    server.chats.meet(ANN);
    server.trouble({ methods: ['sendMessage'], times: 1, kind: { status: 429, retryAfterS: 7 } });
    await assert.rejects(api.sendMessage(ANN, 'x'), (error: unknown) => {
      assert.ok(error instanceof GrammyError);
      assert.equal(error.parameters.retry_after, 7);
      return true;
    });
    server.trouble({ methods: ['sendMessage'], times: 1, kind: { status: 502 } });
    await assert.rejects(api.sendMessage(ANN, 'x'), refusal(502, /Bad Gateway/));
    server.trouble({ methods: ['sendMessage'], times: 1, kind: 'cut-after' });
    await assert.rejects(
      api.sendMessage(ANN, 'sent all the same'),
      (error: unknown) => error instanceof HttpError,
    );
    assert.equal(server.sentTo(ANN).at(-1)?.text, 'sent all the same');
    await api.sendMessage(ANN, 'well again');
  });

  it('knows its own token only', async (t) => {
    const { api } = await begin(t, '1:wrong');
    await assert.rejects(api.getMe(), refusal(401, /Unauthorized/));
  });
});
