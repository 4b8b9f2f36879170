/**
 * What the bot does with what people write and press.
 *
 * Invariants: an update is acted on once, also when it comes again, also after a restart (its number is the request's
 * id at the operator, whose journal remembers the answer); what was said too long ago is answered and not done, except
 * what only makes things safer; nothing that moves money is done before its question was answered; whatever fails in
 * a command ends as an answer.
 */

import { duration } from '../core/amounts.ts';
import type { Time } from '../core/clock.ts';
import { BulkheadError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { didYouMean } from '../core/suggest.ts';
import { within } from '../core/waiting.ts';
import type { Command, Who } from '../domain/command.ts';
import { COMMAND_RULES, mayDo, STALE_AFTER_MS } from '../operator/command.ts';
import type { Operator, OperatorAnswer } from '../operator/operator.ts';
import type { Chat, Incoming, Keyboard, Press, Words } from './chat.ts';
import { BOT_COMMANDS, type BotCommand, commandNamed } from './command-table.ts';
import type { Confirmations } from './confirmations.ts';
import type { Lookout } from './lookout.ts';
import { caption, pages, text } from './markup.ts';
import type { Memory } from './memory.ts';
import type { Pace, People, Person } from './people.ts';
import type { Fate, SendQueue } from './queue.ts';
import { bold, failure, line, type Reply, say } from './reply.ts';

/** How long the next command waits for this one's answer to arrive. */
const ARRIVAL_MS = 3_000;
const LOOK_MS = 20_000;

export interface DeskOptions {
  readonly people: People;
  readonly pace: Pace;
  readonly memory: Memory;
  readonly confirmations: Confirmations;
  readonly operator: Operator;
  readonly lookout: Lookout;
  readonly chat: Pick<Chat, 'acknowledge' | 'setMenu'>;
  readonly queue: Pick<SendQueue, 'put' | 'hasWritten'>;
  /** Real time. */
  readonly time: Time;
  /** Telegram's clock less ours, in ms. */
  readonly skewMs: () => number;
  readonly log: Logger;
}

/** A command line with all that is known of how it came. */
interface Said {
  readonly incoming: Incoming;
  readonly person: Person;
  readonly words: readonly string[];
  /** Real epoch ms by our clock; 0: nobody can say. */
  readonly saidAt: number;
  /** The message whose place the answer takes. */
  readonly edits: number | undefined;
}

export class CommandDesk {
  readonly #options: DeskOptions;
  /** People whose menu is set. */
  readonly #menus = new Set<number>();

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  readonly hear = async (incoming: Incoming): Promise<void> => {
    const { memory, people, queue, time } = this.#options;
    if (memory.hasSeen(incoming.updateId)) return;
    const person = people.find(incoming);
    if (!person) {
      if (people.mayRefuse(incoming, time.monotonic.now())) this.#refuseStranger(incoming);
      return;
    }
    queue.hasWritten(incoming.chatId);
    this.showMenu(person);
    if (incoming.kind === 'words') await this.#hearWords(incoming, person);
    else await this.#hearPress(incoming, person);
    await memory.see(incoming.updateId);
  };

  /** The completion menu of what this person may do; tried again with the next message where it fails. */
  showMenu(person: Person): void {
    if (this.#menus.has(person.id)) return;
    this.#menus.add(person.id);
    void this.#options.chat.setMenu(person.id, menuOf(person)).then((isSet) => {
      if (!isSet) this.#menus.delete(person.id);
    });
  }

  /** Roles have changed: each sees what is theirs now. */
  showMenus(people: readonly Person[]): void {
    this.#menus.clear();
    for (const person of people) this.showMenu(person);
  }

  #refuseStranger({ chatId, userId, userName }: Incoming): void {
    this.#options.log.warn('telegram: somebody who is not on the list', { userId, userName });
    const message = `You are not on this bot's list. Your id is ${userId}.`;
    void this.#options.queue.put({ chatId, html: message }, 'info');
  }

  async #hearWords(incoming: Words, person: Person): Promise<void> {
    const words = wordsOf(incoming.text);
    if (!words) {
      // People talk in groups; in a chat of its own the bot answers.
      if (incoming.isPrivate)
        await this.#answer(incoming, say('Commands begin with /, such as /status. /help lists them.'));
      return;
    }
    const saidAt = Math.min(incoming.saidAt - this.#options.skewMs(), this.#options.time.clock.now());
    await this.#run({ incoming, person, words, saidAt, edits: undefined });
  }

  async #hearPress(press: Press, person: Person): Promise<void> {
    const { chat, time } = this.#options;
    const kind = press.data.slice(0, 2);
    const rest = press.data.slice(2);
    // Telegram takes the acknowledgement of a press for a short while only, and so tells its age.
    const heard = await chat.acknowledge(press.pressId, '');
    if (kind === 'c:') return this.#confirmed(press, person, rest);
    if (kind === 'x:') return this.#declined(press, rest);
    const words = rest.split(' ').filter(Boolean);
    const saidAt = heard === 'too-old' ? 0 : time.clock.now();
    await this.#run({
      incoming: press,
      person,
      words,
      saidAt,
      edits: kind === 'r:' ? press.messageId : undefined,
    });
  }

  async #run(said: Said): Promise<void> {
    const [name = '', ...rest] = said.words;
    const { incoming, person } = said;
    const command = commandNamed(name.toLowerCase());
    if (!command) return this.#answer(incoming, say(unknownCommand(name)));
    if (!this.#mayGoOn(said, command)) return;
    try {
      const plan = command.plan(rest);
      if (plan.kind === 'act') return await this.#ask(said, plan.command);
      const age = this.#options.time.clock.now() - said.saidAt;
      if (age > STALE_AFTER_MS) return await this.#answer(incoming, say(tooLate(command, age, said.saidAt)));
      const reply = await this.#look(plan.look({ person, lookout: this.#options.lookout }));
      await this.#answer(incoming, reply, said.edits);
    } catch (error) {
      if (!(error instanceof BulkheadError))
        this.#options.log.error('telegram: a command failed', { command: name, reason: String(error) });
      await this.#answer(incoming, failure(error));
    }
  }

  /** Roles and the pace; what makes things safer is never too much. */
  #mayGoOn({ incoming, person }: Said, { name, role, acts }: BotCommand): boolean {
    const { pace, time } = this.#options;
    const isHonoured = acts !== undefined && COMMAND_RULES[acts].honouredWhenStale;
    const verdict = isHonoured ? 'fine' : pace.take(person.id, time.monotonic.now());
    if (verdict === 'tell')
      void this.#answer(
        incoming,
        say('That is too much at once; wait a moment. /kill, /stop and /pause always work.'),
      );
    if (verdict !== 'fine') return false;
    if (mayDo(person.role, role)) return true;
    void this.#answer(incoming, say(`/${name} needs the role ${role}; you are ${person.role}.`));
    return false;
  }

  #look(looking: Promise<Reply>): Promise<Reply> {
    const { time } = this.#options;
    return within(time.timers, LOOK_MS, looking, () =>
      say('There was no answer in time; the journal may be busy. Try again.'),
    );
  }

  /** First word: the operator does it, refuses it, or wants to be sure. */
  async #ask({ incoming, person, saidAt }: Said, command: Command): Promise<void> {
    const { operator, confirmations, time } = this.#options;
    const requestId = `tg:${incoming.updateId}`;
    const age = time.clock.now() - saidAt;
    // Whoever killed while nobody was there could not be asked, and meant it.
    const isOverdueKill = command.kind === 'kill' && incoming.kind === 'words' && age > STALE_AFTER_MS;
    const request = {
      id: requestId,
      command,
      who: whoOf(person),
      issuedAt: saidAt,
      confirmed: isOverdueKill,
    };
    const answer = await operator.execute(request);
    if (answer.outcome !== 'confirm') return this.#answer(incoming, outcomeOf(answer), undefined, true);
    const keyboard = await confirmations.ask({
      userId: person.id,
      chatId: incoming.chatId,
      requestId,
      command,
    });
    await this.#answer(incoming, { message: [text(bold('Sure?'), answer.text)], keyboard }, undefined, true);
  }

  async #confirmed(press: Press, person: Person, token: string): Promise<void> {
    const { confirmations, operator, time } = this.#options;
    const taken = await confirmations.take(token, press);
    if (taken.kind === 'refused') return this.#answer(press, say(taken.why));
    const { requestId, command } = taken.pending;
    const answer = await operator.execute({
      id: requestId,
      command,
      who: whoOf(person),
      issuedAt: time.clock.now(),
      confirmed: true,
    });
    await this.#answer(press, outcomeOf(answer), press.messageId, true);
  }

  async #declined(press: Press, token: string): Promise<void> {
    if (await this.#options.confirmations.drop(token, press))
      await this.#answer(press, say('Left as it was; nothing was done.'), press.messageId);
  }

  /** Every page in order; waits a little for the arrival where `matters`, so that a crash has the update come again. */
  async #answer(incoming: Incoming, reply: Reply, edits?: number, matters = false): Promise<void> {
    const fates = this.#send(incoming.chatId, reply, edits);
    if (!matters) return;
    await within(this.#options.time.timers, ARRIVAL_MS, Promise.all(fates), () => []);
  }

  #send(chatId: number, { message, keyboard, photo }: Reply, edits?: number): Promise<Fate>[] {
    const { queue } = this.#options;
    const under = (is: boolean): { keyboard?: Keyboard } => (is && keyboard ? { keyboard } : {});
    if (photo) return [queue.put({ chatId, html: caption(message), photo, ...under(true) }, 'reply')];
    const all = pages(message);
    return all.map((html, i) => {
      const place = i === 0 && edits !== undefined ? { edits } : {};
      return queue.put({ chatId, html, ...under(i === all.length - 1), ...place }, 'reply');
    });
  }
}

