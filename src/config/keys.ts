/** The keys of the schema as a flat table: for variables' names, for hints and for the documentation's test. */
import type { z } from 'zod';
import type { LeafKind } from './leaf.ts';
import { configSchema } from './schema.ts';

export interface ConfigKey {
  /** Dotted, e.g. "market.speed". */
  readonly path: string;
  /** e.g. "BULKHEAD_MARKET_SPEED". */
  readonly variable: string;
  readonly kind: LeafKind;
  readonly allowed: string;
  readonly defaultValue: unknown;
}

const ENV_PREFIX = 'BULKHEAD_';

const variableOf = (path: string): string =>
  ENV_PREFIX + path.replaceAll('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase();

interface Wrapper {
  readonly def: {
    readonly innerType?: z.ZodType;
    readonly defaultValue?: unknown;
    readonly shape?: Record<string, z.ZodType>;
  };
}

const defOf = (schema: z.ZodType): Wrapper['def'] => (schema as unknown as Wrapper).def;

function* walk(schema: z.ZodType, path: string, defaultValue?: unknown): Generator<ConfigKey> {
  const meta = schema.meta();
  if (meta?.leaf !== undefined) {
    const kind = meta.leaf as LeafKind;
    yield { path, variable: variableOf(path), kind, allowed: String(meta.allowed), defaultValue };
    return;
  }
  const def = defOf(schema);
  if (def.innerType) yield* walk(def.innerType, path, def.defaultValue);
  for (const [name, child] of Object.entries(def.shape ?? {})) {
    yield* walk(child, path === '' ? name : `${path}.${name}`);
  }
}

export const CONFIG_KEYS: readonly ConfigKey[] = [...walk(configSchema, '')];
