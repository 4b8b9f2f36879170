/**
 * `bulkhead explain POSITION`: the life of a position as a story, from the journal alone. A symbol instead of a
 * position names its newest life, and says what its desk decided last.
 */
import type { EntryContext } from '../../../machines/entry.ts';
import { desksNamed, placeNamed, positionOf } from '../../../machines/messages.ts';
import { BulkheadError } from '../../core/errors.ts';
import { actorType } from '../../core/ids.ts';
import { stateText } from '../../core/state-text.ts';
import type { Cause } from '../../domain/events.ts';
import { keyOf } from '../../domain/position-key.ts';
import type { JournalRow, JournalStore } from '../../journal/journal.ts';
import { rowsOfLife } from '../../journal/journal-beginning.ts';
import type { CreateStore, ExplainOptions, Io } from '../cli/io.ts';
import { moment, painter, signedMoney } from '../cli/render-text.ts';
import { look } from './look.ts';
import { type Story, storyOf } from './story.ts';

interface Desk {
  readonly symbol: string;
  readonly state: string;
  readonly context: EntryContext;
}

export async function explain(options: ExplainOptions, io: Io, createStore: CreateStore): Promise<number> {
  await look(options, io, createStore, async (store) => {
    const desk = await deskOf(store, options.position);
    const rows = await rowsOfLife(store, actorOf(options.position, desk));
    const story = storyOf(rows, await approvalOf(store, rows[0]));
    if (!story && !desk) throw await notFound(store, options.position);
    if (options.json) io.stdout.write(`${JSON.stringify({ story: story ?? null, desk: desk ?? null })}\n`);
    else render(story, desk, io);
  });
  return 0;
}

function actorOf(named: string, desk: Desk | undefined): string {
  if (actorType(named) === 'position') return named;
  const { place, life } = placeNamed(named);
  return positionOf(desk ? keyOf(desk.context) : place, life ?? desk?.context.life ?? 0);
}

async function deskOf(store: JournalStore, named: string): Promise<Desk | undefined> {
  const { place, life } = placeNamed(named);
  if (actorType(named) === 'position' || life !== undefined) return undefined;
  const rows = await store.liveRows();
  const desks = desksNamed(place, (desk) => rows.some(({ actor }) => actor === desk));
  const known = desks.flatMap((desk): Desk[] => {
    const snapshot = rows.find(({ actor }) => actor === desk)?.snapshot;
    if (!snapshot) return [];
    const { value, context } = JSON.parse(snapshot) as { value: unknown; context: EntryContext };
    return [{ symbol: keyOf(context), state: stateText(value), context }];
  });
  return newestDesk(known);
}

/** Of a symbol whose sides have a desk each: the one that something happened at last. */
const newestDesk = (desks: readonly Desk[]): Desk | undefined =>
  desks.toSorted(
    (a, b) => Number(b.context.life > 0) - Number(a.context.life > 0) || b.context.at - a.context.at,
  )[0];

/** The desk's row in which the approval arrived: the first row of a life names it as its cause. */
async function approvalOf(
  store: JournalStore,
  first: JournalRow | undefined,
): Promise<JournalRow | undefined> {
  const cause = first && (JSON.parse(first.cause) as Cause);
  if (cause?.kind !== 'intent') return undefined;
  const [row] = await store.rowsAfter(cause.n - 1, 1);
  // It may have been removed: what came after it stands there instead.
  return row?.n === cause.n ? row : undefined;
}

async function notFound(store: JournalStore, named: string): Promise<BulkheadError> {
  const open = (await store.liveRows())
    .map(({ actor }) => actor)
    .filter((actor) => actorType(actor) === 'position');
  const hint =
    open.length > 0
      ? `Open now: ${open.slice(0, 10).join(', ')}.`
      : 'See "bulkhead export trades" for those that were.';
  return new BulkheadError('NOT_FOUND', `The journal knows no position ${named}.`, { hint });
}

function render(story: Story | undefined, desk: Desk | undefined, io: Io): void {
  const paint = painter(io.isTty && io.env.NO_COLOR === undefined);
  const out: string[] = [];
  if (desk) out.push(...deskLines(desk), '');
  if (story) {
    out.push(paint('bold', `${story.actor} (${story.over ? 'over' : 'open'})`));
    for (const { at, what, numbers } of story.lines) {
      const slipped = numbers.slippage === undefined ? '' : paint('grey', `  slippage ${numbers.slippage}`);
      out.push(`${paint('grey', `${moment(at)}:${seconds(at)}`)}  ${what}${slipped}`);
    }
    out.push('', splitLine(story));
  }
  io.stdout.write(`${out.join('\n')}\n`);
}

const seconds = (at: number): string => new Date(at).toISOString().slice(17, 23);

function splitLine({ split, over, context }: Story): string {
  const { price, slippage, fees, funding, net } = split;
  const parts = `price ${price}, slippage ${slippage}, fees -${fees}, funding ${funding}`;
  const unprotected = `unprotected for ${context.unprotectedMs} ms in all`;
  return `${over ? 'Net' : 'Net so far'} ${signedMoney(net)} (${net}): ${parts}; ${unprotected}.`;
}

function deskLines({ symbol, state, context }: Desk): string[] {
  const { lastRefusal, passedOver, blocks, counts } = context;
  const refusal =
    lastRefusal &&
    `last refusal ${moment(lastRefusal.at)}: ${lastRefusal.refusals.map(({ rule, detail }) => `${rule} (${detail})`).join('; ')}`;
  const passed = passedOver.at(-1);
  return [
    `${symbol} desk: ${state}; ${counts.signals} signals, ${counts.approved} approved, ${counts.refused} refused`,
    ...Object.entries(blocks).map(([source, why]) => `  blocked by ${source}: ${why}`),
    ...(refusal ? [`  ${refusal}`] : []),
    ...(passed ? [`  last passed over ${moment(passed.at)}: ${passed.why}`] : []),
  ];
}
