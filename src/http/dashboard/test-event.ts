/** To tell an actor of a demo what did not happen; the fields of the last such event stand there to begin with. */
import type { TestEvent } from '../../domain/command.ts';
import type { JournalLine } from '../../operator/views.ts';
import { CommandButton } from './commands.ts';
import { eventType, Field } from './parts.ts';
import { usePart } from './store.ts';
import { html, useState, type VNode } from './ui.ts';

/** What was written, as an event; or why it is none. Pure. */
export function eventFrom(type: string, text: string): { event: TestEvent } | { wrong: string } {
  let fields: unknown;
  try {
    fields = text.trim() === '' ? {} : JSON.parse(text);
  } catch (error) {
    return { wrong: `That is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    return { wrong: 'The fields are an object, such as {"price": "100"}.' };
  if ('at' in fields) return { wrong: 'Leave out "at": the runtime says when it happens.' };
  if ('type' in fields) return { wrong: 'Leave out "type": it is chosen above.' };
  return { event: { ...(fields as object), type } };
}

/** The fields of the newest event of that type; none where there was none. Pure. */
export function fieldsLike(type: string, rows: readonly JournalLine[]): string {
  const last = rows.findLast(({ event }) => eventType(event) === type)?.event;
  if (typeof last !== 'object' || last === null) return '{}';
  return JSON.stringify({ ...last, type: undefined, at: undefined }, null, 2);
}

export function TestEventForm({
  actor,
  events,
  rows,
}: {
  actor: string;
  events: readonly string[];
  rows: readonly JournalLine[];
}): VNode | null {
  const isDemo = usePart(({ status }) => status?.mode === 'demo');
  const [type, setType] = useState('');
  const [text, setText] = useState('{}');
  if (!isDemo || events.length === 0) return null;
  const choose = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    setType(value);
    setText(fieldsLike(value, rows));
  };
  const read = eventFrom(type, text);
  const wrong = 'wrong' in read ? read.wrong : null;
  const command =
    type !== '' && 'event' in read ? { kind: 'test-event' as const, actor, event: read.event } : null;
  return html`<details class="test-event"><summary>Send a test event (a demo only)</summary>
    <div class="row">
      <${Field} label="Event"><select aria-label="Test event" value=${type} onChange=${choose}>
        <option value="">choose</option>
        ${events.map((name) => html`<option value=${name}>${name}</option>`)}
      </select></${Field}>
      <${CommandButton} command=${command}>Send event</${CommandButton}>
    </div>
    <textarea
      class="mono"
      rows="8"
      spellcheck=${false}
      aria-label="Fields of the test event"
      aria-invalid=${wrong !== null}
      value=${text}
      onInput=${(event: Event) => setText((event.target as HTMLTextAreaElement).value)}
    ></textarea>
    ${wrong !== null && html`<p class="bad" role="alert">${wrong}</p>`}
  </details>`;
}
