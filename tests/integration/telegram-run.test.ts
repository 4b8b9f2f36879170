/** A real `bulkhead run` behind the bot: every command from every role, and the process killed in the middle of one. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { COMMAND_RULES } from '../../src/operator/command.ts';
import { BOT_COMMANDS } from '../../src/telegram/command-table.ts';
import { BOT_TOKEN, type BotApiServer, botApiServer } from '../support/bot-api-server.ts';
import type { SentMessage } from '../support/bot-api-types.ts';
import { CliProcess, cli, jsonLines } from '../support/cli-process.ts';
import { TELEGRAM_CASES, type TelegramCase, WITH_SOMETHING_OPEN } from '../support/telegram-cases.ts';
import { tempDir } from '../support/temp.ts';

const SYMBOL = 'BTCUSDT';
/** Two of each role, who take turns: Telegram wants no more than a message a second in one chat. */
const PEOPLE = { viewer: [31, 32], trader: [21, 22], admin: [11, 12] } as const;
type Role = keyof typeof PEOPLE;
const RANKS: readonly Role[] = ['viewer', 'trader', 'admin'];
const USERS = RANKS.flatMap((role) =>
  PEOPLE[role].map((id) => ({ id, name: `${role} ${id}`, role, notify: 'none' })),
);

function start(server: BotApiServer, dataDir: string): CliProcess {
  return new CliProcess(['run', '--data-dir', dataDir, '--seed', '42', '--symbols', SYMBOL, '--json'], {
    env: {
      BULKHEAD_TELEGRAM_TOKEN: BOT_TOKEN,
      BULKHEAD_TELEGRAM_API_URL: server.url,
      BULKHEAD_TELEGRAM_USERS: JSON.stringify(USERS),
      BULKHEAD_TELEGRAM_COMMANDS_PER_MINUTE: '600',
      BULKHEAD_MARKET_WARM_UP_DAYS: '1',
    },
  });
}

async function begin(t: TestContext) {
  const server = await botApiServer(t);
  const dataDir = join(tempDir(t, 'telegram'), 'data');
  const child = start(server, dataDir);
  t.after(() => child.reap());
  for (const { id } of USERS) server.chats.meet(id);
  await child.said(/"event":"running"/);
  await child.said(/telegram: connected/, 'stderr');
  return { server, dataDir, child };
}

async function ask(server: BotApiServer, id: number, said: string): Promise<SentMessage> {
  const after = server.sentTo(id).at(-1)?.id ?? 0;
  server.says(id, said);
  return server.next(id, /./, after);
}

const mayUse = (role: Role, needed: Role): boolean => RANKS.indexOf(role) >= RANKS.indexOf(needed);

describe('every command, from every role, in a real run', () => {
  it('has a case in the table', () => {
    const cases = new Set(TELEGRAM_CASES.map(({ command }) => command));
    assert.deepEqual(
      BOT_COMMANDS.map(({ name }) => name).filter((name) => !cases.has(name)),
      [],
    );
    const answered = new Set([
      ...TELEGRAM_CASES.flatMap(({ command, yes }) => (yes ? [command] : [])),
      ...WITH_SOMETHING_OPEN,
      // A demo has its venue to itself: said yes to in telegram-hands.test.ts.
      'adopt',
    ]);
    assert.deepEqual(
      BOT_COMMANDS.filter(({ name, acts }) => acts && COMMAND_RULES[acts].asksTwice && !answered.has(name)),
      [],
      'nobody ever says yes to it',
    );
  });

  it('answers as it should', async (t) => {
    const { server, child } = await begin(t);
    for (const [turn, one] of TELEGRAM_CASES.entries()) {
      for (const role of RANKS) await tryOut(server, role, PEOPLE[role][turn % 2 === 0 ? 0 : 1], one);
      if (!one.afterwards) continue;
      const [look, shows] = one.afterwards;
      const { text } = await ask(server, PEOPLE.viewer[turn % 2 === 0 ? 1 : 0], look);
      assert.match(text, shows, `${look} after /${one.command} ${one.words ?? ''}`);
    }
    const { text: audit } = await ask(server, PEOPLE.admin[0], '/audit 5');
    assert.match(audit, /telegram:admin 1[12] release-kill/);
    const secret = BOT_TOKEN.split(':')[1] ?? '';
    assert.ok(!child.stderr.includes(secret) && !child.stdout.includes(secret));
  });

  async function tryOut(server: BotApiServer, role: Role, id: number, one: TelegramCase): Promise<void> {
    const command = BOT_COMMANDS.find(({ name }) => name === one.command);
    assert.ok(command, one.command);
    const said = `/${one.command} ${(one.words ?? '').replaceAll('SYMBOL', SYMBOL)}`.trim();
    const answer = await ask(server, id, said);
    const what = `${role}: ${said}\n${answer.text}`;
    // A command that shows without words and acts with them is judged by the operator.
    const needed = command.role === 'viewer' && command.acts && one.words ? 'trader' : command.role;
    if (!mayUse(role, needed)) {
      assert.match(answer.text, new RegExp(`needs the role ${needed}`), what);
      return;
    }
    const isSecond = role !== 'viewer' && mayUse(RANKS[RANKS.indexOf(role) - 1] ?? 'viewer', needed);
    assert.match(answer.text, (isSecond && one.again) || one.sees, what);
    if (!answer.text.startsWith('Sure?')) return;
    const isYes = role === 'admin' && one.yes !== undefined;
    server.presses(id, answer, isYes ? 'Yes' : 'No');
    await server.until(() => answer.edits > 0 && answer.text);
    assert.match(answer.text, (isYes && one.yes) || /nothing was done/, what);
  }
});

