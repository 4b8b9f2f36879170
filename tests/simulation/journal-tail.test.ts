/**
 * The byte files that must survive a crash, cut at every byte of their tail: the local exchange's request journal,
 * whose accounts come back exactly as they were after so many acknowledged requests.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { SYNTHETIC_START_AT, SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { type CoreEntry, VenueCore } from '../../src/venue-server/core.ts';
import { RequestJournal } from '../../src/venue-server/request-journal.ts';
import { tempDir } from '../support/temp.ts';

const KEY = 'tail-key';
const instruments = new SyntheticMarketData({ seed: 1, symbols: ['BTCUSDT', 'ETHUSDT'] }).instruments();
const quotes: Readonly<Record<string, { last: number; mark: number }>> = {
  BTCUSDT: { last: 100_000, mark: 100_000 },
  ETHUSDT: { last: 2_500, mark: 2_500 },
};

const openCore = (append: (entry: CoreEntry) => void): VenueCore =>
  new VenueCore({
    instruments,
    market: {
      quote: (symbol) => quotes[symbol],
      instruments: () => instruments,
      instrument: (symbol) => instruments.find((each) => each.symbol === symbol),
      funding: () => undefined,
    },
    push: () => {},
    journal: { append },
    accounts: [{ id: 'tail', apiKey: KEY, initialBalance: '10000' }],
  });

/** Entries, stops, cancels and prices that trigger. */
function trade(core: VenueCore): void {
  const ask = (
    method: 'POST' | 'DELETE',
    where: string,
    params: Readonly<Record<string, string>>,
    at: number,
  ) =>
    core
      .endpoints()
      .find((endpoint) => endpoint.method === method && endpoint.path === where)
      ?.handle({ method, path: where, at, apiKey: KEY, params: new Map(Object.entries(params)) });
  let at = SYNTHETIC_START_AT;
  for (const [i, symbol] of ['BTCUSDT', 'ETHUSDT', 'BTCUSDT'].entries()) {
    const quantity = symbol === 'BTCUSDT' ? '0.01' : '0.4';
    const stop = symbol === 'BTCUSDT' ? '99000' : '2450';
    at += 1_000;
    ask(
      'POST',
      '/fapi/v1/order',
      { symbol, side: 'BUY', type: 'MARKET', quantity, newclientorderid: `in-${i}` },
      at,
    );
    ask(
      'POST',
      '/fapi/v1/algoOrder',
      {
        algotype: 'CONDITIONAL',
        symbol,
        side: 'SELL',
        type: 'STOP_MARKET',
        quantity,
        triggerprice: stop,
        reduceonly: 'true',
        clientalgoid: `stop-${i}`,
      },
      at + 10,
    );
    if (i === 1) ask('DELETE', '/fapi/v1/algoOrder', { symbol, clientalgoid: 'stop-1' }, at + 20);
    if (i === 0) core.feed({ type: 'PRICE', at: at + 30, symbol, last: 98_900, mark: 98_900 });
  }
}

test('whatever is left of the log, the accounts are as after the last whole entry in it', (t) => {
  const dir = path.join(tempDir(t), 'entries');
  const states: string[] = [];
  const journal = new RequestJournal<CoreEntry>({ dir });
  const core: VenueCore = openCore((entry) => {
    journal.append(entry);
    states.push(JSON.stringify(core.checkpoint()));
  });
  const empty = JSON.stringify(core.checkpoint());
  trade(core);
  journal.close();
  assert.ok(states.length >= 8, `${states.length} entries`);
  const [log = ''] = readdirSync(dir).filter((name) => name.includes('log'));
  const file = path.join(dir, log);
  const whole = readFileSync(file);
  let shorter = states.length;
  for (let length = whole.length; length >= 0; length--) {
    writeFileSync(file, whole);
    truncateSync(file, length);
    const again = new RequestJournal<CoreEntry>({ dir });
    const { entries } = again.recovered;
    again.close();
    assert.ok(
      entries.length === shorter || entries.length === shorter - 1,
      `${entries.length} of ${shorter}`,
    );
    if (entries.length === shorter && length < whole.length) continue;
    shorter = entries.length;
    const recovered = openCore(() => {});
    for (const entry of entries) recovered.replay(entry);
    const expected = entries.length === 0 ? empty : states[entries.length - 1];
    assert.equal(
      JSON.stringify(recovered.checkpoint()),
      expected,
      `${length} bytes, ${entries.length} entries`,
    );
  }
  assert.equal(shorter, 0);
});
