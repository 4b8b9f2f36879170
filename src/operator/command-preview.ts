/** What a command that is asked about first would do now, in a sentence. Pure. */
import type { PositionContext } from '../../machines/position/context.ts';
import { counted } from '../core/amounts.ts';
import { gt, mul, ZERO } from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { Command } from '../domain/command.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { Direction } from '../domain/order.ts';
import { COMMAND_RULES } from './command.ts';

/** A position that holds something, or is about to. */
export type Held = PositionContext & { readonly actor: ActorId };

export interface PositionSights {
  held(symbol?: SymbolName, direction?: Direction): readonly Held[];
  /** ", now 65000.1", or nothing. */
  atPrice(symbol: SymbolName): string;
}

export const describe = ({ symbol, direction, quantity }: Held): string =>
  gt(quantity, ZERO) ? `${symbol} ${direction} ${quantity}` : `${symbol} ${direction} (entering)`;

export function previewCommand(command: Command, sights: PositionSights): string {
  switch (command.kind) {
    case 'close': {
      const held = sights.held(command.symbol, command.direction);
      if (held.length === 0) return `No position is open on ${command.symbol}.`;
      const part = command.share === undefined ? 'all' : `${mul(command.share, '100')} %`;
      return `Closes ${part} of ${held.map(describe).join(' and of ')} at market${sights.atPrice(command.symbol)}.`;
    }
    case 'close-all': {
      const held = sights.held();
      if (held.length === 0) return 'Nothing is open.';
      return `Closes ${counted(held.length, 'position')} at market: ${held.map(describe).join(', ')}.`;
    }
    case 'move-stop': {
      const held = sights.held(command.symbol, command.direction)[0];
      if (!held) return `No position is open on ${command.symbol}.`;
      const looser = command.loosen ? ', also where that risks more' : '';
      return `Moves the stop of ${describe(held)} from ${held.stopPrice ?? 'none'} to ${command.price}${looser}.`;
    }
    case 'force-entry': {
      const stop = command.stopPrice === undefined ? '' : ` with its stop at ${command.stopPrice}`;
      return `Enters ${command.symbol} ${command.direction} at market${sights.atPrice(command.symbol)}${stop}, sized and judged by risk like any entry.`;
    }
    case 'kill':
      return command.accountWide
        ? 'Cancels and closes everything on the account, whoever opened it, and opens nothing until released.'
        : `Cancels and closes everything that Bulkhead owns (${sights.held().length} open), and opens nothing until released.`;
    case 'adopt':
      return `Takes over the position that somebody else opened on ${command.symbol}, and gives it a stop.`;
    case 'test-event':
      return `Tells ${command.actor} of ${command.event.type} as if it had happened: what it does then, it does, with the demo’s money too.`;
    default:
      return `${COMMAND_RULES[command.kind].summary}.`;
  }
}
