/**
 * The barest server that speaks HTTP and sockets, in a process of its own: answers every request with the same few
 * bytes, sends every socket frames made of one object as fast as they go. What the exchange is measured against.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { BARE_FRAMES } from './bare-frames.ts';

const BATCH = 500;

const FRAME = {
  e: 'bookTicker',
  u: 13_887_595_200_008,
  s: 'S0000USDT',
  ps: 'S0000USDT',
  b: '12.3450',
  B: '123.4',
  a: '12.3460',
  A: '432.1',
  T: 1_735_949_011_000,
  E: 1_735_949_011_000,
  st: 1,
};

const server = createServer((request, response) => {
  request.resume();
  response.setHeader('Content-Type', 'application/json');
  response.end('{"serverTime":1735949011000}');
});
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket, request) => {
  const cpu = process.cpuUsage();
  let sent = 0;
  const flood = (): void => {
    request.socket.cork();
    for (let i = 0; i < BATCH; i++) socket.send(JSON.stringify({ ...FRAME, u: FRAME.u + sent++ }));
    request.socket.uncork();
    if (sent < BARE_FRAMES) {
      if (socket.bufferedAmount > 2 ** 21) setTimeout(flood, 1);
      else setImmediate(flood);
      return;
    }
    const { user, system } = process.cpuUsage(cpu);
    process.send?.({ cpuUs: user + system });
  };
  flood();
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
