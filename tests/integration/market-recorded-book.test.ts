import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isBulkheadError } from '../../src/core/errors.ts';
import { FrameDecoder, type Tick } from '../../src/market/feeds/frame-decoder.ts';
import { readRecordingFile } from '../../src/market/recorded/archive.ts';
import { type BookFrame, readBookFrames } from '../../src/market/recorded/recorded-book.ts';
import { sharedData } from '../support/shared-data.ts';
import { tempDir } from '../support/temp.ts';

const data = sharedData();
const skip = data === undefined ? 'no market data beside the checkout' : false;

const counted = (kinds: Iterable<string>): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

const kindOf = (frame: BookFrame): string => (frame.kind === 'tick' ? frame.tick.kind : frame.kind);

test('every line of a recorded stream is read', { skip }, () => {
  const file = path.join(data ?? '', 'micro/binance-um/BTCUSDT_stream_20240808.jsonl.gz');
  assert.deepEqual(counted([...readBookFrames(file)].map(kindOf)), {
    book: 66_089,
    depth: 6551,
    trade: 21_313,
    snapshot: 1,
  });
});

test('frames of other recorders and symbols are read without a fault', { skip }, () => {
  const file = path.join(data ?? '', 'micro/binance-um/cryptofeed_BINANCE_FUTURES_ws.txt.gz');
  const ticks: Tick[] = [];
  const decoder = new FrameDecoder((tick) => ticks.push(tick));
  for (const line of readRecordingFile(file).toString().split('\n')) {
    const at = line.indexOf(': {');
    if (/^\d/.test(line) && at > 0) decoder.decode(Buffer.from(line.slice(at + 2)));
  }
  const { frames, faults, ignored } = decoder.counts;
  assert.ok(frames > 500, `${frames} frames`);
  assert.deepEqual({ faults, ignored, last: decoder.lastFault }, { faults: 0, ignored: 0, last: undefined });
  const counts = counted(ticks.map(({ kind }) => kind));
  for (const kind of ['book', 'trade', 'candle', 'depth']) assert.ok((counts[kind] ?? 0) > 0, kind);
});

test('a file that is not there is named', () => {
  assert.throws(
    () => [...readBookFrames('/nowhere/x.jsonl.gz')],
    (error) => isBulkheadError(error, 'INPUT_MISSING') && error.message.includes('/nowhere/x.jsonl.gz'),
  );
});

test('a damaged line is named', (t) => {
  const folder = tempDir(t, 'book');
  const good = '1 {"e":"trade","E":1,"T":1,"s":"X","p":"1","q":"1","m":true}\n';
  const cases = {
    'no-time': 'abc\n',
    'cut-frame': '2 {"e":"trade","E":1\n',
    'bad-snapshot': '2 {"lastUpdateId":1\n',
  };
  for (const [name, line] of Object.entries(cases)) {
    const file = path.join(folder, `${name}.jsonl.gz`);
    writeFileSync(file, gzipSync(good + line));
    assert.throws(
      () => [...readBookFrames(file)],
      (error) => isBulkheadError(error, 'DATA_INVALID') && error.message.includes(`${name}.jsonl.gz, line 2`),
    );
  }
});
