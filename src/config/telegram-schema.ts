/** The keys of the group `telegram`: who may speak to the bot, what it says unasked, how it reaches Telegram. */
import { z } from 'zod';
import { ROLES } from '../domain/command.ts';
import { flag, group, needsRestart, oneOf, text, whole } from './leaf.ts';

export const NOTIFY_LEVELS = ['info', 'warning', 'critical', 'none'] as const;

const USERS_ALLOWED =
  'a list of {id, name, role, notify}, each id once: id a number, role viewer, trader or admin, notify info, warning, critical or none';
const GROUPS_ALLOWED = 'a list of chat ids, numbers below 0, each once';
const HOURS = /^(none|([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
/** The token is part of every address: in clear text it may go to this machine only. */
const API_URL = /^(https:\/\/[^\s/@?#]+|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)$/;
const WEBHOOK_URL =
  /^(none|https:\/\/[^\s@?#]+|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\/[^\s@?#]*)$/;

const user = group({
  id: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  name: z.string().regex(/^[\p{L}\p{N} ._-]{1,40}$/u),
  role: z.enum(ROLES).default('viewer'),
  notify: z.enum(NOTIFY_LEVELS).default('info'),
});

const unique = (values: readonly number[]): boolean => new Set(values).size === values.length;

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
};
const ZONE_ALLOWED = 'a time zone such as UTC or Europe/Berlin';

const CONNECTED = 'the bot is connected already';

export const telegramSchema = group({
  enabled: needsRestart(CONNECTED, flag().default(true)),
  users: z
    .array(user, { error: USERS_ALLOWED })
    .refine((users) => unique(users.map(({ id }) => id)), { error: USERS_ALLOWED })
    .meta({ allowed: USERS_ALLOWED, leaf: 'json' })
    .default([]),
  groups: z
    .array(z.int({ error: GROUPS_ALLOWED }).max(-1, { error: GROUPS_ALLOWED }), { error: GROUPS_ALLOWED })
    .refine(unique, { error: GROUPS_ALLOWED })
    .meta({ allowed: GROUPS_ALLOWED, leaf: 'json' })
    .default([]),
  quietHours: text('"22:00-07:00", say, or none', HOURS).default('none'),
  timeZone: z
    .string({ error: ZONE_ALLOWED })
    .refine(isTimeZone, { error: ZONE_ALLOWED })
    .meta({ allowed: ZONE_ALLOWED, leaf: 'text' })
    .default('UTC'),
  reports: oneOf(['both', 'daily', 'weekly', 'none']).default('both'),
  reportAt: text('a time such as 07:00', TIME).default('07:00'),
  apiUrl: needsRestart(
    CONNECTED,
    text(
      'an https address without a path; http only for this machine, since the token is part of it',
      API_URL,
    ).default('https://api.telegram.org'),
  ),
  webhookUrl: needsRestart(
    CONNECTED,
    text('an https address that leads to the port below, or none', WEBHOOK_URL).default('none'),
  ),
  webhookHost: needsRestart(
    CONNECTED,
    text('an address of this machine to listen on', /^[A-Za-z0-9.:_-]+$/).default('127.0.0.1'),
  ),
  webhookPort: needsRestart(CONNECTED, whole(0, 65_535).default(8_788)),
  maxWaiting: whole(10, 10_000).default(200),
  commandsPerMinute: whole(1, 600).default(30),
});
