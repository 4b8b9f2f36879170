/**
 * The adapter of the venue (ccxt signs and carries; rows are read losslessly) against the barest client that does
 * the same: processor time of this process for a submit, for a full reading with 100 positions, for a private
 * frame, for a market frame. The venue is the local exchange in another process; its clock runs fast, so that its
 * rate limits hold nobody back.
 *
 *     node run.cjs bench/adapter.ts
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { scaledTime, systemTime, type Time } from '../src/core/clock.ts';
import { seededRandom } from '../src/core/random.ts';
import { CcxtExchange } from '../src/exchange/binance/ccxt-exchange.ts';
import { readUserFrames } from '../src/exchange/binance/user-stream-frames.ts';
import { CcxtMarketData } from '../src/market/feeds/ccxt-market-data.ts';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../src/venue-server/demo-account.ts';
import { BenchExchange, symbolNames } from './exchange-process.ts';
import { median, report, timed } from './measure.ts';
import { SignedClient } from './signed-client.ts';

const SPEED = 60;
const POSITIONS = 100;
const SUBMITS = 150;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const STREAM_MS = 3_000;
const SYMBOLS = symbolNames(POSITIONS);
const SYMBOL = SYMBOLS[0] as string;

/** Processor time of this process, in microseconds, and the wall's. */
async function cost(work: () => Promise<unknown>): Promise<{ cpuUs: number; ms: number }> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuUs: user + system, ms: performance.now() - begun };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const exchange = await BenchExchange.start({ symbols: SYMBOLS, speed: SPEED });
const { at } = await exchange.ask('sample');
const time: Time = scaledTime(systemTime(), at, SPEED);
const bare = new SignedClient(exchange.port, () => time.clock.now(), 6);
const gateway = new CcxtExchange({
  mode: 'paper',
  restUrl: exchange.url,
  streamUrl: exchange.url.replace('http', 'ws'),
  apiKey: DEMO_API_KEY,
  apiSecret: DEMO_API_SECRET,
  time,
  realTime: systemTime(),
  random: seededRandom(1),
  mayAct: () => true,
  symbols: SYMBOLS,
  limits: { maxLeverage: 20, marginMode: 'cross', positionMode: 'one-way' },
  allowWithdrawals: false,
});

/** What a private stream says, kept as it comes. */
async function privateFrames(): Promise<{ frames: Buffer[]; socket: WebSocket }> {
  const { listenKey } = (await bare.send('POST', '/fapi/v1/listenKey')) as { listenKey: string };
  const socket = new WebSocket(`ws://127.0.0.1:${exchange.port}/private/ws?listenKey=${listenKey}`, {
    perMessageDeflate: false,
  });
  const frames: Buffer[] = [];
  socket.on('message', (bytes: Buffer) => frames.push(bytes));
  await once(socket, 'open');
  return { frames, socket };
}

async function holdPositions(): Promise<void> {
  const prices = (await bare.get('/fapi/v1/ticker/price')) as { symbol: string; price: string }[];
  for (const { symbol, price } of prices) {
    const quantity = String(Math.ceil(100 / Number(price)));
    // The venue pads its prices; what they show beyond the padding is on the tick.
    const digits = String(Number(price)).split('.')[1]?.length ?? 0;
    const triggerPrice = (Number(price) * 0.5).toFixed(digits);
    await bare.send('POST', '/fapi/v1/order', { symbol, side: 'BUY', type: 'MARKET', quantity });
    await bare.send('POST', '/fapi/v1/algoOrder', {
      symbol,
      side: 'SELL',
      type: 'STOP_MARKET',
      algoType: 'CONDITIONAL',
      triggerPrice,
      quantity,
      reduceOnly: 'true',
    });
  }
}

const quantity = async (): Promise<string> => {
  const { price } = (await bare.get(`/fapi/v1/ticker/price?symbol=${SYMBOL}`)) as { price: string };
  return String(Math.ceil(20 / Number(price)));
};

async function submits(): Promise<void> {
  const size = await quantity();
  let turn = 0;
  const ours: number[] = [];
  const theirs: number[] = [];
  const oursMs: number[] = [];
  const submit = async (): Promise<void> => {
    for (let i = 0; i < SUBMITS; i++) {
      const clientOrderId = `bh-bench-${process.pid}-${++turn}`;
      const order = {
        ref: 'entry-1',
        owner: `position/${SYMBOL}/BOTH/1`,
        clientOrderId,
        symbol: SYMBOL,
        side: turn % 2 === 0 ? 'SELL' : 'BUY',
        positionSide: 'BOTH',
        type: 'MARKET',
        quantity: size,
        reduceOnly: false,
      } as const;
      const sendBy = time.clock.now() + 600_000;
      const answer = await gateway.call({ call: 'submit', id: clientOrderId, order, sendBy });
      if (answer.outcome !== 'done') throw new Error(JSON.stringify(answer));
    }
  };
  const plain = async (): Promise<void> => {
    for (let i = 0; i < SUBMITS; i++) {
      const side = i % 2 === 0 ? 'BUY' : 'SELL';
      await bare.send('POST', '/fapi/v1/order', { symbol: SYMBOL, side, type: 'MARKET', quantity: size });
    }
  };
  await submit();
  await plain();
  for (let round = 0; round < ROUNDS; round++) {
    const measured = await cost(submit);
    ours.push(measured.cpuUs / SUBMITS);
    oursMs.push(measured.ms / SUBMITS);
    theirs.push((await cost(plain)).cpuUs / SUBMITS);
  }
  report({
    bench: 'adapter',
    what: 'submit',
    rounds: ROUNDS,
    cpuUs: median(ours),
    ms: median(oursMs),
    bareCpuUs: median(theirs),
    ratio: median(ours) / median(theirs),
  });
}

