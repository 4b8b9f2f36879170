/** Sends an actor of a demo an event by hand. The runtime refuses it everywhere else. */
import type { Command } from '../../domain/command.ts';
import { give, toast } from './commands.ts';
import { html, useState, type VNode } from './ui.ts';

export function TestEvent({ actor }: { actor: string }): VNode {
  const [text, setText] = useState('{"type": "TIME_STOP"}');
  const send = (event: Event) => {
    event.preventDefault();
    try {
      const given = JSON.parse(text) as { type?: unknown };
      if (typeof given.type !== 'string') throw new Error('an event has a "type"');
      give({ kind: 'test-event', actor, event: given } as Command);
    } catch (error) {
      toast(`That is no event: ${error instanceof Error ? error.message : String(error)}`, true);
    }
  };
  return html`<details><summary>Send a test event (demo only)</summary>
    <form class="row" onSubmit=${send}>
      <input class="mono" aria-label="Event as JSON" size="36" value=${text} onInput=${(event: Event) => setText((event.target as HTMLInputElement).value)} />
      <button>Send</button>
    </form>
  </details>`;
}
