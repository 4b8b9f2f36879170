/** What was made, as texts: trades, profit by whatever one asks for, exits, entries. Pure. */

import { counted, duration, moment, money, signedMoney } from '../core/amounts.ts';
import { type Decimal, div, isZero, mul, neg, round, sub, ZERO } from '../core/decimal.ts';
import { keyOf } from '../domain/position-key.ts';
import type { DeskView, ProfitLine, Results, TradesPage } from '../operator/views.ts';
import { bold, line, type Message, text } from './markup.ts';
import { pairs, table } from './table.ts';

const NOTHING = 'No trade was closed yet.';

export function tradesText({ trades, count, net, complete }: TradesPage, symbol?: string): Message {
  if (trades.length === 0 && !complete) return [text('The journal is still being read; ask again.')];
  if (trades.length === 0)
    return [text(symbol === undefined ? NOTHING : `No trade of ${symbol} was closed yet.`)];
  return [
    text(
      line`${bold(`The newest ${trades.length} of ${counted(count, 'trade')}`)}, ${signedMoney(net)} USDT in all`,
    ),
    table(
      // The moment is never cut; what is quoted in USDT need not say so on a line this narrow.
      ['>CLOSED', 'SYMBOL', 'WHY', '>NET'],
      trades.map(({ closedAt, symbol, direction, reason, netPnl }) => [
        moment(closedAt).slice(5),
        `${symbol.replace(/(?<=.)USDT$/, '')}${direction === 'long' ? '\u2191' : '\u2193'}`,
        // Its kind; the whole of it would be cut.
        reason.split(':')[0] ?? reason,
        signedMoney(netPnl),
      ]),
    ),
  ];
}

const share = (wins: number, trades: number): string =>
  trades === 0 ? '\u2013' : `${Math.round((100 * wins) / trades)} %`;

const ratio = (value: Decimal | number | null): string =>
  value === null ? '\u2013' : String(Number(Number(value).toFixed(2)));

const each = (amount: Decimal, trades: number): Decimal =>
  trades === 0 ? ZERO : div(amount, String(trades), 8);

const held = (ms: number | null): string => (ms === null ? '\u2013' : duration(ms));

/** The whole of it, in numbers under each other. */
export function totalText(title: string, total: ProfitLine | undefined): Message {
  if (!total || total.trades === 0) return [text(bold(title), NOTHING)];
  const { trades, wins, net, gross, fees, funding, won, lost } = total;
  return [
    text(bold(title)),
    pairs([
      ['net', `${signedMoney(net)} USDT`],
      ['before costs', signedMoney(gross)],
      ['fees', signedMoney(neg(fees))],
      ['funding', signedMoney(funding)],
      ['trades', String(trades)],
      ['won', `${wins} (${share(wins, trades)})`],
      ['profit factor', ratio(total.profitFactor)],
      ['a trade', signedMoney(total.expectancy)],
      ['a win', signedMoney(each(won, wins))],
      ['a loss', signedMoney(neg(each(lost, trades - wins)))],
      ['held', held(total.averageHeldMs)],
    ]),
  ];
}

export function groupsText(title: string, heading: string, groups: readonly ProfitLine[]): Message {
  const some = groups.filter(({ trades }) => trades > 0);
  if (some.length === 0) return [text(bold(title), NOTHING)];
  return [
    text(bold(title)),
    table(
      [heading, '>N', '>WON', '>NET'],
      some.map(({ group, trades, wins, net }) => [
        group,
        String(trades),
        share(wins, trades),
        signedMoney(net),
      ]),
    ),
  ];
}

/** How good it is by the usual measures, and what holding costs by the way it ends. */
export function statsText(results: Results, byReason: readonly ProfitLine[]): Message {
  const { total, best, worst } = results;
  if (total.trades === 0) return [text(NOTHING)];
  const percent = (value: number | null): string => (value === null ? '\u2013' : `${ratio(value)} %`);
  return [
    text(bold(`${counted(total.trades, 'trade')} in ${counted(results.days, 'day')}`)),
    pairs([
      ['return', percent(results.returnPercent)],
      ['max drawdown', percent(results.maxDrawdownPercent)],
      ['Sharpe', ratio(results.sharpe)],
      ['Sortino', ratio(results.sortino)],
      ['Calmar', ratio(results.calmar)],
      ['daily VaR 95', percent(results.dailyVar95Percent)],
      ['profit factor', ratio(total.profitFactor)],
      ['held', held(total.averageHeldMs)],
      ...(best ? ([['best', `${best.symbol} ${signedMoney(best.netPnl)}`]] as const) : []),
      ...(worst ? ([['worst', `${worst.symbol} ${signedMoney(worst.netPnl)}`]] as const) : []),
    ]),
    table(
      ['EXIT', '>N', '>HELD', '>A TRADE'],
      byReason.map(({ group, trades, averageHeldMs, expectancy }) => [
        group,
        String(trades),
        held(averageHeldMs),
        signedMoney(expectancy),
      ]),
    ),
  ];
}

/** What each desk decided last, the newest first. */
export function entriesText(desks: readonly DeskView[], most: number): Message {
  const decided = desks
    .flatMap((desk) => {
      const { lastRefusal, passedOver, state } = desk;
      const symbol = keyOf(desk);
      const refused = lastRefusal?.refusals.map(({ rule, detail }) => `${rule} (${detail})`).join('; ');
      const passed = passedOver.at(-1);
      return [
        ...(lastRefusal && refused
          ? [{ at: lastRefusal.at, symbol, why: `refused: ${refused}`, state }]
          : []),
        ...(passed ? [{ at: passed.at, symbol, why: `passed over: ${passed.why}`, state }] : []),
      ];
    })
    .sort((a, b) => b.at - a.at)
    .slice(0, most);
  const counts = new Map<string, number>();
  for (const desk of desks)
    for (const [name, count] of Object.entries(desk.counts))
      counts.set(name, (counts.get(name) ?? 0) + count);
  const blocked = desks.filter(({ blocks }) => Object.keys(blocks).length > 0);
  return [
    text(
      bold('Signals and what became of them'),
      [...counts].map(([name, count]) => `${name} ${count}`).join(', ') || 'No signal was heard yet.',
      ...blocked.map((desk) => line`${bold(keyOf(desk))} blocked: ${Object.values(desk.blocks).join('; ')}`),
      ...decided.map(({ at, symbol, why }) => line`${moment(at).slice(5)} ${bold(symbol)} ${why}`),
    ),
  ];
}

export const equityWords = (from: Decimal, to: Decimal): string => {
  const made = sub(to, from);
  const percent = isZero(from) ? ZERO : round(mul(div(made, from), '100'), 2);
  return `${signedMoney(made)} USDT (${percent} %), now ${money(to)}`;
};
