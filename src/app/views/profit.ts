/** What closed trades made: in groups, as a curve, and as the ratios that traders compare. Pure. */
import type { Trade } from '../../../machines/messages.ts';
import { add, type Decimal, div, gt, neg, sub, toNumber, ZERO } from '../../core/decimal.ts';
import type { EquityPoint, ProfitGroup, ProfitLine, Results, TradeView } from '../../operator/views.ts';
import { TRADE_KEYS } from '../results/statistics.ts';

const DAY_MS = 86_400_000;
const DAYS_A_YEAR = 365;

const isoDay = (at: number): string => new Date(at).toISOString().slice(0, 10);
/** The Monday with which its week begins. */
const isoWeek = (at: number): string => {
  const day = Math.floor(at / DAY_MS);
  return isoDay((day - ((day + 3) % 7)) * DAY_MS);
};

type Key = (trade: TradeView) => string;

const keysOf = (strategy: string): Readonly<Record<ProfitGroup, Key>> => ({
  total: () => 'total',
  day: ({ closedAt }) => isoDay(closedAt),
  week: ({ closedAt }) => isoWeek(closedAt),
  month: ({ closedAt }) => isoDay(closedAt).slice(0, 7),
  strategy: () => strategy,
  ...TRADE_KEYS,
});

interface Sums {
  trades: number;
  wins: number;
  net: Decimal;
  gross: Decimal;
  fees: Decimal;
  funding: Decimal;
  won: Decimal;
  lost: Decimal;
  heldMs: number;
}

const nothing = (): Sums => ({
  ...{
    trades: 0,
    wins: 0,
    net: ZERO,
    gross: ZERO,
    fees: ZERO,
    funding: ZERO,
    won: ZERO,
    lost: ZERO,
    heldMs: 0,
  },
});

function count(sums: Sums, trade: Trade): void {
  const isWin = gt(trade.netPnl, ZERO);
  sums.trades += 1;
  sums.wins += isWin ? 1 : 0;
  sums.net = add(sums.net, trade.netPnl);
  sums.gross = add(sums.gross, trade.grossPnl);
  sums.fees = add(sums.fees, trade.fees);
  sums.funding = add(sums.funding, trade.funding);
  if (isWin) sums.won = add(sums.won, trade.netPnl);
  else sums.lost = add(sums.lost, neg(trade.netPnl));
  sums.heldMs += trade.closedAt - trade.openedAt;
}

const lineOf = (group: string, sums: Sums): ProfitLine => {
  const { trades, wins, heldMs, ...money } = sums;
  return {
    group,
    trades,
    wins,
    winRate: trades === 0 ? null : wins / trades,
    ...money,
    profitFactor: gt(money.lost, ZERO) ? div(money.won, money.lost, 4) : null,
    expectancy: trades === 0 ? ZERO : div(money.net, String(trades), 8),
    averageHeldMs: trades === 0 ? null : Math.round(heldMs / trades),
  };
};

/** Times in their order, the newest last; everything else from the best to the worst. */
export function profitBy(
  trades: readonly TradeView[],
  by: ProfitGroup,
  strategy: string,
): readonly ProfitLine[] {
  const key = keysOf(strategy)[by];
  const groups = new Map<string, Sums>();
  if (by === 'total') groups.set('total', nothing());
  for (const trade of trades) {
    const name = key(trade);
    const sums = groups.get(name) ?? nothing();
    groups.set(name, sums);
    count(sums, trade);
  }
  const lines = [...groups].map(([group, sums]) => lineOf(group, sums));
  const isTime = by === 'day' || by === 'week' || by === 'month' || by === 'hour';
  return lines.sort((a, b) =>
    isTime ? a.group.localeCompare(b.group) : toNumber(sub(b.net, a.net)) || a.group.localeCompare(b.group),
  );
}

const POINTS = 1_000;

/** The account's equity as its closed trades made it, about a thousand points, and what it is now as the last. */
export function equityCurve(
  initial: Decimal,
  trades: readonly TradeView[],
  now: EquityPoint | undefined,
): readonly EquityPoint[] {
  let equity = initial;
  const all = trades.map(({ closedAt, netPnl }) => {
    equity = add(equity, netPnl);
    return { at: closedAt, equity };
  });
  const first = trades[0];
  const points = first ? [{ at: first.openedAt, equity: initial }, ...all] : [];
  const every = Math.ceil(points.length / POINTS);
  const curve = points.filter((_, i) => i % every === 0 || i === points.length - 1);
  return now ? [...curve, { ...now, at: Math.max(now.at, curve.at(-1)?.at ?? now.at) }] : curve;
}

export function resultsOf(initial: Decimal, trades: readonly TradeView[], strategy: string): Results {
  const [total] = profitBy(trades, 'total', strategy);
  const returns = dailyReturns(toNumber(initial), trades);
  const drawdown = maxDrawdown(toNumber(initial), trades);
  const whole = (100 * toNumber(total?.net ?? ZERO)) / toNumber(initial);
  const yearly = returns.length === 0 ? 0 : (whole / returns.length) * DAYS_A_YEAR;
  const byNet = [...trades].sort((a, b) => toNumber(sub(a.netPnl, b.netPnl)));
  return {
    total: total ?? lineOf('total', nothing()),
    bySymbol: profitBy(trades, 'symbol', strategy),
    returnPercent: whole,
    maxDrawdownPercent: drawdown,
    sharpe: ratio(returns, deviation(returns)),
    sortino: ratio(returns, downside(returns)),
    calmar: drawdown > 0 && returns.length > 1 ? yearly / drawdown : null,
    dailyVar95Percent: varOf(returns),
    best: byNet.at(-1) ?? null,
    worst: byNet[0] ?? null,
    days: returns.length,
  };
}

/** Days without a close made nothing. */
function dailyReturns(initial: number, trades: readonly TradeView[]): number[] {
  const first = trades[0];
  const last = trades.at(-1);
  if (!first || !last) return [];
  const days = new Map<number, number>();
  for (const { closedAt, netPnl } of trades) {
    const day = Math.floor(closedAt / DAY_MS);
    days.set(day, (days.get(day) ?? 0) + Number(netPnl));
  }
  const returns: number[] = [];
  let equity = initial;
  for (let day = Math.floor(first.openedAt / DAY_MS); day <= Math.floor(last.closedAt / DAY_MS); day++) {
    const made = days.get(day) ?? 0;
    returns.push(equity > 0 ? made / equity : 0);
    equity += made;
  }
  return returns;
}

function maxDrawdown(initial: number, trades: readonly TradeView[]): number {
  let equity = initial;
  let peak = initial;
  let worst = 0;
  for (const { netPnl } of trades) {
    equity += Number(netPnl);
    peak = Math.max(peak, equity);
    worst = Math.max(worst, (100 * (peak - equity)) / peak);
  }
  return worst;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((a, b) => a + (b - middle) ** 2, 0) / (values.length - 1));
}

const downside = (values: readonly number[]): number =>
  values.length < 2 ? 0 : Math.sqrt(mean(values.map((value) => Math.min(0, value) ** 2)));

const ratio = (returns: readonly number[], risk: number): number | null =>
  returns.length < 2 || risk === 0 ? null : (mean(returns) / risk) * Math.sqrt(DAYS_A_YEAR);

/** From twenty days on. */
function varOf(returns: readonly number[]): number | null {
  if (returns.length < 20) return null;
  const sorted = [...returns].sort((a, b) => a - b);
  const worst = sorted[Math.floor(sorted.length * 0.05)] ?? 0;
  return Math.max(0, -100 * worst);
}
