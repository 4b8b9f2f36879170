/**
 * People's hands over Telegram, with something open: whoever may, really presses Yes, and what it did is seen at the
 * venue, by its ledger, and in the journal; No, a second Yes, and whoever may not change nothing.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Secrets } from '../../src/config/secrets.ts';
import { HEIGHT, INK, WIDTH } from '../../src/telegram/chart-frame.ts';
import { BOT_TOKEN, type BotApiServer, botApiServer } from '../support/bot-api-server.ts';
import type { SentMessage } from '../support/bot-api-types.ts';
import { PaperWorld } from '../support/paper-world.ts';
import { readPng } from '../support/png.ts';
import { WITH_SOMETHING_OPEN } from '../support/telegram-cases.ts';

/** A place of its own for each: whoever has closed there waits before the next entry. */
const [BTC, ETH, SOL, BNB] = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'BNBUSDT'] as const;
/** Several of each, who take turns: Telegram wants no more than a message a second in one chat. */
const PEOPLE = { viewer: [31, 32, 33], trader: [21, 22, 23, 24], admin: [11, 12, 13, 14] } as const;
type Role = keyof typeof PEOPLE;
const ROLES = Object.keys(PEOPLE) as Role[];
const YES = '\u2705';

interface Question extends SentMessage {
  readonly by: number;
  readonly said: string;
}

interface Held {
  readonly amount: number;
  /** Triggers of the stops that rest there, and what they would close. */
  readonly stops: readonly (readonly [trigger: number, quantity: number])[];
}

interface Taken {
  readonly command: { readonly kind: string };
  readonly who: { readonly role: Role };
  readonly refused?: object;
}

class Hands {
  readonly world: PaperWorld;
  readonly server: BotApiServer;
  /** What was said Yes to. */
  readonly confirmed = new Set<string>();
  #turn = 0;

  private constructor(world: PaperWorld, server: BotApiServer) {
    this.world = world;
    this.server = server;
  }

  static async start(t: TestContext): Promise<Hands> {
    const server = await botApiServer(t);
    const users = ROLES.flatMap((role) =>
      PEOPLE[role].map((id) => ({ id, name: `${role} ${id}`, role, notify: 'none' })),
    );
    for (const { id } of users) server.chats.meet(id);
    const world = await PaperWorld.open(t, {
      symbols: [BTC, ETH, SOL, BNB],
      speed: 10,
      config: { telegram: { users, apiUrl: server.url, commandsPerMinute: 600 } },
      run: { secrets: { telegramToken: BOT_TOKEN } as unknown as Secrets },
    });
    await world.begin();
    return new Hands(world, server);
  }

  #oneOf(role: Role): number {
    const ids = PEOPLE[role];
    return ids[this.#turn++ % ids.length] ?? 0;
  }

  async ask(role: Role, said: string): Promise<Question> {
    const by = this.#oneOf(role);
    const after = this.server.sentTo(by).at(-1)?.id ?? 0;
    this.server.says(by, said);
    return Object.assign(await this.server.next(by, /./, after), { by, said });
  }

  /** Asked about, and what the question says of it. */
  async question(role: Role, said: string, tells: RegExp): Promise<Question> {
    const question = await this.ask(role, said);
    assert.match(question.text, /^Sure\?/, `${role}: ${said}`);
    assert.match(question.text, tells, `${role}: ${said}`);
    return question;
  }

  /** The answer that takes the question's place. */
  async press(question: Question, word: 'Yes' | 'No'): Promise<string> {
    const edits = question.edits;
    if (word === 'Yes') this.confirmed.add(question.said.split(' ')[0]?.slice(1) ?? '');
    this.server.presses(question.by, question, word);
    await this.server.until(() => question.edits > edits && question.text);
    return question.text;
  }

