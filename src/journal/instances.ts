/**
 * The installations that a journal has lived in. Order ids derive from the installation, so a journal restored from
 * a backup gets a new one, and remembers which rows the earlier ones wrote.
 */
import { freshId } from '../core/ids.ts';
import type { JournalStore } from './journal.ts';

const CURRENT = 'instance';
const EARLIER = 'instances';

export interface EarlierInstance {
  readonly instance: string;
  /** The last row that it wrote. */
  readonly upTo: number;
}

export interface Instances {
  /** Undefined: no run has begun. */
  readonly current: string | undefined;
  /** Oldest first. */
  readonly earlier: readonly EarlierInstance[];
}

export async function readInstances(store: Pick<JournalStore, 'getMeta'>): Promise<Instances> {
  const earlier = await store.getMeta(EARLIER);
  return {
    current: await store.getMeta(CURRENT),
    earlier: earlier === undefined ? [] : (JSON.parse(earlier) as EarlierInstance[]),
  };
}

/** Who wrote row n. */
export const instanceAt = ({ current, earlier }: Instances, n: number): string =>
  earlier.find(({ upTo }) => n <= upTo)?.instance ?? current ?? '';

/** The facts of a journal that ends at row n and from now on lives in a new installation. */
export function reincarnated(
  meta: Readonly<Record<string, string>>,
  n: number,
): { readonly meta: Readonly<Record<string, string>>; readonly instance: string } {
  const instance = freshId(CURRENT);
  const { [CURRENT]: before, [EARLIER]: known } = meta;
  const earlier = known === undefined ? [] : (JSON.parse(known) as EarlierInstance[]);
  const writer = before === undefined ? undefined : instanceAt({ current: before, earlier }, n);
  const kept = earlier.filter(({ upTo }) => upTo < n);
  const instances = writer === undefined ? kept : [...kept, { instance: writer, upTo: n }];
  return { meta: { ...meta, [CURRENT]: instance, [EARLIER]: JSON.stringify(instances) }, instance };
}
