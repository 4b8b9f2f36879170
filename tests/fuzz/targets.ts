/**
 * Every parser that eats bytes from outside, for `npm run fuzz` and the suite. Who adds one adds an entry here, and a
 * folder with a few good examples in tests/fuzz/corpus.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { loadConfig } from '../../src/config/load.ts';
import {
  type Row,
  readAlgo,
  readFill,
  readIncome,
  readOrder,
  readPosition,
  UnreadableRow,
} from '../../src/exchange/binance/ccxt-rows.ts';
import { readUserFrames, userFrameIdentity } from '../../src/exchange/binance/user-stream-frames.ts';
import { classifyFailure, VenueFailure } from '../../src/exchange/call-outcome.ts';
import { FrameDecoder, type Tick } from '../../src/market/feeds/frame-decoder.ts';
import {
  loadCandles,
  loadFunding,
  loadMarks,
  loadTradesAsCandles,
} from '../../src/market/recorded/recording-files.ts';
import { parseFaults } from '../../src/venue-server/faults-parse.ts';
import { readCommand } from '../../src/venue-server/transport/stream-commands.ts';
import { readParams, signedText } from '../../src/venue-server/transport/wire-params.ts';
import { ANSWER_TARGETS } from './answer-targets.ts';
import { bytesOf, event, fields, isTyped, jsonRow, number, value } from './arbitraries.ts';
import { DOOR_TARGETS } from './door-targets.ts';
import { EXCHANGE_TARGETS } from './exchange-targets.ts';
import { type FuzzTarget, never } from './fuzz-target.ts';
import { KEPT_TARGETS } from './kept-targets.ts';
import { SERVICE_TARGETS } from './service-targets.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'bulkhead-fuzz-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));

/** The bytes as a file of that name, for parsers that read files. */
function asFile(name: string, bytes: Buffer): string {
  const file = path.join(dir, name);
  writeFileSync(file, bytes);
  return file;
}

const MARKET_NAMES = ['s', 'E', 'T', 'u', 'U', 'pu', 'b', 'B', 'a', 'A', 'p', 'q', 'm', 'r', 'i', 'P', 'k'];
const candle = fields(['t', 'T', 's', 'i', 'o', 'c', 'h', 'l', 'v', 'x', 'q']);
const levels = fc.array(fc.tuple(number, number), { maxLength: 5 });
const marketFrame = event(
  ['bookTicker', 'trade', 'aggTrade', 'markPriceUpdate', 'kline', 'depthUpdate', '24hrTicker'],
  MARKET_NAMES,
  fc.oneof(value, candle, levels),
);

const userOrder = fields([
  's',
  'c',
  'S',
  'o',
  'f',
  'q',
  'p',
  'ap',
  'sp',
  'x',
  'X',
  'i',
  'l',
  'z',
  'L',
  'N',
  'n',
  'T',
  't',
  'R',
  'ps',
  'rp',
  'm',
  'AP',
  'cp',
]);
const userAccount = fields(
  ['m', 'B', 'P'],
  fc.array(fields(['a', 'wb', 'cw', 'bc', 's', 'pa', 'ep', 'cr', 'up', 'mt', 'iw', 'ps']), { maxLength: 3 }),
);
const userFrame = event(
  [
    'ORDER_TRADE_UPDATE',
    'ACCOUNT_UPDATE',
    'ALGO_UPDATE',
    'MARGIN_CALL',
    'listenKeyExpired',
    'ACCOUNT_CONFIG_UPDATE',
    'TRADE_LITE',
  ],
  ['E', 'T', 'o', 'a', 'ac', 'p', 'listenKey'],
  fc.oneof(userOrder, userAccount, value),
);

const streamed = (frame: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    frame,
    fc.array(frame, { maxLength: 4 }),
    frame.map((data) => ({ stream: 'btcusdt@x', data })),
  );

