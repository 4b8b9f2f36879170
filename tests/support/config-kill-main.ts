/**
 * The program itself, dying by its own SIGKILL at one moment of a change of its configuration. SIGUSR2 arms it;
 * from then on KILL_AT says at which moment it ends, and the last one of a change is said on standard error.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { JournalRow } from '../../src/journal/journal.ts';
import { SqlJournal } from '../../src/journal/sql-journal.ts';

const killAt = process.env.KILL_AT;
let isArmed = false;

function moment(name: string): void {
  if (isArmed && name === killAt) process.kill(process.pid, 'SIGKILL');
}

process.on('SIGUSR2', () => {
  isArmed = true;
  fs.writeSync(2, 'armed\n');
});

/** "sent": the statement is on its way, and nobody will see its answer. */
async function around<T>(name: string, act: () => Promise<T>): Promise<T> {
  moment(`${name}, before`);
  const acting = act();
  await new Promise(setImmediate);
  moment(`${name}, sent`);
  const done = await acting;
  moment(`${name}, after`);
  return done;
}

/** What of these rows belongs to a change; empty: nothing. */
const partOf = (rows: readonly JournalRow[]): string => {
  const types = rows.map(({ event }) => (JSON.parse(event) as { type: string }).type);
  return ['CONFIG', 'COMMAND'].find((type) => types.includes(type)) ?? '';
};

const { addConfigVersion, append } = SqlJournal.prototype;
SqlJournal.prototype.addConfigVersion = function (...args) {
  return around('version', () => addConfigVersion.apply(this, args));
};
SqlJournal.prototype.append = function (...args) {
  const part = partOf(args[1]);
  const appending = () => append.apply(this, args);
  return part === '' ? appending() : around(part, appending);
};

/** The version's copy and the answer appear by a rename; then the request goes. */
const FILES = [
  ['copy', /config-versions/],
  ['answer', /\.answer$/],
  ['request', /requests.*\.json$/],
] as const;
const fileOf = (path: fs.PathLike): string | undefined =>
  FILES.find(([, pattern]) => pattern.test(String(path)))?.[0];

const { renameSync, rmSync } = fs;
fs.renameSync = (from, to) => {
  const file = fileOf(to);
  if (file) moment(`${file}, before`);
  renameSync(from, to);
  if (file) moment(`${file}, after`);
};
fs.rmSync = (path, options) => {
  rmSync(path, options);
  const file = fileOf(path);
  if (!file) return;
  moment(`${file} gone`);
  if (isArmed && file === 'request') fs.writeSync(2, 'all done\n');
};
syncBuiltinESMExports();

await import('../../src/app/main.ts');
