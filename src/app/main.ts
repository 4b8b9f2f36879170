/** The program: joins the command line to this process. Commands load lazily, so that `--help` starts at once. */
import { isatty } from 'node:tty';
import { systemTime } from '../core/clock.ts';
import { type Handlers, runCli } from './cli/cli.ts';
import type { Io } from './cli/io.ts';
import { keysOf } from './cli/keys.ts';

const terminals = [0, 1, 2].filter((fd) => isatty(fd));

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  isTty: process.stdout.isTTY === true,
  stderrIsTty: process.stderr.isTTY === true,
  isTerminalGone: () => terminals.some((fd) => !isatty(fd)),
  // A terminal that does not know its size says 0.
  columns: process.stdout.columns || 100,
  rows: process.stdout.rows || 40,
  time: systemTime(),
  pid: process.pid,
  mayListen: true,
  ...(process.stdin.isTTY ? { keys: () => keysOf(process.stdin) } : {}),
};

// Whoever kills the launcher means the program: one that went on unseen would keep its journal from the next.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();

let outlivesReaders = false;
let isReaderGone = false;

const stores = async () => (await import('./compose/open-store.ts')).createStore;

const handlers: Handlers = {
  run: async (options, io) => {
    outlivesReaders = true;
    return (await import('./run/run.ts')).run(options, io);
  },
  status: async (options, io) => (await import('./status/status.ts')).status(options, io),
  export: async (options, io) =>
    (await import('./results/export.ts')).exportCommand(options, io, await stores()),
  replay: async (options, io) => (await import('./replay/replay.ts')).replay(options, io),
  backup: async (options, io) => (await import('./store/backup.ts')).backup(options, io, await stores()),
  compact: async (options, io) =>
    (await import('./store/compact.ts')).compactCommand(options, io, await stores()),
  restore: async (options, io) => (await import('./store/restore.ts')).restore(options, io, await stores()),
  explain: async (options, io) => (await import('./results/explain.ts')).explain(options, io, await stores()),
  stats: async (options, io) => (await import('./results/stats.ts')).stats(options, io, await stores()),
  rules: async (options, io) => (await import('./rules/rules.ts')).rules(options, io),
  config: async (options, io) =>
    (await import('./config/config-command.ts')).config(options, io, await stores()),
  say: async (options, io) => (await import('./requests/say.ts')).say(options, io),
  kill: async (options, io) => (await import('./kill/kill.ts')).kill(options, io),
  release: async (options, io) => (await import('./kill/release.ts')).release(options, io),
  breakers: async (options, io) => (await import('./status/breakers.ts')).breakers(options, io),
  exchange: async (options, io) => {
    outlivesReaders = true;
    return (await import('./exchange/exchange.ts')).exchange(options, io);
  },
  simulate: async (options, io) => (await import('./simulation/simulate-command.ts')).simulate(options, io),
  doctor: async (options, io) => (await import('./doctor/doctor.ts')).doctor(options, io, await stores()),
  handover: async (options, io) =>
    (await import('./standby/handover.ts')).handover(options, io, await stores()),
  inspect: async (options, io) => (await import('./inspect/inspect.ts')).inspect(options, io),
  migrate: async (options, io) => (await import('./store/migrate.ts')).migrate(options, io, await stores()),
};

/**
 * `bulkhead export … | head` closes the pipe early: that is the reader's right and no failure of ours. A run has
 * positions to look after, and an exchange its clients, whoever reads along: they go on, and say so once.
 */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') unlessGone(error);
  else if (!outlivesReaders) process.exit(0);
  else if (!isReaderGone) {
    isReaderGone = true;
    process.stderr.write('bulkhead: nobody reads standard output any more; it goes on without\n');
  }
});
process.stderr.on('error', unlessGone);

/** Nobody reads a pipe or a terminal that was closed; whether that is the end its hang-up says (signals.ts). */
function unlessGone(error: NodeJS.ErrnoException): void {
  const isGone = error.code === 'EIO' || (error.code === 'EPIPE' && outlivesReaders);
  if (!isGone) throw error;
}

process.exitCode = await runCli(process.argv.slice(2), io, handlers);
