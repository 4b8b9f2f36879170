import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { driftProblems, type Lockfile, lockfileProblems } from '../support/supply-chain.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));

const HASH = `sha512-${'A'.repeat(86)}==`;
const GOOD = { version: '1.0.0', integrity: HASH, license: 'MIT' };
const lockOf = (locked: object): Lockfile =>
  ({ lockfileVersion: 3, packages: { '': {}, 'node_modules/@a/thing': { ...GOOD, ...locked } } }) as Lockfile;

test('every package is pinned by its hash, comes from the registry, may be shipped, and runs nothing unseen', () => {
  assert.deepEqual(lockfileProblems(read('package-lock.json') as Lockfile), []);
});

test('the lockfile is package.json\u2019s, and no allowance outlives its package', () => {
  const wanted = read('package.json') as Parameters<typeof driftProblems>[1];
  assert.deepEqual(driftProblems(read('package-lock.json') as Lockfile, wanted), []);
});

for (const [what, locked, complaint] of [
  ['no hash', { integrity: undefined }, 'has no integrity hash'],
  [
    'a weak hash',
    { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' },
    'its hash is weak: sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
  ],
  ['a hash beside a weak one', { integrity: `${HASH} sha1-x=` }, `its hash is weak: ${HASH} sha1-x=`],
  ['another host', { resolved: 'https://evil.example/a.tgz' }, 'comes from https://evil.example/a.tgz'],
  [
    'a host that only begins like it',
    { resolved: 'https://registry.npmjs.org.evil.example/a.tgz' },
    'comes from https://registry.npmjs.org.evil.example/a.tgz',
  ],
  [
    'a repository',
    { resolved: 'git+ssh://git@github.com/a/thing.git#abc' },
    'comes from git+ssh://git@github.com/a/thing.git#abc',
  ],
  ['a licence that asks for more', { license: 'AGPL-3.0' }, 'its licence is AGPL-3.0'],
  ['no licence', { license: undefined }, 'its licence is unknown'],
  ['a script at installation', { hasInstallScript: true }, 'runs a script at installation'],
  ['a link', { link: true }, 'is a link to a folder, not a package'],
] as const)
  test(`found: ${what}`, () => {
    assert.deepEqual(lockfileProblems(lockOf(locked)), [`@a/thing@1.0.0: ${complaint}`]);
  });

test('nothing is found where nothing is', () => {
  assert.deepEqual(
    lockfileProblems(lockOf({ resolved: 'https://registry.npmjs.org/@a/thing/-/thing-1.0.0.tgz' })),
    [],
  );
});

test('found: a dependency that the lockfile does not have', () => {
  const lock = { lockfileVersion: 3, packages: { '': { dependencies: { a: '1' } } } } as unknown as Lockfile;
  const problems = driftProblems(lock, { dependencies: { a: '1', b: '2' } });
  assert.ok(problems.includes('package.json and package-lock.json differ in dependencies'));
});