  /** Yes, and once more Yes: done once, said twice. */
  async yesTwice(question: Question): Promise<string> {
    const [yes] = question.buttons.flat();
    const after = this.server.sentTo(question.by).at(-1)?.id ?? 0;
    const answer = await this.press(question, 'Yes');
    this.server.sendsPress(question.by, question, yes?.callback_data ?? '');
    await this.server.next(question.by, /answered already/, after);
    return answer;
  }

  /** What the venue itself says of a symbol. */
  held(symbol: string): Held {
    const mine = this.world.venue.ledger()?.positions.find((one) => one.symbol === symbol);
    return {
      amount: Number(mine?.quantity ?? 0),
      stops: this.world
        .openStops()
        .filter((one) => one.symbol === symbol)
        .map((one) => [Number(one.triggerPrice), Number(one.quantity)] as const),
    };
  }

  /** A stop at so many per cent of the price, on the tick. */
  priceAt(symbol: string, percent: number): number {
    const mark = Number(this.world.venue.market.quote(symbol)?.mark);
    assert.ok(mark > 0, symbol);
    return Math.round((mark * percent) / 100);
  }

  /** Whatever rests at the venue, of any kind. */
  resting(): number {
    const orders = (this.world.venue.ledger()?.orders ?? []) as readonly { readonly status?: string }[];
    return orders.filter(({ status }) => status === 'NEW').length + this.world.openStops().length;
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    await this.world.until(what, isSo);
  }

  /** Held at the venue with one stop of the whole, and told so in the status. */
  async open(role: Role, side: 'long' | 'short', symbol: string): Promise<Held> {
    const sign = side === 'long' ? 1 : -1;
    const stop = this.priceAt(symbol, 100 - sign * 4);
    const said = `/force${side} ${symbol} ${stop}`;
    const tells = new RegExp(
      `Enters ${symbol} ${side} at market, now [\\d.]+ with its stop at ${stop}, sized and judged by risk`,
    );
    const before = this.entries(symbol);
    const declined = await this.question(role, said, tells);
    assert.match(await this.press(declined, 'No'), /nothing was done/);
    assert.deepEqual(this.held(symbol), { amount: 0, stops: [] });
    const answer = await this.yesTwice(await this.question(role, said, tells));
    assert.match(answer, new RegExp(`^${YES} approved: position/${symbol}/BOTH/\\d+ enters with`), said);
    await this.until(`${said}: its stop`, () => {
      const { amount, stops } = this.held(symbol);
      const [only] = stops;
      return stops.length === 1 && amount * sign > 0 && only?.[1] === Math.abs(amount);
    });
    await this.until('shown', () => this.world.status().positions.some((one) => one.symbol === symbol));
    const { amount, stops } = this.held(symbol);
    assert.ok((stops[0]?.[0] ?? 0) * sign < this.priceAt(symbol, 100) * sign, 'on the side of the loss');
    assert.equal(this.entries(symbol), before + 1, 'entered once');
    return { amount, stops };
  }

  /** Entries that were filled. */
  entries(symbol: string): number {
    return this.world
      .heard(`position/${symbol}`, 'ORDER_FILLED')
      .filter(({ ref }) => String(ref).startsWith('entry')).length;
  }

  /** How often the journal took it up to be done, and by whom. */
  taken(kind: string, role: Role): number {
    return this.world.heard('operator', 'COMMAND').filter((event) => {
      const { command, who, refused } = event as unknown as Taken;
      return command.kind === kind && who.role === role && refused === undefined;
    }).length;
  }
}

