/**
 * What runs is what the journal says, with its deadlines (12), at quiet moments: soon after each recovery, and once a
 * minute. Not at every event, because of what is being written neither side is wrong; so only what stays wrong over
 * looks that are seconds apart is said.
 */
import type { LiveSystem } from '../../compose/compose-live.ts';
import type { Oracle } from './oracle.ts';
import { checkAlive } from './settled-check.ts';

const EVERY_MS = 60_000;
/** While something is wrong, or nothing is quiet. */
const AGAIN_MS = 5_000;
/** Longer than any row is under way where nothing hinders it. */
const STAYS_MS = 10_000;

export class AliveCheck {
  readonly #oracle: Oracle;
  /** Who runs, where everything is in order and has been for a moment. */
  readonly #quiet: () => LiveSystem | undefined;
  #system: LiveSystem | undefined;
  #nextAt = 0;
  /** By what is wrong: since when. */
  #wrong = new Map<string, number>();

  constructor(oracle: Oracle, quiet: () => LiveSystem | undefined) {
    this.#oracle = oracle;
    this.#quiet = quiet;
  }

  step(): void {
    const now = this.#oracle.now();
    if (now < this.#nextAt) return;
    const system = this.#quiet();
    const before = system === this.#system ? this.#wrong : new Map<string, number>();
    this.#system = system;
    this.#wrong = new Map();
    for (const { invariant, text } of system ? checkAlive(system, this.#oracle.journal) : []) {
      const since = before.get(text) ?? now;
      this.#wrong.set(text, since);
      if (now - since >= STAYS_MS) this.#oracle.violate(invariant, text);
    }
    this.#nextAt = now + (system && this.#wrong.size === 0 ? EVERY_MS : AGAIN_MS);
  }

  /** Somebody has begun: not a minute later. */
  started(): void {
    this.#nextAt = this.#oracle.now() + AGAIN_MS;
  }
}
