/**
 * Whose fault an unhandled rejection or exception is. Everything a child starts (timers, sockets, promises)
 * carries its owner along, so that src/app's process handlers can crash that one child; a failure that
 * belongs to nobody must end the process, because nobody knows what it broke.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface Owner {
  readonly path: string;
  readonly incarnation: number;
  /** Ends this incarnation with the error; when it has ended already, the error is only noted. */
  crash(error: unknown): void;
}

const owners = new AsyncLocalStorage<Owner | undefined>();

/** Runs `work`, and all it starts, in the name of `owner`; undefined: of nobody. */
export function runAs<T>(owner: Owner | undefined, work: () => T): T {
  return owners.run(owner, work);
}

/** The child on whose behalf this code runs; in a process-wide error handler, whose failure it is. */
export function ownerOf(): Owner | undefined {
  return owners.getStore();
}

/** For 'uncaughtException' and 'unhandledRejection' handlers: false means nobody's, so the process must exit. */
export function crashOwner(error: unknown): boolean {
  const owner = ownerOf();
  owner?.crash(error);
  return owner !== undefined;
}