/** What one who may does, from the first entry to the last close, with each effect seen at the venue. */
async function wholeStory(hands: Hands, role: 'trader' | 'admin'): Promise<void> {
  const long = await hands.open(role, 'long', BTC);
  const short = await hands.open(role, 'short', ETH);

  // The stop moves when Yes is said, to where it was said, and is the only one.
  const nearer = hands.priceAt(BTC, 98);
  const moving = [
    role,
    `/movestop ${BTC} ${nearer}`,
    new RegExp(`Moves the stop of ${BTC} long .* from [\\d.]+ to ${nearer}\\.`),
  ] as const;
  assert.match(await hands.press(await hands.question(...moving), 'No'), /nothing was done/);
  assert.deepEqual(hands.held(BTC), long);
  assert.match(await hands.yesTwice(await hands.question(...moving)), new RegExp(`^${YES} .*${nearer}`));
  await hands.until('the stop is moved', () => {
    const { amount, stops } = hands.held(BTC);
    return amount === long.amount && stops.length === 1 && stops[0]?.[0] === nearer;
  });

  // A half is closed once, however often Yes is said.
  const halving = [role, `/partial ${ETH} 50%`, new RegExp(`Closes 50 % of ${ETH} short`)] as const;
  assert.match(await hands.press(await hands.question(...halving), 'No'), /nothing was done/);
  assert.deepEqual(hands.held(ETH), short);
  assert.match(await hands.yesTwice(await hands.question(...halving)), new RegExp(`^${YES} `));
  await hands.until('a half', () => {
    const { amount, stops } = hands.held(ETH);
    return amount === short.amount / 2 && stops.length === 1 && stops[0]?.[1] === -amount;
  });

  const closing = [role, `/close ${BTC}`, new RegExp(`Closes all of ${BTC} long`)] as const;
  assert.match(await hands.press(await hands.question(...closing), 'No'), /nothing was done/);
  assert.equal(hands.held(BTC).amount, long.amount);
  assert.match(await hands.yesTwice(await hands.question(...closing)), new RegExp(`^${YES} `));
  await hands.until('closed', () => hands.held(BTC).amount === 0 && hands.held(BTC).stops.length === 0);
  assert.equal(hands.held(ETH).amount, short.amount / 2, 'the other one stays');

  const all = [role, '/closeall', new RegExp(`Closes 1 position at market: ${ETH} short`)] as const;
  assert.match(await hands.press(await hands.question(...all), 'No'), /nothing was done/);
  assert.equal(hands.held(ETH).amount, short.amount / 2);
  assert.match(await hands.yesTwice(await hands.question(...all)), new RegExp(`^${YES} `));
  await hands.until('nothing rests', () => hands.held(ETH).amount === 0 && hands.resting() === 0);

  for (const [kind, count] of [
    ['force-entry', 2],
    ['move-stop', 1],
    ['close', 2],
    ['close-all', 1],
  ] as const)
    assert.equal(hands.taken(kind, role), count, `${kind} by the ${role}`);
}

/** Killed with something open: all flat, nothing rests, nothing is opened, until the admin lifts it. */
async function killed(hands: Hands, role: 'trader' | 'admin'): Promise<void> {
  const { amount } = await hands.open(role, 'long', SOL);
  const killing = [
    role,
    '/kill a drill',
    /Cancels and closes everything that Bulkhead owns \(1 open\)/,
  ] as const;
  assert.match(await hands.press(await hands.question(...killing), 'No'), /nothing was done/);
  assert.equal(hands.held(SOL).amount, amount);
  assert.match(
    await hands.yesTwice(await hands.question(...killing)),
    new RegExp(`^${YES} kill switch engaged \\(kill-`),
  );
  await hands.until('flat', () => hands.held(SOL).amount === 0 && hands.resting() === 0);
  await hands.until('told', () => hands.world.status().positions.length === 0);
  const again = await hands.question(role, `/forcelong ${BNB} ${hands.priceAt(BNB, 96)}`, /./);
  assert.match(await hands.press(again, 'Yes'), /^\u274C refused: .*kill/);
  assert.equal(hands.held(BNB).amount, 0);

  const refused = await hands.ask('trader', '/release the drill is over');
  assert.match(refused.text, /^\/release needs the role admin; you are trader/);
  const lifting = ['admin', '/release the drill is over', /Lifts the kill switch/] as const;
  assert.match(await hands.press(await hands.question(...lifting), 'No'), /nothing was done/);
  assert.ok(hands.world.status().breakers.some(isKill('open')));
  assert.match(
    await hands.yesTwice(await hands.question(...lifting)),
    new RegExp(`^${YES} kill-\\S+ is released`),
  );
  await hands.until('the breaker is closed', () => hands.world.status().breakers.some(isKill('closed')));
  assert.match((await hands.ask('admin', '/release twice')).text, /^\u274C No kill switch is engaged/);
}

