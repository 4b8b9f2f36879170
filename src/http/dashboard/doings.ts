/** What the runtime does and why, as lines for people: what it does now, and what it did of late. Pure. */
import type { Level } from '../../domain/events.ts';
import type { Notice } from '../../operator/feed.ts';
import type { PositionStatus, StatusDocument } from '../../operator/status-document.ts';
import type { DecisionsView, RiskView, TradeView } from '../../operator/views.ts';
import { clock, counted, exact, money, onTick, time, tone } from './format.ts';

export interface Doing {
  readonly key: string;
  readonly at: number;
  readonly text: string;
  readonly tone: string;
  /** What it links to: an actor, as it was at that row where one is named. */
  readonly actor: string | null;
  readonly n: number | null;
}

export interface Sources {
  readonly notices: readonly Notice[];
  readonly refusals: RiskView['refusals'];
  readonly trades: readonly TradeView[];
  readonly positions: readonly PositionStatus[];
}

const TONES: Readonly<Record<Level, string>> = { info: '', warning: 'warn', critical: 'bad' };

/** The newest first. */
export function doingsOf({ notices, refusals, trades, positions }: Sources, most: number): Doing[] {
  const lines = [
    ...notices.map((notice) => ({
      ...{ key: `${notice.n} ${notice.text}`, at: notice.at, tone: TONES[notice.level] },
      ...{ text: plainText(notice), actor: notice.actor, n: notice.n },
    })),
    ...refusals.map(({ at, symbol, refusals: why }) => ({
      ...{ key: `refused ${at} ${symbol}`, at, tone: '', actor: `entry/${symbol}`, n: null },
      text: `${symbol} refused: ${why.map(({ rule, detail }) => `${rule} (${detail})`).join('; ')}`,
    })),
    ...trades.flatMap((trade) => [opened(trade), closed(trade)]),
    ...positions.flatMap((position) =>
      position.openedAt === undefined ? [] : [opened({ ...position, openedAt: position.openedAt })],
    ),
  ];
  return lines.sort((a, b) => b.at - a.at || (b.n ?? 0) - (a.n ?? 0)).slice(0, most);
}

/** Who says it stands before it, as a link: not again in what is said. */
export function plainText({ actor, text }: Pick<Notice, 'actor' | 'text'>): string {
  const begun = [`${actor}: `, `${actor.replace('/', ' ')}: `].find((name) => text.startsWith(name));
  return begun === undefined ? text : text.slice(begun.length);
}

type Opened = Pick<TradeView, 'actor' | 'direction' | 'entryPrice' | 'openedAt'> &
  Pick<TradeView, 'tickSize'>;

const opened = (one: Opened): Doing => ({
  ...{ key: `opened ${one.actor}`, at: one.openedAt, tone: '', actor: one.actor, n: null },
  text: `opened ${one.direction} at ${exact(onTick(one, one.entryPrice))}`,
});

const closed = (trade: TradeView): Doing => ({
  ...{ key: `closed ${trade.actor}`, at: trade.closedAt, actor: trade.actor, n: trade.n },
  tone: tone(trade.netPnl),
  text: `closed ${trade.direction} at ${exact(onTick(trade, trade.exitPrice))}: ${money(trade.netPnl, 2, true)} (${trade.reason.split(':')[0]})`,
});

const pausedWords = ({ by, until }: { readonly by: string; readonly until?: number | null }): string =>
  `entries paused by ${by}${until ? ` until ${time(until)}` : ''}`;

/** One sentence or two. */
export function nowWords(status: StatusDocument, decisions: DecisionsView | null): string {
  const { positions, market, tradingState, state } = status;
  const held = positions.length === 0 ? 'Nothing is open.' : `${counted(positions.length, 'position')} open.`;
  if (state !== 'running') return `The run is ${state}. ${held}`;
  const reasons = [
    ...(decisions?.stopped ? [`stopped by ${decisions.stopped.by}`] : []),
    ...(decisions?.paused ? [pausedWords(decisions.paused)] : []),
    ...status.breakers
      .filter((breaker) => breaker.state === 'open')
      .map(({ name, reason }) => (reason ? `${name}: ${reason}` : name)),
  ];
  const why = reasons.length > 0 ? ` (${reasons.join('; ')})` : '';
  if (tradingState === 'halted') return `Trading is halted${why}. ${held}`;
  if (tradingState === 'reducing') return `It opens nothing new${why}, and manages what is open. ${held}`;
  const tried = status.breakers.filter((breaker) => breaker.state === 'half-open').map(({ name }) => name);
  const trial = tried.length > 0 ? `, one at a time where half-open: ${tried.join(', ')}` : '';
  return `It looks for entries on ${counted(market.symbols.length, 'symbol')} at each closed candle${trial}. ${held}`;
}

/** Of today its clock alone. */
export const when = (at: number, now: number | null): string =>
  now !== null && time(at).slice(0, 10) === time(now).slice(0, 10) ? clock(at) : time(at).slice(5, 16);
