/**
 * A journal as a stream of lines: what it is, its rows, its end. Backups seal it, golden journals are it.
 *
 * Invariants: what is written is the journal as it stood at one instant, because rows never change and only those
 * up to the head of that instant are read; whoever reads it has the hash chain checked row by row, and a stream
 * that ends before its last line is refused.
 */
import { BulkheadError, errorText } from '../core/errors.ts';
import type { JournalHead, JournalRow, JournalStore } from './journal.ts';
import { EMPTY_HEAD, verifyChain } from './row-hash.ts';

const FORMAT = 'bulkhead-journal';
const VERSION = 1;
const PAGE_ROWS = 500;

export interface ArchiveHeader {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** The program that wrote it, e.g. "0.1.0". */
  readonly bulkhead: string;
  readonly account: string;
  /** Epoch ms, real time. */
  readonly createdAt: number;
  readonly head: JournalHead;
  readonly settledN: number;
  readonly meta: Readonly<Record<string, string>>;
}

interface ArchiveEnd {
  readonly end: true;
  readonly rows: number;
  readonly hash: string;
}

export type ArchiveAbout = Pick<ArchiveHeader, 'bulkhead' | 'account' | 'createdAt'>;

const line = (value: object): string => `${JSON.stringify(value)}\n`;

export async function archiveHeader(store: JournalStore, about: ArchiveAbout): Promise<ArchiveHeader> {
  // In this order: what is settled at a moment is not above the head of a later one.
  const settledN = await store.settledN();
  const head = await store.head();
  return { format: FORMAT, version: VERSION, ...about, head, settledN, meta: await store.allMeta() };
}

/** Whole lines, some hundred rows at a time; the store may go on growing meanwhile. */
export async function* archiveText(
  store: JournalStore,
  header: ArchiveHeader,
  pageRows = PAGE_ROWS,
): AsyncGenerator<string> {
  yield line(header);
  let chain = EMPTY_HEAD;
  while (chain.n < header.head.n) {
    const limit = Math.min(pageRows, header.head.n - chain.n);
    const page = await store.rowsAfter(chain.n, limit);
    if (page.length === 0) break;
    chain = verifyChain(page, chain);
    yield page.map(line).join('');
  }
  if (chain.hash !== header.head.hash)
    throw new BulkheadError('STORE_CORRUPT', `The journal ends at row ${chain.n}, not at ${header.head.n}.`, {
      hint: 'Run "bulkhead replay --verify"; restore an older backup if the journal is damaged.',
    });
  yield line({ end: true, rows: chain.n, hash: chain.hash } satisfies ArchiveEnd);
}

export interface OpenedArchive {
  readonly header: ArchiveHeader;
  /** To be read once, to its end. */
  readonly batches: AsyncGenerator<readonly JournalRow[]>;
}

/** Throws BACKUP_INVALID for what is no archive, damaged, or cut short. */
export async function openArchive(bytes: AsyncIterable<Uint8Array>): Promise<OpenedArchive> {
  const lines = linesOf(bytes);
  const first = await lines.next();
  const header = parse(first.done === true ? '' : (first.value[0] ?? '')) as Partial<ArchiveHeader>;
  if (header.format !== FORMAT) throw invalid('it is no journal of Bulkhead');
  if (header.version !== VERSION)
    throw invalid(`its format is version ${String(header.version)}, this program knows ${VERSION}`);
  const rest = first.done === true ? [] : first.value.slice(1);
  return { header: header as ArchiveHeader, batches: rowsOf(header as ArchiveHeader, rest, lines) };
}

async function* rowsOf(
  header: ArchiveHeader,
  first: readonly string[],
  lines: AsyncGenerator<string[]>,
): AsyncGenerator<readonly JournalRow[]> {
  let chain = EMPTY_HEAD;
  let end: ArchiveEnd | undefined;
  for (let texts: readonly string[] = first; ; ) {
    const parsed = texts.map((text) => parse(text) as JournalRow | ArchiveEnd);
    const rows = parsed.filter((one): one is JournalRow => !('end' in one));
    end ??= parsed.find((one) => 'end' in one);
    chain = sound(rows, chain);
    if (rows.length > 0) yield rows;
    const next = await lines.next();
    if (next.done === true) break;
    texts = next.value;
  }
  if (!end) throw invalid(`it is cut short after row ${chain.n} of ${header.head.n}`);
  if (chain.n !== header.head.n || chain.hash !== header.head.hash || end.hash !== chain.hash)
    throw invalid(`it ends at row ${chain.n} and should end at ${header.head.n}`);
}

function sound(rows: readonly JournalRow[], chain: JournalHead): JournalHead {
  try {
    return verifyChain(rows, chain);
  } catch (error) {
    throw invalid(errorText(error));
  }
}

/** The whole lines of each piece. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of bytes) {
    const parts = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    if (parts.length > 0) yield parts;
  }
  if (rest !== '') throw invalid('its last line is cut short');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('a line of it cannot be read');
  }
}

export const invalid = (why: string): BulkheadError =>
  new BulkheadError('BACKUP_INVALID', `This backup cannot be used: ${why}.`, {
    hint: 'Take another one: "bulkhead backup --list" shows those that there are.',
  });
