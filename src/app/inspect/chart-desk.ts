/**
 * The statecharts of some modules as their files stand: loaded and laid out anew whenever one of them changes.
 *
 * Invariants: the last good charts stay while an error stands; one loading at a time, and a change during it is loaded
 * after it.
 */
import { createHash } from 'node:crypto';
import type { Time } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { ChartLayouts } from '../../http/chart-layout.ts';
import type { ChartsNow, MachineChart } from '../../operator/views.ts';
import { FileWatch } from './file-watch.ts';
import { loadCharts } from './load-charts.ts';

export interface ChartDeskOptions {
  readonly modules: readonly string[];
  readonly layouts: ChartLayouts;
  readonly time: Time;
  /** After each loading, whatever came of it. */
  readonly onLoaded: (now: ChartsNow) => void;
}

export class ChartDesk {
  readonly #options: ChartDeskOptions;
  readonly #watch: FileWatch;
  #now: ChartsNow = { machines: [], error: null, loadedAt: 0, files: 0 };
  #isLoading = false;
  #isStale = false;

  constructor(options: ChartDeskOptions) {
    this.#options = options;
    this.#watch = new FileWatch(options.time.timers, () => void this.load());
    this.#watch.add(options.modules);
  }

  get now(): ChartsNow {
    return this.#now;
  }

  async load(): Promise<void> {
    this.#isStale = true;
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        this.#now = await this.#loaded();
        this.#options.onLoaded(this.#now);
      }
    } finally {
      this.#isLoading = false;
    }
  }

  close(): void {
    this.#watch.close();
  }

  async #loaded(): Promise<ChartsNow> {
    const { modules, time } = this.#options;
    const { charts, error, files } = await loadCharts(modules, time.timers);
    this.#watch.add(files);
    const about = { loadedAt: time.clock.now(), files: files.length };
    if (error !== null) return { ...this.#now, ...about, error };
    try {
      return {
        machines: await Promise.all(charts.map((chart) => this.#laidOut(chart))),
        error: null,
        ...about,
      };
    } catch (failure) {
      return { ...this.#now, ...about, error: `It cannot be laid out: ${errorText(failure)}` };
    }
  }

  /** A drawing that did not change is not laid out again. */
  async #laidOut({ drawing, ...chart }: MachineChart): Promise<ChartsNow['machines'][number]> {
    const digest = createHash('sha256').update(JSON.stringify(drawing)).digest('hex');
    return { ...chart, layout: await this.#options.layouts.of(digest, drawing) };
  }
}
