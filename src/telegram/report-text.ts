/** The daily and the weekly report: what was made and what stands, under the equity's picture. */
import { money, signedMoney } from '../core/amounts.ts';
import { cmp, gt, sum, ZERO } from '../core/decimal.ts';
import type { StatusDocument } from '../operator/status-document.ts';
import type { TradesPage } from '../operator/views.ts';
import { drawEquity } from './drawings.ts';
import type { Lookout } from './lookout.ts';
import { line, type Message, text } from './markup.ts';
import { bold, type Reply } from './reply.ts';
import type { Period } from './reports.ts';
import { breakerLine } from './text-now.ts';

const DAYS = { day: 1, week: 7 } as const;
const TITLES = { day: 'The day', week: 'The week' } as const;
const DAY_MS = 86_400_000;
const MOST_TRADES = 500;

export async function reportOn(period: Period, lookout: Lookout): Promise<Reply> {
  const { views, time } = lookout;
  const { message, photo } = await drawEquity(TITLES[period], DAYS[period], lookout);
  const status = views.status();
  const now = status.virtualTime ?? time.clock.now();
  const page = views.trades({ from: now - DAYS[period] * DAY_MS, limit: MOST_TRADES });
  return { message: [...message, ...reportText(page, status)], ...(photo ? { photo } : {}) };
}

export function reportText({ trades, count, net }: TradesPage, status: StatusDocument): Message {
  const { positions, account, breakers } = status;
  const open = breakers.filter(({ state }) => state !== 'closed');
  return [
    text(
      ...(count === 0
        ? ['No trade was closed.']
        : [
            line`${count} trades, ${wonOf(trades)}: ${bold(`${signedMoney(net)} USDT`)} after ${money(feesOf(trades))} of fees`,
          ]),
      ...extremesOf(trades),
      `${positions.length} open with ${signedMoney(account.openPnl)}`,
      ...(open.length === 0 ? ['all breakers closed'] : open.map(breakerLine)),
    ),
  ];
}

const feesOf = (trades: TradesPage['trades']) => sum(trades.map(({ fees }) => fees));

const wonOf = (trades: TradesPage['trades']): string =>
  `${trades.filter(({ netPnl }) => gt(netPnl, ZERO)).length} won`;

function extremesOf(trades: TradesPage['trades']): string[] {
  const sorted = [...trades].sort((a, b) => cmp(a.netPnl, b.netPnl));
  const [worst] = sorted;
  const best = sorted.at(-1);
  if (!best || !worst || best === worst) return [];
  return [
    `best ${best.symbol} ${signedMoney(best.netPnl)}, worst ${worst.symbol} ${signedMoney(worst.netPnl)}`,
  ];
}
