/**
 * What happens in a world at chosen moments, beside everything that is drawn: a person's commands and trades, prices
 * that move, a venue that answers badly. For tests that want one story, again and again.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as D from '../../core/decimal.ts';
import type { Command } from '../../domain/command.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { PositionSide, Side } from '../../domain/order.ts';
import { parseFaults } from '../../venue-server/faults-parse.ts';
import { VenueHands } from './venue-hands.ts';
import { orderByHand, setDepth } from './venue-person.ts';
import type { SimWorld } from './world.ts';

/** Plain JSON: it goes to a worker. Times are from the first start of the program. */
export type Act = { readonly afterMs: number } & (
  | { readonly do: 'command'; readonly command: Command }
  | { readonly do: 'kill' }
  /** At market, for so much money. */
  | {
      readonly do: 'trade';
      readonly symbol: SymbolName;
      readonly side: Side;
      readonly worth: string;
      readonly positionSide?: PositionSide;
    }
  /** The market takes this share of each limit order of ours that rests there. */
  | { readonly do: 'fill'; readonly symbol: SymbolName; readonly share: string }
  | {
      readonly do: 'shock';
      readonly symbol: SymbolName;
      readonly fraction: number;
      readonly forMs: number;
    }
  | { readonly do: 'faults'; readonly rules: readonly object[] }
  /** From then on market orders find so many levels of so much money each. */
  | { readonly do: 'thin'; readonly symbol: SymbolName; readonly levels: number; readonly worth: number }
  /** Past stop and liquidation price of what is open, in one step. */
  | { readonly do: 'gap' }
);

export function playScript(world: SimWorld, acts: readonly Act[], kill: () => void): void {
  for (const [i, act] of acts.entries())
    world.scheduler.set(act.afterMs, () => {
      world.trace.say('world', JSON.stringify(act));
      if (act.do === 'kill') kill();
      else play(world, act, `script-${i}`);
    });
}

function play(world: SimWorld, act: Exclude<Act, { do: 'kill' }>, name: string): void {
  const { server, market, core, account } = world.venue;
  switch (act.do) {
    case 'command':
      askFor(world, act.command, name);
      return;
    case 'shock':
      market.shock(act.symbol, act.fraction, act.forMs);
      return;
    case 'faults':
      server.addFaults(parseFaults(act.rules));
      return;
    case 'thin':
      setDepth(world, act.symbol, act);
      return;
    case 'gap':
      new VenueHands(world, world.random.fork(name)).gap();
      return;
    case 'trade': {
      const step = market.instrument(act.symbol)?.stepSize ?? '1';
      const price = D.fromNumber(market.quote(act.symbol)?.last ?? 1);
      const quantity = D.ceilTo(D.div(act.worth, price, 12), step);
      const { symbol, side, positionSide } = act;
      const more = positionSide === undefined ? {} : { positionSide };
      orderByHand(world, {
        symbol,
        side,
        type: 'MARKET',
        quantity,
        ...more,
        newClientOrderId: `web_${name}`,
      });
      return;
    }
    case 'fill':
      for (const order of core.records(account).orders) {
        const { symbol, side, price, quantity, type, status } = order;
        if (symbol !== act.symbol || type !== 'LIMIT' || status !== 'NEW' || price === undefined) continue;
        const { tickSize = '1', stepSize = '1' } = market.instrument(symbol) ?? {};
        const beyond = side === 'BUY' ? D.sub(price, tickSize) : D.add(price, tickSize);
        const part = D.floorTo(D.mul(quantity, act.share), stepSize);
        const at = Math.floor(world.now);
        if (D.gt(part, D.ZERO))
          server.feed({
            type: 'TRADE',
            at,
            symbol,
            price: beyond,
            quantity: part,
            buyerMaker: side === 'BUY',
          });
      }
  }
}

/** By a file in the data folder of whoever runs. */
function askFor({ living, now }: SimWorld, command: Command, name: string): void {
  const text = JSON.stringify({ command, by: 'a person', at: Math.floor(now) });
  for (const { dataDir } of living) {
    mkdirSync(join(dataDir, 'requests'), { recursive: true });
    writeFileSync(join(dataDir, 'requests', `${name}.json`), text);
  }
}
