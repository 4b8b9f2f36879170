/**
 * A journal as a stream of lines: what it is, its rows, its end. Backups seal it, golden journals are it.
 *
 * Invariants: what is written is the journal as it stood at one instant, because rows never change and only those
 * up to the head of that instant are read; whoever reads it has the hash chain checked row by row, and a stream
 * that ends before its last line is refused. A journal whose oldest rows were removed begins with its anchor, with the
 * rows carried over it and what is kept of the others (version 2; version 1 is a whole journal and stays readable).
 * Rows that are about to be removed make an archive, too, which begins as the journal did then.
 */
import { BulkheadError, errorText } from '../core/errors.ts';
import type { CarriedRow, JournalAnchor } from './cut-types.ts';
import type { ConfigVersion, JournalHead, JournalRow, JournalStart, JournalStore } from './journal.ts';
import { checkBeginning, keptRows, readBeginning } from './journal-beginning.ts';
import { EMPTY_HEAD, verifyChain } from './row-hash.ts';

const FORMAT = 'bulkhead-journal';
const WHOLE = 1;
const CUT = 2;
const PAGE_ROWS = 500;

export interface ArchiveHeader {
  readonly format: typeof FORMAT;
  readonly version: typeof WHOLE | typeof CUT;
  /** The program that wrote it, e.g. "0.1.0". */
  readonly bulkhead: string;
  readonly account: string;
  /** Epoch ms, real time. */
  readonly createdAt: number;
  readonly head: JournalHead;
  readonly settledN: number;
  readonly meta: Readonly<Record<string, string>>;
  /** The row that its rows follow; absent: the first one's. */
  readonly after?: JournalHead;
  /** Where the journal begins; absent: with its first row. */
  readonly anchor?: JournalAnchor;
  /** Rows that were about to be removed: a journal up to them, to look at, without what was kept of still older ones. */
  readonly isPiece?: true;
  /** Of the configuration; absent in an archive from before there were any. */
  readonly configVersions?: readonly ConfigVersion[];
}

/** A row below the anchor. */
type StartLine =
  | { readonly carried: JournalRow; readonly previousHash: string }
  | { readonly kept: JournalRow };

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
  const meta = await store.allMeta();
  // After the head: what follows from a version stands in rows above its own.
  const configVersions = (await allConfigVersions(store)).filter(({ n }) => n <= head.n);
  const cut = beginningAt(await store.anchor());
  return { format: FORMAT, ...about, head, settledN, meta, configVersions, ...cut };
}

const beginningAt = (anchor: JournalAnchor): Pick<ArchiveHeader, 'version' | 'anchor' | 'after'> =>
  anchor.n === 0 ? { version: WHOLE } : { version: CUT, anchor, after: headOf(anchor) };

