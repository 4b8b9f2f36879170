/**
 * How a class of fault is made to meet a position in a wanted state: what must be on the wire then, and the rules
 * that strike it. Pairs that cannot happen say why.
 */
import type { FaultClass } from './fault-classes.ts';
import { STATES, type State } from './fault-table.ts';

type Rule = Readonly<Record<string, unknown>>;

export interface Recipe {
  /** Armed with the symbol's entry into the state, and struck by what it then asks or is told. */
  readonly onEntry: readonly Rule[];
  /** Armed once every symbol is held in its state: faults of the whole account. */
  readonly onAllHeld: readonly Rule[];
}

/** Of the rules that only keep a position in its state; they are not what is looked at. */
export const HOLD = 'hold';
const HOLD_MS = 1_700;

/** What leaves in the row that brings a position into the state. */
const REQUEST: Readonly<Record<State, string>> = {
  entering: 'POST /fapi/v1/order',
  'open, exposed': 'POST /fapi/v1/algoOrder',
  'open, covered': 'DELETE /fapi/v1/algoOrder',
  replacing: 'POST /fapi/v1/algoOrder',
  closing: 'POST /fapi/v1/order',
  emergencyClosing: 'POST /fapi/v1/order',
  settling: 'DELETE /fapi/v1/algoOrder',
};

const first = (fault: FaultClass): Rule => fault.rules[0] ?? {};
const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value : []);
const isTold = (fault: FaultClass): boolean => list(first(fault).event).length > 0;
const asks = (fault: FaultClass): readonly string[] => list(first(fault).request);
const isOfOrders = (fault: FaultClass): boolean =>
  asks(fault).length > 0 && asks(fault).every((name) => /^(POST|DELETE) /.test(name));
const isQuery = (fault: FaultClass): boolean => asks(fault).includes('GET /fapi/v1/algoOrder');

export const NOT_POSSIBLE = {
  cancel:
    'the fault meets a cancel, and in this state none is sent: the entry and closing orders are market \
orders, over at once, and the stop stays until another is acknowledged or nothing is open',
} as const;

/** Why the fault cannot strike in that state. */
export function impossible(fault: FaultClass, state: State): string | undefined {
  if (!isOfOrders(fault) || asks(fault).includes(REQUEST[state])) return undefined;
  return NOT_POSSIBLE.cancel;
}

export function recipe(fault: FaultClass, state: State, symbol: string): Recipe {
  const { probability: _, ...rule } = first(fault);
  const asked = { request: REQUEST[state], where: { symbol }, nth: 1 };
  if (isOfOrders(fault)) return { onEntry: [{ ...rule, ...asked, name: symbol }], onAllHeld: [] };
  if (isTold(fault))
    return { onEntry: [{ ...rule, where: { 'o.s': symbol }, nth: 1, name: symbol }], onAllHeld: [] };
  if (isQuery(fault)) {
    // A question is asked only where the answer was lost, and no event has told it either.
    const lost = { ...asked, do: 'reset-after', name: HOLD };
    const deaf = { event: ['*_UPDATE'], where: { 'o.s': symbol }, times: 4, do: 'miss', name: HOLD };
    return {
      onEntry: [lost, deaf, { ...rule, where: { symbol }, nth: 1, name: symbol }],
      onAllHeld: [],
    };
  }
  const held = { ...asked, do: 'delay-before', ms: HOLD_MS, name: HOLD };
  const once = { ...rule, times: asks(fault).length > 0 ? 3 : 1, name: '*' };
  const halted = { ...rule, times: 1, symbol, name: symbol };
  return { onEntry: [held], onAllHeld: [rule.do === 'halt' ? halted : once] };
}

/** The states in which the class still has to be seen. */
export const possible = (fault: FaultClass): readonly State[] =>
  STATES.filter((state) => impossible(fault, state) === undefined);
