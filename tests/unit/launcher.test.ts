import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../support/house/source-files.ts';
import { tempDir } from '../support/temp.ts';

const LAUNCHER = path.join(ROOT, 'run.cjs');

/** Every Node on PATH, each once. */
const nodes = [
  ...new Set(
    [path.dirname(process.execPath), ...(process.env.PATH ?? '').split(path.delimiter)]
      .map((folder) => path.join(folder, 'node'))
      .filter((file) => existsSync(file))
      .map((file) => realpathSync(file)),
  ),
];

function run(node: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(node, [...args], { encoding: 'utf8', cwd: ROOT });
  return { status, stdout, stderr };
}

/** Makes any Node pretend to be an old one. */
function pretendOld(folder: string): string {
  const file = path.join(folder, 'old.cjs');
  writeFileSync(
    file,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`,
  );
  return file;
}

describe('which Node runs', () => {
  for (const node of nodes) {
    const version = run(node, ['-p', 'process.version']).stdout.trim();
    test(`started by ${version} it is 24 or newer`, () => {
      const { stdout, status } = run(node, [LAUNCHER, '-p', 'process.version']);
      assert.equal(status, 0);
      assert.ok(Number(/^v(\d+)/.exec(stdout)?.[1]) >= 24, stdout);
    });
  }

  test('an old Node hands over to the packaged one', (t) => {
    const args = ['-r', pretendOld(tempDir(t)), LAUNCHER, '-p', 'process.version'];
    const { stdout, status } = run(process.execPath, args);
    const packaged = existsSync(path.join(ROOT, 'node_modules', `node-${process.platform}-${process.arch}`));
    if (packaged) assert.ok(Number(/^v(\d+)/.exec(stdout)?.[1]) >= 24, stdout);
    else assert.equal(status, 78);
  });

  test('an old Node without a packaged one says what to do', (t) => {
    const folder = tempDir(t);
    const alone = path.join(folder, 'run.cjs');
    copyFileSync(LAUNCHER, alone);
    const { status, stderr } = run(process.execPath, ['-r', pretendOld(folder), alone, 'run']);
    assert.equal(status, 78);
    assert.match(stderr, /needs Node 24 or newer; this is v[\d.]+.*\nRun "npm ci" without --omit=optional/);
  });
});

describe('what it runs', () => {
  test('as a bin, by whatever name, its words are the command line\u2019s', (t) => {
    const link = path.join(tempDir(t), 'bulkhead');
    symlinkSync(LAUNCHER, link);
    const help = run(process.execPath, [link, '--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, /^Usage: bulkhead COMMAND/m);
    assert.equal(run(process.execPath, [link, 'export', '--help']).status, 0);
    assert.equal(run(process.execPath, [link]).stdout, help.stdout);
  });

  test('exit codes come through', (t) => {
    assert.equal(run(process.execPath, [LAUNCHER, 'rnu']).status, 64);
    const file = path.join(tempDir(t), 'seven.cjs');
    writeFileSync(file, 'process.exit(7)');
    assert.equal(run(process.execPath, [LAUNCHER, file]).status, 7);
    assert.equal(run(process.execPath, [LAUNCHER, '--expose-gc', file]).status, 7);
  });

  test('a file\u2019s arguments are its own, even when they look like files or flags', (t) => {
    const file = path.join(tempDir(t), 'echo.ts');
    writeFileSync(file, 'const words: string[] = process.argv.slice(2);\nconsole.log(words.join(" "));');
    assert.equal(run(process.execPath, [LAUNCHER, file, '--out', 'x.ts', '-p']).stdout, '--out x.ts -p\n');
  });
});

describe('signals', () => {
  async function start(file: string): Promise<ChildProcess & { readonly stdout: NodeJS.ReadableStream }> {
    const launcher = spawn(process.execPath, [LAUNCHER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(launcher.stdout, 'data');
    return launcher as never;
  }

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`${signal} reaches the runtime, which drains and chooses its exit code`, async (t) => {
      const file = path.join(tempDir(t), 'drain.ts');
      const handler = `process.on('${signal}', () => { console.log('drained'); process.exit(${code}); });`;
      writeFileSync(file, `${handler}\nsetInterval(() => {}, 1000);\nconsole.log('ready');`);
      const launcher = await start(file);
      launcher.kill(signal);
      const [[text], [exit]] = await Promise.all([once(launcher.stdout, 'data'), once(launcher, 'exit')]);
      assert.equal(String(text), 'drained\n');
      assert.equal(exit, code);
    });

    test(`a child that dies of ${signal} is reported as a shell would`, async (t) => {
      const file = path.join(tempDir(t), 'idle.ts');
      writeFileSync(file, `setInterval(() => {}, 1000);\nconsole.log('ready');`);
      const launcher = await start(file);
      launcher.kill(signal);
      const [exit] = await once(launcher, 'exit');
      assert.equal(exit, code);
    });
  }

  test('a child killed outright is 137', async (t) => {
    const file = path.join(tempDir(t), 'kill.ts');
    writeFileSync(file, `console.log('ready');\nprocess.kill(process.pid, 'SIGKILL');`);
    const launcher = await start(file);
    const [exit] = launcher.exitCode === null ? await once(launcher, 'exit') : [launcher.exitCode];
    assert.equal(exit, 137);
  });
});
