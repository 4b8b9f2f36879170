/** `bulkhead migrate`: opens the store with leave to change its schema, and says how it then stands. */
import type { CreateStore, Io, MigrateOptions } from '../cli/io.ts';

export async function migrate(options: MigrateOptions, io: Io, createStore: CreateStore): Promise<number> {
  const store = await createStore(options, io, 'apply');
  try {
    const health = await store.open();
    const text = options.json
      ? JSON.stringify(health)
      : `${health.engine} at ${health.location}: schema is up to date`;
    io.stdout.write(`${text}\n`);
  } finally {
    await store.close();
  }
  return 0;
}
