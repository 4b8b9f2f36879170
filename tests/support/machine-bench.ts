/**
 * One machine on its own, on the same logic the host runs, with its timers in hand: every option defaulted, so
 * that each one a test sets means something.
 */
import type { MachineDefinition } from '../../machines/definition.ts';
import type { PositionContext, PositionInput } from '../../machines/position.ts';
import {
  createPositionMachine,
  DEFAULT_PLAN,
  DEFAULT_TRAILING,
  type PositionPlan,
} from '../../machines/position.ts';
import type { ActorEvent, Emitted } from '../../src/domain/events.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { OrderRequest } from '../../src/domain/order.ts';
import type { Entry, RiskApproved, SizedEntry } from '../../src/domain/risk.ts';
import { XStateLogic } from '../../supervisors/xstate-logic.ts';

export interface BenchTimer {
  readonly id: string;
  readonly due: number;
  readonly event: ActorEvent;
}

export type EmittedOf<T extends Emitted['type']> = Extract<Emitted, { type: T }>;

export class MachineBench {
  readonly definition: MachineDefinition;
  at: number;
  /** Everything emitted so far, and by the newest event alone. */
  readonly emitted: Emitted[] = [];
  last: readonly Emitted[] = [];
  readonly timers = new Map<string, BenchTimer>();
  #logic: XStateLogic;

  constructor(definition: MachineDefinition, input: Record<string, unknown>, at = 1_000_000) {
    this.definition = definition;
    this.at = at;
    this.#logic = new XStateLogic(definition);
    this.#take(this.#logic.start({ ...input, at }));
  }

  send(type: string, data: Record<string, unknown> = {}, laterMs = 10): readonly Emitted[] {
    this.at += laterMs;
    return this.#take(this.#logic.send({ ...data, type, at: this.at }));
  }

  deliver(event: ActorEvent): readonly Emitted[] {
    const { type, ...data } = event;
    return this.send(type, data);
  }

  /** Fires the earliest timer at its deadline; false when none is armed. */
  fireNext(): boolean {
    const [next] = [...this.timers.values()].sort((a, b) => a.due - b.due);
    if (!next) return false;
    this.timers.delete(next.id);
    this.at = Math.max(this.at, next.due);
    this.#take(this.#logic.send({ ...next.event, at: this.at }));
    return true;
  }

  /** Lets this much time pass, firing what is due on the way. */
  wait(ms: number): void {
    const until = this.at + ms;
    while ([...this.timers.values()].some((timer) => timer.due <= until)) this.fireNext();
    this.at = until;
  }

  /** A fresh incarnation from the persisted snapshot, as after a kill; timers live on with the host. */
  restart(): void {
    const snapshot = this.snapshot();
    this.#logic = new XStateLogic(this.definition);
    this.#logic.restore(snapshot);
  }

  snapshot(): string {
    return this.#logic.snapshot();
  }

  get value(): unknown {
    return (JSON.parse(this.snapshot()) as { value: unknown }).value;
  }

  context<C>(): C {
    return (JSON.parse(this.snapshot()) as { context: C }).context;
  }

  isDone(): boolean {
    return this.#logic.isDone();
  }

  /** "open.protection.covered.protected" and the like. */
  leaves(): string[] {
    return leavesOf(this.value);
  }

  sent(to: string): ActorEvent[] {
    return this.emitted
      .filter((intent) => intent.type === 'send')
      .filter((intent) => intent.to === to)
      .map((intent) => intent.event);
  }

  #take(step: ReturnType<XStateLogic['send']>): readonly Emitted[] {
    for (const timer of step.stateTimers) {
      if (timer.op === 'cancel') this.timers.delete(timer.id);
      else this.timers.set(timer.id, { id: timer.id, due: this.at + timer.delayMs, event: timer.event });
    }
    for (const intent of step.emitted) {
      if (intent.type === 'timer.clear') this.timers.delete(`named:${intent.id}`);
      if (intent.type === 'timer.set') {
        const id = `named:${intent.id}`;
        this.timers.set(id, { id, due: this.at + intent.delayMs, event: intent.event });
      }
    }
    this.emitted.push(...step.emitted);
    this.last = step.emitted;
    return step.emitted;
  }
}

/** What the newest event sent to whom. */
export const told = (bench: MachineBench): [string, ActorEvent][] =>
  bench.last.flatMap((intent) =>
    intent.type === 'send' ? [[intent.to, intent.event] as [string, ActorEvent]] : [],
  );

export function leavesOf(value: unknown, prefix = ''): string[] {
  if (typeof value === 'string') return [prefix === '' ? value : `${prefix}.${value}`];
  return Object.entries(value as Record<string, unknown>).flatMap(([key, inner]) =>
    leavesOf(inner, prefix === '' ? key : `${prefix}.${key}`),
  );
}