export const whoOf = ({ name, role }: Person): Who => ({
  name: `telegram:${name}`,
  role,
  channel: 'telegram',
});

/** "/close@my_bot BTCUSDT 50%" as words; undefined: no command. */
export function wordsOf(said: string): readonly string[] | undefined {
  const match = /^\/([A-Za-z0-9_-]+)(?:@\w+)?(?:\s+([\s\S]*))?$/.exec(said.trim());
  if (!match) return undefined;
  return [match[1] ?? '', ...(match[2] ?? '').split(/\s+/).filter(Boolean)];
}

const menuOf = ({ role }: Person) =>
  BOT_COMMANDS.filter((command) => mayDo(role, command.role)).map(({ name, summary }) => ({
    command: name,
    description: summary,
  }));

const unknownCommand = (name: string): string => {
  const names = BOT_COMMANDS.map((command) => command.name);
  return `There is no command /${name}. ${didYouMean(name.toLowerCase(), names)} /help lists them.`.replace(
    '  ',
    ' ',
  );
};

const tooLate = ({ name }: BotCommand, age: number, saidAt: number): string =>
  saidAt === 0
    ? `The button for /${name} was pressed too long ago and nothing was done. Press it again if you still mean it.`
    : `/${name} was said ${duration(age)} ago and nothing was done. Say it again if you still mean it.`;

const MARKS: Readonly<Record<OperatorAnswer['outcome'], string>> = {
  accepted: '\u2705',
  refused: '\u274C',
  pending: '\u23F3',
  confirm: '\u2753',
};

function outcomeOf({ outcome, text: said, n }: OperatorAnswer): Reply {
  const audit = n === undefined ? [] : [line`journal row ${n}`];
  return { message: [text(line`${MARKS[outcome]} ${said}`, ...audit)] };
}
