import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scaledTime, systemTime } from '../../src/core/clock.ts';
import { isBulkheadError } from '../../src/core/errors.ts';
import { seededRandom } from '../../src/core/random.ts';
import { VenueCaller } from '../../src/exchange/binance/ccxt-caller.ts';
import { type Finding, VenueChecks } from '../../src/exchange/binance/ccxt-checks.ts';
import { openVenueClient } from '../../src/exchange/binance/ccxt-client.ts';
import type { CcxtExchangeOptions } from '../../src/exchange/binance/ccxt-exchange.ts';
import { readExchangeInfo } from '../../src/exchange/binance/ccxt-instruments.ts';
import { RateBudget } from '../../src/exchange/rate-budget.ts';
import { gatewayHarness, until } from '../support/gateway-harness.ts';
import {
  exchangeInfoRow,
  healthyVenue,
  KEY,
  type Reply,
  refusal,
  type ScriptedVenue,
  SECRET,
} from '../support/scripted-venue.ts';

const restrictions = (changes: object): Reply => ({
  json: { ipRestrict: false, enableWithdrawals: false, enableFutures: true, ...changes },
});
const account = (changes: object): Reply => ({
  json: { canTrade: true, dualSidePosition: false, multiAssetsMargin: false, ...changes },
});
const config = (symbol: string, changes: object = {}): object => ({
  symbol,
  marginType: 'ISOLATED',
  leverage: 10,
  ...changes,
});
const position = (symbol: string): object => ({
  symbol,
  positionSide: 'BOTH',
  positionAmt: '1.5',
  entryPrice: '1',
});
const KEYS = 'GET /sapi/v1/account/apiRestrictions';
const ACCOUNT = 'GET /fapi/v1/accountConfig';
const SYMBOLS = 'GET /fapi/v1/symbolConfig';
const POSITIONS = 'GET /fapi/v3/positionRisk';
const INFO = 'GET /fapi/v1/exchangeInfo';

type Setup = (venue: ScriptedVenue) => unknown;

/** What keeps it from starting, and what its message must say to do. */
const REFUSED: readonly (readonly [
  what: string,
  setup: Setup,
  says: RegExp,
  options?: Partial<CcxtExchangeOptions>,
])[] = [
  [
    'a key that may withdraw',
    (v) => v.on(KEYS, restrictions({ enableWithdrawals: true })),
    /take "Enable Withdrawals" from it/,
  ],
  [
    'a key without futures',
    (v) => v.on(KEYS, restrictions({ enableFutures: false })),
    /give it "Enable Futures"/,
  ],
  [
    'a key that is not known',
    (v) => v.on(KEYS, refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401)),
    /does not take the API key/,
  ],
  [
    'an account that may not trade',
    (v) => v.on(ACCOUNT, account({ canTrade: false })),
    /does not let this account trade/,
  ],
  [
    'multi-assets mode',
    (v) => v.on(ACCOUNT, account({ multiAssetsMargin: true })),
    /switch the account to single-asset mode/,
  ],
  [
    'hedge mode with a position',
    (v) => v.on(ACCOUNT, account({ dualSidePosition: true })).on(POSITIONS, { json: [position('BTCUSDT')] }),
    /close them, or switch to one-way mode/,
  ],
  [
    'one-way mode with a position, where hedge mode is configured',
    (v) => v.on(POSITIONS, { json: [position('BTCUSDT')] }),
    /in one-way mode with positions or orders open: close them, or switch to hedge mode/,
    { limits: { maxLeverage: 20, marginMode: 'isolated', positionMode: 'hedge' } },
  ],
  ['symbols that do not exist', () => {}, /does not list NOUSDT: correct/, { symbols: ['NOUSDT'] }],
];

