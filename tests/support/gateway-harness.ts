/** The gateway before a scripted venue, with all that it says kept. */
import type { TestContext } from 'node:test';
import { systemTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { IdentifiedOrder } from '../../src/domain/order.ts';
import { CcxtExchange, type CcxtExchangeOptions } from '../../src/exchange/binance/ccxt-exchange.ts';
import type { GatewayEvent } from '../../src/exchange/venue-gateway.ts';
import { healthyVenue, KEY, type ScriptedVenue, SECRET } from './scripted-venue.ts';

export interface Harness {
  readonly venue: ScriptedVenue;
  readonly gateway: CcxtExchange;
  readonly events: GatewayEvent[];
  readonly notes: string[];
  /** What `mayAct` says. */
  readonly may: { act: boolean };
  open(): ReturnType<CcxtExchange['open']>;
}

export async function gatewayHarness(
  context: TestContext,
  changes: Partial<CcxtExchangeOptions> = {},
): Promise<Harness> {
  const venue = healthyVenue();
  const url = await venue.start();
  const time = systemTime();
  const events: GatewayEvent[] = [];
  const notes: string[] = [];
  const may = { act: true };
  const note = (message: string, fields?: object): void => {
    notes.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const log = { trace: note, debug: note, info: note, warn: note, error: note, with: () => log };
  const gateway = new CcxtExchange({
    mode: 'paper',
    restUrl: url,
    streamUrl: url.replace('http', 'ws'),
    apiKey: KEY,
    apiSecret: SECRET,
    time,
    realTime: time,
    random: seededRandom(1),
    mayAct: () => may.act,
    symbols: ['BTCUSDT', 'ETHUSDT'],
    limits: { maxLeverage: 20, marginMode: 'isolated', positionMode: 'one-way' },
    allowWithdrawals: false,
    callTimeoutMs: 400,
    log,
    ...changes,
  });
  context.after(async () => {
    await gateway.close();
    await venue.stop();
  });
  return { venue, gateway, events, notes, may, open: () => gateway.open((event) => events.push(event)) };
}

/** Waits for what sockets bring; bounded, so that what never comes fails the test instead of hanging it. */
export async function until(met: () => boolean): Promise<void> {
  const begun = performance.now();
  while (!met()) {
    if (performance.now() - begun > 15_000) throw new Error('it did not come within 15 seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let orders = 0;

export const anOrder = (changes: Partial<IdentifiedOrder> = {}): IdentifiedOrder => ({
  ref: 'entry-1',
  owner: 'position/BTCUSDT/BOTH/1',
  clientOrderId: `bh-test-${++orders}`,
  symbol: 'BTCUSDT',
  side: 'BUY',
  positionSide: 'BOTH',
  type: 'MARKET',
  quantity: '0.010',
  reduceOnly: false,
  ...changes,
});

export const submitOf = (order: IdentifiedOrder, sendWindowMs = 5000) =>
  ({ call: 'submit', id: order.clientOrderId, order, sendBy: Date.now() + sendWindowMs }) as const;
