/** What a command of `bulkhead` is made of, and the flags that many of them share. */
export interface FlagSpec {
  readonly name: string;
  /** What stands for its value in the help; absent: a switch. */
  readonly value?: string;
  readonly summary: string;
  /** The configuration key it sets; its default is that key's. */
  readonly key?: string;
  readonly default?: string;
}

export interface CommandSpec {
  readonly name: string;
  /** Positional arguments as the help shows them. */
  readonly args?: string;
  /** How many positional arguments it takes. */
  readonly arity?: readonly [min: number, max: number];
  readonly summary: string;
  readonly detail: string;
  readonly flags: readonly FlagSpec[];
  readonly examples: readonly string[];
  /** Codes with a meaning of their own here; the common ones stand in the general help. */
  readonly exits?: Readonly<Record<number, string>>;
}

export const CONFIG: FlagSpec = {
  name: 'config',
  value: 'FILE',
  summary: 'configuration file',
  default: 'bulkhead.yaml, when there is one',
};
export const DATA_DIR: FlagSpec = {
  name: 'data-dir',
  value: 'DIR',
  summary: 'folder of the store and the status',
  key: 'data.dir',
};
export const JSON_FLAG: FlagSpec = {
  name: 'json',
  summary: 'machine-readable output, one JSON value a line',
};
export const QUIET: FlagSpec = { name: 'quiet', summary: 'no progress and no dashboard' };
export const HELP: FlagSpec = { name: 'help', summary: 'this text' };
