/**
 * The local exchange as a server: requests a second by kind, what its feed costs at 500 symbols and 60 times real
 * time with nobody listening, and what each frame costs when somebody hears everything. Against a bare HTTP server
 * and a bare socket server that says the same, in the same run.
 *
 *     node run.cjs bench/exchange-server.ts
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { BARE_FRAMES } from './bare-frames.ts';
import { BenchExchange, symbolNames } from './exchange-process.ts';
import { report } from './measure.ts';
import { SignedClient } from './signed-client.ts';

const AT_ONCE = 8;
const REQUEST_MS = Number(process.env.BENCH_REQUEST_MS ?? 4_000);
const FEED_MS = Number(process.env.BENCH_FEED_MS ?? 8_000);
const SPEED = 60;
const SYMBOLS = symbolNames(Number(process.env.BENCH_SYMBOLS ?? 500));
const STREAMS_PER_SOCKET = 200;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Requests a second with a few under way all the time. */
async function perSecond(ask: (turn: number) => Promise<unknown>): Promise<number> {
  let count = 0;
  const begun = performance.now();
  const work = async (): Promise<void> => {
    while (performance.now() - begun < REQUEST_MS) await ask(count++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return (count * 1000) / (performance.now() - begun);
}

async function requests(barePort: number): Promise<void> {
  const symbol = 'BTCUSDT';
  const exchange = await BenchExchange.start({ symbols: [symbol], speed: 1 });
  const { at } = await exchange.ask('sample');
  const askedAt = performance.now();
  const client = new SignedClient(exchange.port, () => Math.round(at + performance.now() - askedAt), AT_ONCE);
  const bare = new SignedClient(barePort, Date.now, AT_ONCE);
  const order = { symbol, type: 'MARKET', quantity: '0.002' };
  const kinds = {
    time: () => client.get('/fapi/v1/time'),
    account: () => client.send('GET', '/fapi/v3/account'),
    order: (turn: number) =>
      client.send('POST', '/fapi/v1/order', { ...order, side: turn % 2 === 0 ? 'BUY' : 'SELL' }),
  };
  await perSecond(() => bare.get('/'));
  const barePerSecond = await perSecond(() => bare.get('/'));
  const rates: Record<string, number> = {};
  const costs: Record<string, number> = {};
  for (const [kind, ask] of Object.entries(kinds)) {
    await exchange.ask('begin');
    rates[kind] = await perSecond(ask);
    const { sample } = await exchange.ask('sample');
    costs[kind] = (sample.cpuSeconds * 1e6) / ((rates[kind] ?? 0) * sample.seconds);
  }
  client.close();
  bare.close();
  await exchange.stop();
  report({
    bench: 'exchange-server',
    what: 'requests',
    atOnce: AT_ONCE,
    timePerSecond: rates.time,
    accountPerSecond: rates.account,
    ordersPerSecond: rates.order,
    barePerSecond,
    ratio: (rates.time ?? 0) / barePerSecond,
    orderRatio: (rates.order ?? 0) / barePerSecond,
    timeCpuUs: costs.time,
    accountCpuUs: costs.account,
    orderCpuUs: costs.order,
  });
}

/** Everything that a runtime hears of these symbols. */
async function listen(port: number): Promise<WebSocket[]> {
  const chunks: { path: string; streams: string[] }[] = [{ path: 'market', streams: ['!markPrice@arr@1s'] }];
  for (let from = 0; from < SYMBOLS.length; from += STREAMS_PER_SOCKET) {
    const part = SYMBOLS.slice(from, from + STREAMS_PER_SOCKET).map((symbol) => symbol.toLowerCase());
    chunks.push({ path: 'market', streams: part.map((symbol) => `${symbol}@kline_1m`) });
    chunks.push({ path: 'public', streams: part.map((symbol) => `${symbol}@bookTicker`) });
  }
  return Promise.all(
    chunks.map(async ({ path, streams }) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/${path}/ws`, { perMessageDeflate: false });
      await once(socket, 'open');
      socket.send(JSON.stringify({ method: 'SUBSCRIBE', params: streams, id: 1 }));
      await once(socket, 'message');
      socket.on('message', () => {});
      return socket;
    }),
  );
}

async function feed(bareUs: number): Promise<void> {
  const exchange = await BenchExchange.start({ symbols: SYMBOLS, speed: SPEED });
  await exchange.ask('begin');
  await pause(FEED_MS);
  const alone = await exchange.ask('sample');
  const sockets = await listen(exchange.port);
  await pause(1_000);
  await exchange.ask('begin');
  await pause(FEED_MS);
  const heard = await exchange.ask('sample');
  for (const socket of sockets) socket.terminate();
  await exchange.stop();
  const aloneCpu = alone.sample.cpuSeconds / alone.sample.seconds;
  const heardCpu = heard.sample.cpuSeconds / heard.sample.seconds;
  const framesPerSecond = heard.counts.publicFrames / heard.sample.seconds;
  const frameCpuUs = ((heardCpu - aloneCpu) * 1e6) / framesPerSecond;
  report({
    bench: 'exchange-server',
    what: 'feed',
    symbols: SYMBOLS.length,
    speed: SPEED,
    aloneCpu,
    aloneUsPerSymbolSecond: (aloneCpu * 1e6) / (SYMBOLS.length * SPEED),
    aloneLoopP99Ms: alone.sample.loopP99Ms,
    heardCpu,
    framesPerSecond,
    frameCpuUs,
    bareFrameCpuUs: bareUs,
    ratio: frameCpuUs / bareUs,
    heardLoopP99Ms: heard.sample.loopP99Ms,
  });
}

const bare = fork(fileURLToPath(new URL('./bare-server.ts', import.meta.url)));
const [{ port }] = (await once(bare, 'message')) as [{ port: number }];
await requests(port);
const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
socket.on('message', () => {});
const [{ cpuUs }] = (await once(bare, 'message')) as [{ cpuUs: number }];
socket.terminate();
bare.disconnect();
await feed(cpuUs / BARE_FRAMES);
process.exit(0);
