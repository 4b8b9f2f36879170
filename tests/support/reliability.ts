/**
 * `npm run reliability [-- --minutes 60]`: everything that docs/RELIABILITY.md gives figures of, measured anew, one
 * after the other, on a machine that has nothing else to do. Exits 1 when something did not hold; what did is written.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = Number(values.minutes);
if (!(minutes >= 4)) throw new Error('--minutes N, at least 4');
const share = (part: number): string => String(Math.max(1, Math.round(minutes * part)));

const STEPS: readonly (readonly string[])[] = [
  ['simulate:speed'],
  ['failover:drill', '--', '--record', '--ttl-ms', '5000', '--rounds', '100', '--minutes', share(0.4)],
  [
    'failover:drill',
    ...['--', '--record', '--ttl-ms', '5000', '--what', 'freeze,handover', '--rounds', '30'],
    ...['--minutes', share(0.1)],
  ],
  ['simulate:campaign', share(0.25)],
  ['fuzz', '--', '--record', '--minutes', share(0.2)],
];

const failed = STEPS.filter(([script = '', ...args]) => {
  process.stderr.write(`npm run ${[script, ...args].join(' ')}\n`);
  return spawnSync('npm', ['run', '-s', script, ...args], { stdio: 'inherit' }).status !== 0;
});
for (const [script] of failed) process.stderr.write(`npm run ${script}: something did not hold\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
