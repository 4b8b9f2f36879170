import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { CONFIG_KEYS } from '../../src/config/keys.ts';
import { SECRET_VARIABLES } from '../../src/config/secrets.ts';
import { allFiles, ROOT } from '../support/house/source-files.ts';

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

describe('the image', () => {
  const instructions = read('Dockerfile')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  const lastStage = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));
  const copied = instructions
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));

  test('runs as somebody without rights, as the last word on it', () => {
    const users = lastStage.filter((line) => line.startsWith('USER '));
    assert.deepEqual(users, ['USER node']);
  });

  test('says how it is, and stops on SIGTERM', () => {
    assert.ok(lastStage.some((line) => /^HEALTHCHECK .*"status", "--health"\]/.test(line)));
    assert.ok(lastStage.includes('STOPSIGNAL SIGTERM'));
    const entry = lastStage.find((line) => line.startsWith('ENTRYPOINT '));
    assert.match(
      entry ?? '',
      /^ENTRYPOINT \["tini", "--", "node", "src\/app\/main\.ts"\]$/,
      'exec form, no shell',
    );
  });

  test('every path that is copied exists and passes .dockerignore', () => {
    const letThrough = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    assert.ok(copied.length >= 8);
    for (const file of copied) {
      assert.ok(existsSync(path.join(ROOT, file)), `${file} does not exist`);
      assert.ok(letThrough.includes(file), `${file} is held back by .dockerignore`);
    }
  });

  test('holds every file that production code imports', () => {
    for (const folder of ['src', 'machines', 'supervisors', 'migrations'])
      assert.ok(copied.includes(folder), folder);
  });
});

interface Compose {
  readonly services: Record<
    string,
    {
      readonly healthcheck?: object;
      readonly environment?: Record<string, string>;
      readonly env_file?: string;
    }
  >;
  readonly secrets: Record<string, { readonly file: string }>;
}

describe('compose.yaml', () => {
  const compose = parse(read('compose.yaml')) as Compose;

  test('brings the runtime, PostgreSQL, Redis, Prometheus and Grafana, the servers with health checks', () => {
    assert.deepEqual(Object.keys(compose.services), [
      'bulkhead',
      'postgres',
      'redis',
      'prometheus',
      'grafana',
    ]);
    for (const name of ['prometheus', 'grafana']) assert.ok(compose.services[name]?.healthcheck, name);
    assert.ok(compose.services.postgres?.healthcheck);
    assert.ok(compose.services.redis?.healthcheck);
  });

  test('sets only variables that there are, and no secret', () => {
    const files = Object.values(SECRET_VARIABLES)
      .flat()
      .map((name) => `${name}_FILE`);
    const known = [...CONFIG_KEYS.map((key) => key.variable), ...files];
    for (const name of Object.keys(compose.services.bulkhead?.environment ?? {}))
      assert.ok(known.includes(name), name);
    assert.doesNotMatch(read('compose.yaml'), /password\s*[:=]/i);
  });

  test('needs no file that the README’s own line does not have one make first', () => {
    const needed = new Set(
      [
        ...Object.values(compose.services).flatMap(({ env_file: file }) => file ?? []),
        ...Object.values(compose.secrets).map(({ file }) => file),
      ].map((file) => path.basename(file)),
    );
    assert.deepEqual([...needed].sort(), ['bulkhead.env', 'http-token']);
    const said = read('README.md')
      .split('\n\n')
      .find((part) => part.includes('`docker compose up --build`'));
    for (const file of needed) {
      const made = new RegExp(`\\x60(cp \\S+|openssl [^\\x60]+ >) ${file.replaceAll('.', '\\.')}\\x60`);
      assert.match(said ?? '', made, file);
      assert.match(read('.gitignore'), new RegExp(`^${file.replaceAll('.', '\\.')}$`, 'm'));
    }
  });

  test('what it mounts is there, and every port is this machine’s alone', () => {
    const text = read('compose.yaml');
    for (const [, named = ''] of text.matchAll(/- \.\/(deploy\/[^:]+):/g))
      assert.ok(existsSync(path.join(ROOT, named)), named);
    for (const [, port = ''] of text.matchAll(/- "([^"]*:\d+)"/g)) assert.match(port, /^127\.0\.0\.1:/);
    assert.match(read('.gitignore'), /^http-token$/m);
  });

  test('the example of secrets is complete, and the real one is not committed', () => {
    const names = [...read('bulkhead.env.example').matchAll(/^(BULKHEAD_\w+)=/gm)].map(
      (match) => match[1] ?? '',
    );
    assert.deepEqual(names, ['BULKHEAD_DATABASE_URL', 'BULKHEAD_REDIS_URL']);
    for (const name of names) assert.ok(Object.values(SECRET_VARIABLES).flat().includes(name));
    assert.match(read('.gitignore'), /^bulkhead\.env$/m);
  });
});

describe('the package', () => {
  const manifest = JSON.parse(read('package.json')) as {
    readonly bin: Record<string, string>;
    readonly scripts: Record<string, string>;
  };

  test('every file that a script or the bin names exists', () => {
    const named = [
      ...Object.values(manifest.bin),
      ...(Object.values(manifest.scripts)
        .join(' ')
        .match(/\S+\.(?:ts|cjs)\b/g) ?? []),
    ];
    assert.ok(named.length > 3);
    for (const file of named) assert.ok(existsSync(path.join(ROOT, file)), `${file} does not exist`);
  });

  test('what is meant to be started can be', () => {
    for (const file of ['run.cjs', ...allFiles('.ci')]) {
      assert.ok(statSync(path.join(ROOT, file)).mode & 0o100, `${file} is not executable`);
      assert.match(read(file), /^#!/, file);
    }
  });
});
