/** What nearly right bytes are built from, for all targets. */
import fc from 'fast-check';
import { isBulkheadError } from '../../src/core/errors.ts';

export const isTyped = (error: unknown): boolean => isBulkheadError(error) && error.code !== 'INTERNAL';

/** Numbers as texts, as a venue writes them and as it should not. */
export const number = fc.oneof(
  fc.double({ noNaN: true, min: 0, max: 1e6 }).map((value) => value.toFixed(4)),
  fc.constantFrom('0', '-1', '', 'NaN', 'Infinity', '1e400', '0x10', '1,5', '9'.repeat(60), ' 1', '1_0'),
);
export const value = fc.oneof(
  number,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('BTCUSDT', 'BUY', 'SELL', 'NEW', 'FILLED', 'LIMIT', 'BOTH', 'LONG'),
);

/** Mappings with the names of the grammar, most of them present, in any order, with any values. */
export const fields = (
  names: readonly string[],
  inner: fc.Arbitrary<unknown> = value,
): fc.Arbitrary<object> =>
  fc
    .array(
      fc.tuple(
        fc.constantFrom(...names),
        fc.oneof({ weight: 4, arbitrary: inner }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) }),
      ),
      {
        maxLength: names.length * 2,
      },
    )
    .map((pairs) => Object.fromEntries(pairs));

export const bytesOf = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Uint8Array> =>
  arbitrary.map((json) => Buffer.from(JSON.stringify(json) ?? ''));

export const event = (types: readonly string[], names: readonly string[], inner?: fc.Arbitrary<unknown>) =>
  fc.tuple(fc.constantFrom(...types), fields(names, inner)).map(([e, rest]) => ({ e, ...rest }));

/** JSON is not what is under test here. */
export function jsonRow(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
