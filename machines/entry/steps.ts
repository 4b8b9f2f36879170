/** What the desk does with what it hears: pure steps; the chart says when. */
import { ceilTo, type Decimal, floorTo, fromNumber, max, roundTo } from '../../src/core/decimal.ts';
import type { Json } from '../../src/core/json.ts';
import { differenceText, jsonDifferences } from '../../src/core/json-diff.ts';
import { PORTFOLIO, VENUE } from '../../src/domain/events.ts';
import type { Entry } from '../../src/domain/risk.ts';
import type { Signal } from '../../src/domain/signal.ts';
import { entryDeskOf, positionOf } from '../messages.ts';
import { bounded, notify, type Step, send, step } from '../step.ts';
import {
  type Counter,
  type EntryContext,
  type EntryEvent,
  INSTRUMENT,
  placeOf,
  tradingBlock,
} from './context.ts';

type EnterSignal = Extract<Signal, { kind: 'enter' }>;

const PASSED_OVER_KEPT = 8;

function count(context: EntryContext, ...names: readonly Counter[]): EntryContext {
  const counts = { ...context.counts };
  for (const name of names) counts[name] += 1;
  return { ...context, counts };
}

/** A signal's floats become exact prices: the stop is rounded towards the entry, never risking more than asked. */
export function entryOf(signal: EnterSignal, tick: Decimal): Entry {
  const stop = fromNumber(signal.stopPrice);
  return {
    symbol: signal.symbol,
    direction: signal.direction,
    referencePrice: roundTo(fromNumber(signal.price), tick),
    stopPrice: signal.direction === 'long' ? ceilTo(stop, tick) : floorTo(stop, tick),
    trailDistance: max(tick, roundTo(fromNumber(signal.trailDistance), tick)),
    atrPercent: signal.atrPercent,
    reason: signal.reason,
    ...(signal.trailing ? { trailing: signal.trailing } : {}),
    ...(signal.byHand ? { byHand: true as const } : {}),
  };
}

export function ask(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'SIGNAL' || event.signal.kind !== 'enter') return step(context);
  const entry = entryOf(event.signal, context.instrument.tickSize);
  const { instrument } = context;
  return step(
    { ...count(context, 'signals', 'assessed'), direction: entry.direction },
    send(PORTFOLIO, { type: 'ASSESS', entry, instrument, from: entryDeskOf(placeOf(context)) }),
  );
}

/** An open position's wish to grow, with what only the desk knows: the instrument. */
export function askForAdd(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'ADD_WANTED') return step(context);
  const refuse = (rule: string, detail: string): Step<EntryContext> =>
    step(context, send(event.actor, { type: 'REFUSED', refusals: [{ rule, detail }] }));
  if (event.actor !== context.position) return refuse('position', 'not this desk’s open position');
  const [blocked] = Object.values(context.blocks);
  if (blocked !== undefined) return refuse('blocked', blocked);
  return step(
    count(context, 'assessed'),
    send(PORTFOLIO, {
      type: 'ASSESS',
      entry: event.entry,
      instrument: context.instrument,
      from: event.actor,
    }),
  );
}

/** The configuration is another now: for the lives to come. What is open keeps the plan it was begun with. */
export function configure(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'CONFIG') return step(context);
  const { plan: news = {}, ...waits } = event.settings;
  const plan = { ...context.plan, ...news };
  const next = { ...context, ...waits, plan };
  const differences = jsonDifferences(context.plan, plan);
  if (differences.length === 0) return step(next);
  const what = differences.map(differenceText).join(', ');
  const kept = context.position === null ? '' : `; ${context.position} keeps its own`;
  return step(
    next,
    notify('info', `${entryDeskOf(placeOf(context))}: new positions are planned otherwise: ${what}${kept}`),
  );
}

export function start(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'APPROVED') return step(context);
  const life = context.life + 1;
  const actor = positionOf(placeOf(context), life);
  const { symbol, instrument, plan } = context;
  const input = { actor, symbol, instrument, entry: event.entry, plan, at: context.at };
  return step(
    {
      ...count(context, 'approved'),
      life,
      position: actor,
      direction: event.entry.direction,
      lastApproval: { at: context.at, position: actor, notes: event.notes ?? [] },
    },
    { type: 'actor.start', actor, machine: 'position', input: input as unknown as Json },
  );
}

