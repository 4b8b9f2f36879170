/**
 * What lies under a recording path: which files are candles, trades, mark prices or funding, of which symbol and
 * timeframe, told by their names. Three layouts: one file; Bulkhead's own (candles/, mark/ and funding/ of a venue);
 * any other folder, such as a user's CSV files or a copy of Binance's public-data tree.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { BulkheadError } from '../../core/errors.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';

export type RecordingKind = 'candles' | 'trades' | 'mark' | 'funding';

export interface RecordingFile {
  readonly kind: RecordingKind;
  readonly file: string;
  readonly symbol: SymbolName | undefined;
  /** Undefined where the name does not say. */
  readonly timeframe: Timeframe | undefined;
}

export interface RecordingIndex {
  readonly files: readonly RecordingFile[];
  /** The symbols a run trades when nobody names others; undefined: all there are. */
  readonly defaultSymbols: readonly SymbolName[] | undefined;
}

const VENUE = 'binance-um';
/** What a run over the shared recording trades unless told otherwise. */
const DEFAULT_SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'BNBUSDT', 'LINKUSDT'];
const SUFFIX = /\.(csv|csv\.gz|zip)$/;
const SYMBOL = /^([A-Z0-9]{1,20}(?:USDT|USDC|BUSD|USD))(?![A-Z0-9])/;
const RESOLUTION = /[-_](\d+[smhdw])(?=[-_.])/;
const DEEPEST = 8;

/** What Binance publishes beside candles, and we do not read. */
const FOREIGN_NAME = /-(trades|bookTicker|bookDepth|metrics|liquidationSnapshot)-/i;
const FOREIGN_FOLDER = /^(indexPriceKlines|premiumIndexKlines)$/i;
const MARK_FOLDER = /^mark(PriceKlines)?$/i;

/** `folders` lie between the recording's root and the file: folders above it have no say. */
function kindOf(name: string, folders: readonly string[]): RecordingKind | undefined {
  if (!SUFFIX.test(name) || FOREIGN_NAME.test(name)) return undefined;
  if (folders.some((folder) => FOREIGN_FOLDER.test(folder))) return undefined;
  if (/funding/i.test(name)) return 'funding';
  if (/aggTrades/i.test(name)) return 'trades';
  return /[-_]mark[-_.]/i.test(name) || folders.some((folder) => MARK_FOLDER.test(folder))
    ? 'mark'
    : 'candles';
}

function classify(root: string, file: string): RecordingFile | undefined {
  const name = path.basename(file);
  const kind = kindOf(name, path.relative(root, path.dirname(file)).split(path.sep));
  if (!kind) return undefined;
  const symbol = SYMBOL.exec(name)?.[1];
  const resolution = RESOLUTION.exec(name)?.[1];
  const timeframe =
    resolution !== undefined && Object.hasOwn(TIMEFRAME_MS, resolution)
      ? (resolution as Timeframe)
      : undefined;
  // A resolution that is none of ours, such as the 8h marks: not an error, just not for us.
  if (resolution !== undefined && timeframe === undefined && kind !== 'funding') return undefined;
  return { kind, file, symbol, timeframe: kind === 'trades' ? '1m' : timeframe };
}

function filesUnder(folder: string, depth = 0): string[] {
  if (depth > DEEPEST || !existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return filesUnder(full, depth + 1);
    return entry.isFile() ? [full] : [];
  });
}

const classifyAll = (root: string, files: readonly string[]): RecordingFile[] =>
  files.map((file) => classify(root, file)).filter((entry) => entry !== undefined);

const FORMS =
  'CSV or CSV.gz with the columns ts_ms,open,high,low,close,volume, or a Binance klines or aggTrades zip';

export function indexRecording(root: string): RecordingIndex {
  if (!existsSync(root)) {
    throw new BulkheadError('INPUT_MISSING', `there is no recording at ${root}`, {
      hint: 'Name a folder of recordings, or one file of candles, with --recording PATH.',
    });
  }
  if (!statSync(root).isDirectory()) {
    const entry = classify(path.dirname(root), root);
    if (!entry || entry.kind === 'funding' || entry.kind === 'mark') {
      throw new BulkheadError('DATA_INVALID', `${root} is not a recording of a known format`, {
        hint: `Expected ${FORMS}.`,
      });
    }
    return { files: [entry], defaultSymbols: undefined };
  }
  const own = path.join(root, 'candles', VENUE);
  if (existsSync(own)) {
    const folders = ['candles', 'mark', 'funding'].map((part) => path.join(root, part, VENUE));
    return {
      files: classifyAll(
        root,
        folders.flatMap((folder) => filesUnder(folder)),
      ),
      defaultSymbols: DEFAULT_SYMBOLS,
    };
  }
  const files = classifyAll(root, filesUnder(root));
  if (!files.some((entry) => entry.kind === 'candles' || entry.kind === 'trades')) {
    throw new BulkheadError('DATA_INVALID', `${root} holds no recording of a known format`, {
      hint: `Expected ${FORMS}.`,
    });
  }
  return { files, defaultSymbols: undefined };
}

const tradable = (entry: RecordingFile): boolean => entry.kind === 'candles' || entry.kind === 'trades';

/** The timeframe asked for, else the finest there is; a nameless file counts as 1m. */
export function chooseTimeframe(
  index: RecordingIndex,
  wanted: Timeframe | undefined,
  root: string,
): Timeframe {
  const present = new Set(index.files.filter(tradable).map((entry) => entry.timeframe ?? '1m'));
  const known = (Object.keys(TIMEFRAME_MS) as Timeframe[]).filter((timeframe) => present.has(timeframe));
  const finest = known[0];
  if (finest === undefined) {
    throw new BulkheadError('DATA_INVALID', `${root} holds no candles`, { hint: `Expected ${FORMS}.` });
  }
  if (wanted === undefined) return finest;
  if (!present.has(wanted)) {
    throw new BulkheadError('DATA_INVALID', `${root} holds no candles of ${wanted}`, {
      hint: `It has ${known.join(', ')}.`,
    });
  }
  return wanted;
}

/** The symbols asked for, else the layout's default ones that are there, else all; in a fixed order. */
export function chooseSymbols(
  index: RecordingIndex,
  timeframe: Timeframe,
  wanted: readonly SymbolName[] | undefined,
  root: string,
): readonly SymbolName[] {
  const candidates = index.files.filter(
    (entry) => tradable(entry) && (entry.timeframe ?? '1m') === timeframe,
  );
  const present = new Set(candidates.map((entry) => entry.symbol).filter((symbol) => symbol !== undefined));
  const nameless = candidates.filter((entry) => entry.symbol === undefined);
  if (nameless.length > 0 && !(candidates.length === 1 && wanted?.length === 1)) {
    throw new BulkheadError('DATA_INVALID', `${nameless[0]?.file}: the file name does not say the symbol`, {
      hint: 'Name it like BTCUSDT_1m.csv, or give one file and one symbol.',
    });
  }
  if (wanted && wanted.length > 0) {
    const missing = nameless.length > 0 ? [] : wanted.filter((symbol) => !present.has(symbol));
    if (missing.length > 0) {
      throw new BulkheadError(
        'DATA_INVALID',
        `${root} holds no ${timeframe} candles of ${missing.join(', ')}`,
        {
          hint: `It has ${[...present].sort().join(', ')}.`,
        },
      );
    }
    return [...new Set(wanted)];
  }
  const usual = index.defaultSymbols?.filter((symbol) => present.has(symbol));
  return usual && usual.length > 0 ? usual : [...present].sort();
}
