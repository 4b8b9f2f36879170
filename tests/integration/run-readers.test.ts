/** Whoever reads along goes away: a table that is exported ends with its reader, what trades does not. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readStatus } from '../../src/app/status/status-file.ts';
import { tempDir } from '../support/temp.ts';

const MAIN = fileURLToPath(new URL('../../src/app/main.ts', import.meta.url));
const LIMIT_MS = 60_000;

type Piped = ChildProcess & {
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream;
};

function start(t: TestContext, args: readonly string[]): { child: Piped; said: () => string } {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, BULKHEAD_HTTP_ENABLED: 'false', BULKHEAD_STATUS_INTERVAL_MS: '100' },
    stdio: ['ignore', 'pipe', 'pipe'],
  }) as Piped;
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return { child, said: () => said };
}

async function until(child: ChildProcess, what: string, isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; !isSo(); await new Promise((resolve) => setTimeout(resolve, 50))) {
    assert.equal(child.exitCode, null, `it ended before: ${what}`);
    assert.ok(Date.now() < end, `never: ${what}`);
  }
}

const closing = (stream: NodeJS.ReadableStream): void => (stream as unknown as { destroy(): void }).destroy();

describe('nobody reads any more', () => {
  it('a run trades on, says so once, and ends with its signal', async (t) => {
    const dataDir = path.join(tempDir(t, 'readers'), 'data');
    // With --json each trade is a line, and days of the market pass in a second: plenty to write.
    const flags = ['--seed', '42', '--symbols', 'BTCUSDT,ETHUSDT', '--speed', '20000', '--json'];
    const { child, said } = start(t, ['run', '--data-dir', dataDir, ...flags]);
    await once(child.stdout, 'data');
    closing(child.stdout);
    await until(child, 'it says so', () => said().includes('nobody reads standard output'));
    const { trades, journal } = readStatus(dataDir);
    await until(child, 'another trade', () => readStatus(dataDir).trades.count > trades.count);
    assert.ok(readStatus(dataDir).journal.durableN > journal.durableN);
    assert.equal(said().split('nobody reads standard output').length - 1, 1, said());
    // Nor does it need anybody who reads what it says of itself.
    closing(child.stderr);
    const since = readStatus(dataDir).trades.count;
    await until(child, 'one more trade', () => readStatus(dataDir).trades.count > since);
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.equal(code, 143);
    assert.equal(readStatus(dataDir).state, 'stopped');

    // Its table, of far more than a pipe holds, ends with its reader, and that is no failure.
    assert.ok(readStatus(dataDir).journal.durableN > 400);
    const table = start(t, ['export', 'journal', '--json', '--data-dir', dataDir]);
    await once(table.child.stdout, 'data');
    closing(table.child.stdout);
    const [left] = (await once(table.child, 'exit')) as [number | null];
    assert.deepEqual([left, table.said()], [0, '']);
  });
});
