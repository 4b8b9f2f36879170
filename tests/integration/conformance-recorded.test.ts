/**
 * What Binance itself answered and streamed, as it was recorded, against what `bulkhead exchange` answers and streams
 * over the wire: the same fields, of the same JSON types, with the same decimals. What differs on purpose stands in
 * a table with its reason (and in docs/CONFORMANCE.md); a difference that is no longer there is an error too.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { ConformanceVenue } from '../support/conformance/conformance-venue.ts';
import {
  type RecordedAnswer,
  type RecordedFrame,
  recordedAnswers,
  recordedFrames,
} from '../support/conformance/recorded-answers.ts';
import { DIFFERENCES } from '../support/conformance/recorded-differences.ts';
import { differences, shapeOf } from '../support/conformance/wire-shape.ts';
import { sharedData } from '../support/shared-data.ts';

const SYMBOL = 'BTCUSDT';
const folder = sharedData();
const skip = folder === undefined && 'the recordings are not here';

type Row = Readonly<Record<string, unknown>>;

/** What of an answer is about our symbol. */
function ofSymbol({ query, data }: RecordedAnswer): unknown {
  const own = (rows: readonly Row[]) => rows.filter(({ symbol }) => symbol === SYMBOL);
  if (query.has('symbol')) return query.get('symbol') === SYMBOL ? data : undefined;
  if (Array.isArray(data)) return own(data as Row[]);
  const { symbols } = data as { symbols?: Row[] };
  return symbols ? { ...(data as object), symbols: own(symbols) } : undefined;
}

/** Differences in the fields from all recorded answers, in the decimals from those about the symbol. */
function compare(
  where: string,
  ours: readonly RecordedAnswer[],
  theirs: readonly RecordedAnswer[],
): string[] {
  const whole = (answers: readonly RecordedAnswer[]) => shapeOf(answers.map(({ data }) => data));
  const own = (answers: readonly RecordedAnswer[]) =>
    shapeOf(answers.map(ofSymbol).filter((data) => data !== undefined));
  const found = differences(whole(ours), whole(theirs), false);
  for (const [path, what] of differences(own(ours), own(theirs), true))
    if (what.includes('decimals')) found.set(path, what);
  return [...found].map(([path, what]) => `${where} ${path}: ${what}`);
}

/** Parameters that the endpoints take; each ignores what it does not know. */
const ASKED = { symbol: SYMBOL, period: '5m', interval: '1m', limit: '50' };

/** Undefined where the exchange has no such endpoint. */
async function answersOf(
  venue: ConformanceVenue,
  theirs: readonly RecordedAnswer[],
): Promise<RecordedAnswer[] | undefined> {
  const endpoint = String(theirs[0]?.endpoint);
  const path = endpoint.split(' ')[1];
  const { symbol: _symbol, ...all } = ASKED;
  const asked = theirs.some(({ query }) => query.has('symbol')) ? [ASKED] : [];
  const forAll = theirs.some(({ query }) => !query.has('symbol')) ? [all] : [];
  const answers: RecordedAnswer[] = [];
  for (const params of [...asked, ...forAll]) {
    const query = new URLSearchParams(params);
    const response = await fetch(`${venue.url}${path}?${query}`);
    if (response.status === 404) return undefined;
    assert.equal(response.status, 200, path);
    answers.push({ endpoint, query, data: await response.json() });
  }
  return answers;
}

async function framesOf(
  venue: ConformanceVenue,
  wanted: ReadonlySet<string>,
): Promise<Map<string, RecordedFrame[]>> {
  const heard = new Map<string, RecordedFrame[]>();
  const name = SYMBOL.toLowerCase();
  const dials = [
    `public/stream?streams=${name}@bookTicker/${name}@depth@100ms/${name}@trade`,
    `market/stream?streams=${name}@aggTrade/${name}@kline_1m`,
  ];
  const sockets = dials.map((dial) => new WebSocket(`${venue.url.replace('http', 'ws')}/${dial}`));
  for (const socket of sockets)
    socket.on('message', (text) => {
      const { data } = JSON.parse(String(text)) as { data: RecordedFrame };
      const kind = String(data.e);
      heard.set(kind, [...(heard.get(kind) ?? []), data]);
    });
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  const enough = () => [...wanted].every((kind) => (heard.get(kind)?.length ?? 0) >= 5);
  for (let second = 0; second < 120 && !enough(); second++) await venue.advance(1_000);
  for (const socket of sockets) socket.terminate();
  return heard;
}

test('recorded answers and frames', { skip }, async () => {
  assert.ok(folder !== undefined);
  const venue = await ConformanceVenue.open();
  try {
    await venue.advance(120_000);
    await venue.admin('POST', '/instrument', { symbol: SYMBOL, fundingIntervalHours: 4 });
    const found: string[] = [];
    const served = new Set<string>();
    for (const [endpoint, theirs] of Map.groupBy(recordedAnswers(folder), (one) => one.endpoint)) {
      const ours = await answersOf(venue, theirs);
      if (ours) found.push(...compare(endpoint, ours, theirs));
      else found.push(`${endpoint}: not served`);
      if (ours) served.add(endpoint);
    }
    const cases: readonly [file: string, sameSymbol: boolean, kinds: readonly string[]][] = [
      [`${SYMBOL}_stream_20240808.jsonl.gz`, true, ['bookTicker', 'depthUpdate', 'trade']],
      ['cryptofeed_BINANCE_FUTURES_ws.txt.gz', false, ['aggTrade', 'kline']],
    ];
    const heard = await framesOf(venue, new Set(cases.flatMap(([, , kinds]) => kinds)));
    for (const [file, sameSymbol, kinds] of cases) {
      const byKind = Map.groupBy(recordedFrames(folder, file, 20_000), ({ e }) => String(e));
      for (const kind of kinds) {
        const theirs = byKind.get(kind) ?? [];
        const ours = heard.get(kind) ?? [];
        assert.ok(
          theirs.length > 0 && ours.length > 0,
          `${kind}: ${theirs.length} and ${ours.length} frames`,
        );
        for (const [path, what] of differences(shapeOf(ours), shapeOf(theirs), sameSymbol))
          found.push(`${kind} frame ${path}: ${what}`);
      }
    }
    assert.ok(served.size >= 15, [...served].join(', '));
    assert.deepEqual(found.sort(), DIFFERENCES.map(([difference]) => difference).sort());
  } finally {
    await venue.close();
  }
});
