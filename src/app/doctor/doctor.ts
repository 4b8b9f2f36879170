/**
 * `bulkhead doctor`: every precondition of a run, each with what to do when it fails. One failed check never
 * hides the others. It trades nothing and takes no lease; the store is opened as a run would open it.
 */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BulkheadError, errorText } from '../../core/errors.ts';
import type { JournalStore, LeaseState, StoreHealth } from '../../journal/journal.ts';
import type { CommandOptions, CreateStore, DoctorOptions, Io } from '../cli/io.ts';
import { moment, painter } from '../cli/render-text.ts';
import { isAlive } from '../status/status.ts';
import { readStatus, type StatusDocument } from '../status/status-file.ts';
import type { Check } from './check.ts';
import { venueChecks } from './doctor-venue.ts';

const MINIMUM_NODE = 24;
const MINIMUM_FREE_BYTES = 256 * 1024 * 1024;
/** 2025-01-01: no honest clock is earlier than this program. */
const EARLIEST_NOW = 1_735_689_600_000;

export async function doctor(
  { load, json }: DoctorOptions,
  io: Io,
  createStore: CreateStore,
): Promise<number> {
  const checks: Check[] = [nodeVersion(process.versions.node), clock(io.time.clock.now())];
  const options = await attempt(load);
  if (options instanceof Error) {
    checks.push(failure('configuration', options));
  } else {
    const { config, configFile } = options;
    const dataDir = resolve(io.cwd, config.data.dir);
    checks.push({ name: 'configuration', ok: true, detail: configFile ?? 'defaults, variables and flags' });
    checks.push(...secrets(options), writable(dataDir), diskSpace(dataDir), ...recording(options, io));
    checks.push(...(await venueChecks(options, io)));
    checks.push(...(await store(options, io, createStore, dataDir)));
  }
  print(checks, json, io);
  return checks.every(({ ok }) => ok) ? 0 : 1;
}

async function attempt<T>(action: () => T | Promise<T>): Promise<T | Error> {
  try {
    return await action();
  } catch (error) {
    return error instanceof Error ? error : new Error(errorText(error));
  }
}

function failure(name: string, error: unknown): Check {
  const hint = error instanceof BulkheadError ? error.hint : undefined;
  const detail = error instanceof BulkheadError ? `${error.message} [${error.code}]` : errorText(error);
  return { name, ok: false, detail, hint: hint ?? 'docs/ERRORS.md explains the error.' };
}

export function nodeVersion(version: string): Check {
  const ok = Number(version.split('.')[0]) >= MINIMUM_NODE;
  const check = { name: 'node', ok, detail: `v${version}` };
  return ok ? check : { ...check, hint: `Start through run.cjs, or install Node ${MINIMUM_NODE} or newer.` };
}

export function clock(now: number): Check {
  const ok = now >= EARLIEST_NOW;
  const check = { name: 'clock', ok, detail: `${moment(now)} UTC` };
  return ok ? check : { ...check, hint: 'Set the clock of this machine; NTP keeps it right.' };
}

function* secrets({ config, secrets, secretSource }: CommandOptions): Generator<Check> {
  if (secretSource) {
    const warning = secretSource.warning();
    const version = secretSource.version === null ? '' : `, version ${secretSource.version}`;
    const detail = `${secretSource.where}${version}`;
    if (warning === null) yield { name: 'secret store', ok: true, detail };
    else yield { name: 'secret store', ok: false, detail, hint: warning };
  }
  if (config.mode !== 'live') return;
  const missing = [secrets.apiKey ? '' : 'BULKHEAD_API_KEY', secrets.apiSecret ? '' : 'BULKHEAD_API_SECRET'];
  const names = missing.filter((name) => name !== '').join(' and ');
  if (names === '') yield { name: 'secrets', ok: true, detail: 'API key and secret are set' };
  else
    yield {
      name: 'secrets',
      ok: false,
      detail: `${names} not set`,
      hint: `Live trading needs them: set ${names}.`,
    };
}

/** The folder itself, or the nearest one above it that exists. */
function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

