/**
 * What a process says of itself during a bench: heap after collection, delay of its event loop, processor time.
 * Collections that the bench itself asks for are left out of the delay.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface ProcessSample {
  readonly heapMb: number | null;
  /** Heap, buffers outside it and code: what the machine gave. */
  readonly rssMb: number;
  /** Of user and system, since the probe began. */
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly loopP50Ms: number;
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
}

const MB = 2 ** 20;
const RESOLUTION_MS = 5;

export class ProcessProbe {
  // The histogram counts whole intervals of its own timer; what lies beyond the interval is the delay.
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cpu = process.cpuUsage();
  #begunAt = performance.now();

  begin(): void {
    this.#delay.reset();
    this.#delay.enable();
    this.#cpu = process.cpuUsage();
    this.#begunAt = performance.now();
  }

  sample(collect = false): ProcessSample {
    const { user, system } = process.cpuUsage(this.#cpu);
    const seconds = (performance.now() - this.#begunAt) / 1000;
    const heapMb = collect ? this.#collected() : null;
    return {
      heapMb,
      rssMb: process.memoryUsage.rss() / MB,
      cpuSeconds: (user + system) / 1e6,
      seconds,
      loopP50Ms: this.#ms(this.#delay.percentile(50)),
      loopP99Ms: this.#ms(this.#delay.percentile(99)),
      loopMaxMs: this.#ms(this.#delay.max),
    };
  }

  #ms(nanoseconds: number): number {
    return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  }

  #collected(): number | null {
    const { gc } = globalThis;
    if (!gc) return null;
    this.#delay.disable();
    for (let i = 0; i < 2; i++) gc();
    const bytes = process.memoryUsage().heapUsed;
    this.#delay.enable();
    return bytes / MB;
  }
}
