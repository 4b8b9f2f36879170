/**
 * The operator of the run in this process: judges who may and how late, hands the command to the durable actor,
 * and answers when its row is durable.
 *
 * Invariants: the kill switch is engaged before anything else is asked, and needs no journal; nothing that moves
 * money is done without a second word; one id is done once, also across a restart, because the actor remembers
 * its answers.
 */
import { breakerOf, deskOf, entryDeskOf, GUARDIAN_BAR, OPERATOR } from '../../machines/messages.ts';
import type { CommandGiven, OperatorContext } from '../../machines/operator/context.ts';
import type { PositionContext } from '../../machines/position/context.ts';
import type { Timers } from '../core/clock.ts';
import { type Decimal, fromNumber, roundTo } from '../core/decimal.ts';
import { type BulkheadError, errorText, isBulkheadError } from '../core/errors.ts';
import { type ActorId, actorType } from '../core/ids.ts';
import { redact } from '../core/redact.ts';
import type { Command, CommandOf, Who } from '../domain/command.ts';
import type { ActorEvent, Message } from '../domain/events.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { Direction } from '../domain/order.ts';
import { keyFor, POSITION_MODES } from '../domain/position-key.ts';
import type { Distances } from '../domain/signal.ts';
import type { JournalRow } from '../journal/journal.ts';
import { barsBut, butFor, isOfBreaker, previewBreaker } from './breaker-preview.ts';
import { COMMAND_RULES, type ConfigCommand, isConfigCommand, refusal } from './command.ts';
import { describe, type Held, previewCommand } from './command-preview.ts';
import { deskEar, type Echo, Echoes, positionEar, testEar } from './echo.ts';
import { forcedSignal, stopOnWrongSide } from './forced-entry.ts';
import type { Operator, OperatorAnswer, OperatorRequest } from './operator.ts';

/** The running actors, as the operator may touch them. */
export interface OperatorHost {
  tell(message: Message): void;
  actorIds(): readonly ActorId[];
  snapshot(actor: ActorId): string | undefined;
  /** Last mark. */
  price(symbol: SymbolName): number | undefined;
  /** Of the instrument's prices. */
  tickSize(symbol: SymbolName): Decimal | undefined;
  /** Where the strategy would put a stop now. */
  distances(symbol: SymbolName): Distances | undefined;
  /** What an actor of that type can be told; undefined: it is no statechart. */
  eventTypes?(actorType: string): readonly string[] | undefined;
  /** Why it would be done in vain so early; undefined: it may be said. */
  tooEarly?(command: Command): string | undefined;
}

/** The kill switch: files, beside all that may be down. Each answers with what it did. */
export interface KillSwitch {
  engage(by: string, reason: string, accountWide: boolean): string;
  release(by: string, reason: string): string;
  /** Why nothing could be released; undefined: it is engaged. */
  nothingToLift(): BulkheadError | undefined;
}

export interface ConfigDesk {
  /** What it would do, in a sentence; throws a BulkheadError for what may not be. */
  preview(command: ConfigCommand): Promise<string>;
  /** What was done; once for an id. Throws a BulkheadError for what may not be. */
  change(command: ConfigCommand, who: Who, id: string): Promise<string>;
}

export interface OperatorOptions {
  /** Undefined until there is a running system. */
  readonly host: () => OperatorHost | undefined;
  readonly kill: KillSwitch;
  readonly config?: ConfigDesk;
  /** Somebody else may hold something at the venue. */
  readonly isShared: boolean;
  /** Real time. */
  readonly now: () => number;
  readonly timers: Timers;
  /** How long an answer waits for its row. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 5_000;

type Parts = Partial<Pick<CommandGiven, 'refused' | 'done' | 'targets' | 'signal'>>;

export class JournaledOperator implements Operator {
  readonly #options: OperatorOptions;
  readonly #underWay = new Map<string, Promise<OperatorAnswer>>();
  readonly #waiting = new Map<string, (n: number) => void>();
  /** Told by this process, and no row yet: the operator in memory may have its answer, which a crash would forget. */
  readonly #unwritten = new Set<string>();
  readonly #echoes = new Echoes();

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  execute(request: OperatorRequest): Promise<OperatorAnswer> {
    const known = this.#underWay.get(request.id);
    if (known) return known;
    const answer = this.#execute(request).finally(() => this.#underWay.delete(request.id));
    this.#underWay.set(request.id, answer);
    return answer;
  }

