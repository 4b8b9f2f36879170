/** Frames as Binance sends them, for benches that must run without the recordings: a day's mix of three events. */
import { seededRandom } from '../src/core/random.ts';

export const SYMBOLS: readonly string[] = Array.from({ length: 35 }, (_, i) => `COIN${i}USDT`);

const EVENT_AT = 1_750_000_000_000;

/** Six in ten are bookTicker, three aggTrade, one markPriceUpdate; every frame wrapped as {stream, data}. */
export function makeFrames(count: number, wrapped: boolean): Buffer[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, (_, i) => {
    const symbol = SYMBOLS[random.int(SYMBOLS.length)] as string;
    const price = (100 + random.normal() * 0.5).toFixed(4);
    const quantity = (random.next() * 100).toFixed(3);
    const at = EVENT_AT + i;
    const draw = random.next();
    const [stream, data] =
      draw < 0.6
        ? [
            'bookTicker',
            `{"e":"bookTicker","u":${5_123_107_839_020 + i},"s":"${symbol}","ps":"${symbol}","b":"${price}","B":"${quantity}","a":"${price}","A":"2.510","T":${at},"E":${at},"st":1}`,
          ]
        : draw < 0.9
          ? [
              'aggTrade',
              `{"e":"aggTrade","E":${at},"a":${2_900_000_000 + i},"s":"${symbol}","p":"${price}","q":"${quantity}","nq":"${quantity}","f":${5_266_583_935 + i},"l":${5_266_583_936 + i},"T":${at},"m":${draw < 0.75},"st":1}`,
            ]
          : [
              'markPrice@1s',
              `{"e":"markPriceUpdate","E":${at},"s":"${symbol}","p":"${price}0000","ap":"${price}","P":"${price}1234","i":"${price}5678","r":"0.00010000","T":${at + 3_600_000},"st":1}`,
            ];
    return Buffer.from(wrapped ? `{"stream":"${symbol.toLowerCase()}@${stream}","data":${data}}` : data);
  });
}
