/** Runs whose configuration is changed by a file, a signal or a word, for the tests of what becomes of it. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { CliProcess, cli } from './cli-process.ts';

export interface Place {
  readonly folder: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

export function place(dir: string, name: string, env: Readonly<Record<string, string>> = {}): Place {
  const one = { folder: path.join(dir, name), file: path.join(dir, `${name}.yaml`), env };
  write(one, '');
  return one;
}

/** Slow enough to be up for as long as the test looks at it. */
export const write = ({ file }: Place, more: string): void =>
  writeFileSync(file, `market: { seed: 7, symbols: [BTCUSDT, ETHUSDT], speed: 60, warmUpDays: 0 }\n${more}`);

export const at = ({ folder, file }: Place): string[] => ['--data-dir', folder, '--config', file];
export const words = (one: Place): string[] => [...at(one), '--json'];

/** Up, by another program around the same command line where one is named. */
export async function start(
  t: TestContext,
  one: Place,
  other: { readonly main?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<CliProcess> {
  const run = new CliProcess(['run', ...words(one)], { ...other, env: { ...one.env, ...other.env } });
  t.after(() => run.reap());
  await run.said(/"event":"running"/);
  return run;
}

export async function ask(one: Place, ...args: string[]) {
  const end = await cli(['config', ...args, ...words(one)], { env: one.env });
  return {
    ...end,
    lines: end.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  };
}

export interface Line {
  readonly version: number;
  readonly by: string;
  readonly channel: string;
  readonly why: string;
  readonly changes: readonly { key: string; before: unknown; after: unknown }[];
}

export const versions = async (one: Place): Promise<Line[]> =>
  (await ask(one, 'versions', '500')).lines as Line[];

export async function running(one: Place): Promise<number> {
  const end = await cli(['status', ...words(one)], { env: one.env });
  return (JSON.parse(end.stdout) as { configuration: { version: number } }).configuration.version;
}
