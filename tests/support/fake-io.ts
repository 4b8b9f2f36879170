/** An Io that keeps what is written to it; every option defaulted, so that each one set means something. */
import type { Io } from '../../src/app/cli/io.ts';
import { VirtualTime } from '../../src/core/clock.ts';

export interface FakeIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
}

export function fakeIo(overrides: Partial<Io> = {}): FakeIo {
  let out = '';
  let err = '';
  return {
    stdout: {
      write(text) {
        out += text;
      },
    },
    stderr: {
      write(text) {
        err += text;
      },
    },
    env: {},
    cwd: '/nowhere',
    isTty: false,
    stderrIsTty: false,
    columns: 100,
    rows: 40,
    time: new VirtualTime(Date.UTC(2026, 0, 1)),
    pid: 1,
    ...overrides,
    out: () => out,
    err: () => err,
  };
}
