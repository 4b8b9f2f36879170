/**
 * `bulkhead exchange` as a process of its own, its clock moved by the test, and what it answered to whom: the
 * evidence that a client really asked what the table of docs/CONFORMANCE.md says it did.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ExchangeProcess } from '../exchange-process.ts';
import { makeTempDir, removeTempDir } from '../temp.ts';

export const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'XRPUSDT'] as const;

/** Ends a test that hangs; nothing waits for it otherwise. */
const LIMIT_MS = 15_000;

export class ConformanceVenue {
  readonly exchange: ExchangeProcess;
  readonly #journal: string;
  readonly #closers: readonly (() => Promise<void> | void)[];
  /** The venue's clock, which only `advance` moves. */
  at: number;

  constructor(
    exchange: ExchangeProcess,
    at: number,
    journal: string,
    closers: readonly (() => Promise<void> | void)[],
  ) {
    this.exchange = exchange;
    this.at = at;
    this.#journal = journal;
    this.#closers = closers;
  }

  static async open(flags: readonly string[] = []): Promise<ConformanceVenue> {
    const folder = makeTempDir('conformance');
    const journal = path.join(folder, 'journal.jsonl');
    const closers: (() => Promise<void> | void)[] = [];
    const exchange = await ExchangeProcess.start({ after: (fn) => void closers.push(fn) }, [
      '--symbols',
      SYMBOLS.join(','),
      '--speed',
      'manual',
      '--journal',
      journal,
      ...flags,
    ]);
    closers.push(() => removeTempDir(folder));
    return new ConformanceVenue(exchange, await exchange.now(), journal, closers);
  }

  get url(): string {
    return this.exchange.url;
  }

  async advance(ms: number): Promise<void> {
    const { json, status } = await this.exchange.admin('POST', '/clock/advance', { ms });
    assert.equal(status, 200, JSON.stringify(json));
    this.at = Number(json.at);
  }

  async admin(method: string, where: string, body?: unknown): Promise<Record<string, unknown>> {
    const { status, json } = await this.exchange.admin(method, where, body);
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  }

  /** Lets the venue's seconds go by until it has come. */
  async meanwhile<T>(coming: Promise<T>): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    coming.then(done, done);
    const end = performance.now() + LIMIT_MS;
    while (!settled) {
      await this.advance(1_000);
      assert.ok(settled || performance.now() < end, 'what the market should have brought did not come');
    }
    return coming;
  }

  /** Every "METHOD /path" that was answered with 200. Ends the venue: its journal is whole only then. */
  async answered(): Promise<ReadonlySet<string>> {
    this.exchange.process.kill('SIGTERM');
    assert.equal((await this.exchange.process.ended).code, 143);
    const rows = readFileSync(this.#journal, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { what: string; request?: string; status?: number });
    return new Set(
      rows.flatMap(({ what, request, status }) =>
        what === 'request' && status === 200 && request !== undefined ? [request] : [],
      ),
    );
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
  }
}
