/** What moving a breaker by hand, or lifting the kill switch, would do now: what it closes, what it opens. Pure. */
import type { BreakerContext } from '../../machines/breaker.ts';
import { barsOf, type GuardianContext } from '../../machines/guardian.ts';
import { breakerOf, OPERATOR } from '../../machines/messages.ts';
import type { OperatorContext } from '../../machines/operator/context.ts';
import { counted } from '../core/amounts.ts';
import { type ActorId, actorType } from '../core/ids.ts';
import type { Command, CommandOf } from '../domain/command.ts';
import { GUARDIAN } from '../domain/events.ts';

export interface BreakerSights {
  actorIds(): readonly ActorId[];
  snapshot(actor: ActorId): string | undefined;
}

type OfBreaker = CommandOf<'trip' | 'release' | 'release-kill'>;

export const isOfBreaker = (command: Command): command is OfBreaker =>
  command.kind === 'trip' || command.kind === 'release' || command.kind === 'release-kill';

/** `held` in words, one for each position. */
export function previewBreaker(command: OfBreaker, sights: BreakerSights, held: readonly string[]): string {
  if (command.kind === 'trip') return tripWords(command.breaker, sights, held);
  const name = command.kind === 'release' ? command.breaker : 'kill';
  const one = breakerIn(sights, name);
  if (command.kind === 'release' && one?.state === 'closed') return `The breaker ${name} is closed already.`;
  const what = command.kind === 'release' ? `Closes the breaker ${name}` : 'Lifts the kill switch';
  const why = one?.context.cause ? ` (${one.context.cause})` : '';
  const others = barsBut(name, sights);
  const then =
    others.length === 0 ? 'entries are open again at once' : `its entries are open again${butFor(others)}`;
  return `${what}${why}: ${then}.`;
}

function tripWords(name: string, sights: BreakerSights, held: readonly string[]): string {
  const one = breakerIn(sights, name);
  const { settings, kind, scope } = one?.context ?? {};
  const entries = scope ? 'no entries of its kind' : 'no entries';
  const already = one && one.state !== 'closed' ? ', which is not closed now' : '';
  const opens = `Opens the breaker ${name}${already}: ${entries} until somebody releases it`;
  const closesAll = kind !== undefined && settings?.flatten.includes(kind) === true;
  if (held.length === 0) return `${opens}. Nothing is open.`;
  const many = counted(held.length, 'position');
  return closesAll
    ? `${opens}, and CLOSES ${many} at market, as breakers.flatten wants: ${held.join(', ')}.`
    : `${opens}. What is open stays open, with its stops (${many}).`;
}

export const butFor = (bars: readonly string[]): string =>
  bars.length === 0 ? '' : `, but for what ${bars.join(', ')} still holds back`;

/** Whatever (else) forbids entries as a whole or in part. */
export function barsBut(name: string | undefined, sights: BreakerSights): readonly string[] {
  const breakers = sights.actorIds().flatMap((actor) => {
    const its = actor.slice('breaker/'.length);
    if (actorType(actor) !== 'breaker' || its === name) return [];
    return breakerIn(sights, its)?.state === 'open' ? [`the breaker ${its}`] : [];
  });
  const guardian = contextOf<GuardianContext>(sights, GUARDIAN) ?? { cases: [] };
  const bars = barsOf(guardian).flatMap(({ breaker }) => (breaker === name ? [] : [`the bar ${breaker}`]));
  const { stopped, paused } = contextOf<OperatorContext>(sights, OPERATOR) ?? NOTHING;
  return [...breakers, ...bars, ...(stopped ? ['the stop'] : []), ...(paused ? ['the pause'] : [])];
}

const NOTHING: Pick<OperatorContext, 'stopped' | 'paused'> = { stopped: null, paused: null };

function contextOf<C>(sights: BreakerSights, actor: ActorId): C | undefined {
  const text = sights.snapshot(actor);
  return text === undefined ? undefined : (JSON.parse(text) as { readonly context: C }).context;
}

function breakerIn(
  sights: BreakerSights,
  name: string,
): { readonly state: 'open' | 'half-open' | 'closed'; readonly context: BreakerContext } | undefined {
  const text = sights.snapshot(breakerOf(name));
  if (text === undefined) return undefined;
  const { value, context } = JSON.parse(text) as { value: unknown; context: BreakerContext };
  if (value === 'closed') return { state: 'closed', context };
  return { state: value === 'halfOpen' ? 'half-open' : 'open', context };
}
