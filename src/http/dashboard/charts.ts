/** lightweight-charts in the page's colours. The link to TradingView that its licence asks for stays. */
import {
  AreaSeries,
  BaselineSeries,
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  type IChartApi,
  type IRange,
  LineSeries,
  LineStyle,
  LineType,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import type { Candle } from '../../domain/candle.ts';
import type { EquityPoint } from '../../operator/views.ts';
import {
  barAt,
  evenly,
  type FillMark,
  marksOf,
  ratchetOf,
  roomBehind,
  type StopMove,
  seconds as whole,
} from './chart-series.ts';
import { money, percent } from './format.ts';
import { html, useEffect, useRef, type VNode } from './ui.ts';

const seconds = (at: number): UTCTimestamp => whole(at) as UTCTimestamp;

const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function open(frame: HTMLElement): IChartApi {
  return createChart(frame, {
    autoSize: true,
    layout: {
      background: { color: 'transparent' },
      textColor: colour('--quiet'),
      attributionLogo: true,
      panes: { separatorColor: colour('--line') },
    },
    grid: { vertLines: { color: colour('--line') }, horzLines: { color: colour('--line') } },
    timeScale: { timeVisible: true, borderColor: colour('--line') },
    rightPriceScale: { borderColor: colour('--line') },
  });
}

interface Sight {
  readonly from: number;
  readonly to: number;
}

/**
 * All of it is in sight whatever the window's width, until somebody moves it by hand: then that part stays, new bars
 * coming in where its end was in sight. A double click shows all again. `last` is the time of the newest bar.
 */
function keptInSight(frame: HTMLElement, chart: IChartApi, by: { sight: Sight | null }, last: number) {
  const scale = chart.timeScale();
  const sizes = new ResizeObserver(() => scale.fitContent());
  let isByHand = by.sight !== null;
  const all = (): void => {
    isByHand = false;
    by.sight = null;
    scale.fitContent();
    sizes.observe(frame);
  };
  const hand = (): void => {
    isByHand = true;
    sizes.disconnect();
  };
  if (by.sight) scale.setVisibleRange(by.sight as unknown as IRange<Time>);
  else all();
  const note = (range: IRange<Time> | null): void => {
    if (!range) return;
    const [from, to] = [Number(range.from), Number(range.to)];
    const bars = scale.getVisibleLogicalRange();
    frame.dataset.shown = `${from} ${to} ${bars ? Math.round(bars.to - bars.from) : 0}`;
    if (isByHand) by.sight = { from, to: to >= last ? Number.MAX_SAFE_INTEGER : to };
  };
  scale.subscribeVisibleTimeRangeChange(note);
  frame.addEventListener('wheel', hand, { passive: true });
  frame.addEventListener('pointerdown', hand, { passive: true });
  frame.addEventListener('dblclick', all);
  return () => {
    sizes.disconnect();
    scale.unsubscribeVisibleTimeRangeChange(note);
    frame.removeEventListener('wheel', hand);
    frame.removeEventListener('pointerdown', hand);
    frame.removeEventListener('dblclick', all);
  };
}

/** Drawn anew when its data or the theme change. */
function Chart({
  draw,
  key2,
  last,
  label,
  tall,
}: {
  draw: (chart: IChartApi) => void;
  key2: string;
  last: number;
  label: string;
  tall?: boolean;
}): VNode {
  const frame = useRef<HTMLElement>(null);
  const by = useRef<{ sight: Sight | null }>({ sight: null });
  const theme = document.documentElement.dataset.theme;
  useEffect(() => {
    if (!frame.current) return;
    const chart = open(frame.current);
    draw(chart);
    const free = keptInSight(frame.current, chart, by.current, last);
    return () => {
      free();
      chart.remove();
    };
  }, [key2, theme]);
  return html`<figure class=${tall ? 'chart tall' : 'chart'} ref=${frame} aria-label=${label}></figure>`;
}

const CURVE_POINTS = 500;

/** Equity above, the distance from its peak below. */
export function EquityChart({ points }: { points: readonly EquityPoint[] }): VNode {
  const curve = evenly(points, CURVE_POINTS);
  const draw = (chart: IChartApi): void => {
    const accent = colour('--accent');
    const area = chart.addSeries(AreaSeries, {
      lineColor: accent,
      topColor: `${accent}55`,
      bottomColor: `${accent}08`,
      lineWidth: 2,
      priceFormat: { type: 'custom', minMove: 0.01, formatter: (value: number) => money(value.toFixed(2)) },
    });
    area.setData(curve.map(({ at, equity }) => ({ time: seconds(at), value: equity })));
    const bad = colour('--bad');
    const drawdown = chart.addSeries(
      BaselineSeries,
      {
        ...{ baseValue: { type: 'price', price: 0 }, lineWidth: 1, priceLineVisible: false },
        ...{ topLineColor: bad, topFillColor1: 'transparent', topFillColor2: 'transparent' },
        ...{ bottomLineColor: bad, bottomFillColor1: `${bad}22`, bottomFillColor2: `${bad}88` },
        priceFormat: { type: 'custom', minMove: 0.01, formatter: (value: number) => percent(value) },
      },
      1,
    );
    drawdown.setData(curve.map(({ at, drawdown: value }) => ({ time: seconds(at), value })));
    chart.panes()[1]?.setHeight(80);
  };
  const last = points.at(-1);
  return html`<${Chart}
    draw=${draw}
    key2=${`${points.length} ${last?.at} ${last?.equity}`}
    last=${last ? seconds(last.at) : 0}
    label="Equity, and its drawdown below"
  />`;
}

export interface PriceLine {
  readonly title: string;
  readonly price: number;
  readonly tone: 'good' | 'bad' | 'warn' | 'accent';
}

/** Candles with what a position lives by: entry, stop as it was moved, targets, liquidation, fills. */
export function PositionChart({
  candles,
  lines,
  stops,
  until,
  fills,
  name,
}: {
  candles: readonly Candle[];
  lines: readonly PriceLine[];
  stops: readonly StopMove[];
  /** When it ended, or now. */
  until: number | null;
  fills: readonly FillMark[];
  name: string;
}): VNode {
  const draw = (chart: IChartApi): void => {
    const good = colour('--good');
    const bad = colour('--bad');
    const series = chart.addSeries(CandlestickSeries, {
      upColor: good,
      downColor: bad,
      wickUpColor: good,
      wickDownColor: bad,
      borderVisible: false,
      priceFormat: { type: 'price', ...precisionOf(candles) },
    });
    series.setData(
      candles.map(({ openTime, open, high, low, close }) => ({
        time: seconds(openTime),
        open,
        high,
        low,
        close,
      })),
    );
    for (const { title, price, tone } of lines)
      series.createPriceLine({
        price,
        title,
        color: colour(`--${tone}`),
        lineStyle: LineStyle.Dashed,
        lineWidth: 1,
        axisLabelVisible: true,
      });
    const ratchet = chart.addSeries(LineSeries, {
      color: colour('--warn'),
      lineType: LineType.WithSteps,
      lineWidth: 2,
      priceLineVisible: false,
      lastValueVisible: false,
    });
    ratchet.setData(ratchetOf(stops, until).map(({ at, price }) => ({ time: seconds(at), value: price })));
    const marks = marksOf(candles, fills);
    createSeriesMarkers(
      series,
      marks.map(
        ({ bar, buys, text }): SeriesMarker<UTCTimestamp> => ({
          time: seconds(bar),
          position: buys ? 'belowBar' : 'aboveBar',
          shape: buys ? 'arrowUp' : 'arrowDown',
          color: buys ? good : bad,
          text,
        }),
      ),
    );
    chart.timeScale().applyOptions({ rightOffsetPixels: roomBehind(candles, marks) });
  };
  const end = until === null ? null : barAt(until);
  const key = JSON.stringify([candles.length, candles.at(-1), lines, stops.length, fills.length, end]);
  return html`<${Chart} draw=${draw} key2=${key} last=${seconds(candles.at(-1)?.openTime ?? 0)} label=${`Candles of ${name} with entry, stop and targets`} tall=${true} />`;
}

/** As many decimals as the prices need, at most eight. */
function precisionOf(candles: readonly Candle[]): { precision: number; minMove: number } {
  const places = candles
    .slice(-50)
    .map(({ close }) => String(close).split('.')[1]?.length ?? 0)
    .reduce((most, one) => Math.max(most, one), 0);
  const precision = Math.min(8, Math.max(2, places));
  return { precision, minMove: 10 ** -precision };
}