export const INSTRUMENT: Instrument = {
  symbol: 'BTCUSDT',
  base: 'BTC',
  quote: 'USDT',
  status: 'TRADING',
  tickSize: '0.1',
  minPrice: '0.1',
  maxPrice: '1000000',
  stepSize: '0.001',
  minQuantity: '0.001',
  maxQuantity: '1000',
  marketMaxQuantity: '120',
  minNotional: '5',
  multiplierUp: '1.05',
  multiplierDown: '0.95',
  triggerProtectRate: '0.05',
  liquidationFeeRate: '0.0125',
  marketTakeBoundRate: '0.05',
  makerFeeRate: '0.0002',
  takerFeeRate: '0.0005',
  fundingIntervalHours: 8,
  brackets: [
    {
      bracket: 1,
      initialLeverage: 125,
      notionalFloor: '0',
      notionalCap: '50000',
      maintMarginRate: '0.004',
      cum: '0',
    },
    {
      bracket: 2,
      initialLeverage: 10,
      notionalFloor: '50000',
      notionalCap: '80000000',
      maintMarginRate: '0.01',
      cum: '300',
    },
  ],
};

export const entry = (more: Partial<Entry> = {}): Entry => ({
  symbol: 'BTCUSDT',
  direction: 'long',
  referencePrice: '100',
  stopPrice: '95',
  trailDistance: '3',
  atrPercent: 2,
  reason: 'breakout',
  ...more,
});

/** Tests stand in for risk here: they are what decides which entries exist. */
export const approved = (more: Partial<SizedEntry> = {}): RiskApproved<SizedEntry> =>
  ({ ...entry(), quantity: '2', leverage: 5, ...more }) as RiskApproved<SizedEntry>;

/** One stop that trails at the entry's distance and nothing else, so that what a test adds stands alone. */
export const PLAIN_PLAN: PositionPlan = {
  ...DEFAULT_PLAN,
  trailing: { ...DEFAULT_TRAILING, rule: 'strategy', armProfitPercent: '1' },
  scaleOut: [],
  restingTargets: false,
  activeTarget: null,
};

export interface PositionOptions {
  readonly entry?: Partial<SizedEntry>;
  readonly plan?: Partial<PositionPlan>;
  readonly instrument?: Partial<Instrument>;
}

type EnteredInput = Extract<PositionInput, { readonly adopted?: undefined }>;

export const positionInput = (options: PositionOptions = {}): Omit<EnteredInput, 'at'> => ({
  actor: 'position/BTCUSDT/BOTH/1',
  symbol: 'BTCUSDT',
  instrument: { ...INSTRUMENT, ...options.instrument },
  entry: approved(options.entry),
  plan: { ...PLAIN_PLAN, ...options.plan },
});

/** A position and the venue's words to it. */
export class PositionBench extends MachineBench {
  constructor(options: PositionOptions = {}) {
    super(createPositionMachine(), { ...positionInput(options) });
  }

  get state(): PositionContext {
    return this.context<PositionContext>();
  }

  /** Up to and including the entry order. */
  enter(): this {
    this.send('LEVERAGE_SET', { symbol: 'BTCUSDT', leverage: 5 });
    this.send('CONFIRMED');
    return this;
  }

  /** Entered, filled whole at `price`, and its first stop acknowledged. */
  open(price = '100'): this {
    this.enter();
    this.fill('entry-1', this.state.entry.quantity, price);
    this.acknowledge('stop-1');
    return this;
  }

  order(type: string, ref: string, data: Record<string, unknown> = {}): readonly Emitted[] {
    return this.send(type, { ref, clientOrderId: `bh-${ref}`, symbol: 'BTCUSDT', ...data });
  }

  acknowledge(ref: string): readonly Emitted[] {
    return this.order('ORDER_ACKNOWLEDGED', ref, { orderId: `v-${ref}` });
  }

  reject(ref: string, code = -1000): readonly Emitted[] {
    return this.order('ORDER_REJECTED', ref, { code, reason: 'because' });
  }

  unknown(ref: string): readonly Emitted[] {
    return this.order('ORDER_UNKNOWN', ref, { reason: 'timeout' });
  }

  closed(ref: string, outcome = 'canceled', cumulative = '0'): readonly Emitted[] {
    return this.order('ORDER_CLOSED', ref, { outcome, cumulative, reason: 'told so' });
  }

  /** One fill; `cumulative` and `complete` follow from what was ordered unless told otherwise. */
  fill(ref: string, quantity: string, price = '100', more: Record<string, unknown> = {}): readonly Emitted[] {
    const opens = ref.startsWith('entry') || ref.startsWith('add');
    const long = this.state.direction === 'long';
    const side = opens === long ? 'BUY' : 'SELL';
    return this.order('ORDER_FILLED', ref, {
      tradeId: `${ref}/${this.at}`,
      side,
      price,
      quantity,
      cumulative: quantity,
      complete: true,
      maker: false,
      fee: '0.1',
      realizedPnl: '0',
      ...more,
    });
  }

  price(mark: number): readonly Emitted[] {
    return this.send('PRICE', { mark, last: mark });
  }

  /** Orders of the newest event. */
  orders(): OrderRequest[] {
    return this.last.flatMap((intent) => (intent.type === 'order.submit' ? [intent.order] : []));
  }

  cancels(): string[] {
    return this.last.flatMap((intent) => (intent.type === 'order.cancel' ? [intent.ref] : []));
  }

  /** Whether the newest event left the position in (or under) this state. */
  in(path: string): boolean {
    return this.leaves().some((leaf) => leaf === path || leaf.startsWith(`${path}.`));
  }
}
