/** The keys of the schema as a flat table: for variables' names, for hints and for the documentation's test. */
import type { z } from 'zod';
import type { Change, LeafKind } from './leaf.ts';
import { configSchema } from './schema.ts';

export interface ConfigKey {
  /** Dotted, e.g. "market.speed". */
  readonly path: string;
  /** e.g. "BULKHEAD_MARKET_SPEED". */
  readonly variable: string;
  readonly kind: LeafKind;
  readonly allowed: string;
  readonly defaultValue: unknown;
  /** Why it cannot change while a run lasts; null: it can. */
  readonly needsRestart: string | null;
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

interface Inherited {
  readonly change?: Change | undefined;
  readonly defaultValue?: unknown;
}

function* walk(schema: z.ZodType, path: string, above: Inherited = {}): Generator<ConfigKey> {
  const meta = schema.meta();
  // What stands nearer to the key counts; the wrappers of a key (its default) are of the key.
  const change = (meta?.change as Change | undefined) ?? above.change;
  if (meta?.leaf !== undefined) {
    if (change === undefined) throw new Error(`${path} does not say whether it may change while running`);
    const { defaultValue } = above;
    const kind = meta.leaf as LeafKind;
    const needsRestart = change === 'hot' ? null : change.needsRestart;
    yield {
      path,
      variable: variableOf(path),
      kind,
      allowed: String(meta.allowed),
      defaultValue,
      needsRestart,
    };
    return;
  }
  const def = defOf(schema);
  if (def.innerType) yield* walk(def.innerType, path, { change, defaultValue: def.defaultValue });
  for (const [name, child] of Object.entries(def.shape ?? {})) {
    yield* walk(child, path === '' ? name : `${path}.${name}`, { change });
  }
}

export const CONFIG_KEYS: readonly ConfigKey[] = [...walk(configSchema, '')];
