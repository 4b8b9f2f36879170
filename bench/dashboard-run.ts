/** The run of bench/dashboard-cost.ts: a demo of 35 symbols that serves its page, with a clock that goes faster. */
import { runCli } from '../src/app/cli/cli.ts';
import type { Io } from '../src/app/cli/io.ts';
import { run } from '../src/app/run/run.ts';
import { scaledTime, systemTime, type Time, type TimerHandle } from '../src/core/clock.ts';
import { SYNTHETIC_SYMBOLS } from '../src/market/synthetic/synthetic-symbols.ts';
import type { StatusDocument } from '../src/operator/status-document.ts';
import { OTHER_COMMANDS } from './other-commands.ts';
import { ProcessProbe } from './process-probe.ts';

const [dir = '', clock = '1', market = '1'] = process.argv.slice(2);
/** The generated market knows some by name and makes up the others. */
const SYMBOLS = 35;
const symbols = Array.from({ length: SYMBOLS }, (_, i) => SYNTHETIC_SYMBOLS[i] ?? `ALT${i}USDT`);
const probe = new ProcessProbe();
const real = systemTime();
const time = punctual(scaledTime(real, real.clock.now(), Number(clock)));

/** The week that goes by at full speed at first is over. */
const WARM_FROM = Date.UTC(2025, 0, 8);
const LOOK_EVERY_MS = 200;

/** What fires late arms its next from when it was due: so much faster, the lateness of timers would slow the clock. */
function punctual({ clock, monotonic, timers }: Time): Time {
  let firing: number | undefined;
  const set = (delayMs: number, fire: () => void): TimerHandle => {
    const due = (firing ?? monotonic.now()) + delayMs;
    return timers.set(Math.max(0, due - monotonic.now()), () => {
      firing = due;
      try {
        fire();
      } finally {
        firing = undefined;
      }
    });
  };
  return { clock, monotonic, timers: { set } };
}

async function ready(url: string): Promise<void> {
  for (;;) {
    const { data } = (await (await fetch(`${url}/api/status`)).json()) as { data: StatusDocument };
    if (data.market.symbols.length > 0 && data.market.symbols.length !== SYMBOLS)
      throw new Error(`the run trades ${data.market.symbols.length} symbols`);
    if ((data.virtualTime ?? 0) >= WARM_FROM) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  process.send?.(url);
}

process.on('message', (question) => {
  if (question === 'begin') probe.begin();
  process.send?.(probe.sample(true));
});

// Whoever asked is gone: nobody else ends this.
process.on('disconnect', () => process.exit());

const io: Io = {
  stdout: { write: () => true },
  stderr: {
    write: (text: string) => {
      const url = /the page is at (http:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1];
      if (url) void ready(url);
      return true;
    },
  },
  env: {
    BULKHEAD_HTTP_ENABLED: 'true',
    BULKHEAD_HTTP_PORT: '0',
    // By its fast clock; nobody else wants the account, and the file is not what is measured.
    BULKHEAD_LEASE_TTL_MS: '600000',
    BULKHEAD_STATUS_INTERVAL_MS: '60000',
  },
  ...{ cwd: dir, isTty: false, stderrIsTty: false, columns: 100, rows: 40 },
  ...{ time, pid: process.pid, mayListen: true },
};

const args = [
  'run',
  '--mode',
  'demo',
  '--seed',
  '7',
  '--speed',
  market,
  '--json',
  '--symbols',
  symbols.join(),
];
process.exitCode = await runCli(args, io, { ...OTHER_COMMANDS, run: (options) => run(options, io) });
