/** One precondition of a run, as the doctor finds it. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do; only when not ok. */
  readonly hint?: string;
}
