/**
 * Stream names as clients ask for them, taken apart. Unknown names are undefined: the venue takes such a
 * subscription without a word and never sends anything, and so do we.
 */
import { isInterval } from './intervals.ts';

export type StreamSpec =
  | {
      readonly kind: 'bookTicker' | 'aggTrade' | 'trade' | 'miniTicker' | 'ticker' | 'forceOrder';
      readonly symbol: string | undefined;
    }
  | { readonly kind: 'contractInfo'; readonly symbol: undefined }
  | { readonly kind: 'markPrice'; readonly symbol: string | undefined; readonly everyMs: number }
  | {
      readonly kind: 'kline';
      readonly symbol: string;
      readonly interval: string;
      readonly continuous: boolean;
    }
  /** `levels` 0: differences. */
  | { readonly kind: 'depth'; readonly symbol: string; readonly levels: number; readonly everyMs: number };

/** Lower-case, without the symbol: those that exist for all symbols at once. */
const FOR_ALL: Readonly<Record<string, StreamSpec>> = {
  '!bookTicker': { kind: 'bookTicker', symbol: undefined },
  '!miniTicker@arr': { kind: 'miniTicker', symbol: undefined },
  '!ticker@arr': { kind: 'ticker', symbol: undefined },
  '!forceOrder@arr': { kind: 'forceOrder', symbol: undefined },
  '!markPrice@arr': { kind: 'markPrice', symbol: undefined, everyMs: 3000 },
  '!markPrice@arr@1s': { kind: 'markPrice', symbol: undefined, everyMs: 1000 },
  '!contractInfo': { kind: 'contractInfo', symbol: undefined },
};

const PLAIN = new Set(['bookTicker', 'aggTrade', 'trade', 'miniTicker', 'ticker', 'forceOrder']);
const DEPTH = /^depth(5|10|20)?(?:@(0|100|250|500)ms)?$/;
const CONTINUOUS = /^([a-z0-9]+)_perpetual@continuousKline_(\w+)$/;

export function parseStream(name: string): StreamSpec | undefined {
  const all = Object.hasOwn(FOR_ALL, name) ? FOR_ALL[name] : undefined;
  if (all) return all;
  const continuous = CONTINUOUS.exec(name);
  if (continuous) return kline(continuous[1] ?? '', continuous[2] ?? '', true);
  const at = name.indexOf('@');
  if (at <= 0) return undefined;
  const symbol = name.slice(0, at);
  const channel = name.slice(at + 1);
  // As at the venue, names are lower-case.
  if (symbol !== symbol.toLowerCase()) return undefined;
  if (PLAIN.has(channel)) return { kind: channel as 'trade', symbol };
  if (channel === 'markPrice') return { kind: 'markPrice', symbol, everyMs: 3000 };
  if (channel === 'markPrice@1s') return { kind: 'markPrice', symbol, everyMs: 1000 };
  if (channel.startsWith('kline_')) return kline(symbol, channel.slice('kline_'.length), false);
  const depth = DEPTH.exec(channel);
  if (!depth) return undefined;
  return {
    kind: 'depth',
    symbol,
    levels: Number(depth[1] ?? 0),
    everyMs: Math.max(100, Number(depth[2] ?? 250)),
  };
}

const kline = (symbol: string, interval: string, continuous: boolean): StreamSpec | undefined =>
  isInterval(interval) ? { kind: 'kline', symbol, interval, continuous } : undefined;

/** On which of the venue's two public sockets a stream lives. */
export const socketOf = ({ kind }: StreamSpec): 'public' | 'market' =>
  kind === 'bookTicker' || kind === 'depth' || kind === 'trade' ? 'public' : 'market';
