/**
 * Feeds a target: its corpus as it is, the corpus mutated by seeded dice, and what its grammar makes. Each input is
 * held to the same: nothing but the target's own errors is thrown, it ends in time, and the answer is no bigger than
 * the input explains.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { type Random, seededRandom } from '../../src/core/random.ts';
import type { FuzzTarget } from './fuzz-target.ts';

const CORPUS = fileURLToPath(new URL('./corpus/', import.meta.url));
/** Generous: the machine may be loaded. What hangs, hangs for longer. */
const LONGEST_MS = 5_000;
const MOST_BYTES = 65_536;
const ANSWER_BASE = 65_536;
const ANSWER_PER_BYTE = 256;
const MOST_MUTATIONS = 8;

export interface Finding {
  readonly target: string;
  readonly what: string;
  /** Base64 of the input. */
  readonly input: string;
}

export interface FuzzPlan {
  readonly seed: number;
  /** Of mutated corpus, and again as many of the grammar's. */
  readonly inputs: number;
  /** Called before each input: where it hangs, this was the last one. */
  readonly onInput?: (bytes: Buffer) => void;
}

export function corpusOf(name: string): Buffer[] {
  const folder = path.join(CORPUS, name);
  return readdirSync(folder)
    .sort()
    .map((file) => readFileSync(path.join(folder, file)));
}

/** A finding goes into the corpus, where every later run begins with it. */
export function keepFinding({ target, input }: Finding, label: string): string {
  const folder = path.join(CORPUS, target);
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `found-${label}`);
  writeFileSync(file, Buffer.from(input, 'base64'));
  return file;
}

/** The first finding, or undefined. */
export async function fuzz(
  target: FuzzTarget,
  { seed, inputs, onInput }: FuzzPlan,
): Promise<Finding | undefined> {
  const corpus = corpusOf(target.name);
  const random = seededRandom(`${seed}/${target.name}`);
  const structured = fc.sample(target.structure, { seed, numRuns: inputs });
  const all = function* (): Generator<Buffer> {
    yield* corpus;
    for (const bytes of structured) {
      yield Buffer.from(bytes);
      yield mutated(Buffer.from(bytes), corpus, random);
    }
    for (let i = 0; i < inputs; i++) yield mutated(pick(corpus, random), corpus, random);
  };
  for (const bytes of all()) {
    onInput?.(bytes);
    const what = await complaint(target, bytes);
    if (what !== undefined) return { target: target.name, what, input: bytes.toString('base64') };
  }
  return undefined;
}

/** What is wrong with how the target took these bytes. */
export async function complaint(target: FuzzTarget, bytes: Buffer): Promise<string | undefined> {
  const before = performance.now();
  try {
    // A copy: what is read must not be changed.
    const given = Buffer.from(bytes);
    const result = await inTime(target.eat(given));
    if (!given.equals(bytes)) return 'it changed what it was given';
    target.check?.(result, bytes);
    const size = JSON.stringify(result, (_, value: unknown) => plain(value))?.length ?? 0;
    const most = ANSWER_BASE + bytes.length * ANSWER_PER_BYTE;
    if (size > most) return `it made ${size} characters of ${bytes.length} bytes`;
  } catch (error) {
    if (!target.mayThrow(error)) return `it threw ${error instanceof Error ? error.stack : String(error)}`;
  }
  const tookMs = performance.now() - before;
  return tookMs > LONGEST_MS ? `it took ${Math.round(tookMs)} ms for ${bytes.length} bytes` : undefined;
}

/** Of a parser that is waited for: one that hangs is a finding, too. */
async function inTime(eaten: unknown): Promise<unknown> {
  if (!(eaten instanceof Promise)) return eaten;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), LONGEST_MS * 2);
  });
  try {
    return await Promise.race([eaten, late]);
  } finally {
    clearTimeout(timer);
  }
}

const plain = (value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value instanceof Map ? [...value] : value;

const pick = <T>(from: readonly T[], random: Random): T => from[random.int(from.length)] as T;

/** Tokens by which parsers of text go wrong. */
const TOKENS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '\\',
    '\\u0000',
    '\\ud800',
    '\0',
    '\n',
    '\r',
    '#',
    '&a ',
    '*a',
    '<<: *a\n',
  ],
  ...[
    'null',
    'true',
    'NaN',
    'Infinity',
    '-0',
    '1e999',
    '-1',
    '9007199254740993',
    '0.1e-400',
    '1'.repeat(400),
    '',
  ],
  ...[
    '__proto__',
    'constructor',
    '%',
    '%00',
    '%ff',
    '=',
    ';',
    '+',
    '\u{1F40E}',
    '\uFEFF',
    '- '.repeat(50),
    '['.repeat(300),
  ],
].map((token) => Buffer.from(token));

const MUTATIONS: readonly ((bytes: Buffer, corpus: readonly Buffer[], random: Random) => Buffer)[] = [
  (bytes, _, random) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[random.int(copy.length)] = random.int(256);
    return copy;
  },
  (bytes, _, random) => bytes.subarray(0, random.int(bytes.length + 1)),
  (bytes, _, random) => splice(bytes, random, pick(TOKENS, random), 0),
  (bytes, _, random) => splice(bytes, random, pick(TOKENS, random), random.int(8)),
  (bytes, _, random) => splice(bytes, random, Buffer.alloc(0), random.int(32)),
  (bytes, _, random) => {
    const from = random.int(bytes.length + 1);
    return splice(bytes, random, bytes.subarray(from, from + random.int(64)), 0);
  },
  (bytes, corpus, random) => {
    const other = pick(corpus, random);
    return Buffer.concat([
      bytes.subarray(0, random.int(bytes.length + 1)),
      other.subarray(random.int(other.length + 1)),
    ]);
  },
  (bytes, _, random) =>
    Buffer.from(
      bytes.toString('latin1').replace(/\d+/, () => pick(TOKENS, random).toString()),
      'latin1',
    ),
];

function splice(bytes: Buffer, random: Random, put: Buffer, remove: number): Buffer {
  const at = random.int(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + remove)]);
}

function mutated(bytes: Buffer, corpus: readonly Buffer[], random: Random): Buffer {
  let result = bytes;
  for (let left = 1 + random.int(MOST_MUTATIONS); left > 0; left--)
    result = pick(MUTATIONS, random)(result, corpus, random);
  return result.subarray(0, MOST_BYTES);
}
