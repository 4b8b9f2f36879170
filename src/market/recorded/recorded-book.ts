/**
 * Recorded order-book frames: gzipped lines of "<local ns> <json>", where the JSON is a market frame as it came
 * over the socket or the REST snapshot that was fetched beside it. Streamed in the order of recording.
 */
import { BulkheadError } from '../../core/errors.ts';
import { FrameDecoder, type Tick } from '../feeds/frame-decoder.ts';
import type { DepthSnapshot } from '../order-book.ts';
import { readRecordingFile } from './archive.ts';

export type BookFrame =
  | { readonly kind: 'snapshot'; readonly snapshot: DepthSnapshot }
  | { readonly kind: 'tick'; readonly tick: Tick };

const NEWLINE = 10;
const SPACE = 32;

const invalid = (file: string, line: number, what: string): BulkheadError =>
  new BulkheadError('DATA_INVALID', `${file}, line ${line}: ${what}`, {
    hint: 'Expected "<local time in ns> <json>", with a Binance market frame or depth snapshot as the JSON.',
  });

const isSnapshot = (value: unknown): value is DepthSnapshot =>
  typeof value === 'object' &&
  value !== null &&
  'lastUpdateId' in value &&
  'bids' in value &&
  Array.isArray(value.bids) &&
  'asks' in value &&
  Array.isArray(value.asks);

const SNAPSHOT_START = Buffer.from('{"lastUpdateId"');

export function* readBookFrames(file: string): Generator<BookFrame> {
  const bytes = readRecordingFile(file);
  let ticks: Tick[] = [];
  const decoder = new FrameDecoder((tick) => ticks.push(tick));
  let line = 0;
  for (let from = 0; from < bytes.length; ) {
    line++;
    const found = bytes.indexOf(NEWLINE, from);
    const end = found < 0 ? bytes.length : found;
    const space = bytes.indexOf(SPACE, from);
    if (space < 0 || space >= end) throw invalid(file, line, 'no time before the frame');
    const frame = bytes.subarray(space + 1, end);
    from = end + 1;
    if (frame.subarray(0, SNAPSHOT_START.length).equals(SNAPSHOT_START)) {
      const snapshot = parseSnapshot(frame);
      if (!snapshot) throw invalid(file, line, 'a broken depth snapshot');
      yield { kind: 'snapshot', snapshot };
      continue;
    }
    const { faults } = decoder.counts;
    decoder.decode(frame);
    if (decoder.counts.faults > faults) throw invalid(file, line, decoder.lastFault ?? 'unreadable');
    for (const tick of ticks) yield { kind: 'tick', tick };
    ticks = [];
  }
}

function parseSnapshot(frame: Buffer): DepthSnapshot | undefined {
  try {
    const value: unknown = JSON.parse(frame.toString());
    return isSnapshot(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