async function readings(): Promise<void> {
  const since = time.clock.now() - 60_000;
  const read = async (): Promise<void> => {
    const answer = await gateway.call({ call: 'report', id: 'r', since, symbols: SYMBOLS });
    if (answer.outcome !== 'done') throw new Error(JSON.stringify(answer));
    if (answer.value.positions.length < POSITIONS - 1) throw new Error('positions are missing');
  };
  const plain = async (): Promise<void> => {
    await bare.get('/fapi/v1/time');
    const whole = [
      '/fapi/v3/account',
      '/fapi/v3/positionRisk',
      '/fapi/v1/openOrders',
      '/fapi/v1/openAlgoOrders',
    ];
    await Promise.all([
      ...whole.map((path) => bare.send('GET', path)),
      bare.send('GET', '/fapi/v1/income', { startTime: since, limit: 1000 }),
      ...SYMBOLS.map((symbol) =>
        bare.send('GET', '/fapi/v1/userTrades', { symbol, startTime: since, limit: 1000 }),
      ),
    ]);
  };
  const ours: { cpuUs: number; ms: number }[] = [];
  const theirs: { cpuUs: number; ms: number }[] = [];
  await read();
  await plain();
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await cost(read));
    theirs.push(await cost(plain));
  }
  const cpuMs = median(ours.map(({ cpuUs }) => cpuUs)) / 1000;
  const bareCpuMs = median(theirs.map(({ cpuUs }) => cpuUs)) / 1000;
  report({
    bench: 'adapter',
    what: 'report',
    positions: POSITIONS,
    requests: POSITIONS + 6,
    rounds: ROUNDS,
    cpuMs,
    ms: median(ours.map(({ ms }) => ms)),
    bareCpuMs,
    bareMs: median(theirs.map(({ ms }) => ms)),
    ratio: cpuMs / bareCpuMs,
  });
}

function ofFrames(frames: readonly Buffer[]): void {
  const REPEATS = 40;
  const over = (read: (bytes: Buffer) => unknown): number =>
    (timed(() => {
      for (let i = 0; i < REPEATS; i++) for (const bytes of frames) read(bytes);
    }) *
      1e6) /
    (REPEATS * frames.length);
  const parse = (bytes: Buffer): unknown => JSON.parse(bytes.toString());
  over(readUserFrames);
  over(parse);
  const rounds = Array.from({ length: ROUNDS }, () => ({ ours: over(readUserFrames), bare: over(parse) }));
  const us = median(rounds.map(({ ours }) => ours));
  const bareUs = median(rounds.map((round) => round.bare));
  report({ bench: 'adapter', what: 'private-frame', frames: frames.length, us, bareUs, ratio: us / bareUs });
}

/** Processor time for each frame of everything that a runtime hears, the idle process's own left out. */
async function perFrame(): Promise<number> {
  await pause(500);
  const before = await exchange.ask('sample');
  const { cpuUs } = await cost(() => pause(STREAM_MS));
  const { counts } = await exchange.ask('sample');
  return cpuUs / (counts.publicFrames - before.counts.publicFrames);
}

async function bareMarket(): Promise<number> {
  const lower = SYMBOLS.map((symbol) => symbol.toLowerCase());
  const plans = [
    { path: 'market', streams: ['!markPrice@arr@1s'] },
    { path: 'market', streams: lower.map((symbol) => `${symbol}@kline_1m`) },
    { path: 'public', streams: lower.map((symbol) => `${symbol}@bookTicker`) },
  ];
  let parsed = 0;
  const sockets = plans.map(({ path, streams }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${exchange.port}/${path}/ws`, { perMessageDeflate: false });
    socket.on('open', () => socket.send(JSON.stringify({ method: 'SUBSCRIBE', params: streams, id: 1 })));
    socket.on('message', (bytes: Buffer) => {
      if (JSON.parse(bytes.toString()) !== null) parsed++;
    });
    return socket;
  });
  const us = await perFrame();
  if (parsed === 0) throw new Error('the bare sockets heard nothing');
  for (const socket of sockets) socket.terminate();
  await pause(200);
  return us;
}

async function ourMarket(): Promise<number> {
  const market = new CcxtMarketData({
    restUrl: exchange.url,
    streamUrl: exchange.url.replace('http', 'ws'),
    time,
    realTime: systemTime(),
    timeFactor: SPEED,
    random: seededRandom(2),
  });
  let heard = 0;
  await market.start({ symbols: SYMBOLS, timeframe: '1m', channels: ['bars', 'marks', 'quotes'] }, () => {
    heard++;
  });
  const us = await perFrame();
  if (heard === 0) throw new Error('the market said nothing');
  await market.stop();
  return us;
}

async function marketFrames(): Promise<void> {
  await bareMarket();
  const rounds: { us: number; bareUs: number }[] = [];
  for (let round = 0; round < Math.min(ROUNDS, 3); round++)
    rounds.push({ us: await ourMarket(), bareUs: await bareMarket() });
  const us = median(rounds.map((round) => round.us));
  const bareUs = median(rounds.map((round) => round.bareUs));
  report({ bench: 'adapter', what: 'market-frame', symbols: SYMBOLS.length, us, bareUs, ratio: us / bareUs });
}

await gateway.open(() => {});
await gateway.instruments(SYMBOLS);
const { frames, socket } = await privateFrames();
await holdPositions();
await submits();
socket.terminate();
await readings();
await gateway.close();
ofFrames(frames.slice(0, 2_000));
await marketFrames();
bare.close();
await exchange.stop();
process.exit(0);
