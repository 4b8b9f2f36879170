/** The keys of the group `alerts`: what is told to PagerDuty and Sentry. Where to is a secret (secrets.ts). */
import { SEVERITIES } from '../alerts/alert-rules.ts';
import { flag, group, needsRestart, oneOf, text, whole } from './leaf.ts';

/** The key is part of what is sent: in clear text it may go to this machine only. */
const URL = /^(https:\/\/[^\s/@?#]+|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)$/;

const CONNECTED = 'whom alerts go to is connected already';

export const alertsSchema = group({
  enabled: needsRestart(CONNECTED, flag().default(true)),
  least: oneOf(SEVERITIES).default('warning'),
  everyMs: whole(100, 600_000).default(5_000),
  healAfterMs: whole(0, 3_600_000).default(15_000),
  firstRetryMs: whole(10, 60_000).default(1_000),
  timeoutMs: whole(100, 60_000).default(10_000),
  pagerdutyUrl: needsRestart(
    CONNECTED,
    text(
      'an https address without a path; http only for this machine, since the key is part of what is sent',
      URL,
    ).default('https://events.pagerduty.com'),
  ),
});
