/**
 * The command line as processes of their own, as a person or a supervisor would start them. Tests wait for what
 * a process says or for its end, never for time to pass; the limits here only end a test that hangs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/app/main.ts', import.meta.url));
const LIMIT_MS = 90_000;

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Another program around the same command line. */
  readonly main?: string;
  /** What the command is put behind: another place to run it in. It must become the command, not start it. */
  readonly wrap?: readonly string[];
}

export interface CliEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** This process's variables without any that would configure Bulkhead. */
function environment(extra: CliOptions['env']): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(BULKHEAD_|DATABASE_URL|REDIS_URL|NODE_TEST_CONTEXT)/.test(name),
  );
  // Fixed ports are for people.
  return { ...Object.fromEntries(own), BULKHEAD_HTTP_ENABLED: 'false', ...extra };
}

export class CliProcess {
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  /** Resolves when it has ended and all it wrote is here. */
  readonly ended: Promise<CliEnd>;
  stdout = '';
  stderr = '';
  #isOver = false;

  constructor(args: readonly string[], { env, cwd, main = MAIN, wrap = [] }: CliOptions = {}) {
    const [program = process.execPath, ...words] = [...wrap, process.execPath, main, ...args];
    const child = spawn(program, words, {
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout += chunk;
      this.#changed();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
      this.#changed();
    });
    // A test run that is killed must not leave processes behind.
    const reap = (): boolean => child.kill('SIGKILL');
    process.once('exit', reap);
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.#isOver = true;
        process.off('exit', reap);
        this.#changed();
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it has written the pattern; fails when it ends without. */
  said(pattern: RegExp, on: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void): void => {
        clearTimeout(limit);
        this.#watchers.delete(look);
        action();
      };
      const fail = (why: string) => () => reject(new Error(`${why}: ${pattern}\n${this.tail()}`));
      const look = (): void => {
        const match = this[on].match(pattern);
        if (match) settle(() => resolve(match));
        else if (this.#isOver) settle(fail('ended without saying'));
      };
      const limit = setTimeout(() => settle(fail(`not said in ${LIMIT_MS} ms`)), LIMIT_MS);
      this.#watchers.add(look);
      look();
    });
  }

  /** Ends it, whatever it does; for a test's clean-up. */
  async reap(): Promise<void> {
    if (!this.#isOver) this.#child.kill('SIGKILL');
    await this.ended;
  }

  tail(): string {
    return `${this.stdout.slice(-1_500)}\n--- stderr\n${this.stderr.slice(-2_500)}`;
  }

  #changed(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}

/** Starts it and waits for its end. */
export function cli(args: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
  return new CliProcess(args, options).ended;
}

/** The error that a command reports with --json. */
export function errorOf({ stderr }: CliEnd): { code: string; message: string; hint: string } {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  const { error } = JSON.parse(line) as { error: { code: string; message: string; hint: string } };
  return error;
}

/** Standard output as JSON lines; throws on a line that is none. */
export function jsonLines({ stdout }: Pick<CliEnd, 'stdout'>): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
