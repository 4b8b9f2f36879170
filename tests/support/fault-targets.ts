/**
 * What directed strikes are made of: pairs of a fault and a state, which of them can go at once, and what a strike
 * tells in the end.
 */
import type { FaultClass } from './fault-classes.ts';
import { recipe } from './fault-recipes.ts';
import { answerOf, type Cell, STATES, type State, type Step, TABLE_SYMBOLS } from './fault-table.ts';

export const SPEED = 20;
export const STILL = 'still';
export const ANSWER_MS = 4_000;

/** Nothing but the faults may keep an entry back, and nobody but the test trades. */
export const CONFIG = {
  strategy: { name: STILL },
  entry: { coolDownMs: 10 },
  risk: {
    baseNotional: '300',
    maxClusterExposure: '100',
    maxSideExposure: '100',
    maxTotalExposure: '100',
    kelly: { enabled: false },
    learning: { enabled: false },
    drawdownScaling: { enabled: false },
    correlation: { enabled: false },
    liquidity: { enabled: false },
    fundingCost: { enabled: false },
    liquidation: { enabled: false },
    valueAtRisk: { enabled: false },
    stop: { adaptive: false },
  },
  // One stop and nothing else: what is struck is known.
  position: {
    trailing: { rule: 'strategy', armProfitPercent: '0.1', stepPercent: '0.5' },
    scaleOut: { enabled: false },
  },
  breakers: {
    maxLossesInARow: 1_000,
    maxSideLossesInARow: 1_000,
    maxSymbolLossesInARow: 1_000,
    minWinRatePercent: 0,
    maxDrawdownPercent: '90',
    maxDailyLossPercent: '90',
    apiErrorCoolDownMs: 10_000,
    latencyCoolDownMs: 10_000,
    maxApiErrors: 60,
  },
  venue: { callTimeoutMs: 2_000, reconcileEveryMs: 1_000, maxSignalAgeMs: 180_000 },
};

export interface Wanted {
  readonly fault: FaultClass;
  readonly states: readonly State[];
}

export interface Directed {
  readonly fault: string;
  readonly state: State;
  readonly cell: Cell;
}

export interface Life {
  readonly actor: string;
  readonly steps: Step[];
  readonly refs: Map<string, string>;
  isOver: boolean;
  quantity: string;
  /** So many steps were its own; then it was closed here. */
  own?: number;
}

export interface Strike {
  readonly at: number;
  readonly symbol: string;
  readonly life: Life;
  readonly index: number;
  readonly order: string | undefined;
}

/** A symbol that is to be struck in a state. */
export interface Target {
  readonly symbol: string;
  readonly state: State;
  readonly fault: FaultClass;
  triggered: boolean;
  armed: boolean;
  held: boolean;
  strike?: Strike;
}

const isOfAccount = (fault: FaultClass): boolean =>
  STATES.some((state) => recipe(fault, state, '').onAllHeld.length > 0);

export function batchesOf(wanted: readonly Wanted[]): Wanted[][] {
  const batches: Wanted[][] = [];
  let room = 0;
  for (const one of wanted) {
    if (isOfAccount(one.fault) || one.states.length > room) {
      batches.push([]);
      room = TABLE_SYMBOLS.length;
    }
    batches.at(-1)?.push(one);
    room = isOfAccount(one.fault) ? 0 : room - one.states.length;
  }
  return batches;
}

export function cellOf({ life, index, order, at }: Strike, state: State): Cell {
  const ref = order === undefined ? undefined : life.refs.get(order);
  const what = answerOf(life.steps.slice(index + 1, life.own), state, at + ANSWER_MS * SPEED, ref);
  return { hits: 1, after: new Map([[what, 1]]) };
}