describe('the start-up checks refuse', () => {
  for (const [what, setup, says, options] of REFUSED) {
    test(what, async (t) => {
      const { venue, open } = await gatewayHarness(t, options);
      setup(venue);
      await assert.rejects(
        open(),
        (error) =>
          isBulkheadError(error, 'VENUE_REFUSED') && says.test(error.message) && error.hint !== undefined,
      );
      assert.equal(venue.sockets.length, 0, 'no stream was opened');
    });
  }

  test('all that is wrong at once', async (t) => {
    const { venue, open } = await gatewayHarness(t);
    venue
      .on(KEYS, restrictions({ enableWithdrawals: true }))
      .on(ACCOUNT, account({ multiAssetsMargin: true }));
    await assert.rejects(open(), /Enable Withdrawals.*single-asset/s);
  });

  test('a clock that is far off, where trading is live', async (t) => {
    const venue = healthyVenue();
    const url = await venue.start();
    t.after(() => venue.stop());
    const time = systemTime();
    const client = await openVenueClient({
      origin: url,
      apiKey: KEY,
      apiSecret: SECRET,
      recvWindowMs: 5000,
      venueNow: Date.now,
    });
    t.after(() => client.close());
    const caller = new VenueCaller({
      random: seededRandom('checks'),
      client,
      budget: new RateBudget(time),
      realTime: time,
      callTimeoutMs: 1000,
      venueNow: Date.now,
      onThrottled: () => {},
      onBadTime: () => {},
    });
    const policy = {
      symbols: ['BTCUSDT'],
      maxLeverage: 20,
      marginMode: 'isolated',
      positionMode: 'one-way',
      allowWithdrawals: false,
      maxClockSkewMs: 1000,
    } as const;
    const { signal } = caller.deadline();
    const info = await readExchangeInfo(caller, signal);
    await assert.rejects(
      new VenueChecks(caller, { ...policy, clockMatters: true }).run(info, 1001, signal),
      /1001 ms behind the venue.*time synchronisation/,
    );
    await new VenueChecks(caller, { ...policy, clockMatters: true }).run(info, -1000, signal);
    const checks = await new VenueChecks(caller, { ...policy, clockMatters: false }).run(info, 5000, signal);
    assert.deepEqual(checks.find(({ check }) => check === 'clock')?.ok, false);
  });
});

