/** `bulkhead status`: shows the status document of a data folder. */
import { resolve } from 'node:path';
import type { Io, StatusOptions } from '../cli/io.ts';
import { duration } from '../cli/render-text.ts';
import { renderStatus } from './render-status.ts';
import { readStatus, type StatusDocument } from './status-file.ts';

/** Older than this, or than three that should have been written since, it hangs. */
const STALE_AFTER_MS = 30_000;
const MISSED = 3;

export async function status({ config, json, health }: StatusOptions, io: Io): Promise<number> {
  const dataDir = resolve(io.cwd, config.data.dir);
  const document = readStatus(dataDir);
  const alive = isAlive(document.pid);
  const now = io.time.clock.now();
  if (health) return reportHealth(document, alive, now, json, io);
  if (json) {
    io.stdout.write(`${JSON.stringify({ ...document, alive })}\n`);
    return 0;
  }
  const colour = io.isTty && io.env.NO_COLOR === undefined;
  io.stdout.write(renderStatus(document, { colour, width: io.isTty ? io.columns : 200, now, alive }));
  return 0;
}

function reportHealth(document: StatusDocument, alive: boolean, now: number, json: boolean, io: Io): number {
  const problem = illness(document, alive, now);
  const text = json
    ? JSON.stringify({ healthy: problem === undefined, problem: problem ?? null })
    : (problem ?? (document.error === null ? 'healthy' : `alive; ${document.error}`));
  io.stdout.write(`${text}\n`);
  return problem === undefined ? 0 : 1;
}

/** What is wrong with the run, or undefined. A standby that waits for the account is well. */
export function illness(document: StatusDocument, alive: boolean, now: number): string | undefined {
  if (document.state === 'failed') return `failed: ${document.error ?? 'no reason recorded'}`;
  if (document.state === 'stopped') return 'stopped';
  if (!alive) return `process ${document.pid} is gone`;
  const age = now - document.updatedAt;
  const longestMs = Math.max(STALE_AFTER_MS, MISSED * (document.intervalMs ?? 0));
  return age > longestMs ? `no sign of life for ${duration(age)}` : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
