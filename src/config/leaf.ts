/**
 * The kinds of value that a key may hold. Each says in words what it allows, because that sentence is the
 * error message a person gets; and each knows how an environment variable's text becomes it.
 */
import { z } from 'zod';
import { cmp, type Decimal, decimal, fromNumber } from '../core/decimal.ts';

/** How the text of a variable or flag is read. */
export type LeafKind = 'text' | 'number' | 'boolean' | 'list' | 'json';

interface LeafMeta {
  readonly allowed: string;
  readonly leaf: LeafKind;
}

/** May it change while a run lasts? Said of a key or of a whole group; what stands nearer to the key counts. */
interface ChangeMeta {
  readonly change: 'hot' | { readonly needsRestart: string };
}

/** What is set while a run lasts works from then on. */
export const hot = <T extends z.ZodType>(schema: T): T =>
  schema.meta({ ...schema.meta(), change: 'hot' } satisfies ChangeMeta);

/** It counts at a start only; the reason is what a person reads who tries. */
export const needsRestart = <T extends z.ZodType>(why: string, schema: T): T =>
  schema.meta({ ...schema.meta(), change: { needsRestart: why } } satisfies ChangeMeta);

export type Change = ChangeMeta['change'];

const described = <T extends z.ZodType>(schema: T, leaf: LeafKind, allowed: string): T =>
  schema.meta({ allowed, leaf } satisfies LeafMeta);

/** A mapping that takes the keys it names and no others. */
export const group = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape);

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) => {
  const allowed = `one of ${values.join(', ')}`;
  return described(z.enum(values, { error: allowed }), 'text', allowed);
};

export const text = (allowed: string, pattern?: RegExp) => {
  const base = z.string({ error: allowed }).min(1, { error: allowed });
  return described(pattern ? base.regex(pattern, { error: allowed }) : base, 'text', allowed);
};

export const flag = () => described(z.boolean({ error: 'true or false' }), 'boolean', 'true or false');

export const whole = (min: number, max: number) => {
  const allowed = `a whole number from ${min} to ${max}`;
  return described(
    z.int({ error: allowed }).min(min, { error: allowed }).max(max, { error: allowed }),
    'number',
    allowed,
  );
};

export const number = (min: number, max: number) => {
  const allowed = `a number from ${min} to ${max}`;
  return described(
    z.number({ error: allowed }).min(min, { error: allowed }).max(max, { error: allowed }),
    'number',
    allowed,
  );
};

/** Exact, kept as text; a number in the file is accepted and read by its shortest form. */
export const exact = (min: string, max: string) => {
  const allowed = `a decimal number from ${min} to ${max}`;
  const parse = (value: string | number): Decimal | undefined => {
    try {
      const parsed = typeof value === 'number' ? fromNumber(value) : decimal(value.trim());
      return cmp(parsed, min) < 0 || cmp(parsed, max) > 0 ? undefined : parsed;
    } catch {
      return undefined;
    }
  };
  const schema = z
    .union([z.string(), z.number()], { error: allowed })
    .transform((value, context): Decimal => {
      const parsed = parse(value);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: allowed });
      return z.NEVER;
    });
  return described(schema, 'text', allowed);
};

export const list = (allowed: string, pattern: RegExp) =>
  described(
    z
      .array(z.string({ error: allowed }).regex(pattern, { error: allowed }), { error: allowed })
      .refine((values) => new Set(values).size === values.length, { error: allowed }),
    'list',
    allowed,
  );

/** Numbers and groups of numbers; whoever they belong to knows their names. */
export type NumberTree = { readonly [key: string]: number | NumberTree };

const numberTree: z.ZodType<NumberTree> = z.lazy(() =>
  z.record(z.string(), z.union([z.number(), numberTree])),
);

export const options = (allowed: string) =>
  described(
    z.custom<NumberTree>((value) => numberTree.safeParse(value).success, { error: allowed }),
    'json',
    allowed,
  );

/** How fast a recording or a generated market runs: a multiple of real time, or as fast as it goes. */
export const speed = () => {
  const allowed = '"max" or a number above 0 up to 1000000';
  const schema = z.union([z.literal('max'), z.number().positive().max(1_000_000)], { error: allowed });
  return described(schema, 'number', allowed);
};
