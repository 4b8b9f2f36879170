/** The other end of bench/socket.ts, in a process of its own: floods each client with the frames, then says done. */
import { WebSocketServer } from 'ws';
import { makeFrames } from './frame-mix.ts';

const frames = makeFrames(Number(process.argv[2]), true);
const BATCH = 500;
const HIGH_WATER_BYTES = 4 * 1024 * 1024;

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket) => {
  let next = 0;
  const flood = (): void => {
    if (socket.readyState !== socket.OPEN) return;
    for (const end = Math.min(next + BATCH, frames.length); next < end; next++)
      socket.send(frames[next] as Buffer, { binary: false });
    if (next >= frames.length) return;
    if (socket.bufferedAmount > HIGH_WATER_BYTES) setTimeout(flood, 1);
    else setImmediate(flood);
  };
  socket.on('message', flood);
});
server.on('listening', () => {
  const address = server.address();
  if (typeof address === 'object' && address) process.send?.(address.port);
});
process.on('disconnect', () => process.exit(0));
