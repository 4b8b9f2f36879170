/** `bulkhead inspect`: the statecharts of machine files on a page, drawn anew whenever a file is saved. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BulkheadError } from '../../core/errors.ts';
import { createLogger } from '../../core/logger.ts';
import { ChartLayouts } from '../../http/chart-layout.ts';
import { ChartServer } from '../../http/chart-server.ts';
import { pageFile } from '../../http/page-files.ts';
import { Feed } from '../../operator/feed.ts';
import type { ChartsNow } from '../../operator/views.ts';
import type { InspectOptions, Io } from '../cli/io.ts';
import { Signals } from '../run/signals.ts';
import { ChartDesk } from './chart-desk.ts';

const SHUTDOWN_DEADLINE_MS = 5_000;
const OURS = fileURLToPath(new URL('./own-machines.ts', import.meta.url));

export async function inspect({ modules, port, json }: InspectOptions, io: Io): Promise<number> {
  const files = modules.length === 0 ? [OURS] : modules.map((module) => resolve(io.cwd, module));
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined)
    throw new BulkheadError('USAGE', `There is no file ${missing}.`, {
      hint: 'Name a module that exports statecharts, such as machines/position.ts.',
    });
  const now = () => io.time.clock.now();
  const log = createLogger({ level: 'warn', output: io.stderr, pretty: io.stderrIsTty, now });
  const signals = new Signals(SHUTDOWN_DEADLINE_MS, io.time, log);
  const feed = new Feed();
  const say = (line: object, text: string) =>
    io.stdout.write(json ? `${JSON.stringify(line)}\n` : `${text}\n`);
  const desk = new ChartDesk({
    modules: files,
    layouts: new ChartLayouts(),
    time: io.time,
    onLoaded: (loaded) => {
      // Every page reads everything anew then.
      feed.publish('reset', {});
      const { error, machines } = loaded;
      say({ event: 'loaded', machines: machines.map(({ type }) => type), error }, wordsOf(loaded));
    },
  });
  const server = new ChartServer({ port, charts: () => desk.now, feed, file: pageFile, time: io.time, log });
  try {
    const url = await server.listen();
    say(
      { event: 'ready', url },
      `Statecharts at ${url}, drawn anew whenever a file is saved. Ctrl-C ends it.`,
    );
    await desk.load();
    await signals.stopped();
    if (signals.failure !== undefined) throw signals.failure;
    return signals.exitCode ?? 0;
  } finally {
    desk.close();
    await server.close();
    signals.release();
  }
}

function wordsOf({ error, machines, files }: ChartsNow): string {
  const names = machines.map(({ type }) => type).join(', ');
  return error === null
    ? `drawn: ${names} (${files} files watched)`
    : `cannot be loaded, the last charts stay: ${error}`;
}
