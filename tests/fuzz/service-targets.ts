/** Parsers of what other services answer: Telegram, other venues' frames, Vault; and of backups. */
import fc from 'fast-check';
import { readSealKey } from '../../src/backup/seal.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import type { Dial, DialledSocket } from '../../src/core/kept-socket.ts';
import { SILENT } from '../../src/core/logger.ts';
import { seededRandom } from '../../src/core/random.ts';
import { openArchive } from '../../src/journal/journal-archive.ts';
import { BybitMarketData } from '../../src/market/feeds/socket-bybit-market-data.ts';
import { OkxMarketData } from '../../src/market/feeds/socket-okx-market-data.ts';
import type { LiveMarketData, LiveMarketEvent } from '../../src/market/live/live-market.ts';
import {
  errorsOf,
  parseAnswer,
  readAuth,
  readLookup,
  readSecretAnswer,
  UnreadableAnswer,
} from '../../src/secrets/vault-answers.ts';
import { TelegramBot } from '../../src/telegram/bot.ts';
import type { Incoming } from '../../src/telegram/chat.ts';
import { wordsOf } from '../../src/telegram/command-desk.ts';
import { bytesOf, fields, isTyped, number, value } from './arbitraries.ts';
import { type FuzzTarget, never } from './fuzz-target.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const CHANNELS = ['marks', 'quotes', 'trades', 'books', 'open-interest', 'bars'] as const;

/** A market whose sockets are ours: each greeting is answered, then the bytes come on every socket. */
async function heard(
  make: (dial: Dial, time: VirtualTime) => LiveMarketData,
  bytes: Buffer,
): Promise<readonly LiveMarketEvent[]> {
  const time = new VirtualTime(1_735_689_600_000);
  const says: ((frame: Buffer) => void)[] = [];
  const dial: Dial = () => {
    const hearers = new Map<string, (data: Buffer) => void>();
    const say = (frame: Buffer): void => hearers.get('message')?.(frame);
    const socket = {
      readyState: 1,
      on: (event: string, hear: (data: Buffer) => void) => hearers.set(event, hear),
      send: (text: string) =>
        queueMicrotask(() => {
          for (const answer of answersTo(text)) say(Buffer.from(answer));
        }),
      ping: () => {},
      terminate: () => {},
      removeAllListeners: () => hearers.clear(),
    } as unknown as DialledSocket;
    says.push(say);
    queueMicrotask(() => hearers.get('open')?.(Buffer.alloc(0)));
    return socket;
  };
  const market = make(dial, time);
  const events: LiveMarketEvent[] = [];
  await market.start({ symbols: SYMBOLS, timeframe: '1m', channels: CHANNELS }, (event) =>
    events.push(structuredClone(event)),
  );
  try {
    for (const say of says) say(bytes);
    time.advanceTo(time.clock.now() + 1_000);
    for (const symbol of SYMBOLS) market.book(symbol);
    return events;
  } finally {
    await market.stop();
  }
}

function answersTo(text: string): readonly string[] {
  const { args = [] } = (text.startsWith('{') ? JSON.parse(text) : {}) as { args?: readonly unknown[] };
  if (typeof args[0] === 'string') return ['{"success":true,"op":"subscribe"}'];
  return args.map((arg) => JSON.stringify({ event: 'subscribe', arg }));
}

function soundEvents(events: unknown): void {
  for (const event of events as readonly LiveMarketEvent[])
    for (const [name, figure] of Object.entries(event))
      if (/^(mark|bid|ask|price)$/.test(name) && !(Number.isFinite(figure) && (figure as number) > 0))
        throw new Error(`a ${event.type} with ${name} ${String(figure)}`);
}

const levels = fc.array(fc.tuple(number, number), { maxLength: 4 });
const bybitFrame = fc.record({
  topic: fc.constantFrom(
    'tickers.BTCUSDT',
    'publicTrade.BTCUSDT',
    'orderbook.50.BTCUSDT',
    'kline.1.BTCUSDT',
    'kline.1.X',
    'x',
  ),
  type: fc.constantFrom('snapshot', 'delta', null),
  ts: value,
  data: fc.oneof(
    fields(
      [
        'markPrice',
        'fundingRate',
        'nextFundingTime',
        'bid1Price',
        'bid1Size',
        'ask1Price',
        'ask1Size',
        'openInterest',
        'u',
        'b',
        'a',
      ],
      fc.oneof(value, levels),
    ),
    fc.array(
      fields(['p', 'v', 'T', 'S', 'confirm', 'interval', 'open', 'high', 'low', 'close', 'volume', 'start']),
    ),
    value,
  ),
});
const okxFrame = fc.record({
  arg: fc.record({
    channel: fc.constantFrom(
      'mark-price',
      'funding-rate',
      'tickers',
      'trades',
      'books',
      'open-interest',
      'candle1m',
    ),
    instId: fc.constantFrom('BTC-USDT-SWAP', 'X', 1),
  }),
  action: fc.constantFrom('snapshot', 'update', null),
  data: fc.array(
    fc.oneof(
      fields(
        [
          'ts',
          'markPx',
          'fundingRate',
          'fundingTime',
          'bidPx',
          'bidSz',
          'askPx',
          'askSz',
          'px',
          'sz',
          'side',
          'oiCcy',
          'seqId',
          'prevSeqId',
          'checksum',
          'bids',
          'asks',
        ],
        fc.oneof(value, levels),
      ),
      fc.array(number, { minLength: 9, maxLength: 9 }),
    ),
    { maxLength: 3 },
  ),
});

