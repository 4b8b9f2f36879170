/** How an incident is called towards those who are told of it. Pure. */
import { createHash } from 'node:crypto';
import type { Incident } from './incident.ts';

/** Who tells. */
export interface Origin {
  /** Names the installation; the same in every process over one journal. */
  readonly instance: string;
  readonly account: string;
  readonly mode: string;
  readonly version: string;
}

/** PagerDuty's own bound. */
const LONGEST_KEY = 255;

/** The same for the same alert of the same installation, in whichever process; too long a one keeps its beginning. */
export function dedupKey({ instance }: Pick<Origin, 'instance'>, key: string): string {
  const whole = `bulkhead/${instance}/${key}`;
  if (whole.length <= LONGEST_KEY) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 32);
  return `${whole.slice(0, LONGEST_KEY - hash.length - 1)}#${hash}`;
}

/** "BreakerOpen (breaker=drawdown): A breaker is open: it holds entries back." */
export function titleOf({ alert, key, summary }: Pick<Incident, 'alert' | 'key' | 'summary'>): string {
  const labels = key.slice(alert.length + 1);
  return `${alert}${labels === '' ? '' : ` (${labels})`}: ${summary}`;
}

export const runbookOf = ({ alert }: Pick<Incident, 'alert'>): string =>
  `docs/RUNBOOK.md#${alert.toLowerCase()}`;