/** What somebody else opened, past Bulkhead: one is taken over with a stop, the other left alone, by the admin's word. */
async function others(hands: Hands): Promise<void> {
  const foreign = (symbol: string) =>
    hands.world.status().venue?.foreign.find((one) => one.symbol === symbol);
  await hands.world.buyByHand(BTC, '0.02');
  await hands.world.buyByHand(ETH, '0.2');
  await hands.until('both are seen', () => foreign(BTC) !== undefined && foreign(ETH) !== undefined);
  const adopting = ['admin', `/adopt ${BTC}`, new RegExp(BTC)] as const;
  assert.match(await hands.press(await hands.question(...adopting), 'No'), /nothing was done/);
  assert.deepEqual(hands.held(BTC).stops, []);
  assert.match(await hands.yesTwice(await hands.question(...adopting)), new RegExp(`^${YES} `));
  await hands.until('adopted, with a stop of the whole', () => {
    const { amount, stops } = hands.held(BTC);
    return stops.length === 1 && stops[0]?.[1] === amount && foreign(BTC) === undefined;
  });
  assert.match((await hands.ask('admin', `/ignore ${ETH}`)).text, new RegExp(`^${YES} `));
  await hands.until('left alone', () => foreign(ETH)?.ignored === true);
  assert.deepEqual(hands.held(ETH), { amount: 0.2, stops: [] });
}

/** What was traded, as anybody on the list is shown it. */
async function resultsShown(hands: Hands): Promise<void> {
  for (const [said, sees] of [
    ['/trades', /The newest 2 of 2 trades[\s\S]*\d\d-\d\d \d\d:\d\d ETH\u2193 +operator[\s\S]*BTC\u2191/],
    [`/trades ${ETH} 1`, /The newest 1 of 1 trade,[\s\S]*ETH\u2193/],
    ['/profit', /trades\s+2\b/],
    ['/profit side', /long\s+1\b[\s\S]*short\s+1\b|short\s+1\b[\s\S]*long\s+1\b/],
    ['/daily', /\d{4}-\d\d-\d\d\s+2\b/],
    ['/performance', /BTCUSDT\s+1\b/],
    ['/exits', /operator\s+2\b/],
    ['/stats', /2 trades in 1 day/],
    ['/positions', /No position is open/],
    ['/orders', /No order rests/],
  ] as const)
    assert.match((await hands.ask('viewer', said)).text, sees, said);
  const over = await hands.ask('viewer', `/chart ${BTC}`);
  assert.match(over.text, /^BTCUSDT long, over\n/);
  assert.ok(over.photo);
  const equity = await hands.ask('viewer', '/equity');
  assert.ok(equity.photo);
  const { width, height, of } = readPng(equity.photo);
  assert.deepEqual([width, height], [WIDTH, HEIGHT]);
  assert.ok(of(INK.sheet) > (width * height) / 2);
}

const isKill =
  (wanted: string) =>
  ({ name, state }: { readonly name: string; readonly state: string }): boolean =>
    name === 'kill' && state === wanted;

