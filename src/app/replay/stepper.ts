/**
 * Stepping through a journal, forward and back: by keys on a terminal, or all rows of a span for a script.
 */
import type { Moments, RowView } from '../../../supervisors/moments.ts';
import type { ActorId } from '../../core/ids.ts';
import type { Io } from '../cli/io.ts';
import { changesBetween, type StepView, stepLines } from './moment-text.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
  /** Only this one's rows. */
  readonly actor: ActorId | undefined;
}

export async function stepView(moments: Moments, row: RowView): Promise<StepView> {
  const [before, after] = [
    row.seq === 1 ? undefined : await moments.actor(row.actor, row.n - 1),
    await moments.actor(row.actor, row.n),
  ];
  const changes = row.seq === 1 ? [] : changesBetween(before, after);
  return { row, state: after?.state ?? '', changes };
}

export async function* stepsOf(moments: Moments, { from, to, actor }: Span): AsyncGenerator<StepView> {
  for (let row = await moments.next(from - 1, actor); row && row.n <= to; ) {
    yield await stepView(moments, row);
    row = await moments.next(row.n, actor);
  }
}

const HELP = '[n]ext [p]revious  [N]/[P] of this actor  [w]hole state  [a]ctors  [q]uit';

/** Until q, or the keys end. False: there is no row to show. */
export async function walk(moments: Moments, start: Span, io: Io): Promise<boolean> {
  const show = async (row: RowView): Promise<void> => {
    const lines = stepLines(await stepView(moments, row));
    io.stdout.write(`\n${lines.join('\n')}\n${HELP}\n`);
  };
  let current = (await moments.previous(start.to + 1, start.actor)) ?? (await moments.next(0, start.actor));
  if (!current) return false;
  await show(current);
  for await (const key of io.keys?.() ?? []) {
    if (key === 'q') return true;
    if (key === 'w' || key === 'a') {
      await showMore(moments, current, key, io);
      continue;
    }
    const next = await moved(moments, current, key, start.actor);
    if (next === 'unknown') continue;
    if (next === undefined) {
      io.stdout.write('There is no further row that way.\n');
      continue;
    }
    current = next;
    await show(current);
  }
  return true;
}

function moved(
  moments: Moments,
  { n, actor }: RowView,
  key: string,
  only: ActorId | undefined,
): Promise<RowView | undefined> | 'unknown' {
  switch (key) {
    case 'n':
    case 'right':
    case 'down':
      return moments.next(n, only);
    case 'p':
    case 'left':
    case 'up':
      return moments.previous(n, only);
    case 'N':
      return moments.next(n, actor);
    case 'P':
      return moments.previous(n, actor);
    default:
      return 'unknown';
  }
}

async function showMore(moments: Moments, { n, actor }: RowView, key: 'w' | 'a', io: Io): Promise<void> {
  if (key === 'w') {
    const { context, value, host } = (await moments.actor(actor, n)) ?? {};
    io.stdout.write(`${JSON.stringify({ value, context, host }, null, 1)}\n`);
    return;
  }
  const alive = await moments.actors(n, 'alive');
  io.stdout.write(`${alive.map((each) => `${each.actor}  ${each.state}`).join('\n')}\n`);
}
