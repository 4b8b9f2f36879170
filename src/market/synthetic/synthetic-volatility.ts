/**
 * Clustered volatility: the logarithm of volatility is a sum of components that each remember for their own time
 * (EGARCH). A large move raises the components, a falling one a little more than a rising one (leverage); together
 * they give the slow decay of clustering that markets show and a single component cannot.
 */
export interface VolatilityComponent {
  /** Memory, in minutes. */
  readonly memory: number;
  /** Standard deviation of this component of log volatility. */
  readonly spread: number;
  /** How much more a falling move counts. */
  readonly leverage: number;
}

const MEAN_ABS_NORMAL = Math.sqrt(2 / Math.PI);
const VAR_ABS_NORMAL = 1 - 2 / Math.PI;
/** Beyond this a shock counts no further: one wild minute must not blow the process up. */
const LARGEST_SHOCK = 4;

export class Volatility {
  readonly #keep: readonly number[];
  readonly #gain: readonly number[];
  readonly #lean: readonly number[];
  readonly #centre: number;
  readonly #levels: number[];

  constructor(components: readonly VolatilityComponent[], levels?: readonly number[]) {
    this.#keep = components.map(({ memory }) => Math.exp(-1 / memory));
    this.#gain = components.map(
      ({ spread }, i) => spread * Math.sqrt((1 - (this.#keep[i] ?? 0) ** 2) / VAR_ABS_NORMAL),
    );
    this.#lean = components.map(({ leverage }, i) => leverage * (this.#gain[i] ?? 0));
    // Makes the mean of volatility squared one.
    this.#centre = components.reduce((sum, { spread }) => sum + spread ** 2, 0);
    this.#levels = [...(levels ?? components.map(() => 0))];
  }

  /** Relative to the long-run average, whose square's mean is one. */
  get value(): number {
    let sum = -this.#centre;
    for (let i = 0; i < this.#levels.length; i++) sum += this.#levels[i] as number;
    return Math.exp(sum);
  }

  /** A standard-normal-like shock that has just happened. */
  shock(z: number): void {
    const size = Math.min(Math.abs(z), LARGEST_SHOCK);
    const falling = z < 0 ? size : -size;
    for (let i = 0; i < this.#levels.length; i++)
      this.#levels[i] =
        (this.#keep[i] as number) * (this.#levels[i] as number) +
        (this.#gain[i] as number) * (size - MEAN_ABS_NORMAL) +
        (this.#lean[i] as number) * falling;
  }

  /** Turmoil from outside, say a crash. */
  raise(component: number, by: number): void {
    this.#levels[component] = (this.#levels[component] ?? 0) + by;
  }

  save(): number[] {
    return [...this.#levels];
  }
}
