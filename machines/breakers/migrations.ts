/** How a breaker of an older version becomes one of this. */
import { carry, type MachineDefinition } from '../definition.ts';
import { type BreakerKind, type Counters, NO_COUNTS } from './rule.ts';
import { type BreakerSettings, DEFAULT_BREAKER_SETTINGS } from './settings.ts';

export const BREAKER_MIGRATIONS: MachineDefinition['migrations'] = {
  // Version 1 knew fewer measures, and no pause but its rule's.
  1: carry((context) => ({
    openUntil: null,
    settings: { ...DEFAULT_BREAKER_SETTINGS, ...(context.settings as Partial<BreakerSettings>) },
  })),
  // Version 2 knew no scope, and closed nothing.
  2: carry(({ kind, settings, counters }) => ({
    name: kind as BreakerKind,
    scope: null,
    openScope: null,
    closing: 'none',
    settings: { ...DEFAULT_BREAKER_SETTINGS, ...(settings as Partial<BreakerSettings>) },
    counters: { ...NO_COUNTS, ...(counters as Partial<Counters>) },
  })),
  // Version 3 knew no volatility, and not the venue's own word on margin.
  3: carry(({ settings }) => ({
    settings: { ...DEFAULT_BREAKER_SETTINGS, ...(settings as Partial<BreakerSettings>) },
  })),
  // Version 4 closed by its own rule what a person had opened, and heard of no money that was moved.
  4: carry((context) => ({ heldBy: heldSince(context as unknown as Opened) })),
};

interface Opened {
  readonly audit: readonly { readonly at: number; readonly by: string; readonly what: 'trip' | 'reset' }[];
  readonly openedAt: number | null;
}

/** Whose word it was that a breaker of version 4 is open by. */
function heldSince({ audit, openedAt }: Opened): string | null {
  const last = audit.at(-1);
  return openedAt !== null && last?.what === 'trip' && last.at >= openedAt ? last.by : null;
}