async function allConfigVersions(store: JournalStore): Promise<ConfigVersion[]> {
  const all: ConfigVersion[] = [];
  for (;;) {
    const page = await store.configVersions(all.length, PAGE_ROWS);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** Of rows that are about to be removed: from the anchor up to that one. */
export async function pieceHeader(
  store: JournalStore,
  about: ArchiveAbout,
  anchor: JournalAnchor,
  head: JournalHead,
): Promise<ArchiveHeader> {
  const meta = await store.allMeta();
  const configVersions = (await allConfigVersions(store)).filter(({ n }) => n <= head.n);
  // What its last rows ask for may be consumed by later ones: how far it is settled only its rows tell.
  const body = { head: headOf(head), settledN: 0, meta, configVersions, isPiece: true } as const;
  return { format: FORMAT, ...about, ...body, ...beginningAt(anchor) };
}

const headOf = ({ n, hash }: JournalHead): JournalHead => ({ n, hash });

/** Whole lines, some hundred rows at a time; the store may go on growing meanwhile. */
export async function* archiveText(
  store: JournalStore,
  header: ArchiveHeader,
  pageRows = PAGE_ROWS,
): AsyncGenerator<string> {
  yield line(header);
  if (header.anchor) yield* startText(store, header.anchor, header.isPiece === true);
  let chain = header.after ?? EMPTY_HEAD;
  while (chain.n < header.head.n) {
    const limit = Math.min(pageRows, header.head.n - chain.n);
    const page = await store.rowsAfter(chain.n, limit);
    if (page.length === 0) break;
    if (page[0] && page[0].n !== chain.n + 1 && (await store.anchor()).n > chain.n) throw wasCut();
    chain = verifyChain(page, chain);
    yield page.map(line).join('');
  }
  if (chain.hash !== header.head.hash)
    throw new BulkheadError('STORE_CORRUPT', `The journal ends at row ${chain.n}, not at ${header.head.n}.`, {
      hint: 'Run "bulkhead replay --verify"; restore an older backup if the journal is damaged.',
    });
  yield line({ end: true, rows: chain.n, hash: chain.hash } satisfies ArchiveEnd);
}

async function* startText(
  store: JournalStore,
  anchor: JournalAnchor,
  isPiece: boolean,
): AsyncGenerator<string> {
  const beginning = await readBeginning(store);
  if (beginning.anchor.n !== anchor.n) throw wasCut();
  const previous = new Map(beginning.carried.map(({ n, previousHash }) => [n, previousHash]));
  for (const row of beginning.rows)
    yield line({ carried: row, previousHash: previous.get(row.n) ?? '' } satisfies StartLine);
  // What is kept stays in the journal; with each piece all of it would be put aside once more.
  if (isPiece) return;
  for await (const page of keptRows(store)) {
    const lines = page.filter(({ n }) => n <= anchor.n).map((kept) => line({ kept } satisfies StartLine));
    if (lines.length > 0) yield lines.join('');
  }
}

const wasCut = (): BulkheadError =>
  new BulkheadError('STORE_UNAVAILABLE', 'Old rows of the journal were removed while it was read.', {
    hint: 'Try again: the two happen beside one another only when a command does one of them.',
  });

export interface OpenedArchive {
  readonly header: ArchiveHeader;
  /** What stands below its rows, checked; undefined: they begin with the first. */
  readonly start: JournalStart | undefined;
  /** To be read once, to its end. */
  readonly batches: AsyncGenerator<readonly JournalRow[]>;
}

/** Throws BACKUP_INVALID for what is no archive, damaged, or cut short. */
export async function openArchive(bytes: AsyncIterable<Uint8Array>): Promise<OpenedArchive> {
  const lines = linesOf(bytes);
  const first = await lines.next();
  const header = parse(first.done === true ? '' : (first.value[0] ?? '')) as Partial<ArchiveHeader>;
  if (header.format !== FORMAT) throw invalid('it is no journal of Bulkhead');
  if (header.version !== WHOLE && header.version !== CUT)
    throw invalid(`its format is version ${String(header.version)}, this program knows ${WHOLE} and ${CUT}`);
  if ((header.version === CUT) !== (header.after !== undefined))
    throw invalid('it does not say where its rows begin');
  if (!isWhole(header)) throw invalid('its first line lacks something');
  const rest = first.done === true ? [] : first.value.slice(1);
  const opened = header as ArchiveHeader;
  const { start, left } = await startOf(opened, rest, lines);
  return { header: opened, start, batches: rowsOf(opened, left, lines) };
}

/** Reads the lines below the rows; `left` are those that were read with them. */
async function startOf(
  { anchor }: ArchiveHeader,
  first: readonly string[],
  lines: AsyncGenerator<string[]>,
): Promise<{ start: JournalStart | undefined; left: readonly string[] }> {
  if (!anchor) return { start: undefined, left: first };
  const carried: CarriedRow[] = [];
  const rows: JournalRow[] = [];
  const kept: JournalRow[] = [];
  let left = first;
  for (;;) {
    const beyond = left.findIndex((text) => !/^\{"(carried|kept)":/.test(text));
    for (const text of beyond < 0 ? left : left.slice(0, beyond)) {
      const parsed = parse(text) as { carried?: JournalRow; previousHash?: string; kept?: JournalRow };
      if (parsed.kept) kept.push(soundRow(parsed.kept));
      if (!parsed.carried) continue;
      const { n, actor, hash } = soundRow(parsed.carried);
      carried.push({ n, actor, hash, previousHash: String(parsed.previousHash) });
      rows.push(parsed.carried);
    }
    left = beyond < 0 ? [] : left.slice(beyond);
    const next = left.length > 0 ? undefined : await lines.next();
    if (!next || next.done === true) break;
    left = next.value;
  }
  sound(() => checkBeginning({ anchor, carried, rows }));
  return { start: { anchor, carried, rows, kept }, left };
}

function isWhole({
  account,
  head,
  meta,
  settledN,
  createdAt,
  configVersions,
}: Partial<ArchiveHeader>): boolean {
  const isHead =
    typeof head === 'object' && head !== null && isCount(head.n) && typeof head.hash === 'string';
  const isMeta = isObject(meta) && Object.values(meta).every((text) => typeof text === 'string');
  return (
    typeof account === 'string' &&
    isHead &&
    isMeta &&
    isCount(settledN) &&
    isCount(createdAt) &&
    areVersions(configVersions)
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const areTexts = (of: Readonly<Record<string, unknown>>, names: readonly string[]): boolean =>
  names.every((name) => typeof of[name] === 'string');

const VERSION_TEXTS = ['by', 'channel', 'why', 'request', 'config', 'source', 'diff'];

const areVersions = (versions: unknown): boolean =>
  versions === undefined ||
  (Array.isArray(versions) &&
    versions.every(
      (one) => isObject(one) && [one.version, one.at, one.n].every(isCount) && areTexts(one, VERSION_TEXTS),
    ));

const ROW_TEXTS = ['actor', 'kind', 'machine', 'event', 'cause', 'intents', 'host', 'hash'];
const isTextOrNone = (value: unknown): boolean => value === null || typeof value === 'string';

/** Its columns are of their types: the hash says only that they are those that were written. */
function soundRow(row: unknown): JournalRow {
  const isRow =
    isObject(row) &&
    areTexts(row, ROW_TEXTS) &&
    [row.n, row.epoch, row.seq, row.at].every(isCount) &&
    [row.snapshot, row.note].every(isTextOrNone) &&
    typeof row.final === 'boolean';
  if (!isRow) throw invalid('a row of it lacks something');
  return row as unknown as JournalRow;
}

async function* rowsOf(
  header: ArchiveHeader,
  first: readonly string[],
  lines: AsyncGenerator<string[]>,
): AsyncGenerator<readonly JournalRow[]> {
  let chain = header.after ?? EMPTY_HEAD;
  let end: ArchiveEnd | undefined;
  for (let texts: readonly string[] = first; ; ) {
    const parsed = texts.map((text) => parse(text) as object);
    const rows = parsed.filter((one) => !('end' in one)).map(soundRow);
    end ??= parsed.find((one): one is ArchiveEnd => 'end' in one);
    const before = chain;
    chain = sound(() => verifyChain(rows, before));
    if (rows.length > 0) yield rows;
    const next = await lines.next();
    if (next.done === true) break;
    texts = next.value;
  }
  if (!end) throw invalid(`it is cut short after row ${chain.n} of ${header.head.n}`);
  if (chain.n !== header.head.n || chain.hash !== header.head.hash || end.hash !== chain.hash)
    throw invalid(`it ends at row ${chain.n} and should end at ${header.head.n}`);
}

function sound<T>(check: () => T): T {
  try {
    return check();
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
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Falls through to the same complaint.
  }
  throw invalid('a line of it cannot be read');
}

export const invalid = (why: string): BulkheadError =>
  new BulkheadError('BACKUP_INVALID', `This backup cannot be used: ${why}.`, {
    hint: 'Take another one: "bulkhead backup --list" shows those that there are.',
  });