  /** An observer of committed rows. */
  readonly observe = ({ row, event }: { row: JournalRow; event: ActorEvent }): void => {
    this.#echoes.observe(row, event);
    if (row.actor !== OPERATOR || event.type !== 'COMMAND') return;
    this.#unwritten.delete(String(event.id));
    this.#waiting.get(String(event.id))?.(row.n);
  };

  preview(command: Command): string {
    const host = this.#options.host();
    if (isOfBreaker(command) && host) return previewBreaker(command, host, this.#held().map(describe));
    return previewCommand(command, {
      held: (symbol, direction) => this.#held(symbol, direction),
      atPrice: (symbol) => this.#atPrice(symbol),
    });
  }

  async #execute(request: OperatorRequest): Promise<OperatorAnswer> {
    const { id, command, who, issuedAt, confirmed } = request;
    const before = this.#answered(id);
    if (before) return this.#unwritten.has(id) ? this.#onceWritten(request, before) : before;
    const refused = refusal(command, who, issuedAt, this.#options.now());
    if (!refused && COMMAND_RULES[command.kind].asksTwice && !confirmed) return this.#ask(request);
    if (!refused && command.kind === 'kill') return this.#kill(request, command);
    const parts = refused ? { refused } : await this.#prepare(request);
    return this.#tell(request, parts);
  }

  /** What may not be is not asked about. */
  async #ask(request: OperatorRequest): Promise<OperatorAnswer> {
    const { id, command } = request;
    const { config, kill } = this.#options;
    const none = command.kind === 'release-kill' ? kill.nothingToLift() : undefined;
    if (none) return this.#tell(request, refusedBy(none));
    const judged = await this.#inVain(request);
    if (judged) return this.#tell(request, judged);
    const asked = { id, outcome: 'confirm', code: 'CONFIRM' } as const;
    if (!isConfigCommand(command) || !config) return { ...asked, text: this.preview(command) };
    const seen = await config.preview(command).then((text) => ({ text }), refusedBy);
    return 'refused' in seen ? this.#tell(request, seen) : { ...asked, ...seen };
  }

