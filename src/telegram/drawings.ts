/** From views to pictures: a position's life, the account's equity. A picture that cannot be drawn leaves the words. */
import { moment, signedMoney } from '../core/amounts.ts';
import { add, type Decimal, gte, toNumber } from '../core/decimal.ts';
import { errorText } from '../core/errors.ts';
import { TIMEFRAME_MS } from '../domain/candle.ts';
import type { EquityPoint, PositionView } from '../operator/views.ts';
import { equityChart } from './equity-chart.ts';
import type { Lookout } from './lookout.ts';
import { type Message, text } from './markup.ts';
import { type PositionChart, positionChart } from './position-chart.ts';
import type { Reply } from './reply.ts';
import { bold, line } from './reply.ts';
import { movePercent, price, targetsOf } from './text-now.ts';
import { equityWords } from './text-results.ts';

const CANDLES = 120;
const DAY_MS = 86_400_000;

export async function drawPosition(named: string, lookout: Lookout): Promise<Reply> {
  const view = await lookout.views.position(named);
  const { symbol } = view.context;
  // What is over is seen as it was then.
  const end = view.over ? view.story.at(-1)?.n : undefined;
  const candles = await lookout.views.candles(symbol, CANDLES, end);
  if (candles.length < 2) return { message: [text(`There are no candles of ${symbol} yet.`)] };
  const [first] = candles;
  const candleMs = first ? TIMEFRAME_MS[first.timeframe] : TIMEFRAME_MS['15m'];
  const chart = chartOf(view, candles, candleMs);
  return withPicture(positionChart(chart), [text(bold(chart.title), chart.under)], lookout);
}

function chartOf(view: PositionView, candles: PositionChart['candles'], candleMs: number): PositionChart {
  const { status, fills, stops, context } = view;
  const { symbol, direction } = context;
  const { net } = view.split;
  const drawn = {
    candles,
    candleMs,
    stops: stops.map(({ at, price: level }) => ({ at, price: toNumber(level) })),
    targets: targetsOf(context).map((level) => ({ price: toNumber(level), isDone: false })),
    fills: fills.map(({ at, price: level, side }) => ({ at, price: toNumber(level), isBuy: side === 'BUY' })),
    liquidation: status?.liquidationPrice ? toNumber(status.liquidationPrice) : undefined,
  };
  if (!status)
    return {
      ...drawn,
      title: `${symbol} ${direction}, over`,
      under: `${signedMoney(net)} USDT`,
      isGain: gte(net, '0'),
      entry: undefined,
      mark: undefined,
    };
  return {
    ...drawn,
    title: `${symbol} ${direction} ${status.quantity}`,
    under: `${signedMoney(status.openPnl)} USDT (${movePercent(status)}), entry ${price(status.entryPrice)}`,
    isGain: gte(add(status.openPnl, '0'), '0'),
    entry: toNumber(status.entryPrice),
    mark: toNumber(status.markPrice),
  };
}

/** Of the last so many days of market time; of everything where absent. */
export async function drawEquity(title: string, days: number | undefined, lookout: Lookout): Promise<Reply> {
  const points = lastDays(lookout.views.equity(), days);
  const from = points[0];
  const last = points.at(-1);
  if (!from || !last || points.length < 2)
    return { message: [text(line`${bold(title)}: there is too little to draw yet.`)] };
  const under = equityWords(from.equity, last.equity);
  const svg = equityChart({
    title: `${title} to ${moment(last.at)}`,
    under,
    isGain: isGain(from.equity, last.equity),
    points: points.map(({ at, equity }) => ({ at, equity: toNumber(equity) })),
  });
  return withPicture(svg, [text(bold(title), under)], lookout);
}

/** What the account was worth when those days began is their first point. */
export function lastDays(all: readonly EquityPoint[], days: number | undefined): readonly EquityPoint[] {
  const last = all.at(-1);
  if (days === undefined || !last) return all;
  const since = last.at - days * DAY_MS;
  const before = all.findLast(({ at }) => at < since);
  const within = all.filter(({ at }) => at >= since);
  return before ? [{ at: since, equity: before.equity }, ...within] : within;
}

const isGain = (from: Decimal, to: Decimal): boolean => gte(to, from);

async function withPicture(svg: string, message: Message, { pictures }: Lookout): Promise<Reply> {
  try {
    return { message, photo: await pictures.draw(svg) };
  } catch (error) {
    return { message: [...message, text(`(no picture: ${errorText(error)})`)] };
  }
}
