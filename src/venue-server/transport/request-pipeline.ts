/**
 * The way of a request through the venue: gateway, limits, signature, queue, engine, answer; with whatever faults
 * strike on the way.
 *
 * Invariants: a request is executed at most once, and every path says whether it was; what it changed is journaled
 * before anything of its answer leaves; without delays all of it happens in the turn of its arrival, so requests
 * are executed in the order in which they came.
 */
import { errorText, isBulkheadError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { BodyFault, FaultAction } from '../faults.ts';
import { htmlPage, UNAVAILABLE } from '../faults-answers.ts';
import type { FaultPlan } from '../faults-plan.ts';
import type { RateLimits } from '../limits.ts';
import { type Endpoint, type HttpMethod, type Params, WireError, type WireRequest } from '../protocol.ts';
import { speedFactor, type VenueClock } from '../venue-clock.ts';
import { type Asked, authenticate, checkStillInTime, type Keys } from './authenticate.ts';
import { enlarged, reduced } from './large-ids.ts';
import type { Waits } from './stream-connection.ts';
import type { VenueWeather } from './venue-weather.ts';
import { type RawRequest, readParams, signedText } from './wire-params.ts';

export interface Incoming {
  readonly method: HttpMethod;
  readonly path: string;
  readonly raw: RawRequest;
  readonly apiKey: string | undefined;
  /** The client's. */
  readonly address: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly html: boolean;
  readonly spoiled?: BodyFault | undefined;
}

/** The way back; exactly one of the two is called, once. */
export interface Reply {
  answer(answer: Answer): void;
  /** The connection ends without an answer; `reset` with RST. */
  drop(reset: boolean): void;
}

export interface PipelineParts {
  readonly clock: VenueClock;
  readonly waits: Waits;
  readonly endpoints: readonly Endpoint[];
  readonly keys: Keys;
  readonly accountOf: (apiKey: string) => string | undefined;
  readonly limits: RateLimits;
  /** Ids of private answers beyond 2^53. */
  readonly largeIds: boolean;
  readonly faults: FaultPlan;
  readonly weather: () => VenueWeather;
  /** An endpoint over the state of so long ago; undefined: there is none for it. */
  readonly lagged: (ms: number, method: HttpMethod, path: string) => Endpoint | undefined;
  /** Lets the market fill this share of the order that a cancel names, before the cancel. */
  readonly fillFirst: (request: WireRequest, share: number) => void;
  /** Has the conditional order that the answer tells of refused at its trigger. */
  readonly rejectAtTrigger: (request: WireRequest, answer: Json, code: number, reason: string) => void;
  /** Between two inputs: the moment for snapshots. */
  readonly settled: () => void;
  readonly note: (what: string, fields: Readonly<Record<string, Json>>) => void;
  /** The venue cannot keep its word any more and must stop. */
  readonly fail: (error: unknown) => void;
}

interface Passage {
  readonly incoming: Incoming;
  readonly endpoint: Endpoint;
  readonly params: Params;
  readonly headers: Readonly<Record<string, string>>;
  readonly actions: readonly FaultAction[];
  readonly reply: Reply;
  /** The time of its arrival, on the network's clock. */
  readonly began: number;
}

type Outcome = { readonly status: number; readonly body: string };

const TIME_PATH = '/fapi/v1/time';

export class RequestPipeline {
  readonly #parts: PipelineParts;
  readonly #routes: ReadonlyMap<string, Endpoint>;
  #requests = 0;
  readonly #defects: string[] = [];

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#routes = new Map(
      parts.endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]),
    );
  }

  get requests(): number {
    return this.#requests;
  }

  /** Handlers that threw what is no answer: defects of the venue itself. */
  get defects(): readonly string[] {
    return this.#defects;
  }

  handle(incoming: Incoming, reply: Reply): void {
    this.#requests++;
    const { clock, faults, waits } = this.#parts;
    const name = `${incoming.method} ${incoming.path}`;
    const params = readParams(incoming.raw);
    const actions = faults
      .strike('request', name, clock.now(), (field) => params.get(field.toLowerCase()))
      .map(({ action }) => action);
    const weather = this.#parts.weather();
    // What is meant for the order that the request places waits until it is placed.
    for (const action of actions) if (action.do !== 'reject-at-trigger') weather.apply(action);
    const endpoint = this.#routes.get(name);
    const passage = { incoming, params, actions, reply, began: waits.now() };
    if (weather.isInMaintenance) this.#troubled({ ...passage, headers: {} }, UNAVAILABLE);
    else if (endpoint) this.#admit({ ...passage, endpoint, headers: {} });
    else this.#troubled({ ...passage, headers: {} }, NO_SUCH_PATH);
  }

  #admit(arrived: Passage): void {
    const { incoming, endpoint, params, actions } = arrived;
    const { limits, clock, faults } = this.#parts;
    const { refusal, headers } = limits.charge({
      address: incoming.address,
      weight: amount(endpoint.weight, params),
      orders: amount(endpoint.orders ?? 0, params),
      account: incoming.apiKey === undefined ? undefined : this.#parts.accountOf(incoming.apiKey),
      at: clock.now(),
    });
    const passage = { ...arrived, headers };
    const denied = refusal ?? this.#denied(passage);
    const stop = actions.find((action) => this.#endsUnexecuted(action, passage));
    if (denied) this.#finish(passage, outcomeOf(denied));
    else if (stop) this.#endUnexecuted(passage, stop);
    else {
      const delayMs = faults.latency('gatewayMs') + this.#delays(actions, false);
      this.#after(delayMs, () => this.#execute(passage, delayMs > 0));
    }
  }

  /** Now, in this turn, when there is nothing to wait for. */
  #after(delayMs: number, act: () => void): void {
    if (delayMs === 0) act();
    else this.#parts.waits.timers.set(delayMs, act);
  }

  #denied({ incoming, endpoint, params }: Passage): WireError | undefined {
    const { clock, keys } = this.#parts;
    const asked: Asked = {
      security: endpoint.security,
      apiKey: incoming.apiKey,
      params,
      signedText: endpoint.security === 'signed' ? signedText(incoming.raw) : '',
      at: clock.now() + this.#parts.weather().skewMs,
    };
    try {
      authenticate(asked, keys, speedFactor(clock));
      return undefined;
    } catch (error) {
      if (error instanceof WireError) return error;
      throw error;
    }
  }

  #endsUnexecuted(action: FaultAction, { endpoint, params }: Passage): boolean {
    if (action.do === 'drop') return !action.executed;
    if (action.do !== 'answer' || action.executed) return false;
    return !(action.spareProtective && endpoint.protective?.(params) === true);
  }

  #endUnexecuted(passage: Passage, action: FaultAction): void {
    if (action.do === 'drop') {
      this.#noted(passage, 0);
      passage.reply.drop(action.reset);
    } else if (action.do === 'answer') this.#troubled(passage, action);
  }

  #delays(actions: readonly FaultAction[], executed: boolean): number {
    let ms = 0;
    for (const action of actions)
      if (action.do === 'delay' && action.executed === executed) ms += this.#parts.faults.draw(action.ms);
    return ms;
  }

  #execute(passage: Passage, wasDelayed: boolean): void {
    const outcome = this.#outcome(passage, wasDelayed);
    if (outcome) {
      const delayMs = this.#parts.faults.latency('answerMs') + this.#delays(passage.actions, true);
      this.#after(delayMs, () => this.#finish(passage, outcome));
    } else passage.reply.drop(true);
  }

  /** Undefined: the venue itself is broken, and nothing may be said. */
  #outcome(passage: Passage, wasDelayed: boolean): Outcome | undefined {
    const { incoming, endpoint, params, actions } = passage;
    const { clock, largeIds } = this.#parts;
    const skewMs = this.#parts.weather().skewMs;
    const isClock = incoming.path === TIME_PATH;
    const request: WireRequest = {
      method: incoming.method,
      path: incoming.path,
      // It has done its work; nothing further in may keep it.
      params: without(largeIds ? reduced(params) : params, 'signature'),
      at: clock.now() + (isClock ? skewMs : 0),
      ...(endpoint.security === 'none' || incoming.apiKey === undefined
        ? {}
        : { apiKey: this.#parts.keys.firstOf(incoming.apiKey) }),
    };
    try {
      if (wasDelayed && endpoint.security === 'signed')
        checkStillInTime(params, clock.now() + skewMs, speedFactor(clock));
      for (const action of actions)
        if (action.do === 'fill-first') this.#parts.fillFirst(request, action.share);
      const value = this.#chosen(passage).handle(request);
      for (const action of actions)
        if (action.do === 'reject-at-trigger')
          this.#parts.rejectAtTrigger(request, value, action.code, action.msg);
      this.#parts.settled();
      const body = JSON.stringify(value);
      return { status: 200, body: largeIds && endpoint.security === 'signed' ? enlarged(body) : body };
    } catch (error) {
      return this.#refused(error, passage);
    }
  }

  /** The endpoint, or the same over an older state. */
  #chosen({ endpoint, actions }: Passage): Endpoint {
    const stale = actions.find((action) => action.do === 'stale');
    if (endpoint.changes || stale?.do !== 'stale') return endpoint;
    return this.#parts.lagged(stale.ms, endpoint.method, endpoint.path) ?? endpoint;
  }

  #refused(error: unknown, { incoming }: Passage): Outcome | undefined {
    if (error instanceof WireError) {
      this.#parts.settled();
      return outcomeOf(error);
    }
    if (isBulkheadError(error)) {
      this.#parts.fail(error);
      return undefined;
    }
    const stack = error instanceof Error ? (error.stack ?? error.message) : errorText(error);
    this.#defects.push(`${incoming.method} ${incoming.path}: ${stack}`);
    return outcomeOf(new WireError(-1000, 'An unknown error occurred while processing the request.', 500));
  }

  #finish(passage: Passage, { status, body }: Outcome): void {
    const { actions, reply, headers } = passage;
    const drop = actions.find((action) => action.do === 'drop');
    const troubled = actions.find((action) => action.do === 'answer' && action.executed);
    const spoilt = actions.find((action) => action.do === 'body');
    if (drop?.do === 'drop') {
      this.#noted(passage, 0);
      reply.drop(drop.reset);
    } else if (troubled?.do === 'answer') this.#troubled(passage, troubled);
    else {
      const spoiled = spoilt?.do === 'body' ? spoilt.as : undefined;
      reply.answer({ status, headers, body, html: false, spoiled });
      this.#noted(passage, status, spoiled);
    }
  }

  #troubled(
    passage: Omit<Passage, 'endpoint'>,
    { status, body, html }: { readonly status: number; readonly body: string; readonly html: boolean },
  ): void {
    passage.reply.answer({ status, headers: passage.headers, body, html });
    this.#noted(passage, status);
  }

  #noted({ incoming, params, began }: Omit<Passage, 'endpoint'>, status: number, spoiled?: BodyFault): void {
    this.#parts.note('request', {
      request: `${incoming.method} ${incoming.path}`,
      params: Object.fromEntries([...params].filter(([name]) => !UNSPOKEN.has(name))),
      status,
      ms: Math.round(this.#parts.waits.now() - began),
      ...(spoiled === undefined ? {} : { spoiled }),
    });
  }
}

const NO_SUCH_PATH = { status: 404, body: htmlPage(404, 'Not Found'), html: true };

/** Never written down. */
const UNSPOKEN = new Set(['signature', 'listenkey']);

function without(params: Params, name: string): Params {
  if (!params.has(name)) return params;
  const rest = new Map(params);
  rest.delete(name);
  return rest;
}

const amount = (of: number | ((params: Params) => number), params: Params): number =>
  typeof of === 'number' ? of : of(params);

const outcomeOf = ({ code, message, status }: WireError): Outcome => ({
  status,
  body: JSON.stringify({ code, msg: message }),
});
