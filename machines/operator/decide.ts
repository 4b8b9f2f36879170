/**
 * What each command does: to the decisions that stand here, and to the actors that it concerns. Pure.
 *
 * Invariant: what cannot be done is refused with a text that says what can, and changes nothing.
 */
import { mul } from '../../src/core/decimal.ts';
import type { ActorId } from '../../src/core/ids.ts';
import type { CommandOf, Verdict } from '../../src/domain/command.ts';
import { type ActorEvent, type Emitted, GUARDIAN, PORTFOLIO, VENUE } from '../../src/domain/events.ts';
import { keyFor, modeOf } from '../../src/domain/position-key.ts';
import { breakerOf, entryDeskOf, GUARDIAN_BAR } from '../messages.ts';
import { send } from '../step.ts';
import { wordOf } from './bars.ts';
import type { CommandGiven, Mark, OperatorContext } from './context.ts';

export interface Decision extends Verdict {
  readonly context: OperatorContext;
  readonly intents: readonly Emitted[];
}

const MINUTE_MS = 60_000;
const LONGEST_LOCK_MS = 366 * 86_400_000;

type Given = CommandGiven & { readonly command: { readonly kind: string } };

const accept = (context: OperatorContext, text: string, ...intents: readonly Emitted[]): Decision => ({
  context,
  intents,
  outcome: 'accepted',
  code: 'DONE',
  text,
});

const refuse = (context: OperatorContext, code: string, text: string): Decision => ({
  context,
  intents: [],
  outcome: 'refused',
  code,
  text,
});

export function decide(context: OperatorContext, given: Given): Decision {
  const { refused, done, command } = given;
  if (refused) return refuse(context, refused.code, refused.text);
  if (done !== undefined) return accept(context, done);
  switch (command.kind) {
    case 'start':
    case 'stop':
    case 'pause':
    case 'resume':
      return decideTrading(context, given);
    case 'direction':
      return turn(context, command, markOf(given));
    case 'blacklist':
    case 'whitelist':
      return changeList(context, command, markOf(given));
    case 'lock':
    case 'unlock':
      return decideLock(context, given);
    case 'close':
    case 'close-all':
    case 'move-stop':
    case 'force-entry':
      return decidePosition(context, given);
    case 'trip':
    case 'release':
      return decideBreaker(context, command, given);
    case 'adopt':
    case 'ignore': {
      const type = command.kind === 'adopt' ? 'ADOPT' : 'IGNORE';
      const { symbol } = command;
      const event = { type, symbol, by: given.who.name };
      return accept(context, `${command.kind} ${symbol}: told to the executor`, send(VENUE, event));
    }
    case 'test-event':
      return accept(
        context,
        `test event ${command.event.type}: told to ${command.actor}`,
        send(command.actor, command.event),
      );
    default:
      return refuse(context, 'NOT_HERE', `${command.kind} is not decided by this actor`);
  }
}

const markOf = (given: Given, reason: string | null = null): Mark => ({
  by: given.who.name,
  at: given.at,
  reason,
});

const clearPause: Emitted = { type: 'timer.clear', id: 'pause' };

function decideTrading(context: OperatorContext, given: Given): Decision {
  const { command } = given;
  const { stopped, paused } = context;
  if (command.kind === 'stop') {
    const mark = stopped ?? markOf(given, command.reason ?? null);
    return accept(
      { ...context, stopped: mark },
      `trading is ${wordOf('stopped', mark)}; open positions run to their end`,
    );
  }
  if (command.kind === 'pause') return pause(context, given, command);
  if (command.kind === 'resume' && stopped)
    return refuse(context, 'STOPPED', `trading is ${wordOf('stopped', stopped)}: "start" lifts that`);
  const lifted = { ...context, paused: null, stopped: command.kind === 'start' ? null : stopped };
  // Also what the reconciliation of a start has halted: this is the look that it waits for.
  const resume = send(PORTFOLIO, { type: 'OPERATOR_RESUME', by: given.who.name });
  const was = [stopped && command.kind === 'start' ? 'stopped' : '', paused ? 'paused' : ''].filter(Boolean);
  const text = was.length === 0 ? 'entries were open already' : `entries are open again (${was.join(', ')})`;
  return accept(lifted, text, clearPause, ...(command.kind === 'start' ? [resume] : []));
}

function pause(context: OperatorContext, given: Given, command: CommandOf<'pause'>): Decision {
  const until = command.minutes === undefined ? null : given.at + command.minutes * MINUTE_MS;
  const paused = { ...markOf(given, command.reason ?? null), until };
  const timer: Emitted =
    until === null
      ? clearPause
      : {
          type: 'timer.set',
          id: 'pause',
          kind: 'named',
          delayMs: until - given.at,
          event: { type: 'PAUSE_OVER', until },
        };
  return accept({ ...context, paused }, `entries are ${wordOf('paused', paused, until)}`, timer);
}

function turn(context: OperatorContext, { direction }: CommandOf<'direction'>, mark: Mark): Decision {
  const text = direction === 'both' ? 'both sides may be entered' : `entries allowed: ${direction}`;
  return accept({ ...context, direction: { allowed: direction, mark } }, text);
}

