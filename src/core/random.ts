/**
 * Dice are injected. The seeded generator is sfc32: same seed, same sequence, on every machine.
 * This file is the only home of ambient randomness (checked by the suite).
 */
import { randomBytes } from 'node:crypto';

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, below). */
  int(below: number): number;
  /** Standard normal. */
  normal(): number;
  /** An independent generator, fixed by this one's seed and the label (not by how much was drawn). */
  fork(label: string): Random;
}

/** FNV-1a: spreads a label over 32 bits, to derive a child's seed. */
function hashLabel(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

class SeededRandom implements Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #d = 1;
  #spare: number | undefined;

  constructor(seed: string) {
    this.#seed = seed;
    this.#a = hashLabel(`${seed}/a`);
    this.#b = hashLabel(`${seed}/b`);
    this.#c = hashLabel(`${seed}/c`);
    for (let i = 0; i < 15; i++) this.next();
  }

  next(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return (t >>> 0) / 4294967296;
  }

  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    const angle = 2 * Math.PI * this.next();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  fork(label: string): Random {
    return new SeededRandom(`${this.#seed}/${label}`);
  }
}

export function seededRandom(seed: number | string): Random {
  return new SeededRandom(String(seed));
}

/** A seed nobody can foresee, for runs that did not name one. Printed, so that the run can be repeated. */
export function freshSeed(): number {
  return randomBytes(4).readUInt32BE();
}

/** Between the two, each order of magnitude as likely. */
export const logUniform = (random: Random, least: number, most: number): number =>
  least * (most / least) ** random.next();