describe('people’s hands over Telegram, with something open', { timeout: 240_000 }, () => {
  for (const role of ['trader', 'admin'] as const)
    it(`the ${role} enters, moves a stop, closes a part, one, all, and kills`, async (t) => {
      const hands = await Hands.start(t);
      await wholeStory(hands, role);
      if (role === 'admin') await resultsShown(hands);
      await killed(hands, role);
      assert.deepEqual(
        [...hands.confirmed].filter((name) => name !== 'release').sort(),
        [...WITH_SOMETHING_OPEN].sort(),
      );
      assert.deepEqual(hands.world.venue.core.violations(), []);
    });

  it('the admin takes over what somebody else opened, and has it left alone', async (t) => {
    const hands = await Hands.start(t);
    await others(hands);
    assert.equal(hands.taken('adopt', 'admin'), 1);
    assert.equal(hands.taken('ignore', 'admin'), 1);
    assert.deepEqual(hands.world.venue.core.violations(), []);
  });

  it('the viewer is shown everything and moves nothing', async (t) => {
    const hands = await Hands.start(t);
    const held = await hands.open('trader', 'long', BTC);
    const [trigger = 0] = held.stops[0] ?? [];
    const commands = hands.world.heard('operator', 'COMMAND').length;
    for (const [said, needed] of [
      [`/forcelong ${ETH}`, 'trader'],
      [`/forceshort ${ETH}`, 'trader'],
      [`/movestop ${BTC} ${trigger + 100}`, 'trader'],
      [`/partial ${BTC} 50%`, 'trader'],
      [`/close ${BTC}`, 'trader'],
      ['/closeall', 'trader'],
      ['/kill', 'trader'],
      ['/release over', 'admin'],
      ['/trip drawdown a try', 'admin'],
      [`/adopt ${ETH}`, 'admin'],
    ] as const) {
      const { text, buttons } = await hands.ask('viewer', said);
      assert.match(text, new RegExp(`needs the role ${needed}; you are viewer`), said);
      assert.deepEqual(buttons, [], said);
    }
    // What is the admin's is not the trader's.
    for (const said of ['/release over', '/trip drawdown a try', '/reset drawdown a try', `/adopt ${ETH}`])
      assert.match((await hands.ask('trader', said)).text, /needs the role admin; you are trader/, said);
    // Nor is a question that was put to somebody else.
    const question = await hands.question('trader', '/closeall', /Closes 1 position/);
    const [yes] = question.buttons.flat();
    for (const id of [PEOPLE.viewer[0], PEOPLE.admin[0]]) {
      const after = hands.server.sentTo(question.by).at(-1)?.id ?? 0;
      hands.server.sendsPress(id, question, yes?.callback_data ?? '');
      await hands.server.next(question.by, /put to somebody else/, after);
    }
    assert.equal(hands.world.heard('operator', 'COMMAND').length, commands);
    assert.deepEqual(hands.held(BTC), held);

    const quantity = String(held.amount);
    for (const [said, sees] of [
      ['/positions', /^1 open[\s\S]*BTCUSDT long/],
      [
        `/status ${BTC}`,
        new RegExp(`quantity\\s+${quantity}[\\s\\S]*stop\\s+${trigger}[\\s\\S]*at the venue`),
      ],
      ['/orders', new RegExp(`BTCUSDT stop\\s+${quantity}\\s+${trigger} live`)],
      ['/risk', /positions +1 /],
      ['/entries', /approved 1, refused 0/],
      ['/trades', /No trade was closed yet/],
    ] as const)
      assert.match((await hands.ask('viewer', said)).text, sees, said);

    const chart = await hands.ask('viewer', `/chart ${BTC}`);
    assert.match(chart.text, new RegExp(`^BTCUSDT long ${quantity}\\n.* USDT \\(.*\\), entry [\\d.]+$`));
    assert.ok(chart.photo);
    const { width, height, of } = readPng(chart.photo);
    assert.deepEqual([width, height], [WIDTH, HEIGHT]);
    // Candles of both kinds, the entry's line and triangle, the stop's: each in its own ink, on a sheet.
    assert.ok(of(INK.sheet) > (width * height) / 2, `${of(INK.sheet)} of the sheet`);
    for (const ink of ['up', 'down', 'blue'] as const)
      assert.ok(of(INK[ink]) > 500, `${of(INK[ink])} ${ink}`);
  });
});