describe('the start-up checks go on', () => {
  const find = async (
    open: () => Promise<readonly { check: string; ok: boolean; detail: string }[]>,
    name: string,
  ) => (await open()).find(({ check }) => check === name);

  test('with a key that may withdraw, when told so', async (t) => {
    const { venue, open } = await gatewayHarness(t, { allowWithdrawals: true });
    venue.on(KEYS, restrictions({ enableWithdrawals: true }));
    const check = await find(open, 'key');
    assert.ok(check?.ok && /MAY WITHDRAW.*not bound to an address/.test(check.detail));
  });

  test('without the endpoint for keys, and say that it is unverified', async (t) => {
    const { venue, open } = await gatewayHarness(t);
    venue.on(KEYS, { text: '<html>404</html>', status: 404, type: 'text/html' });
    const check = await find(open, 'key');
    assert.ok(check && !check.ok && /unverified/.test(check.detail));
  });

  test('switching to one-way mode when nothing is open', async (t) => {
    const { venue, open } = await gatewayHarness(t);
    venue.on(ACCOUNT, account({ dualSidePosition: true }));
    const check = await find(open, 'position-mode');
    assert.ok(check?.ok && /Switched/.test(check.detail));
    const [request] = venue.requests('POST /fapi/v1/positionSide/dual');
    assert.equal(request?.params.get('dualSidePosition'), 'false');
  });

  test('switching to hedge mode where that is configured, and leaving it where it is so', async (t) => {
    const limits = { maxLeverage: 20, marginMode: 'isolated', positionMode: 'hedge' } as const;
    const other = await gatewayHarness(t, { limits });
    assert.match(
      (await find(other.open, 'position-mode'))?.detail ?? '',
      /Switched from one-way mode to hedge/,
    );
    const [request] = other.venue.requests('POST /fapi/v1/positionSide/dual');
    assert.equal(request?.params.get('dualSidePosition'), 'true');
    const same = await gatewayHarness(t, { limits });
    same.venue
      .on(ACCOUNT, account({ dualSidePosition: true }))
      .on(POSITIONS, { json: [{ ...position('BTCUSDT'), positionSide: 'LONG' }] });
    assert.equal((await find(same.open, 'position-mode'))?.detail, 'Hedge mode.');
    assert.equal(same.venue.requests('POST /fapi/v1/positionSide/dual').length, 0);
  });

  test('nothing is set by a process that may not act', async (t) => {
    const { venue, open, may } = await gatewayHarness(t);
    venue.on(SYMBOLS, { json: [config('BTCUSDT', { marginType: 'CROSSED', leverage: 125 })] });
    may.act = false;
    await assert.rejects(open(), (error) => isBulkheadError(error, 'VENUE_UNREACHABLE'));
    assert.equal(venue.requests('POST /fapi/v1/marginType').length, 0);
    assert.equal(venue.requests('POST /fapi/v1/leverage').length, 0);
  });

  test('setting margin mode and leverage where nothing is open, and only there', async (t) => {
    const { venue, open } = await gatewayHarness(t);
    venue.on(SYMBOLS, {
      json: [
        config('BTCUSDT', { marginType: 'CROSSED', leverage: 50 }),
        config('ETHUSDT', { marginType: 'CROSSED', leverage: 125 }),
        config('XRPUSDT', { marginType: 'CROSSED', leverage: 125 }),
      ],
    });
    venue.on(POSITIONS, { json: [position('BTCUSDT')] });
    venue.on('POST /fapi/v1/marginType', refusal(-4046, 'No need to change margin type.'));
    const checks = await open();
    const of = (verb: string) => venue.requests(verb).map(({ params }) => params.get('symbol'));
    assert.deepEqual(of('POST /fapi/v1/marginType'), ['ETHUSDT'], 'and the unneeded change is no failure');
    assert.deepEqual(of('POST /fapi/v1/leverage'), ['ETHUSDT']);
    assert.equal(venue.requests('POST /fapi/v1/leverage')[0]?.params.get('leverage'), '20');
    for (const name of ['margin-mode', 'leverage']) {
      const check = checks.find((candidate) => candidate.check === name);
      assert.ok(check && !check.ok && /BTCUSDT/.test(check.detail), name);
    }
  });

  test('with a halted symbol, one without filters, and one that is not listed', async (t) => {
    const { venue, open, gateway } = await gatewayHarness(t, {
      symbols: ['BTCUSDT', 'ETHUSDT', 'XRPUSDT', 'NOUSDT'],
    });
    const rows = [
      exchangeInfoRow('BTCUSDT'),
      exchangeInfoRow('ETHUSDT', { status: 'SETTLING' }),
      exchangeInfoRow('XRPUSDT', { filters: [] }),
    ];
    venue.on(INFO, { json: { rateLimits: [], symbols: rows } });
    const checks = await open();
    const said = checks.filter(({ ok }) => !ok).map(({ check, detail }) => `${check}: ${detail}`);
    assert.match(said.join('\n'), /symbols: .*NOUSDT/);
    assert.match(said.join('\n'), /filters: .*XRPUSDT/);
    assert.match(said.join('\n'), /status: .*ETHUSDT \(SETTLING\)/);
    const instruments = await gateway.instruments(['BTCUSDT', 'ETHUSDT', 'XRPUSDT', 'NOUSDT']);
    assert.deepEqual(
      instruments.map(({ symbol, status }) => [symbol, status]),
      [
        ['BTCUSDT', 'TRADING'],
        ['ETHUSDT', 'SETTLING'],
      ],
    );
  });
});

