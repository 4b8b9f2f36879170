/** What each event of a position's life is called in its story, and the numbers that belong to it. Pure. */
import type { ActorEvent, Cause } from '../../domain/events.ts';

type Value = string | number | boolean | null;

export interface Told {
  readonly what: string;
  readonly numbers: Readonly<Record<string, Value>>;
}

type Words = (event: ActorEvent) => string;

const of = (event: ActorEvent, name: string): string => String(event[name] ?? '?');

function begin({ input }: ActorEvent): string {
  const { entry, adopted } = (input ?? {}) as {
    entry?: Record<string, unknown>;
    adopted?: { quantity: string; entryPrice: string };
  };
  if (adopted) return `taken over from the venue: ${adopted.quantity} at ${adopted.entryPrice}`;
  if (!entry) return 'started';
  const size = `${entry.direction} ${entry.quantity} at about ${entry.referencePrice}`;
  const notes = Array.isArray(entry.notes) ? ` [${entry.notes.join('; ')}]` : '';
  return `risk approved ${size}, stop ${entry.stopPrice}, leverage ${entry.leverage}: ${entry.reason}${notes}`;
}

/** What scaled and cut a size, as risk said with its approval. */
export const sizedBy = ({ notes }: ActorEvent): string => {
  const list = Array.isArray(notes) ? notes.map(String) : [];
  return list.length > 0 ? `, sized by ${list.join('; ')}` : '';
};

const refused = (event: ActorEvent): string => `(${of(event, 'code')}) ${of(event, 'reason')}`;

const WORDS: Readonly<Record<string, Words>> = {
  'actor.start': begin,
  LEVERAGE_SET: (e) => `leverage ${of(e, 'leverage')} is set`,
  LEVERAGE_REJECTED: (e) => `the leverage was refused: ${refused(e)}`,
  CONFIRMED: () => 'the portfolio confirmed: no breaker stands against it',
  DENIED: (e) => `the portfolio denied it: ${of(e, 'reason')}`,
  APPROVED: (e) => `risk approved an add${sizedBy(e)}`,
  REFUSED: (e) => `risk refused an add: ${refusals(e)}`,
  ORDER_ACKNOWLEDGED: (e) => `${of(e, 'ref')} is at the venue`,
  ORDER_REJECTED: (e) => `${of(e, 'ref')} was refused: ${refused(e)}`,
  ORDER_UNKNOWN: (e) => `nobody knows whether ${of(e, 'ref')} reached the venue: ${of(e, 'reason')}`,
  ORDER_TRIGGERED: (e) => `${of(e, 'ref')} triggered`,
  ORDER_FILLED: filled,
  ORDER_CLOSED: (e) => `${of(e, 'ref')} ${of(e, 'outcome')}: ${of(e, 'reason')}`,
  CANCEL_REJECTED: (e) => `the cancel of ${of(e, 'ref')} was refused: ${refused(e)}`,
  FUNDING_SETTLED: (e) =>
    `funding ${of(e, 'amount')}${e.rate === undefined ? '' : ` at a rate of ${of(e, 'rate')}`}`,
  MARGIN_CALLED: (e) => `the venue warned: margin ratio ${of(e, 'marginRatio')}`,
  PRICE: (e) => `mark ${of(e, 'mark')} left the guard band`,
  EXIT_SIGNAL: (e) => `exit signal: ${of(e, 'reason')}`,
  EXIT_OPINION: (e) => `the model is ${of(e, 'confidence')} sure of an exit: ${of(e, 'reason')}`,
  REGIME: (e) => `the regime is now ${of(e, 'regime')}`,
  FUNDING_AHEAD: (e) =>
    `funding at a rate of ${of(e, 'rate')} ahead, at ${new Date(Number(e.settlesAt)).toISOString()}`,
  OPERATOR_CLOSE: (e) => `closed by hand${e.by === undefined ? '' : ` by ${of(e, 'by')}`}`,
  PARTIAL_CLOSE: (e) =>
    `${of(e, 'by')} asks to close ${e.share === undefined ? of(e, 'quantity') : `${of(e, 'share')} % of it`}`,
  MOVE_STOP: (e) =>
    `${of(e, 'by')} asks to move the stop to ${of(e, 'price')}${e.loosen === true ? ', looser if it must be' : ''}`,
  INSTRUMENT: () => 'the venue changed the instrument',
  KILL: (e) => `kill: ${of(e, 'reason')}`,
  TIME_STOP: () => 'its time is up',
  ABORT_ENTRY: (e) => `called back: ${of(e, 'reason')}`,
  POSITION_GONE: (e) => `the venue holds nothing of it: ${of(e, 'reason')}`,
};

function refusals({ refusals: list }: ActorEvent): string {
  return ((list ?? []) as readonly { rule: string; detail: string }[])
    .map(({ rule, detail }) => `${rule} (${detail})`)
    .join('; ');
}

const ACTED: Readonly<Record<string, string>> = {
  manual: 'somebody by hand',
  guardian: 'the guardian, in its place,',
};

function filled(event: ActorEvent): string {
  const verb = event.side === 'BUY' ? 'bought' : 'sold';
  const cause = of(event, 'cause');
  const who = event.cause === undefined ? of(event, 'ref') : (ACTED[cause] ?? `the venue's ${cause}`);
  const rest = event.complete === true ? '' : ', not yet all';
  return `${who} ${verb} ${of(event, 'quantity')} at ${of(event, 'price')}${rest}`;
}

/** Nested parts stay in the journal: a story's numbers are flat. */
function flat(event: ActorEvent): Record<string, Value> {
  const numbers: Record<string, Value> = {};
  for (const [name, value] of Object.entries(event)) {
    if (name === 'at' || name === 'type') continue;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      numbers[name] = value;
  }
  return numbers;
}

/** Of a state's own deadline its name, without the machine's path to the state. */
const deadlineOf = (id: string): string =>
  /^(?:after:)?xstate\.after\.([^.]+)\./.exec(id)?.[1] ?? id.replace('after:', '');

export function tellEvent(event: ActorEvent, cause: Cause): Told {
  const words = WORDS[event.type];
  const timer = cause.kind === 'timer' ? `the deadline ${deadlineOf(cause.id)} passed` : event.type;
  return { what: words ? words(event) : timer, numbers: flat(event) };
}
