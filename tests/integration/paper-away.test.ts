/**
 * What befalls a position while nobody runs: the stop that fired, the hand that closed, the liquidation, the funding of
 * the meantime. Afterwards its books are the venue's, to the last digit.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Trade } from '../../machines/messages.ts';
import { add, eq, neg, sum } from '../../src/core/decimal.ts';
import { DEMO_ACCOUNT } from '../../src/venue-server/demo-account.ts';
import { PaperWorld } from '../support/paper-world.ts';

const SYMBOL = 'BTCUSDT';

type Row = Readonly<Record<string, unknown>>;

const CASES: readonly (readonly [
  what: string,
  befall: (world: PaperWorld) => Promise<void>,
  cause?: string,
])[] = [
  ['its stop fired', async ({ venue }) => venue.market.shock(SYMBOL, -0.08, 600_000)],
  [
    'a person closed it in two parts',
    async (world) => {
      await world.sellByHand(SYMBOL, '0.005');
      await world.sellByHand(SYMBOL, '0.015');
    },
    'manual',
  ],
  [
    'a part was closed by hand, and its stop fired',
    async (world) => {
      await world.sellByHand(SYMBOL, '0.005');
      world.venue.market.shock(SYMBOL, -0.08, 600_000);
    },
  ],
  [
    'it was liquidated',
    async (world) => {
      const { server, clock, market } = world.venue;
      await world.byHand('DELETE', '/fapi/v1/algoOpenOrders', { symbol: SYMBOL });
      server.feed({ type: 'DEPOSIT', at: clock.now(), amount: '-9850' }, DEMO_ACCOUNT);
      market.shock(SYMBOL, -0.12, 600_000);
    },
    'liquidation',
  ],
];

for (const [what, befall, cause] of CASES)
  test(`while nobody ran ${what}: the position’s books are the venue’s`, { timeout: 180_000 }, async (t) => {
    const config = { venue: { foreign: 'adopt' } };
    const world = await PaperWorld.open(t, { symbols: [SYMBOL], speed: 10, config });
    const { venue } = world;
    await world.begin();
    await world.buyByHand(SYMBOL, '0.02');
    await world.until('a stop', () => world.openStops().length === 1);
    await world.until('a position', () => world.status().positions.length === 1);
    await world.stop();
    const settlement = { symbol: SYMBOL, rate: 0.00073, mark: venue.market.quote(SYMBOL)?.mark ?? 0 };
    venue.server.feed({ type: 'FUNDING', at: venue.clock.now(), ...settlement });
    await befall(world);
    await world.until('flat at the venue', () => venue.ledger()?.positions.length === 0);

    await world.begin();
    const closed = () => world.heard('portfolio', 'POSITION_CLOSED') as unknown as { trade: Trade }[];
    await world.until('told', () => world.status().positions.length === 0 && closed().length === 1);
    const wallet = () => world.heard('portfolio', 'WALLET_CHANGED').at(-1)?.balance;
    await world.until('the same wallet', () => eq(String(wallet()), venue.ledger()?.wallet ?? '0'));
    const rows = (venue.ledger()?.income ?? []) as readonly Row[];
    const of = (type: string) => rows.filter(({ incomeType }) => incomeType === type);
    const total = (some: readonly Row[]) => sum(some.map(({ income }) => String(income)));
    const trade = closed()[0]?.trade;
    assert.ok(trade);
    assert.ok(eq(trade.grossPnl, total(of('REALIZED_PNL'))), `${trade.grossPnl}`);
    assert.equal(of('FUNDING_FEE').length, 1);
    assert.ok(eq(trade.funding, total(of('FUNDING_FEE'))), `${trade.funding}`);
    // What was paid for entering was paid before it was adopted.
    const exits = of('COMMISSION').slice(1);
    assert.ok(eq(trade.fees, neg(total(exits))), `${trade.fees} ${total(exits)}`);
    assert.ok(eq(trade.netPnl, add(total([...of('REALIZED_PNL'), ...exits]), total(of('FUNDING_FEE')))));
    const causes = world.heard('position/', 'ORDER_FILLED').map((fill) => fill.cause);
    if (cause !== undefined) assert.deepEqual([...new Set(causes)], [cause]);
    assert.deepEqual(
      world.rows().filter(({ event }) => event.includes('inferred-')),
      [],
    );
    assert.deepEqual(venue.core.violations(), []);
  });