  /** What the command comes to where it is refused whatever the second word says: nothing is prepared by looking. */
  async #inVain(request: OperatorRequest): Promise<Parts | undefined> {
    const { command } = request;
    if (isConfigCommand(command) || command.kind === 'release-kill' || command.kind === 'kill')
      return undefined;
    const parts = await this.#prepare(request);
    // Of what is not there the actor itself says so.
    if (isBreaker(command)) return this.#mayBeThere(command) ? undefined : parts;
    return parts.refused || parts.targets?.length === 0 ? parts : undefined;
  }

  /** The file first; the record follows when the journal takes rows. */
  #kill(request: OperatorRequest, command: CommandOf<'kill'>): OperatorAnswer {
    const { id, who } = request;
    const said = attempt(() =>
      this.#options.kill.engage(who.name, command.reason, command.accountWide === true),
    );
    this.#options.host()?.tell(messageOf(request, said));
    return 'refused' in said
      ? { id, outcome: 'refused', ...said.refused }
      : { id, outcome: 'accepted', code: 'DONE', text: said.done };
  }

  async #prepare({ id, command, who }: OperatorRequest): Promise<Parts> {
    const by = who.name;
    if (command.kind === 'release-kill') return attempt(() => this.#options.kill.release(by, command.reason));
    if (isConfigCommand(command)) {
      const { config } = this.#options;
      if (!config) return refuse('NOT_HERE', 'this run cannot change its configuration');
      return config.change(command, who, id).then((done) => ({ done }), refusedBy);
    }
    if ((command.kind === 'adopt' || command.kind === 'ignore') && !this.#options.isShared)
      return refuse('NOT_HERE', 'a demo has its venue to itself: nobody else opens positions there');
    if (command.kind === 'force-entry') return this.#forced(command, by);
    if (command.kind === 'test-event') return this.#tested(command);
    if (isBreaker(command)) return { targets: this.#breakers() };
    if (command.kind === 'close' || command.kind === 'move-stop' || command.kind === 'close-all') {
      const { symbol, direction } = command.kind === 'close-all' ? ANY : command;
      const held = this.#held(symbol, direction);
      if (command.kind === 'move-stop' && held.length > 1)
        return refuse('SIDE_NEEDED', `${command.symbol} is held on both sides: name long or short`);
      return { targets: held.map(({ actor }) => actor) };
    }
    return {};
  }

  #forced(command: CommandOf<'force-entry'>, by: string): Parts {
    const host = this.#options.host();
    const { symbol } = command;
    const desk = this.#desk(symbol, command.direction);
    if (desk === undefined || !host) return refuse('UNKNOWN_SYMBOL', `this run does not trade ${symbol}`);
    // The desk would take one for the other side as the signal to close what is held, and enter nothing.
    const held = this.#held(symbol).find(({ actor }) => deskOf(actor) === desk);
    if (held) return refuse('HELD', `${describe(held)} is held: close it first`);
    const price = host.price(symbol);
    if (price === undefined) return refuse('NO_PRICE', `no price of ${symbol} is known yet`);
    const odd = stopOnWrongSide(command, price);
    if (odd !== undefined) return refuse('STOP_SIDE', odd);
    const signal = forcedSignal(command, price, host.distances(symbol), by);
    return signal
      ? { signal }
      : refuse('NO_STOP', `the strategy has no stop for ${symbol} yet: give a stop price with the command`);
  }

  /** In vain anywhere but in a demo, where nobody's money follows from it. */
  #tested({ actor, event }: CommandOf<'test-event'>): Parts {
    const host = this.#options.host();
    if (this.#options.isShared)
      return refuse(
        'NOT_HERE',
        'test events are for a demo alone: here an actor’s answer could move real orders',
      );
    if (actor === OPERATOR)
      return refuse(
        'NOT_HERE',
        'the operator hears commands, under the name of who gave them: give the command itself',
      );
    const known = host?.eventTypes?.(actorType(actor));
    if (!host?.actorIds().includes(actor) || !known)
      return refuse('UNKNOWN_ACTOR', `no statechart of this run is called ${actor}`);
    return known.includes(event.type)
      ? {}
      : refuse('UNKNOWN_EVENT', `${actor} knows no ${event.type}; it knows ${known.join(', ')}`);
  }

  /** Whichever there is: one a symbol, or one a side. */
  #desk(symbol: SymbolName, direction: Direction): ActorId | undefined {
    const actors = this.#options.host()?.actorIds() ?? [];
    return POSITION_MODES.map((mode) => entryDeskOf(keyFor(symbol, direction, mode))).find((desk) =>
      actors.includes(desk),
    );
  }

  async #tell(request: OperatorRequest, parts: Parts): Promise<OperatorAnswer> {
    const { id, command } = request;
    const host = this.#options.host();
    if (!host) return { id, outcome: 'refused', code: 'NOT_READY', text: notReady(parts) };
    const early = host.tooEarly?.(command);
    if (early !== undefined) return { id, outcome: 'refused', code: 'NOT_READY', text: early };
    const row = this.#rowOf(id);
    const echo = this.#echo(command, parts);
    this.#unwritten.add(id);
    host.tell(messageOf(request, parts));
    const n = await row;
    if (n === undefined) {
      echo?.cancel();
      return pending(request);
    }
    const answer = this.#withBars({ ...this.#answered(id), id, n } as OperatorAnswer, command, host);
    if (!echo || answer.outcome === 'refused') {
      echo?.cancel();
      return answer;
    }
    const said = await this.#within(echo.verdict);
    echo.cancel();
    return said ? { ...answer, ...said } : answer;
  }

  /** Asked again before its row: nobody is told that it is done while a crash could undo it. */
  async #onceWritten(request: OperatorRequest, answer: OperatorAnswer): Promise<OperatorAnswer> {
    const n = await this.#rowOf(request.id);
    return n === undefined ? pending(request) : { ...answer, n };
  }

  /** "Entries are open again" is half of it while a breaker stands. */
  #withBars(answer: OperatorAnswer, { kind }: Command, host: OperatorHost): OperatorAnswer {
    if ((kind !== 'start' && kind !== 'resume') || answer.outcome !== 'accepted') return answer;
    return { ...answer, text: `${answer.text}${butFor(barsBut(undefined, host))}` };
  }

  /** Where the answer is another actor's to give. */
  #echo(command: Command, { signal, targets = [], refused }: Parts): Echo | undefined {
    const [only] = targets;
    if (refused) return undefined;
    if (command.kind === 'test-event') return this.#echoes.await(command.actor, testEar(command.event.type));
    const desk = signal && this.#desk(signal.symbol, signal.direction);
    if (desk !== undefined) return this.#echoes.await(desk, deskEar());
    if (targets.length !== 1 || only === undefined || actorType(only) !== 'position') return undefined;
    return this.#echoes.await(only, positionEar);
  }

  /** The row that consumed it; undefined: there is none within the time that a person waits. */
  #rowOf(id: string): Promise<number | undefined> {
    const row = new Promise<number>((resolve) => this.#waiting.set(id, resolve));
    return this.#within(row).finally(() => this.#waiting.delete(id));
  }

  #within<T>(promise: Promise<T>): Promise<T | undefined> {
    const { timers, patienceMs = PATIENCE_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = timers.set(patienceMs, () => resolve(undefined));
      promise.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #answered(id: string): OperatorAnswer | undefined {
    const text = this.#options.host()?.snapshot(OPERATOR);
    if (text === undefined) return undefined;
    const { context } = JSON.parse(text) as { context: OperatorContext };
    return context.answered.find((answer) => answer.id === id);
  }

  /** A bar of the guardian's is no actor: only the guardian knows whether it stands. */
  #mayBeThere({ kind, breaker }: CommandOf<'trip' | 'release'>): boolean {
    const isBar = kind === 'release' && breaker.startsWith(GUARDIAN_BAR);
    return isBar || this.#breakers().includes(breakerOf(breaker));
  }

  #breakers(): readonly ActorId[] {
    const actors = this.#options.host()?.actorIds() ?? [];
    return actors.filter((actor) => actorType(actor) === 'breaker');
  }

  /** Positions that hold something, or are about to. */
  #held(symbol?: SymbolName, direction?: Direction): Held[] {
    const host = this.#options.host();
    return (host?.actorIds() ?? []).flatMap((actor) => {
      if (actorType(actor) !== 'position') return [];
      if (symbol !== undefined && actor.split('/')[1] !== symbol) return [];
      const text = host?.snapshot(actor);
      if (text === undefined) return [];
      const { context } = JSON.parse(text) as { context: PositionContext };
      return direction === undefined || direction === context.direction ? [{ ...context, actor }] : [];
    });
  }

  #atPrice(symbol: SymbolName): string {
    const host = this.#options.host();
    const price = host?.price(symbol);
    if (price === undefined) return '';
    // A mark has more places than a price that anybody can trade at.
    const tick = host?.tickSize(symbol);
    return `, now ${tick === undefined ? price : roundTo(fromNumber(price), tick)}`;
  }
}

