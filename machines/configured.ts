/**
 * Settings that change while an actor lives: the configuration's newest version, as far as it concerns the actor.
 *
 * Invariant: what an actor goes by stands in its own rows; the change is a row before it works, and replays.
 */
import type { Timed } from './messages.ts';
import { type Step, step } from './step.ts';

/** From the host. `settings` holds what is other than before, and nothing else. */
export type Configured<S> = {
  readonly type: 'CONFIG';
  /** Of the configuration. */
  readonly version: number;
  readonly settings: Partial<S>;
} & Timed;

/** Takes them into a part of the context. */
export const reconfigured = <C, K extends keyof C>(
  context: C,
  part: K,
  event: { readonly type: string } | Configured<C[K]>,
): Step<C> =>
  isConfigured<C[K]>(event)
    ? step({ ...context, [part]: { ...context[part], ...event.settings } })
    : step(context);

const isConfigured = <S>(event: { readonly type: string }): event is Configured<S> => event.type === 'CONFIG';