describe('looking only', () => {
  const look = async (gateway: { check(): Promise<readonly Finding[]> }) =>
    new Map((await gateway.check()).map((finding) => [finding.check, finding]));

  test('says what a start would change, and changes nothing', async (t) => {
    const { venue, gateway } = await gatewayHarness(t);
    venue.on(ACCOUNT, account({ dualSidePosition: true }));
    venue.on(SYMBOLS, { json: [config('BTCUSDT', { marginType: 'CROSSED', leverage: 125 })] });
    const findings = await look(gateway);
    for (const name of ['position-mode', 'margin-mode', 'leverage']) {
      const finding = findings.get(name);
      assert.ok(finding?.ok && /the start s/i.test(finding.detail), finding?.detail);
    }
    assert.deepEqual(
      venue.seen.filter(({ method }) => method !== 'GET'),
      [],
    );
    assert.equal(venue.sockets.length, 0, 'no stream was opened');
  });

  test('says all that is wrong, line by line, and what is right beside it', async (t) => {
    const { venue, gateway } = await gatewayHarness(t);
    venue
      .on(KEYS, restrictions({ enableWithdrawals: true }))
      .on(ACCOUNT, account({ multiAssetsMargin: true, dualSidePosition: true }))
      .on(POSITIONS, { json: [position('BTCUSDT')] });
    const findings = await look(gateway);
    for (const [name, todo] of [
      ['key', /: take "Enable Withdrawals" from it/],
      ['assets', /: switch the account to single-asset mode/],
      ['position-mode', /: close them, or switch to one-way mode/],
    ] as const) {
      const finding = findings.get(name);
      assert.ok(finding && !finding.ok && finding.mandatory, name);
      assert.match(finding.detail, todo);
    }
    for (const name of ['clock', 'trading', 'symbols']) assert.equal(findings.get(name)?.ok, true, name);
  });

  test('a key that the venue does not take is refused', async (t) => {
    const { venue, gateway } = await gatewayHarness(t);
    venue.on(KEYS, refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401));
    await assert.rejects(gateway.check(), (error) => isBulkheadError(error, 'VENUE_REFUSED'));
  });
});

describe('a venue out of reach', () => {
  test('is unreachable, not refused; and can be tried again', async (t) => {
    const { venue, open, events } = await gatewayHarness(t, { callTimeoutMs: 100 });
    venue.on(INFO, 'reset');
    await assert.rejects(open(), (error) => isBulkheadError(error, 'VENUE_UNREACHABLE'));
    venue.on(INFO, {
      json: { rateLimits: [], symbols: [exchangeInfoRow('BTCUSDT'), exchangeInfoRow('ETHUSDT')] },
    });
    await open();
    await until(() => events.some((event) => event.type === 'stream-up'));
    assert.equal(venue.sockets.length, 1);
  });
});

describe('the instruments', () => {
  test('are the venue\u2019s own, exactly', async (t) => {
    const { gateway } = await gatewayHarness(t);
    const [bitcoin, ether] = await gateway.instruments(['BTCUSDT', 'ETHUSDT']);
    assert.deepEqual(bitcoin?.brackets[1], {
      bracket: 2,
      initialLeverage: 100,
      notionalFloor: '50000',
      notionalCap: '600000',
      maintMarginRate: '0.005',
      cum: '50.1',
    });
    assert.deepEqual(
      [
        bitcoin?.tickSize,
        bitcoin?.minPrice,
        bitcoin?.makerFeeRate,
        bitcoin?.takerFeeRate,
        bitcoin?.liquidationFeeRate,
      ],
      ['0.1', '556.8', '0.00018', '0.00045', '0.0125'],
    );
    assert.deepEqual([bitcoin?.fundingIntervalHours, ether?.fundingIntervalHours], [8, 4]);
  });

  test('of many symbols share the fees of one', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const names = Array.from({ length: 40 }, (_, i) => `C${i}USDT`);
    venue.on(INFO, { json: { rateLimits: [], symbols: names.map((name) => exchangeInfoRow(name)) } });
    const instruments = await gateway.instruments();
    assert.equal(instruments.length, 40);
    assert.ok(instruments.every(({ takerFeeRate }) => takerFeeRate === '0.00045'));
    assert.equal(venue.requests('GET /fapi/v1/commissionRate').length, 1);
  });
});

test('the clock is measured every minute of the venue\u2019s time', async (t) => {
  const time = scaledTime(systemTime(), Date.now(), 600);
  const { venue, open, events } = await gatewayHarness(t, { time });
  venue.on('GET /fapi/v1/time', () => ({ json: { serverTime: time.clock.now() } }));
  await open();
  await until(() => events.filter(({ type }) => type === 'clock').length >= 3);
});