const ROWS: readonly ((row: Row) => unknown)[] = [readOrder, readAlgo, readFill, readIncome, readPosition];
const ROW_NAMES = [
  ...[
    'symbol',
    'orderId',
    'clientOrderId',
    'side',
    'positionSide',
    'type',
    'status',
    'price',
    'origQty',
    'executedQty',
  ],
  ...[
    'avgPrice',
    'reduceOnly',
    'updateTime',
    'algoId',
    'clientAlgoId',
    'orderType',
    'algoStatus',
    'quantity',
    'id',
  ],
  ...[
    'triggerPrice',
    'closePosition',
    'actualOrderId',
    'qty',
    'maker',
    'commission',
    'commissionAsset',
    'realizedPnl',
  ],
  ...['time', 'tranId', 'incomeType', 'asset', 'income', 'tradeId', 'positionAmt', 'entryPrice', 'markPrice'],
];

/** A table as the recordings have it, with holes and nonsense. */
const table = (header: string, columns: number): fc.Arbitrary<Uint8Array> =>
  fc
    .array(
      fc.array(
        fc.oneof(
          number,
          fc.integer({ min: 0, max: 200 }).map((i) => String(1_735_689_600_000 + i * 60_000)),
        ),
        {
          minLength: columns,
          maxLength: columns,
        },
      ),
      { maxLength: 12 },
    )
    .map((rows) => Buffer.from(`${header}\n${rows.map((row) => row.join(',')).join('\n')}\n`));

const file = (
  name: string,
  header: string,
  columns: number,
  load: (path: string) => unknown,
): FuzzTarget => ({
  name,
  structure: table(header, columns),
  eat: (bytes) => load(asFile(`${name}.csv`, bytes)),
  mayThrow: isTyped,
});

const yamlScalar = fc.oneof(
  number,
  fc.constantFrom('*a', '&a 1', '!!binary x', '~', '{}', '[]', '"', "'", '|', '>', '%', '@', '!'),
);
const yaml = fc
  .array(
    fc.tuple(
      fc.constantFrom('mode', 'store', 'lease', 'market', 'risk', 'venue', '__proto__', 'position', '<<'),
      fc.array(
        fc.tuple(
          fc.constantFrom('ttlMs', 'engine', 'symbols', 'seed', 'trailing', '*a', '&a', 'constructor'),
          yamlScalar,
        ),
        { maxLength: 4 },
      ),
    ),
    { maxLength: 6 },
  )
  .map((groups) =>
    Buffer.from(
      groups
        .map(([name, keys]) => `${name}:\n${keys.map(([key, text]) => `  ${key}: ${text}`).join('\n')}`)
        .join('\n'),
    ),
  );

function finiteTicks(ticks: unknown): void {
  for (const tick of ticks as readonly Tick[])
    for (const [name, number] of Object.entries(tick))
      if (
        /^(price|bid|ask|open|high|low|close)$/.test(name) &&
        !(Number.isFinite(number) && (number as number) > 0)
      )
        throw new Error(`a ${tick.kind} with ${name} ${String(number)}`);
}

