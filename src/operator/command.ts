/**
 * The rules of the commands: who may, what wants a second word, what is honoured however late.
 */
import type { Command, CommandKind, CommandOf, Role, Who } from '../domain/command.ts';
import { ROLES } from '../domain/command.ts';

export interface CommandRule {
  readonly role: Role;
  /** Needs a second word before it is done: it moves money, or changes what decides about it. */
  readonly asksTwice: boolean;
  /** Done however long ago it was said: it can only make things safer. */
  readonly honouredWhenStale: boolean;
  readonly summary: string;
  /** As it is typed. */
  readonly usage: string;
}

const SAFE = { role: 'trader', asksTwice: false, honouredWhenStale: true } as const;
const TRADER = { role: 'trader', asksTwice: false, honouredWhenStale: false } as const;
const MONEY = { role: 'trader', asksTwice: true, honouredWhenStale: false } as const;
const ADMIN = { role: 'admin', asksTwice: false, honouredWhenStale: false } as const;
const CONFIG = { ...ADMIN, asksTwice: true } as const;
/** One way it may close all that is open, the other way it opens entries again. */
const BREAKER = { ...ADMIN, asksTwice: true } as const;

export const COMMAND_RULES: Readonly<Record<CommandKind, CommandRule>> = {
  start: { ...TRADER, summary: 'entries again after stop or pause', usage: 'start' },
  stop: {
    ...SAFE,
    summary: 'no entries until start; open positions run to their end',
    usage: 'stop [reason]',
  },
  pause: {
    ...SAFE,
    summary: 'no entries until resume, or for so many minutes',
    usage: 'pause [minutes] [reason]',
  },
  resume: { ...TRADER, summary: 'ends a pause', usage: 'resume' },
  close: {
    ...MONEY,
    summary: 'close a position, or a share of it',
    usage: 'close SYMBOL [long|short] [share, such as 0.5 or 50%]',
  },
  'close-all': { ...MONEY, summary: 'close every position', usage: 'close-all' },
  'move-stop': {
    ...MONEY,
    summary: 'move a position’s stop',
    usage: 'move-stop SYMBOL [long|short] PRICE [loosen]',
  },
  'force-entry': {
    ...MONEY,
    summary: 'enter now; risk decides as with any entry',
    usage: 'force-entry SYMBOL long|short [stop price]',
  },
  blacklist: {
    ...TRADER,
    summary: 'symbols that are never entered',
    usage: 'blacklist add|remove SYMBOL…, or blacklist clear',
  },
  whitelist: {
    ...TRADER,
    summary: 'the only symbols that are entered; empty: all',
    usage: 'whitelist add|remove SYMBOL…, or whitelist clear',
  },
  direction: { ...TRADER, summary: 'which sides are entered', usage: 'direction both|long|short|none' },
  lock: {
    ...TRADER,
    summary: 'no entries on a symbol for a while',
    usage: 'lock SYMBOL MINUTES [long|short] REASON',
  },
  unlock: { ...TRADER, summary: 'ends a lock', usage: 'unlock SYMBOL' },
  trip: { ...BREAKER, summary: 'open a breaker by hand', usage: 'trip BREAKER REASON' },
  release: { ...BREAKER, summary: 'close a breaker by hand', usage: 'release BREAKER REASON' },
  kill: {
    ...SAFE,
    asksTwice: true,
    summary: 'close everything now, open nothing until released',
    usage: 'kill [account-wide] [reason]',
  },
  'release-kill': { ...BREAKER, summary: 'lift the kill switch', usage: 'release-kill REASON' },
  adopt: {
    ...ADMIN,
    asksTwice: true,
    summary: 'take over a position that somebody else opened',
    usage: 'adopt SYMBOL',
  },
  ignore: { ...ADMIN, summary: 'trade a symbol beside somebody else’s position', usage: 'ignore SYMBOL' },
  'test-event': {
    ...ADMIN,
    asksTwice: true,
    summary: 'tell an actor of a demo what did not happen, to see what it does',
    usage: 'test-event ACTOR EVENT [JSON]',
  },
  'config-set': {
    ...CONFIG,
    summary: 'change keys of the configuration that may change while running',
    usage: 'config-set KEY VALUE REASON, or config-set KEY=VALUE… REASON',
  },
  'config-rollback': {
    ...CONFIG,
    summary: 'go back to a version of the configuration',
    usage: 'config-rollback VERSION REASON',
  },
  'config-reload': {
    ...CONFIG,
    summary: 'read the configuration file again',
    usage: 'config-reload [reason]',
  },
};

export const COMMAND_KINDS = Object.keys(COMMAND_RULES) as readonly CommandKind[];

/** What was said longer ago than this is answered and not done. */
export const STALE_AFTER_MS = 30_000;

export type ConfigCommand = CommandOf<'config-set' | 'config-rollback' | 'config-reload'>;

export const isConfigCommand = (command: Command): command is ConfigCommand =>
  command.kind.startsWith('config-');

export const isOnlyNow = ({ kind }: Command): boolean => ONLY_NOW.includes(kind);

export interface Refused {
  readonly code: 'ROLE' | 'STALE' | 'KILL_SWITCH';
  readonly text: string;
}

export const mayDo = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/** Said of the market as it is now; everything else that is left at the command line is meant for the next start. */
const ONLY_NOW: readonly CommandKind[] = ['close', 'close-all', 'move-stop', 'force-entry', 'test-event'];

/**
 * The kill switch is its file, and its breaker follows that: opened by hand it would close nothing, and closed by hand
 * it would open entries while the file says that nothing may be opened.
 */
export const isKillByHand = (command: Command): boolean =>
  (command.kind === 'trip' || command.kind === 'release') && command.breaker === 'kill';

const KILL_WAYS: Readonly<Record<Who['channel'], readonly [engage: string, lift: string]>> = {
  cli: ['"bulkhead kill"', '"bulkhead release" without a name'],
  telegram: ['/kill', '/release'],
  http: ['the command "kill"', '"release-kill"'],
  signal: ['the command "kill"', '"release-kill"'],
};

export function killWords(channel: Who['channel']): string {
  const [engage, lift] = KILL_WAYS[channel];
  return `the breaker "kill" goes with the kill switch and is not moved by hand: ${engage} engages it, ${lift} lifts it`;
}

/** Why it is not done at all; undefined when it may be. `now` and `issuedAt` are real epoch ms. */
export function refusal(command: Command, who: Who, issuedAt: number, now: number): Refused | undefined {
  const { role, honouredWhenStale } = COMMAND_RULES[command.kind];
  if (!mayDo(who.role, role))
    return { code: 'ROLE', text: `${command.kind} needs the role ${role}; ${who.name} is ${who.role}` };
  if (isKillByHand(command)) return { code: 'KILL_SWITCH', text: killWords(who.channel) };
  const ageMs = now - issuedAt;
  const isLeftForUs = who.channel === 'cli' && !ONLY_NOW.includes(command.kind);
  if (ageMs <= STALE_AFTER_MS || honouredWhenStale || isLeftForUs) return undefined;
  return {
    code: 'STALE',
    text: `${command.kind} was said ${Math.round(ageMs / 1000)} s ago and is not done; say it again if it is still meant`,
  };
}
