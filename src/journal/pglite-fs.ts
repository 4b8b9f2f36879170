/**
 * The embedded engine's file system, made durable.
 *
 * Invariant: what the engine asks to be flushed is flushed. Stock PGlite has no fsync on Node: its commits sit
 * in the page cache. This reaches into internals that moved between releases, hence the exact version pin and
 * the probe at start, which counts the calls.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

interface EmscriptenStream {
  readonly nfd?: number;
  readonly node: unknown;
}

interface NodefsModule {
  readonly NODEFS: {
    readonly stream_ops: { fsync?: (stream: EmscriptenStream) => number };
    realPath(node: unknown): string;
  };
  readonly FS: { readonly ErrnoError: new (errno: number) => Error };
}

type InitOptions = Parameters<NodeFS['init']>[1];
type InitResult = Awaited<ReturnType<NodeFS['init']>>;

const EIO = 29;

export class DurableNodeFS extends NodeFS {
  /** How often the engine flushed a file or a folder. */
  flushes = 0;
  /** The first flush that failed: from then on nothing this engine says can be trusted. */
  failure: unknown;
  readonly #durable: boolean;

  /** `durable` is false only in the test that the probe notices. */
  constructor(dir: string, durable: boolean) {
    super(dir);
    this.#durable = durable;
  }

  override async init(engine: PGlite, options: InitOptions): Promise<InitResult> {
    const result = await super.init(engine, options);
    if (!this.#durable) return result;
    const preRun = result.emscriptenOpts.preRun ?? [];
    const patch = (module: unknown): void => this.#patch(module as NodefsModule);
    return { emscriptenOpts: { ...result.emscriptenOpts, preRun: [...preRun, patch] } };
  }

  #patch({ NODEFS, FS }: NodefsModule): void {
    NODEFS.stream_ops.fsync = (stream) => {
      try {
        if (stream.nfd === undefined) flushFolder(NODEFS.realPath(stream.node));
        else fdatasyncSync(stream.nfd);
      } catch (error) {
        this.failure ??= error;
        throw new FS.ErrnoError(EIO);
      }
      this.flushes += 1;
      return 0;
    };
  }
}

/** Makes the names in a folder durable. Windows can neither open nor flush one, and need not. */
export function flushFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
