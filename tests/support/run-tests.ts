/**
 * `npm test [FILTER…]`: one PostgreSQL and one Redis for the whole run, then every test file whose path holds
 * one of the filters. Says what was skipped and why; in CI, or with REQUIRE_SERVICES=1, a skip is a failure.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import type { Skip } from './skip-reporter.ts';
import { makeTempDir, removeTempDir } from './temp.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CONCURRENCY = 2;
const TIMEOUT_MS = 600_000;

const isStrict = process.env.CI === 'true' || process.env.REQUIRE_SERVICES === '1';
if (isStrict) process.env.REQUIRE_SERVICES = '1';

process.exitCode = await main(process.argv.slice(2));

async function main(filters: readonly string[]): Promise<number> {
  const files = globSync('tests/**/*.test.ts', { cwd: ROOT })
    .map((file) => file.replaceAll(path.sep, '/'))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort();
  if (files.length === 0) {
    console.error(`No test file matches: ${filters.join(' ')}`);
    return 64;
  }
  const folder = makeTempDir('tests');
  const services = await Promise.all([startPostgres(), startRedis()]);
  try {
    const [postgres, redis] = services;
    const env = { ...process.env };
    if (typeof postgres !== 'string') env.TEST_DATABASE_URL = postgres.url;
    if (typeof redis !== 'string') env.TEST_REDIS_URL = redis.url;
    const skipFile = path.join(folder, 'skips.jsonl');
    const code = await runNode(files, skipFile, env);
    const skips = existsSync(skipFile) ? readSkips(skipFile) : [];
    return Math.max(code, reportSkips(skips));
  } finally {
    for (const service of services) if (typeof service !== 'string') await service.stop();
    removeTempDir(folder);
  }
}

async function runNode(files: readonly string[], skipFile: string, env: NodeJS.ProcessEnv): Promise<number> {
  const reporter = new URL('./skip-reporter.ts', import.meta.url).href;
  const child = spawn(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${CONCURRENCY}`,
      `--test-timeout=${TIMEOUT_MS}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${reporter}`,
      `--test-reporter-destination=${skipFile}`,
      ...files,
    ],
    { cwd: ROOT, env, stdio: 'inherit' },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

function readSkips(file: string): Skip[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Skip);
}

function reportSkips(skips: readonly Skip[]): number {
  if (skips.length === 0) {
    console.log('No test was skipped.');
    return 0;
  }
  console.log(`${skips.length} skipped:`);
  for (const { file, name, reason } of skips)
    console.log(`  ${path.relative(ROOT, file)}: ${name} (${reason})`);
  if (isStrict) console.error('A skip is a failure here (CI=true or REQUIRE_SERVICES=1).');
  return isStrict ? 1 : 0;
}
