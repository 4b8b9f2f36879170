/**
 * The operator's seat of one run: what people see and touch hangs here, whatever the run trades on. It exists
 * before there is a tree, so that the kill switch can be reached while nothing else can.
 */
import { scannerOf } from '../../machines/messages.ts';
import type { ScannerContext } from '../../machines/scanner.ts';
import type { Committed } from '../../supervisors/actor-runtime.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { Distances } from '../domain/signal.ts';
import { JournaledOperator, type OperatorHost } from '../operator/journaled-operator.ts';
import type { Operator } from '../operator/operator.ts';
import { strategyByName } from '../strategy/strategy.ts';
import { engageKill } from './kill-file.ts';
import { RequestDesk } from './person-requests.ts';
import { liftKill } from './release.ts';
import type { Session } from './run-session.ts';
import type { TradingSystem } from './system.ts';

export class Seat {
  readonly operator: Operator;
  readonly #session: Session;
  readonly #journaled: JournaledOperator;
  readonly #desk: RequestDesk;
  #system: TradingSystem | undefined;

  constructor(session: Session) {
    const { io, options, folder, log } = session;
    this.#session = session;
    this.#journaled = new JournaledOperator({
      host: () => this.#host(),
      kill: {
        engage: (by, reason, accountWide) => {
          const at = io.time.clock.now();
          const { order, isNew } = engageKill(folder.path, { by, reason, accountWide, at });
          return `kill switch ${isNew ? 'engaged' : 'was engaged already'} (${order.id})`;
        },
        release: (by, reason) => liftKill(folder.path, by, reason, io.time.clock.now()),
      },
      isShared: options.config.mode !== 'demo',
      now: () => io.time.clock.now(),
      timers: io.time.timers,
    });
    this.operator = this.#journaled;
    this.#desk = new RequestDesk({ dataDir: folder.path, time: io.time, log, operator: this.operator });
  }

  /** The tree is composed: what it commits is heard from now on. */
  use(system: TradingSystem): void {
    this.#system = system;
    system.runtime.observe((committed: Committed) => this.#journaled.observe(committed));
  }

  /** The tree runs: people may speak. */
  open(): void {
    this.#desk.start();
  }

  close(): void {
    this.#desk.stop();
  }

  #host(): OperatorHost | undefined {
    const system = this.#system;
    if (!system) return undefined;
    const { runtime, audience } = system;
    return {
      tell: (message) => runtime.tell(message),
      actorIds: () => runtime.actorIds(),
      snapshot: (actor) => runtime.actor(actor)?.snapshotText,
      price: (symbol) => audience.prices()[symbol],
      distances: (symbol) => this.#distances(system, symbol),
    };
  }

  #distances({ runtime }: TradingSystem, symbol: SymbolName): Distances | undefined {
    const text = runtime.actor(scannerOf(symbol))?.snapshotText;
    if (text === undefined) return undefined;
    const { name, options } = this.#session.options.config.strategy;
    const { context } = JSON.parse(text) as { context: ScannerContext };
    return strategyByName(name, options).distances?.(context.strategy.state);
  }
}
