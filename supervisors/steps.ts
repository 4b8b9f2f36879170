/**
 * Routines that run without a pause until they really have to wait. Promises would put a turn of the event
 * loop between any two steps; a supervisor's synchronous children must start within their caller's turn.
 */

/** Calls `resume` once, at once or later. */
export type Wait = (resume: () => void) => void;
export type Steps<T = void> = Generator<Wait, T, void>;

/** Runs to the end, calling `done` there; once `isAbandoned`, nothing of it runs any more, `done` included. */
export function drive(steps: Steps, isAbandoned: () => boolean, done: () => void): void {
  const run = (): void => {
    while (!isAbandoned()) {
      const next = steps.next();
      if (next.done) {
        if (!isAbandoned()) done();
        return;
      }
      let resumed = false;
      let returned = false;
      next.value(() => {
        if (resumed) return;
        resumed = true;
        if (returned) run();
      });
      returned = true;
      if (!resumed) return;
    }
  };
  run();
}

/** The answer itself when it comes within the call, else a promise of it. Only the first answer counts. */
export function soon<T>(ask: (answer: (value: T) => void) => void): T | Promise<T> {
  let answered: { readonly value: T } | undefined;
  let resolve: ((value: T) => void) | undefined;
  ask((value) => {
    answered ??= { value };
    resolve?.(value);
  });
  // The compiler cannot see that the callback may have run by now.
  const settled = answered as { readonly value: T } | undefined;
  if (settled !== undefined) return settled.value;
  return new Promise((done) => {
    resolve = done;
  });
}