const isBreaker = (command: Command): command is CommandOf<'trip' | 'release'> =>
  command.kind === 'trip' || command.kind === 'release';

/** Of a command that names none. */
const ANY: { readonly symbol?: SymbolName; readonly direction?: Direction } = {};

const refuse = (code: string, text: string): Parts => ({ refused: { code, text } });

/** What was done already is said all the same. */
const notReady = ({ done, refused }: Parts): string =>
  refused?.text ?? done ?? 'the run is not trading yet; try again when it is up';

function refusedBy(error: unknown): { readonly refused: { readonly code: string; readonly text: string } } {
  const known = isBulkheadError(error) ? error : undefined;
  const said = known?.message ?? errorText(error);
  // What is wrong may be a list, whose last line is no sentence.
  const hint = known?.hint === undefined ? '' : `${said.includes('\n') ? '\n' : ' '}${known.hint}`;
  return { refused: { code: known?.code ?? 'FAILED', text: `${said}${hint}` } };
}

function attempt(act: () => string): { readonly done: string } | ReturnType<typeof refusedBy> {
  try {
    return { done: act() };
  } catch (error) {
    return refusedBy(error);
  }
}

function messageOf({ id, command, who, issuedAt }: OperatorRequest, parts: Parts): Message {
  const event = { type: 'COMMAND', id, command: fitToKeep(command), who, issuedAt, ...parts };
  return { to: OPERATOR, event, cause: { kind: 'external', id: `command:${id}` } };
}

/** Somebody may try to set a secret: the refusal is kept, the secret is not. */
const fitToKeep = (command: Command): Command =>
  command.kind === 'config-set' ? { ...command, changes: redact(command.changes, []) as Changes } : command;

type Changes = CommandOf<'config-set'>['changes'];

const pending = ({ id, command }: OperatorRequest): OperatorAnswer => ({
  ...{ id, outcome: 'pending', code: 'PENDING' },
  text: `${command.kind} is taken; it is done as soon as the journal takes rows again`,
});