function changeList(
  context: OperatorContext,
  { kind, change, symbols }: CommandOf<'blacklist' | 'whitelist'>,
  mark: Mark,
): Decision {
  const unknown = symbols.filter((symbol) => !context.symbols.includes(symbol));
  if (unknown.length > 0) return refuse(context, 'UNKNOWN_SYMBOL', notTraded(context, unknown));
  const kept = Object.entries(context[kind]).filter(
    ([symbol]) => change === 'add' || (change === 'remove' && !symbols.includes(symbol)),
  );
  const added = change === 'add' ? symbols.map((symbol) => [symbol, mark] as const) : [];
  const list: OperatorContext['blacklist'] = Object.fromEntries([...kept, ...added]);
  const names = Object.keys(list);
  const empty = kind === 'blacklist' ? 'nothing is blacklisted' : 'no whitelist: every symbol may be entered';
  return accept({ ...context, [kind]: list }, names.length === 0 ? empty : `${kind}: ${names.join(', ')}`);
}

const notTraded = ({ symbols }: OperatorContext, unknown: readonly string[]): string =>
  `this run does not trade ${unknown.join(', ')}; it trades ${symbols.slice(0, 20).join(', ')}${symbols.length > 20 ? ' …' : ''}`;

const lockTimer = (symbol: string): string => `lock/${symbol}`;

function decideLock(context: OperatorContext, given: Given): Decision {
  const { command } = given;
  if (command.kind === 'unlock') {
    const { [command.symbol]: held, ...locks } = context.locks;
    if (!held) return refuse(context, 'NOT_LOCKED', `${command.symbol} is not locked`);
    const clear: Emitted = { type: 'timer.clear', id: lockTimer(command.symbol) };
    return accept({ ...context, locks }, `${command.symbol} may be entered again`, clear);
  }
  if (command.kind !== 'lock') return refuse(context, 'NOT_HERE', 'no lock');
  const { symbol, minutes, direction, reason } = command;
  if (!context.symbols.includes(symbol))
    return refuse(context, 'UNKNOWN_SYMBOL', notTraded(context, [symbol]));
  const until = given.at + Math.min(minutes * MINUTE_MS, LONGEST_LOCK_MS);
  const lock = { ...markOf(given, reason), until, direction: direction ?? null };
  return accept(
    { ...context, locks: { ...context.locks, [symbol]: lock } },
    wordOf(`${symbol} ${direction ? `${direction} ` : ''}locked`, lock, until),
    {
      type: 'timer.set',
      id: lockTimer(symbol),
      kind: 'named',
      delayMs: until - given.at,
      event: { type: 'LOCK_OVER', symbol, until },
    },
  );
}

const positionEvent = (given: Given): ActorEvent => {
  const { command } = given;
  const by = given.who.name;
  if (command.kind === 'move-stop') {
    const { price, loosen } = command;
    return { type: 'MOVE_STOP', price, by, ...(loosen ? { loosen } : {}) };
  }
  if (command.kind === 'close' && command.share !== undefined)
    return { type: 'PARTIAL_CLOSE', share: mul(command.share, '100'), by };
  return { type: 'OPERATOR_CLOSE', by };
};

function decidePosition(context: OperatorContext, given: Given): Decision {
  const { command, targets = [], signal } = given;
  if (command.kind === 'force-entry') {
    if (!signal) return refuse(context, 'NO_PRICE', `nothing is known of ${command.symbol}'s price yet`);
    const place = keyFor(command.symbol, command.direction, modeOf(context));
    const order = send(entryDeskOf(place), { type: 'SIGNAL', signal });
    return accept(
      context,
      `${command.direction} ${command.symbol}: asked for like any entry; risk decides`,
      order,
    );
  }
  if (targets.length === 0) {
    const what =
      command.kind === 'close-all' ? 'nothing is open' : `no position is open on ${symbolOf(given)}`;
    return refuse(context, 'NOTHING_OPEN', what);
  }
  const event = positionEvent(given);
  return accept(
    context,
    `${command.kind}: told to ${list(targets)}`,
    ...targets.map((to) => send(to, event)),
  );
}

const symbolOf = ({ command }: Given): string => ('symbol' in command ? command.symbol : 'any symbol');

const list = (actors: readonly ActorId[]): string =>
  actors.length <= 5 ? actors.join(', ') : `${actors.slice(0, 5).join(', ')} and ${actors.length - 5} more`;

function decideBreaker(
  context: OperatorContext,
  { kind, breaker, reason }: CommandOf<'trip' | 'release'>,
  { targets = [], who }: Given,
): Decision {
  if (kind === 'release' && breaker.startsWith(GUARDIAN_BAR)) {
    const actor = breaker.slice(GUARDIAN_BAR.length);
    const word = send(GUARDIAN, { type: 'RESOLVED', actor, by: who.name });
    return accept(context, `release ${breaker}: told to the guardian`, word);
  }
  if (!targets.includes(breakerOf(breaker)))
    return refuse(context, 'UNKNOWN_BREAKER', `there is no breaker "${breaker}"; "breakers" lists them`);
  const type = kind === 'trip' ? 'OPERATOR_TRIP' : 'OPERATOR_RESET';
  const event = { type, by: who.name, reason };
  return accept(context, `${kind} ${breaker}: told to the breaker`, send(breakerOf(breaker), event));
}
