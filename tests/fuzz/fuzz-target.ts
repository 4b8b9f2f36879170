/**
 * What is fuzzed: one entry for each parser that eats bytes from outside. Who adds a parser adds its entry to
 * targets.ts.
 */
import type fc from 'fast-check';

export interface FuzzTarget {
  /** Also its folder in tests/fuzz/corpus. */
  readonly name: string;
  /** Bytes that are nearly right: built from the grammar, with wrong values in right places. */
  readonly structure: fc.Arbitrary<Uint8Array>;
  /** Reads the bytes; may be waited for. What it gives back is measured: it must not be out of proportion. */
  readonly eat: (bytes: Buffer) => unknown;
  /** Each input goes over a socket, or into a world of its own: fewer of them a turn. */
  readonly isSlow?: true;
  /** Whether this is how it may refuse; anything else that is thrown is a finding. */
  readonly mayThrow: (error: unknown) => boolean;
  /** What must hold of what was read; throws where it does not. */
  readonly check?: (result: unknown, bytes: Buffer) => void;
}

export const never = (): boolean => false;
