/** How numbers, times and states read. Pure; money comes as decimal strings and is only rounded for the eye. */

const GROUPS = /\B(?=(\d{3})+(?!\d))/g;

/** "1234.5" → "1,234.50", rounded as in the terminal and the chat; the sign always in front where wanted. */
export function money(value: string | number | null | undefined, places = 2, signed = false): string {
  if (value === null || value === undefined) return '–';
  const text = plain(value);
  if (!/^-?\d+(\.\d+)?$/.test(text)) return '–';
  const [whole, fraction] = rounded(text.replace('-', ''), places);
  const isZero = /^0*$/.test(`${whole}${fraction}`);
  const sign = text.startsWith('-') && !isZero ? '−' : signed && !isZero ? '+' : '';
  return `${sign}${whole.replace(GROUPS, ',')}${places > 0 ? `.${fraction}` : ''}`;
}

/** To the nearest, of two as near to the even one; digits in front of the point and behind it. */
function rounded(text: string, places: number): readonly [whole: string, fraction: string] {
  const [whole = '0', fraction = ''] = text.split('.');
  const cut = BigInt(`${whole}${fraction.padEnd(places, '0').slice(0, places)}`);
  const rest = fraction.slice(places).replace(/0+$/, '');
  const isUp = rest > '5' || (rest === '5' && cut % 2n === 1n);
  const digits = String(isUp ? cut + 1n : cut).padStart(places + 1, '0');
  return [digits.slice(0, digits.length - places), digits.slice(digits.length - places)];
}

/** A price or quantity as it is, grouped. */
export function exact(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const [whole = '0', fraction] = plain(value).split('.');
  const grouped = whole.replace(GROUPS, ',').replace('-', '−');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A price with as many places as its instrument's tick has; rounded for the eye. */
export function asFineAs(price: string, tick: string): string {
  return Number(price).toFixed(plain(tick).split('.')[1]?.replace(/0+$/, '').length ?? 0);
}

/** Averages and what is computed are as fine as the instrument's prices. */
export const onTick = ({ tickSize }: { readonly tickSize?: string }, price: string | null): string | null =>
  price && tickSize ? asFineAs(price, tickSize) : price;

/** Of a limit: what is counted has no cents. */
export const amount = (value: string | number, beside: string | number): string =>
  [value, beside].every((one) => Number.isInteger(Number(one))) ? exact(String(Number(value))) : money(value);

export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Numbers may come as 1e-7. */
function plain(value: string | number): string {
  const text = String(value);
  if (!/e/i.test(text)) return text;
  return Number(text)
    .toFixed(12)
    .replace(/\.?0+$/, '');
}

export const percent = (value: number | null | undefined, places = 1): string =>
  value === null || value === undefined || !Number.isFinite(value)
    ? '–'
    : `${signed(value.toFixed(places))} %`;

/** A minus as money has it; none where nothing is left to be less of. */
const signed = (text: string): string =>
  Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');

/** 'good', 'bad' or nothing: the class of a gain or a loss, as far as it is shown. */
export function tone(value: string | number | null | undefined, places = 2): string {
  const shown = money(value ?? 0, places, true);
  return shown.startsWith('+') ? 'good' : shown.startsWith('−') ? 'bad' : '';
}

const two = (value: number): string => String(value).padStart(2, '0');

/** UTC, as everything of the venue. */
export function time(at: number | null | undefined): string {
  if (at === null || at === undefined) return '–';
  const date = new Date(at);
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day} ${clock(at)}`;
}

export function clock(at: number): string {
  const date = new Date(at);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return `${Math.round(ms)} ms`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

/** A cell of a CSV file; what a spreadsheet would run as a formula is put in quotes after an apostrophe. */
export function csvCell(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value);
  const isNumber = /^-?\d+(\.\d+)?$/.test(text);
  const safe = !isNumber && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csv = (rows: readonly (readonly unknown[])[]): string =>
  `${rows.map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;
