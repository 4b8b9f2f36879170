/**
 * The text of a statechart's snapshot, as `JSON.stringify(actor.getPersistedSnapshot())` gives it, byte for byte: a
 * part of the context that is the very object it was before is not written out anew. A portfolio of a thousand
 * positions is a quarter of a megabyte in each of its rows, and an event changes a few hundred bytes of it.
 *
 * Invariant: a context is plain JSON and never changed in place (XState's `assign` makes a new one), so the same object
 * is the same text. Child actors and history states are left to the library.
 */
export interface WritableSnapshot {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly value?: unknown;
  readonly context?: unknown;
  readonly children?: object;
  readonly historyValue?: object;
}

type Context = Readonly<Record<string, unknown>>;

const isEmpty = (value: object | undefined): boolean =>
  value !== undefined && Object.keys(value).length === 0;

export class SnapshotText {
  /** Of the context that was written last, in its order: each key, what it held, and how both are written. */
  readonly #keys: string[] = [];
  readonly #values: unknown[] = [];
  readonly #parts: string[] = [];
  #context = '{}';
  #state: { readonly value: unknown; readonly text: string } = { value: undefined, text: '' };

  /** Undefined: not as simple as that, the library must write it. */
  of({
    status,
    output,
    error,
    value,
    context,
    children,
    historyValue,
  }: WritableSnapshot): string | undefined {
    if (!isEmpty(children) || !isEmpty(historyValue) || output !== undefined || error !== undefined)
      return undefined;
    const written = this.#contextText(context as Context);
    const state = this.state(value);
    return `{"status":"${status}","value":${state},"historyValue":{},"context":${written},"children":{}}`;
  }

  /** The state's JSON, asked for several times a step. */
  state(value: unknown): string {
    if (this.#state.value !== value) this.#state = { value, text: JSON.stringify(value) };
    return this.#state.text;
  }

  #contextText(context: Context): string {
    const keys = this.#keys;
    const values = this.#values;
    const parts = this.#parts;
    let count = 0;
    let isNew = false;
    for (const key in context) {
      const value = context[key];
      if (value === undefined) continue;
      // A context keeps the order of its keys from one event to the next.
      if (keys[count] !== key || values[count] !== value) {
        keys[count] = key;
        values[count] = value;
        parts[count] = `${JSON.stringify(key)}:${JSON.stringify(value)}`;
        isNew = true;
      }
      count += 1;
    }
    if (isNew || count !== keys.length) {
      keys.length = count;
      values.length = count;
      parts.length = count;
      this.#context = `{${parts.join(',')}}`;
    }
    return this.#context;
  }
}