export const TARGETS: readonly FuzzTarget[] = [
  {
    name: 'market-frames',
    structure: bytesOf(streamed(marketFrame)),
    eat: (bytes) => {
      const ticks: Tick[] = [];
      new FrameDecoder((tick) => ticks.push(structuredClone(tick))).decode(bytes);
      return ticks;
    },
    mayThrow: never,
    check: finiteTicks,
  },
  {
    name: 'user-frames',
    structure: bytesOf(streamed(userFrame)),
    eat: (bytes) => ({ frames: readUserFrames(bytes), identity: userFrameIdentity(bytes).length }),
    mayThrow: never,
  },
  {
    name: 'venue-rows',
    structure: bytesOf(fields(ROW_NAMES)),
    eat: (bytes) => {
      const row = jsonRow(bytes);
      return row === undefined ? undefined : ROWS.map((read) => orUnreadable(() => read(row)));
    },
    mayThrow: never,
  },
  {
    name: 'venue-refusals',
    structure: bytesOf(
      fc.record({
        http: fc.constantFrom(200, 400, 404, 408, 418, 429, 500, 502, 503, 504),
        code: fc.integer({ min: -6000, max: 0 }),
        msg: fc.string(),
      }),
    ),
    // Whatever a venue says, an order ends as refused or as unknown, and what is not certain is unknown.
    eat: (bytes) => {
      const { http, code, msg } = (jsonRow(bytes) ?? {}) as { http?: unknown; code?: unknown; msg?: unknown };
      return classifyFailure(
        new VenueFailure(String(msg), {
          sent: true,
          ...(typeof http === 'number' ? { http } : {}),
          ...(typeof code === 'number' ? { code } : {}),
        }),
      );
    },
    mayThrow: never,
    check: (result, bytes) => {
      const { outcome } = result as { outcome: string };
      const { http } = (jsonRow(bytes) ?? {}) as { http?: unknown };
      if (outcome !== 'rejected' && outcome !== 'unknown') throw new Error(`an order ended as ${outcome}`);
      if (typeof http !== 'number' && outcome !== 'unknown') throw new Error('no status, and yet refused');
    },
  },
  file('recording-candles', 'ts_ms,open,high,low,close,volume', 6, (path) =>
    loadCandles(path, 'BTCUSDT', '1m'),
  ),
  file('recording-marks', 'ts_ms,open,high,low,close', 5, (path) => loadMarks(path, 'BTCUSDT', '1m')),
  file('recording-funding', 'ts_ms,rate', 2, loadFunding),
  file(
    'recording-trades',
    'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker',
    7,
    // A bar for each minute between two trades is meant, and no answer out of proportion: only its ends are looked at.
    (path) => {
      const { length, openTime } = loadTradesAsCandles(path, 'BTCUSDT');
      const minutes = length === 0 ? 0 : ((openTime.at(-1) ?? 0) - (openTime[0] ?? 0)) / 60_000 + 1;
      if (minutes !== length) throw new Error(`${length} bars of ${minutes} minutes`);
      return { length };
    },
  ),
  {
    name: 'recording-zip',
    structure: fc.uint8Array({ maxLength: 200 }),
    eat: (bytes) => loadCandles(asFile('recording.zip', bytes), 'BTCUSDT', '1m'),
    mayThrow: isTyped,
  },
  {
    name: 'configuration',
    structure: yaml,
    eat: (bytes) =>
      loadConfig({ env: {}, cwd: dir, flags: [], file: asFile('bulkhead.yaml', bytes) }).config.mode,
    mayThrow: isTyped,
  },
  {
    name: 'exchange-params',
    structure: fc
      .array(
        fc.tuple(
          fc.constantFrom('symbol', 'SIDE', 'quantity', 'timestamp', 'signature', '%', ''),
          fc.string({ maxLength: 12 }),
        ),
        { maxLength: 10 },
      )
      .map((pairs) => Buffer.from(pairs.map(([name, text]) => `${name}=${text}`).join('&'))),
    eat: (bytes) => {
      const raw = { query: bytes.toString('latin1'), body: bytes.toString(), contentType: undefined };
      return { params: [...readParams(raw)], signed: signedText(raw) };
    },
    mayThrow: never,
  },
  {
    name: 'exchange-stream-commands',
    structure: bytesOf(
      fields(
        ['method', 'params', 'id'],
        fc.oneof(value, fc.constantFrom('SUBSCRIBE', 'UNSUBSCRIBE'), fc.array(value, { maxLength: 4 })),
      ),
    ),
    eat: (bytes) => readCommand(bytes.toString()),
    mayThrow: never,
  },
  {
    name: 'exchange-faults',
    structure: bytesOf(
      fields(['seed', 'faults', 'latency', 'rules', 'name', 'on', 'do', 'chance', 'at', 'window']),
    ),
    eat: (bytes) => {
      const script = jsonRow(bytes);
      return script === undefined ? undefined : parseFaults(script);
    },
    mayThrow: isTyped,
  },
  ...ANSWER_TARGETS,
  ...DOOR_TARGETS,
  ...EXCHANGE_TARGETS,
  ...KEPT_TARGETS,
  ...SERVICE_TARGETS,
];

function orUnreadable(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableRow) return null;
    throw error;
  }
}
