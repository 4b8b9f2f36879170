/** `bulkhead exchange`: a local Binance USD-M venue, until it is stopped or its recording is over. */
import { createLogger } from '../../core/logger.ts';
import { DEMO_API_SECRET } from '../../venue-server/demo-account.ts';
import type { Io } from '../cli/io.ts';
import { openExchange, type RunningExchange } from '../compose/compose-exchange.ts';
import { Signals } from '../run/signals.ts';
import type { ExchangeOptions } from './exchange-flags.ts';

const SHUTDOWN_DEADLINE_MS = 10_000;

export async function exchange(options: ExchangeOptions, io: Io): Promise<number> {
  const log = createLogger({
    level: 'warn',
    output: io.stderr,
    pretty: io.stderrIsTty,
    now: () => io.time.clock.now(),
  });
  const signals = new Signals(SHUTDOWN_DEADLINE_MS, io.time, log);
  let ended = (): void => {};
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  try {
    const running = await openExchange(options, io.time, {
      fail: (error) => signals.fail(error),
      ended: () => {
        if (options.untilEnd) ended();
      },
    });
    io.stdout.write(options.json ? readyLine(running) : greeting(options, running));
    await Promise.race([over, signals.stopped()]);
    await running.close();
    if (signals.failure !== undefined) throw signals.failure;
    return signals.exitCode ?? 0;
  } finally {
    signals.release();
  }
}

const readyLine = ({ port, adminPort, clock, recovered }: RunningExchange): string =>
  `${JSON.stringify({ ready: true, port, adminPort, at: clock.now(), recovered })}\n`;

function greeting(options: ExchangeOptions, running: RunningExchange): string {
  const { clock, market, url, port, adminPort, recovered } = running;
  const demo = options.apiSecretFile === undefined;
  const secret = demo ? DEMO_API_SECRET : 'in the file you named';
  const symbols = market.instruments().length;
  return [
    'Bulkhead exchange: a simulated Binance USD-M futures venue. Play money, this machine only.',
    '',
    `  REST     ${url}`,
    `  streams  ws://127.0.0.1:${port}  (/public, /market, /private)`,
    `  admin    http://127.0.0.1:${adminPort}  (GET /state)`,
    `  key      ${options.apiKey}`,
    `  secret   ${secret}`,
    '',
    `  market   ${marketText(options)}, ${symbols} ${symbols === 1 ? 'symbol' : 'symbols'}`,
    `  clock    ${new Date(clock.now()).toISOString()}, ${speedText(options)}`,
    `  faults   ${options.faults}`,
    `  state    ${stateText(options, recovered)}`,
    '',
    'It listens on loopback only (127.0.0.1). Ctrl-C ends it.',
    '',
  ].join('\n');
}

function marketText({ source, seed }: ExchangeOptions): string {
  if (source.kind === 'recording') return `recording ${source.path}`;
  return source.kind === 'live' ? `live from ${source.url ?? source.protocol}` : `generated (seed ${seed})`;
}

const speedText = ({ speed }: ExchangeOptions): string =>
  speed === 'manual' ? 'moved by the admin' : speed === 1 ? 'real time' : `${speed} times real time`;

const stateText = ({ stateDir }: ExchangeOptions, recovered: number): string =>
  stateDir === undefined
    ? 'in memory, gone when it ends (keep it with --state DIR)'
    : `${stateDir} (${recovered} entries taken in again)`;
