/**
 * Keeps the desks' instruments as the venue has them: filters change, symbols halt and are delisted. All are read
 * again and again, and at once when the venue's stream says that a contract has changed; what has changed is always
 * taken from the reading.
 */
import { entryDeskOf } from '../../../machines/messages.ts';
import type { ActorRuntime } from '../../../supervisors/actor-runtime.ts';
import type { Time, TimerHandle } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { ActorId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { keyOfActor, keysOn, type PositionMode } from '../../domain/position-key.ts';
import type { VenueGateway } from '../../exchange/venue-gateway.ts';

export interface WatchOptions {
  readonly gateway: VenueGateway;
  readonly runtime: ActorRuntime;
  /** As the journal was begun with; whoever is missing at the venue now is closed. */
  readonly instruments: readonly Instrument[];
  readonly realTime: Time;
  readonly positionMode: PositionMode;
  readonly everyMs: number;
  readonly epoch: number;
  readonly log: Logger;
}

/** How far a reading may lag behind the stream. */
const LAG_MS = 5_000;

export class InstrumentWatch {
  readonly #options: WatchOptions;
  #timer: TimerHandle | undefined;
  #stopped = false;
  readonly #texts = new WeakMap<Instrument, string>();
  #reading = false;
  /** The stream has spoken since the last reading began. */
  #again = false;
  #readings = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Reads now, and then again and again. A reading that fails is made up for by the next. */
  async start(): Promise<void> {
    if (this.#stopped || this.#reading) return;
    this.#timer?.cancel();
    this.#reading = true;
    const wasTold = this.#again;
    this.#again = false;
    await this.#read();
    this.#reading = false;
    if (this.#stopped) return;
    const { everyMs, realTime } = this.#options;
    const waitMs = wasTold || this.#again ? Math.min(LAG_MS, everyMs) : everyMs;
    this.#timer = realTime.timers.set(waitMs, () => void this.start());
  }

  /** The stream's word: read at once, and once more soon, as what is read may lag behind it. */
  changed(symbol: SymbolName): void {
    if (!this.#options.instruments.some((one) => one.symbol === symbol)) return;
    this.#again = true;
    if (!this.#reading) void this.start();
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
    if (known === undefined || this.#textOf(known) === JSON.stringify(instrument)) return;
    log.info('an instrument has changed', { symbol, status: instrument.status });
    for (const to of this.#desks(symbol)) {
      const id = `instrument:${epoch}:${this.#readings}:${keyOfActor(to)}`;
      runtime.tell({ to, event: { type: 'INSTRUMENT', instrument }, cause: { kind: 'external', id } });
    }
  }

  #desks(symbol: SymbolName): readonly ActorId[] {
    return keysOn(symbol, this.#options.positionMode).map(entryDeskOf);
  }

  /** Written once for each that a desk goes by: it is held against every reading. */
  #textOf(known: Instrument): string {
    const text = this.#texts.get(known) ?? JSON.stringify(known);
    this.#texts.set(known, text);
    return text;
  }

  /** What the desk itself goes by. */
  #known(symbol: SymbolName): Instrument | undefined {
    const [desk = ''] = this.#desks(symbol);
    const context = this.#options.runtime.actor(desk)?.context as { instrument: Instrument } | undefined;
    return context?.instrument;
  }
}
