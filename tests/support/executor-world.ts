/**
 * An executor, a model venue and the lines between them, on one virtual clock: calls that get lost on either
 * way, readings that lag, streams that drop, double and reorder, a process that starts anew at any step.
 */
import assert from 'node:assert/strict';
import { positionOf } from '../../machines/messages.ts';
import * as D from '../../src/core/decimal.ts';
import { cloneJson } from '../../src/core/json.ts';
import type { ActorEvent, Emitted } from '../../src/domain/events.ts';
import type { OrderRequest, Side, VenueEvent } from '../../src/domain/order.ts';
import { type PositionKey, positionSideOf, symbolOf } from '../../src/domain/position-key.ts';
import type { CallEnded, RemoteCall, RemoteEvent } from '../../src/domain/remote.ts';
import { Executor, type ExecutorInput, type ExecutorOptions } from '../../src/execution/executor.ts';
import { checkNoneForgotten } from './executor-due.ts';
import { ModelVenue } from './model-venue.ts';
import { checkStory, ownedBy } from './order-story.ts';

/** What becomes of one call. 'never' is executed or not, and nobody hears of it: the process dies first. */
export type Fate = 'fine' | 'lost-request' | 'lost-answer' | 'late' | 'refused';

export const START = 1_750_000_000_000;
const TIMEOUT_MS = 8_000;
const RECV_WINDOW_MS = 5_000;

interface Due {
  readonly at: number;
  readonly order: number;
  /** Dies with the process. */
  readonly mortal: boolean;
  readonly run: () => void;
}

export interface Told {
  readonly to: string;
  readonly event: ActorEvent;
}

export class World {
  readonly venue = new ModelVenue();
  readonly options: ExecutorOptions;
  executor: Executor;
  now = START;
  readonly calls: RemoteCall[] = [];
  readonly calledAt: number[] = [];
  readonly told: Told[] = [];
  readonly notices: string[] = [];
  readonly inputs: ExecutorInput[] = [];
  /** The fate of the next changing calls; 'fine' when empty. */
  fates: Fate[] = [];
  /** How far readings are behind. */
  lagMs = 0;
  latencyMs = 100;
  /** Full readings get no answer that can be read. */
  readingsFail = false;
  stream: 'up' | 'down' = 'down';
  /** What becomes of the next stream events. */
  streamFates: ('fine' | 'drop' | 'double' | 'delay')[] = [];
  readonly #queue: Due[] = [];
  #order = 0;
  #epoch = 0;
  #timer: { at: number } | null = null;

  /** Of its owners: symbols, or places such as BTCUSDT/LONG. */
  readonly places: readonly string[];

  constructor(options: Partial<ExecutorOptions> = {}, places?: readonly string[]) {
    this.options = { symbols: ['BTCUSDT', 'ETHUSDT'], ...options };
    this.places = places ?? this.options.symbols;
    this.executor = new Executor(this.options);
    this.venue.now = this.now;
    this.venue.keep();
  }

  /** Up and read: ready to open. */
  begin(): this {
    this.restart();
    this.run(3_000);
    return this;
  }

  apply(input: ExecutorInput): void {
    const copy = cloneJson(input);
    this.inputs.push(copy);
    for (const each of this.executor.apply(copy)) this.#take(each);
    checkNoneForgotten(this.executor.state);
  }

