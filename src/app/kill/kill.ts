/**
 * `bulkhead kill`: cancels and flattens what Bulkhead owns, and keeps everything shut until `bulkhead release`. Needs
 * neither a database nor a running Bulkhead: the file goes first, then this process acts at the venue itself.
 */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { sleep } from '../../core/clock.ts';
import { BulkheadError } from '../../core/errors.ts';
import { createLogger } from '../../core/logger.ts';
import type { Io, KillOptions } from '../cli/io.ts';
import { openVenue } from '../compose/open-venue.ts';
import type { OpenVenue } from '../live/venue-seams.ts';
import { isAlive } from '../status/status.ts';
import { readStatus, statusPath } from '../status/status-file.ts';
import { carryOut } from './kill-carry-out.ts';
import { engageKill, type KillOrder, readKill } from './kill-file.ts';
import { type KillTarget, killTarget } from './kill-target.ts';
import type { KillEnd } from './kill-venue.ts';

const LOOK_AGAIN_MS = 500;

export async function kill(options: KillOptions, io: Io, venue: OpenVenue = openVenue): Promise<number> {
  const { config, accountWide, reason, json } = options;
  const dataDir = resolve(io.cwd, config.data.dir);
  const wanted = { by: userInfo().username, reason, accountWide, at: io.time.clock.now() };
  const { order, isNew } = engageKill(dataDir, wanted);
  const say = (text: string): void => {
    io.stdout.write(`${json ? JSON.stringify({ kill: order.id, say: text }) : text}\n`);
  };
  say(isNew ? `kill switch engaged (${order.id})` : `kill switch was engaged already (${order.id})`);
  // After the file: what is missing here must not keep the switch from being engaged.
  const found = targetOf(options, dataDir, say);
  if (!found) {
    if (!existsSync(statusPath(dataDir))) throw noRunHere(dataDir, config.mode);
    say(isRunning(dataDir) ? 'the run closes what is open now' : 'the next start closes what is open');
    return 0;
  }
  const log = createLogger({
    level: 'warn',
    output: io.stderr,
    pretty: io.stderrIsTty,
    secrets: [...Object.values(options.secrets), found.target.apiKey, found.target.apiSecret],
    now: () => io.time.clock.now(),
  });
  const end = await untilDone(dataDir, order, io, () =>
    carryOut({ ...found, dataDir, order, venue, io, log, say }),
  );
  say(LAST_WORDS[end]);
  return end === 'flat' ? 0 : 1;
}

/** Most likely a mistyped folder: whoever believed that all is closed now would be wrong. */
const noRunHere = (dataDir: string, mode: string): BulkheadError =>
  new BulkheadError('NOT_FOUND', `No run has ever used ${dataDir}: nothing was closed.`, {
    hint: `Name the run’s folder with --data-dir, or its venue with --mode paper or --mode live (it is ${mode} now). The switch stays engaged in this folder.`,
  });

/** What keeps this process from the venue does not keep a run from it: who reads the error must know. */
function targetOf(
  options: KillOptions,
  dataDir: string,
  say: (text: string) => void,
): KillTarget | undefined {
  try {
    return killTarget(options, dataDir);
  } catch (error) {
    say(
      isRunning(dataDir)
        ? 'the run closes what is open now; from here nothing can be sent'
        : 'nothing is closed before a run starts, or this command has what it lacks',
    );
    throw error;
  }
}

const LAST_WORDS: Readonly<Record<KillEnd, string>> = {
  flat: 'flat: the venue shows no order and no position that is to go; bulkhead release --reason lifts the switch',
  released: 'released meanwhile: nothing more was sent',
  stopped: 'stopped before the venue was flat',
};

/** While another process is at it, this one waits, and then sees for itself. */
async function untilDone(
  dataDir: string,
  order: KillOrder,
  io: Io,
  act: () => Promise<KillEnd | 'busy'>,
): Promise<KillEnd> {
  for (;;) {
    const end = await act();
    if (end !== 'busy') return end;
    await sleep(io.time.timers, LOOK_AGAIN_MS);
    if (readKill(dataDir)?.id !== order.id) return 'released';
  }
}

function isRunning(dataDir: string): boolean {
  try {
    const { pid, state } = readStatus(dataDir);
    return state !== 'stopped' && state !== 'failed' && isAlive(pid);
  } catch {
    return false;
  }
}
