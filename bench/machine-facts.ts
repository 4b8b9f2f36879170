/** What the numbers were measured on. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

const MATTERS = ['@electric-sql/pglite', 'pg', 'xstate', 'ws'];

export interface MachineFacts {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly postgres: string;
  readonly commit: string;
  readonly at: string;
}

function answerOf(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}

function installed(name: string): string {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** Of one minute; well above 0 says that the machine had other work. */
export const loadNow = (): number => Math.round((os.loadavg()[0] ?? 0) * 100) / 100;

export function machineFacts(): MachineFacts {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cpus: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.arch()}`,
    node: process.version,
    versions: Object.fromEntries(MATTERS.map((name) => [name, installed(name)])),
    postgres: answerOf('psql', '--version'),
    commit: answerOf('git', 'rev-parse', '--short', 'HEAD'),
    at: new Date().toISOString(),
  };
}
