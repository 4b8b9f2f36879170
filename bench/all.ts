/**
 * Runs the benches one after another, each in a process of its own, and collects their JSON lines.
 *
 *     npm run bench                         all of them
 *     npm run bench -- recovery memory      those whose name contains one of the words
 *     npm run bench -- --out results.jsonl  with the facts of the machine as the first line
 *     npm run bench -- --markdown docs/BENCHMARKS.md
 *     npm run bench -- --from results.jsonl --markdown docs/BENCHMARKS.md   without running anything
 *
 * Some benches with --out into the same file replace their own old lines there and leave the others.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadNow, type MachineFacts, machineFacts } from './machine-facts.ts';
import { type BenchLine, markdown } from './markdown.ts';

/** The quick ones first. */
const BENCHES = [
  'guard-band',
  'risk',
  'frames',
  'socket',
  'engine',
  'indicators',
  'synthetic',
  'actor',
  'inspector',
  'memory',
  'durable',
  'journal',
  'recovery',
  'run',
  'adapter',
  'exchange-server',
  'fill-to-stop',
  'venue-load',
  'dashboard-cost',
];

interface Results {
  readonly machine: MachineFacts;
  readonly lines: readonly BenchLine[];
}

async function runBench(name: string, machine: MachineFacts): Promise<BenchLine[]> {
  console.error(`bench/${name}.ts`);
  const about = { commit: machine.commit, day: machine.at.slice(0, 10), cpu: machine.cpu, load: loadNow() };
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    process.stdout.write(text);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`bench/${name}.ts ended with ${String(code)}`);
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => ({ file: name, ...about, ...(JSON.parse(line) as object) }) as BenchLine);
}

function readResults(file: string): Results {
  const [first, ...rest] = readFileSync(file, 'utf8').trim().split('\n');
  const { machine } = JSON.parse(first ?? '{}') as { machine: MachineFacts };
  return { machine, lines: rest.map((line) => JSON.parse(line) as BenchLine) };
}

function writeResults(file: string, { machine, lines }: Results): void {
  const texts = [{ machine }, ...lines].map((line) => JSON.stringify(line));
  writeFileSync(file, `${texts.join('\n')}\n`);
}

/** What is known already and was not measured again, and what was; in the order of the list. */
function joined(known: readonly BenchLine[], fresh: readonly BenchLine[]): BenchLine[] {
  const measured = new Set(fresh.map(({ file }) => file));
  const all = [...known.filter(({ file }) => !measured.has(file)), ...fresh];
  return all.toSorted((a, b) => BENCHES.indexOf(a.file) - BENCHES.indexOf(b.file));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, markdown: { type: 'string' }, from: { type: 'string' } },
});

let results: Results;
if (values.from !== undefined) {
  results = readResults(values.from);
} else {
  const machine = machineFacts();
  const chosen = BENCHES.filter(
    (name) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
  );
  const fresh: BenchLine[] = [];
  for (const name of chosen) fresh.push(...(await runBench(name, machine)));
  const isPart = chosen.length < BENCHES.length && values.out !== undefined && existsSync(values.out);
  results = { machine, lines: joined(isPart ? readResults(values.out ?? '').lines : [], fresh) };
}
if (values.out !== undefined) writeResults(values.out, results);
if (values.markdown !== undefined) writeFileSync(values.markdown, markdown(results.machine, results.lines));
