/**
 * The whole way through a real loopback socket: socket feed, decoder, guard bands; against bare `ws` with
 * JSON.parse, the same frames from the same sender process, rounds taken in turn. Wall time is what counts for a
 * feed; the receiver's CPU time is reported beside it, because with few cores the sender is the limit.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { systemTime } from '../src/core/clock.ts';
import { seededRandom } from '../src/core/random.ts';
import { FrameDecoder } from '../src/market/feeds/frame-decoder.ts';
import { SocketFeed } from '../src/market/feeds/socket-feed.ts';
import { concerned, manyBands } from './band-check.ts';
import { median, report } from './measure.ts';

const FRAMES = 200_000;
const ROUNDS = 9;

interface Round {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

const sender = fork(fileURLToPath(new URL('./socket-sender.ts', import.meta.url)), [String(FRAMES)]);
const [port] = (await once(sender, 'message')) as [number];
const url = `ws://127.0.0.1:${port}`;

/** Starts a receiver that calls `done` at the last frame, and measures from the first. */
function measure(receive: (first: () => void, done: () => void) => void): Promise<Round> {
  return new Promise((resolve) => {
    let start = 0;
    let cpu = process.cpuUsage();
    receive(
      () => {
        start = performance.now();
        cpu = process.cpuUsage();
      },
      () => {
        const seconds = (performance.now() - start) / 1000;
        const { user, system } = process.cpuUsage(cpu);
        resolve({ perSecond: FRAMES / seconds, perCpuSecond: (FRAMES * 1e6) / (user + system) });
      },
    );
  });
}

const bare = (): Promise<Round> =>
  measure((first, done) => {
    let received = 0;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('open', () => socket.send('go'));
    socket.on('message', (bytes: Buffer) => {
      if (received === 0) first();
      if (JSON.parse(bytes.toString()) !== null) received++;
      if (received < FRAMES) return;
      done();
      socket.terminate();
    });
  });

const bands = manyBands(97, 104);

const whole = (): Promise<Round> =>
  measure((first, done) => {
    const decoder = new FrameDecoder((tick) => {
      concerned(bands, tick);
    });
    const feed = new SocketFeed({
      url,
      streams: ['all'],
      time: systemTime(),
      random: seededRandom(1),
      onFrame: (bytes) => {
        if (feed.frames === 1) first();
        decoder.decode(bytes);
        if (feed.frames < FRAMES) return;
        const { ticks, faults } = decoder.counts;
        if (ticks !== FRAMES || faults > 0) throw new Error(`decoded ${ticks} ticks, ${faults} faults`);
        done();
        feed.stop();
      },
      onEvent: () => {},
    });
    feed.start();
  });

await whole();
await bare();
const ours: Round[] = [];
const theirs: Round[] = [];
for (let round = 0; round < ROUNDS; round++) {
  // Whoever goes second finds a warmer machine: take turns.
  if (round % 2 === 0) theirs.push(await bare());
  ours.push(await whole());
  if (round % 2 === 1) theirs.push(await bare());
}
sender.disconnect();
const ratio = median(ours.map(({ perSecond }, i) => perSecond / (theirs[i] as Round).perSecond));
report({
  bench: 'socket',
  rounds: ROUNDS,
  frames: FRAMES,
  messagesPerSecond: Math.round(median(ours.map(({ perSecond }) => perSecond))),
  bareMessagesPerSecond: Math.round(median(theirs.map(({ perSecond }) => perSecond))),
  messagesPerCpuSecond: Math.round(median(ours.map(({ perCpuSecond }) => perCpuSecond))),
  bareMessagesPerCpuSecond: Math.round(median(theirs.map(({ perCpuSecond }) => perCpuSecond))),
  ratio,
  target: 'ratio >= 0.8',
  met: ratio >= 0.8,
});
