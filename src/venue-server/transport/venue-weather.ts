/**
 * Troubles that last: maintenance, a clock that is off, refused connections, bans, halted symbols.
 *
 * Invariant: each ends by itself after its time; while one lasts, a second of its kind can only prolong it.
 */
import type { FaultAction } from '../faults.ts';
import type { RateLimits } from '../limits.ts';
import { speedFactor, type VenueClock } from '../venue-clock.ts';
import type { Waits } from './stream-connection.ts';

export interface WeatherParts {
  readonly clock: VenueClock;
  readonly waits: Waits;
  readonly limits: RateLimits;
  /** Clients that are to be banned: the one address there is. */
  readonly address: string;
  readonly closeSockets: (kinds: string, code: number) => void;
  readonly muteSockets: (kinds: string, forMs: number) => void;
  /** Stops listening, and listens again after that time. */
  readonly refuse: (forMs: number) => void;
  readonly expireKeys: (announce: boolean) => void;
  /** Halts a symbol or lets it trade again; without a name one is drawn. The name, or undefined if it cannot. */
  readonly halt: (symbol: string | undefined) => string | undefined;
  readonly resume: (symbol: string) => void;
  /** The next conditional order to trigger is refused. */
  readonly refuseTrigger: (symbol: string | undefined, code: number, reason: string) => void;
}

export class VenueWeather {
  readonly #parts: WeatherParts;
  #maintenanceUntil = 0;
  #skew = { ms: 0, until: 0 };

  constructor(parts: WeatherParts) {
    this.#parts = parts;
  }

  get isInMaintenance(): boolean {
    return this.#parts.waits.now() < this.#maintenanceUntil;
  }

  /** How far the gateway's clock is off. */
  get skewMs(): number {
    return this.#parts.waits.now() < this.#skew.until ? this.#skew.ms : 0;
  }

  /** Does what an action means for the venue as a whole; others are the business of who asked. */
  apply(action: FaultAction): void {
    const { clock, waits, limits } = this.#parts;
    switch (action.do) {
      case 'close':
        this.#parts.closeSockets(action.sockets, action.code);
        break;
      case 'mute':
        this.#parts.muteSockets(action.sockets, action.forMs);
        break;
      case 'refuse':
        this.#parts.closeSockets('*', 1006);
        this.#parts.refuse(action.forMs);
        break;
      case 'ban':
        limits.ban(this.#parts.address, clock.now() + action.forMs * speedFactor(clock));
        break;
      case 'storm':
        limits.storm(clock.now() + action.forMs * speedFactor(clock));
        break;
      case 'maintenance':
        this.#maintenanceUntil = Math.max(this.#maintenanceUntil, waits.now() + action.forMs);
        this.#parts.closeSockets('*', 1001);
        break;
      case 'skew':
        this.#skew = { ms: action.ms, until: waits.now() + action.forMs };
        break;
      case 'expire-key':
        this.#parts.expireKeys(action.announce);
        break;
      case 'halt': {
        const symbol = this.#parts.halt(action.symbol);
        if (symbol !== undefined) waits.timers.set(action.forMs, () => this.#parts.resume(symbol));
        break;
      }
      case 'reject-at-trigger':
        this.#parts.refuseTrigger(action.symbol, action.code, action.msg);
    }
  }

  /** Ends what can be ended at once. */
  clear(): void {
    this.#maintenanceUntil = 0;
    this.#skew = { ms: 0, until: 0 };
    this.#parts.limits.pardon();
  }
}