export function writable(dataDir: string): Check {
  const folder = nearestExisting(dataDir);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return {
      name: 'data folder',
      ok: true,
      detail: folder === dataDir ? dataDir : `${dataDir} (will be created)`,
    };
  } catch {
    return {
      name: 'data folder',
      ok: false,
      detail: `${folder} cannot be written`,
      hint: 'Give this user write access, or choose another folder with --data-dir.',
    };
  }
}

function diskSpace(dataDir: string): Check {
  const stats = statfsSync(nearestExisting(dataDir));
  const freeBytes = stats.bavail * stats.bsize;
  const detail = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free`;
  if (freeBytes >= MINIMUM_FREE_BYTES) return { name: 'disk', ok: true, detail };
  return {
    name: 'disk',
    ok: false,
    detail,
    hint: 'Free at least 256 MiB: a run halts entries when the store is full.',
  };
}

function* recording({ config }: CommandOptions, io: Io): Generator<Check> {
  if (config.market.source !== 'recorded' || config.market.recording === undefined) return;
  const path = resolve(io.cwd, config.market.recording);
  try {
    accessSync(path, constants.R_OK);
    yield { name: 'recording', ok: true, detail: path };
  } catch {
    const hint = 'Correct --recording or market.recording, or make it readable.';
    yield { name: 'recording', ok: false, detail: `${path} cannot be read`, hint };
  }
}

async function store(
  options: CommandOptions,
  io: Io,
  create: CreateStore,
  dataDir: string,
): Promise<Check[]> {
  const running = await runningHere(dataDir);
  try {
    const journal = await create(options, io, 'require');
    try {
      const health = await journal.open();
      const free = lease(await journal.leaseState(), io.time.clock.now());
      return [...healthChecks(health), await readable(journal), free];
    } finally {
      await journal.close();
    }
  } catch (error) {
    // The embedded store belongs to the one process that has it open, and a running Bulkhead may.
    if (running && error instanceof BulkheadError && error.code === 'STORE_LOCKED') {
      return [
        {
          name: 'store',
          ok: true,
          detail: `in use by the run with pid ${running.pid}, which is ${running.state}`,
        },
      ];
    }
    return [failure('store', error)];
  }
}

async function runningHere(dataDir: string): Promise<StatusDocument | undefined> {
  const status = await attempt(() => readStatus(dataDir));
  return status instanceof Error || !isAlive(status.pid) ? undefined : status;
}

function healthChecks(health: StoreHealth): Check[] {
  const hint = 'docs/ERRORS.md, STORE_NOT_DURABLE, says which settings a store must have.';
  const whole: Check = {
    name: 'store',
    ok: health.durable,
    detail: `${health.engine} at ${health.location}`,
  };
  const parts = health.checks.map(({ name, ok, detail }) => ({ name: `store: ${name}`, ok, detail }));
  return [whole, ...parts].map((check) => (check.ok ? check : { ...check, hint }));
}

/** What a start would read: pages that a disk has lost show here, and not before. */
async function readable(journal: JournalStore): Promise<Check> {
  try {
    const [{ n }, live] = [await journal.head(), await journal.liveRows()];
    return { name: 'journal', ok: true, detail: `${n} rows, ${live.length} actors live` };
  } catch (error) {
    return failure('journal', error);
  }
}

function lease(state: LeaseState | undefined, now: number): Check {
  if (!state) return { name: 'lease', ok: true, detail: 'free: nobody trades this account now' };
  const age = state.expiresAt > now ? `held until ${moment(state.expiresAt)} UTC` : 'free';
  return {
    name: 'lease',
    ok: true,
    detail: `${state.account}: ${age}, epoch ${state.epoch}, last owner ${state.owner}`,
  };
}

function print(checks: readonly Check[], json: boolean, io: Io): void {
  if (json) {
    io.stdout.write(`${JSON.stringify({ ok: checks.every(({ ok }) => ok), checks })}\n`);
    return;
  }
  const paint = painter(io.isTty && io.env.NO_COLOR === undefined);
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, ok, detail, hint } of checks) {
    const mark = ok ? paint('green', 'ok  ') : paint('red', 'FAIL');
    io.stdout.write(`${mark}  ${name.padEnd(width)}  ${detail}\n`);
    if (hint !== undefined) io.stdout.write(`      ${' '.repeat(width)}  → ${hint}\n`);
  }
}
