/** Keeps the desks' instruments as the venue has them: filters change, symbols halt and are delisted. */
import { entryDeskOf } from '../../machines/messages.ts';
import type { ActorRuntime } from '../../supervisors/actor-runtime.ts';
import type { Time, TimerHandle } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Instrument, SymbolName } from '../domain/instrument.ts';
import type { VenueGateway } from '../exchange/venue-gateway.ts';

export interface WatchOptions {
  readonly gateway: VenueGateway;
  readonly runtime: ActorRuntime;
  /** As the journal was begun with; whoever is missing at the venue now is closed. */
  readonly instruments: readonly Instrument[];
  readonly realTime: Time;
  readonly everyMs: number;
  readonly epoch: number;
  readonly log: Logger;
}

export class InstrumentWatch {
  readonly #options: WatchOptions;
  #timer: TimerHandle | undefined;
  #stopped = false;
  #readings = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Reads now, and then again and again. A reading that fails is made up for by the next. */
  async start(): Promise<void> {
    await this.#read();
    if (this.#stopped) return;
    this.#timer = this.#options.realTime.timers.set(this.#options.everyMs, () => void this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #read(): Promise<void> {
    const { gateway, instruments, log } = this.#options;
    try {
      const now = await gateway.instruments(instruments.map(({ symbol }) => symbol));
      if (this.#stopped) return;
      this.#readings += 1;
      const found = new Map(now.map((instrument) => [instrument.symbol, instrument]));
      for (const before of instruments)
        this.#compare(found.get(before.symbol) ?? { ...before, status: 'CLOSE' });
    } catch (error) {
      log.warn('the instruments cannot be read', { reason: errorText(error) });
    }
  }

  #compare(instrument: Instrument): void {
    const { runtime, epoch, log } = this.#options;
    const { symbol } = instrument;
    const known = this.#known(symbol);
    if (known === undefined || JSON.stringify(known) === JSON.stringify(instrument)) return;
    log.info('an instrument has changed', { symbol, status: instrument.status });
    const id = `instrument:${epoch}:${this.#readings}:${symbol}`;
    runtime.tell({
      to: entryDeskOf(symbol),
      event: { type: 'INSTRUMENT', instrument },
      cause: { kind: 'external', id },
    });
  }

  /** What the desk itself goes by. */
  #known(symbol: SymbolName): Instrument | undefined {
    const text = this.#options.runtime.actor(entryDeskOf(symbol))?.snapshotText;
    return text === undefined
      ? undefined
      : (JSON.parse(text) as { context: { instrument: Instrument } }).context.instrument;
  }
}