describe('a process killed in the middle of a confirmed command', () => {
  const TOM = PEOPLE.trader[0];
  const ANN = PEOPLE.admin[0];

  /** How often the journal took the command up. */
  async function taken(dataDir: string, kind: string): Promise<{ id: string; n: number }[]> {
    const rows = jsonLines(await cli(['export', 'journal', '--format', 'json', '--data-dir', dataDir]));
    return rows.flatMap((row) => {
      const event = (typeof row.event === 'string' ? JSON.parse(row.event) : row.event) as {
        type?: string;
        id?: string;
        command?: { kind: string };
      };
      if (event?.type !== 'COMMAND' || event.command?.kind !== kind) return [];
      return [{ id: String(event.id), n: Number(row.n) }];
    });
  }

  const MOMENTS = {
    'when the press was heard': async (server: BotApiServer, press: string) => {
      await server.until(() => server.answers.has(press));
    },
    'when it was done and not yet answered': async (server: BotApiServer) => {
      await server.until(() => server.struck('editMessageText') > 0);
    },
  };

  for (const [when, moment] of Object.entries(MOMENTS)) {
    it(`${when}: it is done once, and answered`, async (t) => {
      const { server, dataDir, child } = await begin(t);
      const question = await ask(server, ANN, '/trip drawdown a test');
      assert.match(question.text, /^Sure\?/);
      server.trouble({ methods: ['editMessageText'], kind: 'silence' });
      const press = server.presses(ANN, question, 'Yes');
      await moment(server, press);
      child.kill('SIGKILL');
      await child.ended;
      server.heal();
      assert.equal(question.edits, 0);
      const again = start(server, dataDir);
      t.after(() => again.reap());
      await server.until(() => question.edits > 0);
      again.kill('SIGTERM');
      await again.ended;
      const [row, ...more] = await taken(dataDir, 'trip');
      assert.ok(row);
      assert.deepEqual(more, []);
      assert.match(row.id, /^tg:\d+$/);
      // What the journal knows of it; a row's number only where it was written in this life.
      assert.match(question.text, new RegExp(`^\u2705 .*(\\njournal row ${row.n})?$`));
    });
  }

  it('what was said while it was away is answered and not done, but a stop is', async (t) => {
    const { server, dataDir, child } = await begin(t);
    child.kill('SIGKILL');
    await child.ended;
    const at = Date.now() - 120_000;
    server.says(TOM, '/resume', { at });
    server.says(TOM, '/stop', { at });
    const again = start(server, dataDir);
    t.after(() => again.reap());
    await server.next(TOM, /resume was said \d+ s ago and is not done/, 0);
    await server.next(TOM, /\u2705/, 0);
    const status = await ask(server, TOM, '/status');
    assert.match(status.text, /stopped by telegram:trader 21/);
  });
});
