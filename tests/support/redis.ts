/** A real Redis for the tests: TEST_REDIS_URL, else redis-server on PATH, else skip with the reason. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeTempDir, removeTempDir } from './temp.ts';

export interface RedisServer {
  /** A redis:// URL, or the path of a Unix socket. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<RedisServer | string> {
  const given = process.env.TEST_REDIS_URL;
  if (given) return { url: given, stop: async () => undefined };
  const binary = (process.env.PATH ?? '')
    .split(path.delimiter)
    .flatMap((dir) => ['redis-server', 'valkey-server'].map((name) => path.join(dir, name)))
    .find((candidate) => existsSync(candidate));
  if (binary) return start(binary);
  const reason = 'no Redis: set TEST_REDIS_URL or install redis-server';
  if (process.env.REQUIRE_SERVICES === '1') throw new Error(`${reason} (REQUIRE_SERVICES=1)`);
  console.error(`skipping: ${reason}`);
  return reason;
}

async function start(binary: string): Promise<RedisServer> {
  const dir = makeTempDir('redis');
  const socket = path.join(dir, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', socket, '--dir', dir, '--save', '', '--appendonly', 'no'];
  const server = spawn(binary, args, { stdio: 'ignore' });
  process.once('exit', () => server.kill('SIGKILL'));
  for (let waited = 0; !existsSync(socket); waited += 10) {
    if (waited > 10_000 || server.exitCode !== null) throw new Error('redis-server did not start');
    await delay(10);
  }
  return {
    url: socket,
    stop: async () => {
      const exited = once(server, 'exit');
      server.kill('SIGTERM');
      await exited;
      removeTempDir(dir);
    },
  };
}
