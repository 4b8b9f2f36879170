/** Reading parameters of private requests, with the venue's own refusals. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Json } from '../../core/json.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { optional, type Params, required, WireError } from '../protocol.ts';
import type { Account } from './account.ts';

const NUMBER = /^\d{1,20}(\.\d{1,20})?$/;
const INTEGER = /^\d{1,20}$/;

export const illegal = (name: string, range: string): WireError =>
  new WireError(-1100, `Illegal characters found in parameter '${name}'; legal range is '${range}'.`);

export const invalid = (name: string): WireError =>
  new WireError(-1130, `Data sent for parameter '${name}' is not valid.`);

export function decimalOf(params: Params, name: string): Decimal | undefined {
  const value = optional(params, name);
  if (value === undefined) return undefined;
  if (!NUMBER.test(value)) {
    // A negative number is a number, refused by the filter that it breaks.
    if (value.startsWith('-') && NUMBER.test(value.slice(1))) return D.decimal(value);
    throw illegal(name, '^([0-9]{1,20})(\\.[0-9]{1,20})?$');
  }
  return D.decimal(value);
}

export function integerOf(params: Params, name: string): number | undefined {
  const value = optional(params, name);
  if (value === undefined) return undefined;
  if (!INTEGER.test(value)) throw illegal(name, '^[0-9]{1,20}$');
  return Number(value);
}

export function booleanOf(params: Params, name: string): boolean {
  const value = optional(params, name)?.toLowerCase();
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw invalid(name);
}

export function choiceOf<T extends string>(
  params: Params,
  name: string,
  choices: readonly T[],
  refusal: () => WireError,
): T | undefined {
  const value = optional(params, name)?.toUpperCase();
  if (value === undefined) return undefined;
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw refusal();
  return choice;
}

export const badSymbol = (): WireError => new WireError(-1121, 'Invalid symbol.');

export function symbolOf(account: Account, params: Params): Instrument {
  const instrument = account.instrument(required(params, 'symbol').toUpperCase());
  if (!instrument) throw badSymbol();
  return instrument;
}

export function optionalSymbol(account: Account, params: Params): Instrument | undefined {
  return optional(params, 'symbol') === undefined ? undefined : symbolOf(account, params);
}

export function limitOf(params: Params, standard: number, most: number): number {
  const limit = integerOf(params, 'limit') ?? standard;
  if (limit < 1) throw invalid('limit');
  return Math.min(limit, most);
}

export const DAY = 86_400_000;

/** `startTime` and `endTime` of a listing, no further apart than the venue allows. */
export function rangeOf(
  params: Params,
  at: number,
  standardMs: number,
  mostMs?: number,
): { readonly from: number; readonly to: number; readonly open: boolean } {
  const start = integerOf(params, 'startTime');
  const end = integerOf(params, 'endTime');
  if (start !== undefined && end !== undefined && start > end)
    throw new WireError(-1023, 'Start time is greater than end time.');
  if (mostMs !== undefined && start !== undefined && end !== undefined && end - start > mostMs)
    throw new WireError(-4165, 'Invalid time interval.');
  const to = end ?? (start === undefined || mostMs === undefined ? at : Math.min(start + mostMs, at));
  return { from: start ?? to - standardMs, to, open: start === undefined };
}

/** A JSON list in a parameter. */
export function listOf(params: Params, name: string): readonly Json[] | undefined {
  const text = optional(params, name);
  if (text === undefined) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list)) return list as readonly Json[];
  } catch {
    // Told below.
  }
  throw invalid(name);
}
