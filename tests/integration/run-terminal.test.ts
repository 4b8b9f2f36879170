/** A run on a real terminal: what a hang-up is while the terminal is there, and what when it is closed. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStatus } from '../../src/app/status/status-file.ts';
import { CliProcess, cli } from '../support/cli-process.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const dir = makeTempDir('terminal');
after(() => removeTempDir(dir));

const hasTerminals = existsSync('/usr/bin/script');
/** Becomes the terminal, whose shell becomes the run; its process id is written first. */
const ON_A_TERMINAL = ['sh', '-c', 'exec script -qefc "echo pid=\\$\\$; exec $* $OUT" /dev/null', 'sh'];

interface Seated {
  /** Killed, it takes the terminal away. */
  readonly terminal: CliProcess;
  readonly pid: number;
  readonly folder: string;
  readonly file: string;
}

const write = (file: string, more: string): void =>
  writeFileSync(file, `market: { seed: 7, symbols: [BTCUSDT], speed: 60, warmUpDays: 1 }\n${more}`);

async function sit(t: TestContext, name: string, out = ''): Promise<Seated> {
  const [folder, file] = [path.join(dir, name), path.join(dir, `${name}.yaml`)];
  write(file, '');
  const args = ['run', '--data-dir', folder, '--config', file];
  const terminal = new CliProcess(args, {
    wrap: ON_A_TERMINAL,
    env: { OUT: out, TERM: 'xterm', SHELL: '/bin/sh' },
  });
  const pid = Number((await terminal.said(/pid=(\d+)/))[1]);
  t.after(async () => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await terminal.reap();
  });
  await until(() => readStatus(folder).state === 'running');
  return { terminal, pid, folder, file };
}

/** Nobody may have waited for it yet: that is over, too. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 90_000; performance.now() < end; await sleep(20)) {
    try {
      if (isSo()) return;
    } catch {
      // There is no status yet.
    }
  }
  assert.fail(`never: ${isSo}`);
}

const version = ({ folder }: Seated): number | undefined => readStatus(folder).configuration?.version;

test('on a terminal: a hang-up reads the file again; the terminal closed is the end, in good order', {
  skip: !hasTerminals,
}, async (t) => {
  const seated = await sit(t, 'shown');
  await seated.terminal.said(/Equity/);
  write(seated.file, 'risk: { maxLeverage: 7 }\n');
  process.kill(seated.pid, 'SIGHUP');
  await until(() => version(seated) === 2);
  // An edit that nobody asked to be read: a closing that were taken for a reload would take it up.
  write(seated.file, 'risk: { maxLeverage: 6 }\n');
  seated.terminal.kill('SIGKILL');
  await until(() => readStatus(seated.folder).state === 'stopped');
  assert.equal(version(seated), 2);
  await until(() => !isAlive(seated.pid));
  const shown = await cli(['config', 'versions', '--data-dir', seated.folder, '--config', seated.file]);
  assert.match(shown.stdout, /SIGHUP/);
});

test('its output in a file, the terminal closed: the end, too', { skip: !hasTerminals }, async (t) => {
  const seated = await sit(t, 'filed', `> ${path.join(dir, 'out.log')} 2>&1`);
  seated.terminal.kill('SIGKILL');
  await until(() => readStatus(seated.folder).state === 'stopped');
});

test('without a stream on it, as under nohup: the run goes on, and has read its file again', {
  skip: !hasTerminals,
}, async (t) => {
  const seated = await sit(t, 'nohup', `< /dev/null > ${path.join(dir, 'nohup.log')} 2>&1`);
  write(seated.file, 'risk: { maxLeverage: 7 }\n');
  seated.terminal.kill('SIGKILL');
  await until(() => version(seated) === 2);
  assert.equal(readStatus(seated.folder).state, 'running');
});
