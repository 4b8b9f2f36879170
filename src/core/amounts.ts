/** Amounts and times in words for eyes, wherever they are shown. Pure. */
import { cmp, type Decimal, round } from './decimal.ts';

/** Two decimals and thousands' separators: for eyes only. */
export function money(value: Decimal): string {
  const [whole = '0', fraction = ''] = round(value, 2).split('.');
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction.padEnd(2, '0')}`;
}

export const signedMoney = (value: Decimal): string =>
  cmp(value, '0') > 0 ? `+${money(value)}` : money(value);

export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** "2025-05-04 03:15" in UTC. */
export function moment(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ');
}