  #take(emitted: Emitted): void {
    if (emitted.type === 'send') this.told.push({ to: emitted.to, event: emitted.event });
    else if (emitted.type === 'notify') this.notices.push(emitted.text);
    else if (emitted.type === 'timer.set') this.#timer = { at: this.now + emitted.delayMs };
    else if (emitted.type === 'venue.call') this.#start(emitted.call);
  }

  #later(delayMs: number, run: () => void, mortal = false): void {
    this.#queue.push({ at: this.now + delayMs, order: this.#order++, mortal, run });
  }

  #start(call: RemoteCall): void {
    this.calls.push(call);
    this.calledAt.push(this.now);
    const changes = call.call === 'submit' || call.call === 'cancel';
    const fate = changes ? (this.fates.shift() ?? 'fine') : 'fine';
    // The row is durable first, then the runner calls: a process that dies in between never sends.
    this.#later(1, () => this.#send(call, fate), true);
  }

  #send(call: RemoteCall, fate: Fate): void {
    const answer = (result: CallEnded['result'], delayMs: number): void =>
      this.#later(
        delayMs,
        () =>
          this.apply({
            type: 'CALL_ENDED',
            at: this.now,
            call: call.call,
            id: call.id,
            result,
            venueAt: this.now,
          }),
        true,
      );
    const unknown = { outcome: 'unknown', reason: 'timeout' } as const;
    if (call.call === 'submit' && this.now > call.sendBy) {
      answer({ outcome: 'rejected', code: 0, reason: 'too late to send' }, 1);
      return;
    }
    const half = this.latencyMs / 2;
    switch (fate) {
      case 'refused':
        answer({ outcome: 'rejected', code: -1003, reason: 'Too many requests' }, this.latencyMs);
        break;
      case 'lost-request':
        answer(unknown, TIMEOUT_MS);
        break;
      case 'lost-answer':
        this.#later(half, () => this.#execute(call));
        answer(unknown, TIMEOUT_MS);
        break;
      case 'late':
        this.#later(RECV_WINDOW_MS - 10, () => this.#execute(call));
        answer(unknown, TIMEOUT_MS);
        break;
      default:
        this.#later(half, () => {
          const result = this.#execute(call);
          answer(result, half);
        });
    }
  }

  #execute(call: RemoteCall): CallEnded['result'] {
    const lagged = this.now - this.lagMs;
    const act = (): CallEnded['result'] => {
      switch (call.call) {
        case 'submit':
          return this.venue.submit(call.order);
        case 'cancel':
          return this.venue.cancel(call);
        case 'leverage':
          return { outcome: 'done', value: { leverage: call.leverage } };
        case 'query':
          return { outcome: 'done', value: this.venue.query(call, lagged) };
        case 'income':
          return {
            outcome: 'done',
            value: { rows: this.venue.at(lagged).income.filter(({ at }) => at >= call.since) },
          };
        case 'report': {
          if (this.readingsFail) return { outcome: 'unknown', reason: 'HTTP 502' };
          const some = this.lagMs / 2;
          return {
            outcome: 'done',
            value: this.venue.report(call, [this.now, lagged, this.now - some, lagged]),
          };
        }
      }
    };
    let result: CallEnded['result'] | undefined;
    this.happen(() => {
      result = act();
    });
    return cloneJson(result) as CallEnded['result'];
  }

  /** Something at the venue, with what its stream says of it. */
  happen(what: (venue: ModelVenue) => void): void {
    this.venue.now = this.now;
    what(this.venue);
    this.venue.keep();
    let delayMs = 20;
    for (const event of this.venue.takeEvents()) {
      delayMs += 1;
      if (this.stream === 'down') continue;
      const fate = this.streamFates.shift() ?? 'fine';
      if (fate === 'drop') continue;
      this.#deliver(event, fate === 'delay' ? delayMs + 3_000 : delayMs);
      if (fate === 'double') this.#deliver(event, delayMs + 500);
    }
  }

  #deliver(event: RemoteEvent, delayMs: number): void {
    const epoch = this.#epoch;
    this.#later(
      delayMs,
      () => {
        if (epoch === this.#epoch && this.stream === 'up')
          this.apply({ type: 'STREAM', at: this.now, event });
      },
      true,
    );
  }

  streamDown(): void {
    if (this.stream === 'down') return;
    this.stream = 'down';
    this.apply({ type: 'STREAM_DOWN', at: this.now, reason: 'closed' });
  }

  streamUp(): void {
    if (this.stream === 'up') return;
    this.stream = 'up';
    this.apply({ type: 'STREAM_UP', at: this.now });
  }

  /** A new process: what the old one would still have heard, nobody hears; `warm`: it has listened to the stream. */
  restart(doubtful?: readonly string[], warm = false): void {
    for (let i = this.#queue.length - 1; i >= 0; i--) if (this.#queue[i]?.mortal) this.#queue.splice(i, 1);
    this.#epoch += 1;
    this.executor = Executor.restore(this.executor.checkpoint(), this.options);
    this.stream = warm ? 'up' : 'down';
    const more = { ...(doubtful ? { doubtful } : {}), ...(warm ? { stream: 'up' as const } : {}) };
    this.apply({ type: 'RESTARTED', at: this.now, epoch: this.#epoch, ...more });
    this.#later(200, () => this.streamUp(), true);
  }

  run(durationMs: number): void {
    const until = this.now + durationMs;
    for (;;) {
      const next = this.#next();
      if (!next || next.at > until) break;
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = until;
  }

  #next(): { readonly at: number; readonly run: () => void } | undefined {
    let first: Due | undefined;
    for (const due of this.#queue)
      if (!first || due.at < first.at || (due.at === first.at && due.order < first.order)) first = due;
    const timer = this.#timer;
    if (timer && (!first || timer.at <= first.at))
      return {
        at: timer.at,
        run: () => {
          this.#timer = null;
          this.apply({ type: 'RESOLVE', at: this.now });
        },
      };
    if (!first) return undefined;
    const due = first;
    return {
      at: due.at,
      run: () => {
        this.#queue.splice(this.#queue.indexOf(due), 1);
        due.run();
      },
    };
  }

  // What owners do.

  #refs = 0;

  submit(order: Partial<OrderRequest> & { readonly owner?: string }): string {
    const ref = order.ref ?? `order-${++this.#refs}`;
    const place = (order.symbol ?? 'BTCUSDT') as PositionKey;
    const owner = order.owner ?? ownerOf(place);
    const clientOrderId = `bh-${owner}-${ref}`;
    this.apply({
      type: 'order.submit',
      at: this.now,
      order: {
        side: 'BUY',
        positionSide: positionSideOf(place),
        type: 'MARKET',
        quantity: '1',
        reduceOnly: false,
        ...order,
        ref,
        symbol: symbolOf(place),
        owner,
        clientOrderId,
      },
    });
    return ref;
  }

  stop(quantity = '1', symbol = 'BTCUSDT', side: Side = 'SELL'): string {
    const terms = { quantity, reduceOnly: !symbol.includes('/'), triggerPrice: '90' };
    return this.submit({ symbol, side, type: 'STOP_MARKET', ...terms });
  }

  cancel(ref: string, symbol = 'BTCUSDT', owner = ownerOf(symbol)): void {
    this.apply({ type: 'order.cancel', at: this.now, owner, ref, symbol: symbolOf(symbol as PositionKey) });
  }

  /** What the owner was told of one order, in order. */
  heard(ref: string, symbol = 'BTCUSDT'): string[] {
    return this.eventsOf(symbol)
      .filter((event) => 'ref' in event && event.ref === ref)
      .map((event) => event.type);
  }

  eventsOf(symbol = 'BTCUSDT'): VenueEvent[] {
    return this.told
      .filter(({ to }) => to === ownerOf(symbol))
      .map(({ event }) => event as unknown as VenueEvent);
  }

  toldTo(actor: string, type?: string): ActorEvent[] {
    return this.told
      .filter(({ to, event }) => to === actor && (type === undefined || event.type === type))
      .map(({ event }) => event);
  }

  held(symbol = 'BTCUSDT'): string {
    return this.executor.state.holdings[symbol as PositionKey]?.[ownerOf(symbol)]?.amount ?? '0';
  }

  foreign(symbol = 'BTCUSDT'): string {
    return this.executor.state.foreign[symbol as PositionKey]?.amount ?? '0';
  }

  submits(ref: string, symbol = 'BTCUSDT'): number {
    return this.venue.executed.get(`bh-${ownerOf(symbol)}-${ref}`) ?? 0;
  }

  /** All faults over, and time for everything to settle. */
  heal(durationMs = 300_000): void {
    this.fates = [];
    this.streamFates = [];
    this.lagMs = 0;
    this.streamUp();
    this.run(durationMs);
  }

  /** What must hold once everything has settled. */
  checkSettled(): void {
    const { state } = this.executor;
    for (const [id, record] of Object.entries(state.orders))
      assert.ok(record.status === 'live', `${id} is ${record.status} long after all faults are over`);
    assert.deepEqual(state.limbo, []);
    assert.deepEqual(state.drifts, {});
    assert.equal(state.ready, true);
    for (const symbol of this.places) {
      const held = Object.values(state.holdings[symbol as PositionKey] ?? {}).map(({ amount }) => amount);
      const books = D.sum([...held, this.foreign(symbol)]);
      assert.equal(books, this.venue.amount(symbol), `${symbol}: books against venue`);
      assert.equal(ownedBy(this.eventsOf(symbol)), this.held(symbol), `${symbol}: what its owner was told`);
    }
    assert.equal(state.wallet, this.venue.state.wallet, 'wallet');
    const deltas = this.toldTo('portfolio', 'WALLET_CHANGED').map(({ delta }) => String(delta));
    assert.equal(D.sum(deltas), this.venue.state.wallet, 'Σ of what the portfolio was told');
    // Every fill and every row can be read in the end: nothing has to be made up.
    const madeUp = this.notices.filter((text) => /infer|adjusted/.test(text));
    assert.deepEqual(madeUp, []);
    for (const [id, count] of this.venue.executed)
      assert.equal(count, 1, `${id} was executed ${count} times`);
    for (const { clientOrderId, status } of this.venue.state.orders)
      if (state.finished[clientOrderId])
        assert.ok(status !== 'NEW', `${clientOrderId} still open at the venue`);
  }

  /** Each owner's story of each order is a legal one. */
  checkStories(): void {
    for (const symbol of this.places) {
      const stories = new Map<string, VenueEvent[]>();
      const trades = new Set<string>();
      for (const event of this.eventsOf(symbol)) {
        if (!('ref' in event)) continue;
        stories.set(event.ref, [...(stories.get(event.ref) ?? []), event]);
        if (event.type !== 'ORDER_FILLED') continue;
        assert.ok(!trades.has(event.tradeId), `trade ${event.tradeId} was told twice`);
        trades.add(event.tradeId);
      }
      for (const [ref, story] of stories) checkStory(ref, story);
    }
  }

  /** The inputs replayed give the same state, byte for byte. */
  checkReplay(): void {
    const replayed = new Executor(this.options);
    for (const input of this.inputs) replayed.apply(cloneJson(input));
    assert.equal(JSON.stringify(replayed.checkpoint()), JSON.stringify(this.executor.checkpoint()));
  }
}

export const ownerOf = (place: string): string => positionOf(place as PositionKey, 1);