const person = fields(['id', 'is_bot', 'first_name', 'username']);
const chat = fields(['id', 'type', 'title'], fc.oneof(value, fc.constantFrom('private', 'group')));
const message = fields(
  ['message_id', 'date', 'text', 'from', 'chat', 'entities'],
  fc.oneof(value, person, chat),
);
const update = fields(
  ['update_id', 'message', 'callback_query', 'edited_message'],
  fc.oneof(message, fields(['id', 'data', 'from', 'message'], fc.oneof(value, person, message)), value),
);

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 97) yield bytes.subarray(from, from + 97);
}

export const SERVICE_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'bybit-frames',
    isSlow: true,
    structure: bytesOf(bybitFrame),
    eat: (bytes) =>
      heard(
        (dial, time) =>
          new BybitMarketData({ dial, time, realTime: time, random: seededRandom(1), rest: noRest }),
        bytes,
      ),
    mayThrow: never,
    check: soundEvents,
  },
  {
    name: 'okx-frames',
    isSlow: true,
    structure: bytesOf(okxFrame),
    eat: (bytes) =>
      heard(
        (dial, time) =>
          new OkxMarketData({ dial, time, realTime: time, random: seededRandom(1), rest: noRest }),
        bytes,
      ),
    mayThrow: never,
    check: soundEvents,
  },
  {
    name: 'telegram-updates',
    structure: bytesOf(update),
    eat: async (bytes) => {
      const came: Incoming[] = [];
      const bot = new TelegramBot({
        token: '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw',
        apiUrl: 'http://127.0.0.1:1',
        time: new VirtualTime(0),
        log: SILENT,
        onIncoming: async (incoming) => void came.push(incoming),
        onSkew: () => {},
      });
      bot.bot.botInfo = {
        id: 110_201_543,
        is_bot: true,
        first_name: 'b',
        username: 'b_bot',
      } as typeof bot.bot.botInfo;
      const given = jsonOf(bytes);
      if (given === undefined) return undefined;
      await bot.take(given as never);
      return came.map((incoming) => ({
        ...incoming,
        words: incoming.kind === 'words' ? wordsOf(incoming.text) : null,
      }));
    },
    mayThrow: never,
    check: (result) => {
      for (const { updateId, userId, chatId } of (result ?? []) as readonly Incoming[])
        if (![updateId, userId, chatId].every(Number.isSafeInteger))
          throw new Error('somebody without a number was heard');
    },
  },
  {
    name: 'vault-answers',
    structure: bytesOf(
      fc.record({
        data: fc.oneof(
          fc.record({
            data: fields(['apiKey', 'apiSecret', 'x'], fc.oneof(fc.string(), value)),
            metadata: fields(['version', 'destroyed'], fc.oneof(fc.nat(), value)),
          }),
          fields(['ttl', 'renewable', 'id']),
        ),
        auth: fields(['client_token', 'lease_duration', 'renewable'], fc.oneof(fc.nat(), value)),
        errors: fc.oneof(fc.array(fc.string()), value),
      }),
    ),
    eat: (bytes) => {
      const text = bytes.toString();
      const answer = orUnreadable(() => parseAnswer(text));
      if (!answer) return { errors: errorsOf(text) };
      return {
        secret: orUnreadable(() => readSecretAnswer(answer)),
        auth: orUnreadable(() => readAuth(answer)),
        lookup: orUnreadable(() => readLookup(answer, 'hvs.x')),
        errors: errorsOf(text),
      };
    },
    mayThrow: never,
    check: (result) => {
      const { auth, errors } = result as { auth?: { ttlMs: number } | null; errors: string };
      if (auth && !(Number.isSafeInteger(auth.ttlMs) && auth.ttlMs >= 0))
        throw new Error('a token without a life');
      if (errors.length > 200) throw new Error('words without end');
    },
  },
  {
    name: 'backup-archive',
    structure: fc
      .array(
        bytesOf(
          fields([
            'format',
            'version',
            'account',
            'head',
            'meta',
            'settledN',
            'n',
            'actor',
            'seq',
            'hash',
            'event',
            'end',
            'rows',
          ]),
        ),
        { maxLength: 4 },
      )
      .map((lines) => Buffer.from(lines.map((line) => Buffer.from(line).toString()).join('\n'))),
    eat: async (bytes) => {
      const { header, batches } = await openArchive(pieces(bytes));
      let rows = 0;
      for await (const batch of batches) rows += batch.length;
      return { header, rows };
    },
    mayThrow: isTyped,
  },
  {
    name: 'backup-key',
    structure: fc
      .constantFrom('AGE-SECRET-KEY-1', 'age1', '# created\n', 'age1qqqq\nage1')
      .map((text) => Buffer.from(text)),
    eat: (bytes) => readSealKey(bytes.toString()).kind,
    mayThrow: isTyped,
  },
];

const noRest = {
  get: async () => ({
    data: ['BTC', 'ETH'].map((base) => ({ instId: `${base}-USDT-SWAP`, ctVal: '0.01', ctType: 'linear' })),
  }),
  close: async () => {},
};

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) ?? undefined;
  } catch {
    return undefined;
  }
}

function orUnreadable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableAnswer) return null;
    throw error;
  }
}
