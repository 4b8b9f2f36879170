/** The rules about who may import whom. Each takes files and gives complaints; none reads the disk. */
import path from 'node:path';
import type { SourceFile } from './source-files.ts';

type Rule = (files: readonly SourceFile[]) => string[];

/** From the ground up; a file may import its own floor and those below. */
const FLOORS: readonly (readonly [floor: number, prefix: string])[] = [
  [0, 'src/core/'],
  [1, 'src/domain/'],
  [2, 'src/indicators/'],
  [3, 'machines/'],
  [6, 'src/app/'],
  [5, 'supervisors/'],
  [4, 'src/'],
];

const floorOf = (file: string): number | undefined =>
  FLOORS.find(([, prefix]) => file.startsWith(prefix))?.[0];

const resolveImport = (from: string, specifier: string): string | undefined =>
  specifier.startsWith('.')
    ? path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier))
    : undefined;

const edges = (file: SourceFile) =>
  file.imports.flatMap(({ specifier, line }) => {
    const target = resolveImport(file.path, specifier);
    return target === undefined ? [] : [{ target, line }];
  });

export const importsPointDown: Rule = (files) =>
  files.flatMap((file) => {
    const own = floorOf(file.path);
    return edges(file).flatMap(({ target, line }) => {
      const other = floorOf(target);
      if (target === 'package.json') return [];
      if (own !== undefined && other !== undefined && other <= own) return [];
      return [`${file.path}:${line} imports ${target}, which is on a higher floor`];
    });
  });

/** Machines are pure: of the ground floor they may know what neither reads a clock nor throws dice. */
const PURE_CORE = /^src\/core\/(assert|decimal|errors|ids|json|json-diff)\.ts$/;

export const machinesArePure: Rule = (files) =>
  files
    .filter((file) => file.path.startsWith('machines/'))
    .flatMap((file) =>
      file.imports.flatMap(({ specifier, line }) => {
        const target = resolveImport(file.path, specifier);
        const allowed =
          target === undefined
            ? specifier === 'xstate' || specifier.startsWith('xstate/')
            : PURE_CORE.test(target) || /^(machines|src\/domain|src\/indicators)\//.test(target);
        return allowed
          ? []
          : [
              `${file.path}:${line} imports ${specifier}: a machine knows xstate, the domain and the pure core`,
            ];
      }),
    );

export const noCircles: Rule = (files) => {
  const graph = new Map(files.map((file) => [file.path, edges(file).map(({ target }) => target)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) circles.push(`a circle: ${[...trail.slice(start), file].join(' → ')}`);
    if (start >= 0 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return circles;
};

/** One library, one home. A library that is not listed is not used. */
export const HOMES: Readonly<Record<string, RegExp>> = {
  'big.js': /^src\/core\/decimal\.ts$/,
  pino: /^src\/core\/logger\.ts$/,
  kysely: /^src\/journal\//,
  pg: /^src\/journal\//,
  '@electric-sql/pglite': /^src\/journal\//,
  ioredis: /^src\/cache\//,
  'age-encryption': /^src\/backup\/seal\.ts$/,
  '@bradenmacdonald/s3-lite-client': /^src\/backup\/s3-backup-place\.ts$/,
  ws: /^src\/(core\/kept-socket|venue-server\/transport\/[a-z-]+)\.ts$/,
  ccxt: /^src\/(exchange\/binance|market\/feeds)\/ccxt-[a-z-]+\.ts$/,
  'p-retry': /^src\/((exchange\/binance|market\/feeds)\/(ccxt|socket)-[a-z-]+|alerts\/sink-runner)\.ts$/,
  zod: /^src\/config\//,
  yaml: /^src\/config\//,
  '@xstate/store': /^src\/app\/status\/read-model\.ts$/,
  'trading-signals': /^src\/indicators\/long-tail\.ts$/,
  'prom-client': /^src\/http\/metrics-registry\.ts$/,
  grammy: /^src\/telegram\/bot(-[a-z-]+)?\.ts$/,
  '@resvg/resvg-wasm': /^src\/telegram\/svg-worker\.ts$/,
  'dejavu-fonts-ttf': /^src\/telegram\/svg-worker\.ts$/,
  xstate: /^(machines|supervisors)\//,
  elkjs: /^src\/http\/chart-layout-worker\.ts$/,
  htm: /^src\/http\/dashboard\/ui\.ts$/,
  'lightweight-charts': /^src\/http\/dashboard\/charts\.ts$/,
  preact: /^src\/http\/dashboard\/ui\.ts$/,
};

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

export const oneHomeALibrary: Rule = (files) =>
  files.flatMap((file) =>
    file.imports
      .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .filter(({ specifier }) => HOMES[packageOf(specifier)]?.test(file.path) !== true)
      .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}, whose home is elsewhere`),
  );

/** The lock of a folder is no adapter, whatever it is named after. */
const ADAPTER =
  /^src\/.*\/(?!pglite-lock)(recorded|synthetic|simulated|memory|sql|postgres|pglite|redis|ccxt|binance|socket|folder|s3|pagerduty|sentry)-[a-z-]+\.ts$/;
const COMPOSITION = /^src\/app\/compose\//;

/** Everybody else knows ports; an adapter's own folder may know its parts. */
export const onlyCompositionNamesAdapters: Rule = (files) =>
  files.flatMap((file) =>
    edges(file)
      .filter(({ target }) => ADAPTER.test(target) && !COMPOSITION.test(file.path))
      .filter(({ target }) => path.posix.dirname(target) !== path.posix.dirname(file.path))
      .map(
        ({ target, line }) => `${file.path}:${line} names the adapter ${target}; only src/app/compose/ may`,
      ),
  );