/** What the venue holds gets an actor like any other; the executor hears whose it is before that one speaks. */
export function adopt(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'ADOPT') return step(context);
  const life = context.life + 1;
  const actor = positionOf(placeOf(context), life);
  const { symbol, instrument, plan } = context;
  const { direction, quantity, entryPrice, markPrice, by } = event;
  const adopted = { direction, quantity, entryPrice, markPrice: markPrice ?? entryPrice, by };
  const input = { actor, symbol, instrument, adopted, plan, at: context.at };
  return step(
    { ...context, life, position: actor, direction },
    send(VENUE, { type: 'HOLD', owner: actor, symbol, direction, quantity, entryPrice }),
    { type: 'actor.start', actor, machine: 'position', input: input as unknown as Json },
  );
}

export const refuseAdoption = (context: EntryContext, event: EntryEvent): Step<EntryContext> =>
  event.type !== 'ADOPT'
    ? step(context)
    : step(
        context,
        notify(
          'warning',
          `${entryDeskOf(placeOf(context))}: ${event.direction} ${event.quantity} ${event.symbol} not adopted: ` +
            (context.position === null
              ? 'that is not a position of this symbol'
              : `${context.position} is there`),
        ),
      );

export function changeInstrument(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'INSTRUMENT') return step(context);
  const { instrument } = event;
  if (instrument.symbol !== context.symbol)
    return step(
      context,
      notify('warning', `${entryDeskOf(placeOf(context))}: an instrument of ${instrument.symbol}; ignored`),
    );
  const { [INSTRUMENT]: _, ...blocks } = context.blocks;
  const next = { ...context, instrument, blocks: { ...blocks, ...tradingBlock(instrument) } };
  const forward =
    context.position !== null && JSON.stringify(context.instrument) !== JSON.stringify(instrument);
  return forward
    ? step(next, send(context.position, { type: 'INSTRUMENT', instrument, before: context.instrument }))
    : step(next);
}

export function refused(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'REFUSED') return step(context);
  const refusedRules = { ...context.refusedRules };
  for (const { rule } of event.refusals) refusedRules[rule] = (refusedRules[rule] ?? 0) + 1;
  return step({
    ...count(context, 'refused'),
    direction: null,
    refusedRules,
    lastRefusal: { at: context.at, refusals: event.refusals },
  });
}

export function passOver(context: EntryContext, why: string, counter: Counter): Step<EntryContext> {
  return step({
    ...count(context, 'signals', counter),
    passedOver: bounded(context.passedOver, { at: context.at, why }, PASSED_OVER_KEPT),
  });
}

/** While a position is there: its exit signal, or one for the other side, closes it. */
export function exitOrPass(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'SIGNAL') return step(context);
  const { signal } = event;
  const isExit = signal.kind === 'exit' && signal.direction === context.direction;
  // Where each side has a desk, an entry on the other is none of this one's business.
  const isOpposite =
    signal.kind === 'enter' && signal.direction !== context.direction && context.positionSide === undefined;
  if (context.position === null || !(isExit || isOpposite))
    return passOver(context, `${signal.kind} ${signal.direction} while holding`, 'ignored');
  const word =
    signal.kind === 'exit'
      ? {
          signal: 'exit',
          reason: `signal: ${signal.reason}`,
          ...(signal.confidence === undefined ? {} : { confidence: signal.confidence }),
        }
      : { signal: 'opposite', reason: 'opposite-signal' };
  return step(count(context, 'signals'), send(context.position, { type: 'EXIT_SIGNAL', ...word }));
}

/** What the strategy thinks of what is open here, and of the market it is open in. */
export function passOutlook(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (context.position === null) return step(context);
  if (event.type === 'REGIME') {
    const { regime, suits } = event;
    return step(context, send(context.position, { type: 'REGIME', regime, suits }));
  }
  if (event.type !== 'OPINION' || event.opinion.direction !== context.direction) return step(context);
  const { confidence, reason } = event.opinion;
  return step(context, send(context.position, { type: 'EXIT_OPINION', confidence, reason }));
}

export function closed(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type !== 'POSITION_CLOSED') return step(context);
  return step({
    ...count(context, 'closed'),
    position: null,
    direction: null,
    coolUntil: context.at + context.coolDownMs,
    lastTrade: event.trade ?? context.lastTrade,
  });
}

export function block(context: EntryContext, event: EntryEvent): Step<EntryContext> {
  if (event.type === 'BLOCK')
    return step({ ...context, blocks: { ...context.blocks, [event.source]: event.reason } });
  if (event.type !== 'UNBLOCK') return step(context);
  const { [event.source]: _, ...blocks } = context.blocks;
  return step({ ...context, blocks });
}

export const releaseApproval = (context: EntryContext, event: EntryEvent): Step<EntryContext> =>
  event.type === 'APPROVED'
    ? step(
        // The direction of an open position is not this approval's.
        context.position === null ? { ...context, direction: null } : context,
        send(PORTFOLIO, { type: 'RELEASE', reservation: event.reservation }),
      )
    : step(context);
