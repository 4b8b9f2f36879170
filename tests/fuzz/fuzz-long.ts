/**
 * The long fuzz: `npm run fuzz -- --minutes 30 [--target NAME] [--seed N]`. Prints one JSON line (`--record`
 * writes it into docs/RELIABILITY.md, too); a finding goes into the corpus, and the exit code is 1. Where a parser hangs, tests/fuzz/last-input holds what it was given.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freshSeed } from '../../src/core/random.ts';
import { count, measuredOf, record } from '../support/reliability-page.ts';
import { closeDoors } from './doors.ts';
import { fuzz, keepFinding } from './engine.ts';
import { TARGETS } from './targets.ts';

const INPUTS_A_TURN = 2_000;
const LAST_INPUT = fileURLToPath(new URL('./last-input', import.meta.url));

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    target: { type: 'string' },
    seed: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
});
const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
if (targets.length === 0) throw new Error(`--target: one of ${TARGETS.map(({ name }) => name).join(', ')}`);
const first = values.seed === undefined ? freshSeed() : Number(values.seed);
const end = performance.now() + Number(values.minutes) * 60_000;
const found: { target: string; what: string; file: string }[] = [];
const broken = new Set<string>();
let inputs = 0;
for (let seed = first; performance.now() < end && broken.size < targets.length; seed++) {
  for (const target of targets.filter(({ name }) => !broken.has(name))) {
    const finding = await fuzz(target, {
      seed,
      inputs: target.isSlow ? INPUTS_A_TURN / 10 : INPUTS_A_TURN,
      onInput: (bytes) => {
        inputs += 1;
        if (inputs % 16 === 0) writeFileSync(LAST_INPUT, bytes);
      },
    });
    if (finding) {
      broken.add(target.name);
      const file = keepFinding(finding, String(seed));
      found.push({ target: target.name, what: finding.what, file });
      process.stderr.write(`${target.name}, seed ${seed}: ${finding.what}\n`);
    }
  }
}
await closeDoors();
rmSync(LAST_INPUT, { force: true });
process.stdout.write(`${JSON.stringify({ fuzz: first, inputs, targets: targets.length, found })}\n`);
const outcome =
  found.length === 0 ? 'nothing found' : found.map(({ target, what }) => `**${target}: ${what}**`).join('; ');
if (values.record)
  record(
    'npm run fuzz',
    `${measuredOf(new Date())}; ${values.minutes} minutes from seed ${first}: ${count(inputs)} inputs to ${targets.length} parsers, ${outcome}.`,
  );
process.exitCode = found.length === 0 ? 0 : 1;
