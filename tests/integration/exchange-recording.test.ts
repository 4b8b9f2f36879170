/**
 * The venue engine over a real month of minutes: fills lie on the recorded market, the books close to the last
 * digit, and a venue restored from checkpoints at random bars ends exactly as the one that never stopped.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { closeTime } from '../../src/domain/candle.ts';
import { type EngineInput, type EngineOutput, VenueEngine } from '../../src/exchange/engine/engine.ts';
import { recordedCandles, recordedFunding } from '../support/recorded-candles.ts';
import { OWNER, order, venueOptions } from '../support/venue.ts';

const SYMBOL = 'BTCUSDT';
const EXIT = { side: 'SELL', reduceOnly: true, quantity: '0.01' } as const;
const options = venueOptions({ slippage: { halfSpreadRate: 0.00001 } });

/** Every two hours an entry with a mark stop, a trailing stop and a limit take-profit; then all is closed. */
function recordedSession(): EngineInput[] | undefined {
  const candles = recordedCandles(SYMBOL)?.slice(0, 43_200);
  if (!candles) return undefined;
  const funding = recordedFunding(SYMBOL, 0, Number.MAX_SAFE_INTEGER);
  const inputs: EngineInput[] = [];
  const submit = (at: number, last: number, request: Parameters<typeof order>[0]): void => {
    const quote = { last, mark: last, volume: 50 };
    inputs.push({ type: 'order.submit', at, order: order(request), quote });
  };
  let settled = 0;
  for (const [i, bar] of candles.entries()) {
    const at = closeTime(bar);
    inputs.push({ type: 'BAR', at, bar });
    const round = Math.floor(i / 120);
    const price = (factor: number) => (bar.close * factor).toFixed(1);
    if (i % 120 === 0) {
      submit(at, bar.close, { ref: `e${round}`, quantity: '0.01' });
      const stop = { type: 'STOP_MARKET', triggerPrice: price(0.997), workingType: 'MARK_PRICE' } as const;
      submit(at, bar.close, { ...EXIT, ...stop, ref: `s${round}` });
      submit(at, bar.close, { ...EXIT, ref: `t${round}`, type: 'TRAILING_STOP_MARKET', callbackRate: '0.4' });
      const profit = { type: 'LIMIT', price: price(1.004), timeInForce: 'GTX' } as const;
      submit(at, bar.close, { ...EXIT, ...profit, ref: `p${round}` });
    }
    if (i % 120 === 119) {
      for (const kind of ['s', 't', 'p'])
        inputs.push({ type: 'order.cancel', at, owner: OWNER, ref: `${kind}${round}`, symbol: SYMBOL });
      submit(at, bar.close, { ...EXIT, ref: `x${round}` });
    }
    const rate = at % 28_800_000 === 0 ? funding[settled++]?.rate : undefined;
    if (rate !== undefined) inputs.push({ type: 'FUNDING', at, symbol: SYMBOL, rate, mark: bar.close });
  }
  return inputs;
}

function checkFill(event: EngineOutput['event'], input: EngineInput): boolean {
  if (event.type !== 'ORDER_FILLED' || input.type !== 'BAR') return false;
  const { low, high } = input.bar;
  const price = Number(event.price);
  // A taker's slippage may leave the bar by its own size, always to the taker's loss; on the tick.
  assert.ok(price <= high + 0.1 && price >= low * (1 - 0.002) - 0.1, `${price} outside ${low}..${high}`);
  return true;
}

test('a month of real minutes: fills on the market, books closed, restored anywhere the same', (t) => {
  const inputs = recordedSession();
  if (!inputs) return t.skip('no market data: set BULKHEAD_DATA');
  const engine = new VenueEngine(options);
  let other = new VenueEngine(options);
  const random = seededRandom(7);
  let fills = 0;
  let asleep = 0;
  for (const input of inputs) {
    const outputs = engine.apply(input);
    if (input.type === 'BAR' && outputs.length === 0) asleep++;
    fills += outputs.filter(({ event }) => checkFill(event, input)).length;
    if (random.int(500) === 0) other = VenueEngine.restore(other.checkpoint(), options);
    assert.deepEqual(other.apply(input), outputs);
  }
  assert.deepEqual(engine.checkInvariants(), []);
  assert.equal(JSON.stringify(other.checkpoint()), JSON.stringify(engine.checkpoint()));
  assert.equal(engine.hasPosition(SYMBOL), false);
  assert.ok(fills > 100, `${fills} fills inside bars: too few to prove`);
  assert.ok(asleep > 0.9 * 43_000, `only ${asleep} bars without effect`);
});
