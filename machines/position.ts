/** A position's whole life, from asking to enter to the last order gone. */
import { carry, enterRegions, type MachineDefinition, type PersistedSnapshot } from './definition.ts';
import { positionMachine } from './position/chart.ts';
import { upgradedPlan } from './position/plan.ts';

export { followsBars } from './position/bars.ts';
export type { PositionContext, PositionEvent, PositionInput } from './position/context.ts';
export { type PriceBand, positionBand } from './position/levels.ts';
export {
  DEFAULT_ACTIVE_TARGET,
  DEFAULT_PLAN,
  DEFAULT_TRAILING,
  type PositionPlan,
  THREE_PARTS,
} from './position/plan.ts';

/** Version 1 knew no adoption, no judged refusals, no guardian at work, and cried at every closing order. */
const remote = carry((context) => ({
  adoptedBy: null,
  stopRefusals: context.stopRejections ?? 0,
  nothingToReduce: 0,
  criedAt: null,
  guarded: false,
}));

/** Version 2 answered no person. */
const answering = carry(() => ({ answers: [] }));

/** Version 3 trailed by one rule, and a stop that had moved had trailed. */
const levels = carry(({ plan, stopPrice, initialStopPrice }) => ({
  plan: upgradedPlan(plan as object),
  stopReason: stopPrice === initialStopPrice ? 'stop' : 'trailing-stop',
}));

/** Version 4 knew no exits by rule: what it held goes on as it was. */
const rules = carry(({ plan, suppressed }) => ({
  plan: upgradedPlan(plan as object),
  opinion: null,
  decision: null,
  suppressed: (suppressed as readonly object[]).map((one) => ({ reason: 'not recorded', ...one })),
}));

/** Version 5 kept nothing of what befell it; its symbol traded. */
const happenings = carry(({ plan }) => ({
  plan: upgradedPlan(plan as object),
  symbolStatus: 'TRADING',
  deliversAt: null,
  forced: null,
  happenings: [],
}));
const befallen = (snapshot: PersistedSnapshot): PersistedSnapshot =>
  enterRegions('open', { symbol: 'trading', forced: 'untouched' })(happenings(snapshot));

interface OldExits {
  readonly scaleParts: readonly object[];
  readonly orders: readonly { readonly ref: string; readonly role: string; readonly status: string }[];
}

/** Version 6 took its parts here, one by one. */
const parts = carry((context) => {
  const { scaleParts, orders } = context as unknown as OldExits;
  const underway = orders.find(({ role, status }) => role === 'exit' && status !== 'over');
  return {
    plan: upgradedPlan(context.plan as object),
    scaleParts: scaleParts.map((part, index) => ({
      ...part,
      local: true,
      ref: index === 0 && underway ? underway.ref : null,
    })),
  };
});

/** Version 7 heard of no bars. */
const bars = carry(({ plan }) => ({ plan: upgradedPlan(plan as object), pulse: null }));

/** Version 8 waited for an unknown closing order as long as for one that has no answer yet. */
const impatient = carry(() => ({}));

/** Version 9 took the stops away with the orders that might still open something. */
const lastStops = carry(() => ({}));

/** Version 10 told nobody of closing orders that are UNKNOWN, and lost a lot of its parts to rounding. */
const counted = carry(() => ({}));

/** Version 11 asked for a stop of a quantity that is more than a market order may be, which the venue refuses. */
const bounded = carry(() => ({}));

export const createPositionMachine = (): MachineDefinition => ({
  type: 'position',
  version: 12,
  machine: positionMachine,
  migrations: {
    1: remote,
    2: answering,
    3: levels,
    4: rules,
    5: befallen,
    6: parts,
    7: bars,
    8: impatient,
    9: lastStops,
    10: counted,
    11: bounded,
  },
});
