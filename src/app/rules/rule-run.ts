/**
 * One run over a recording with one configuration, in memory and at full speed, and what it came to.
 *
 * Invariants: the same tree as every other run; the same recording and configuration give the same outcome;
 * net = equity at the end − balance at the beginning, what is still open counted at its last mark.
 */
import type { PortfolioContext } from '../../../machines/portfolio.ts';
import type { PositionContext } from '../../../machines/position/context.ts';
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import type { Config } from '../../config/schema.ts';
import type { Time } from '../../core/clock.ts';
import { add, type Decimal, div, gt, lt, max, mul, sub, ZERO } from '../../core/decimal.ts';
import { actorType } from '../../core/ids.ts';
import { PORTFOLIO } from '../../domain/events.ts';
import type { MarketData } from '../../market/market-data.ts';
import { reasonGroup } from '../results/statistics.ts';
import { runInMemory } from '../run/whole-run.ts';

export interface RuleOutcome {
  readonly trades: number;
  readonly wins: number;
  readonly refused: number;
  readonly openPositions: number;
  readonly net: Decimal;
  /** Of the closed trades alone, fees and funding in. */
  readonly closedNet: Decimal;
  readonly fees: Decimal;
  readonly funding: Decimal;
  /** The deepest fall of equity below its peak so far, as it stood at the marks; percent of that peak. */
  readonly maxDrawdownPercent: Decimal;
  /** The worst result of a closed trade; null: none closed. */
  readonly worstTrade: Decimal | null;
  /** Of all positions together: time in which something was open and not covered by a stop. */
  readonly unprotectedMs: number;
  /** How often each rule refused an entry. */
  readonly refusals: Readonly<Record<string, number>>;
  /** How many positions ended for each reason. */
  readonly exits: Readonly<Record<string, number>>;
  /** How often each breaker opened. */
  readonly breakers: Readonly<Record<string, number>>;
}

export async function runWithRules(config: Config, market: MarketData, realTime: Time): Promise<RuleOutcome> {
  const tally = new Tally();
  await runInMemory({ config, market, realTime, observe: (committed) => tally.observe(committed) });
  return tally.outcome(config.paper.initialBalance);
}

/** Keeps of each row what the outcome needs. */
class Tally {
  #account: PortfolioContext | undefined;
  #peak: Decimal = ZERO;
  #drawdown: Decimal = ZERO;
  #worst: Decimal | null = null;
  #closed: Decimal = ZERO;
  readonly #unprotected = new Map<string, number>();
  readonly #exits: Record<string, number> = {};
  readonly #breakers: Record<string, number> = {};

  observe({ row, event, intents }: Committed): void {
    if (row.snapshot === null) return;
    if (row.actor === PORTFOLIO) this.#look(row.snapshot, event.type === 'MARK');
    const type = actorType(row.actor);
    if (type === 'position')
      this.#unprotected.set(row.actor, contextOf<PositionContext>(row.snapshot).unprotectedMs);
    for (const intent of type === 'breaker' ? intents : []) {
      if (intent.type !== 'send' || intent.to !== PORTFOLIO || intent.event.type !== 'BREAKER_CHANGED')
        continue;
      const { state, breaker } = intent.event;
      if (state === 'reducing' || state === 'halted') count(this.#breakers, String(breaker));
    }
    if (row.actor !== PORTFOLIO || event.type !== 'POSITION_CLOSED' || !event.trade) return;
    const { netPnl, reason } = event.trade as { readonly netPnl: Decimal; readonly reason: string };
    count(this.#exits, reasonGroup(reason));
    this.#closed = add(this.#closed, netPnl);
    if (this.#worst === null || lt(netPnl, this.#worst)) this.#worst = netPnl;
  }

  #look(snapshot: string, isMark: boolean): void {
    this.#account = contextOf<PortfolioContext>(snapshot);
    if (!isMark) return;
    const { equity } = this.#account;
    this.#peak = max(this.#peak, equity);
    if (!gt(this.#peak, ZERO)) return;
    this.#drawdown = max(this.#drawdown, mul(div(sub(this.#peak, equity), this.#peak, 8), '100'));
  }

  outcome(balance: Decimal): RuleOutcome {
    const account = this.#account;
    const counts = account?.counts ?? {};
    const flow = (reason: string): Decimal => account?.flows[reason] ?? ZERO;
    return {
      trades: counts.trades ?? 0,
      wins: counts.wins ?? 0,
      refused: counts.refused ?? 0,
      openPositions: Object.keys(account?.exposures ?? {}).length,
      net: sub(account?.equity ?? balance, balance),
      closedNet: this.#closed,
      fees: sub(ZERO, flow('COMMISSION')),
      funding: flow('FUNDING_FEE'),
      maxDrawdownPercent: this.#drawdown,
      worstTrade: this.#worst,
      unprotectedMs: [...this.#unprotected.values()].reduce((total, ms) => total + ms, 0),
      refusals: account?.refusedRules ?? {},
      exits: this.#exits,
      breakers: this.#breakers,
    };
  }
}

const contextOf = <C>(snapshot: string): C => (JSON.parse(snapshot) as { context: C }).context;

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
