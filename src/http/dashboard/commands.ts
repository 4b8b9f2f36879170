/**
 * Everything a person can do from here. A command that moves money is told twice: the runtime says what it would do,
 * the person agrees, and only then, under the same id, it is done.
 */
import type { Command } from '../../domain/command.ts';
import { nameGiven, newCommandId, Refused, setName, setToken, tell } from './api.ts';
import { later, memory } from './browser.ts';
import { change, current, usePart } from './store.ts';
import { type Children, html, useEffect, useRef, useState, type VNode } from './ui.ts';

interface Pending {
  readonly id: string;
  readonly command: Command;
  /** What it would do, in the runtime's words. */
  readonly text: string;
}

let ask: (pending: Pending | null) => void = () => {};
/** What waits for the token. */
let waiting: Command | null = null;

const TOAST_MS = 8_000;

export function toast(text: string, bad = false): void {
  const id = newCommandId();
  change(({ toasts }) => ({ toasts: [...toasts, { id, text, bad }] }));
  later(TOAST_MS, () => change(({ toasts }) => ({ toasts: toasts.filter((one) => one.id !== id) })));
}

export function give(command: Command): void {
  if (!current().hasToken) {
    waiting = command;
    change({ askForToken: true });
    return;
  }
  void send(newCommandId(), command, false);
}

async function send(id: string, command: Command, confirmed: boolean): Promise<void> {
  try {
    const answer = await tell(id, command, confirmed);
    if (answer.outcome === 'confirm') ask({ id, command, text: answer.text });
    else toast(answer.text, answer.outcome === 'refused');
  } catch (error) {
    const refused = error instanceof Refused ? error : new Refused(0, String(error));
    if (refused.status === 401) waiting = command;
    toast(
      refused.status === 0
        ? 'No answer came: it may or may not have been done. The journal page shows it.'
        : `${refused.message} ${refused.hint}`,
      true,
    );
  }
}

export const CommandButton = ({
  command,
  danger,
  children,
  label,
}: {
  command: Command | null;
  danger?: boolean;
  children?: Children;
  label?: string;
}): VNode =>
  html`<button
    type="button"
    class=${danger ? 'danger' : ''}
    aria-label=${label}
    disabled=${command === null}
    onClick=${(event: Event) => {
      event.stopPropagation();
      if (command) give(command);
    }}
  >
    ${children}
  </button>`;

/**
 * Opens and closes with what it is given. The browser says `close` a task later, to our own closing too, and by then it
 * may be wanted again (a wrong token is refused at once): only a close that is not ours, Esc, is the person's.
 */
function Dialog({
  open,
  onClose,
  children,
}: {
  open: boolean;
  onClose: () => void;
  children?: Children;
}): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = useRef(false);
  useEffect(() => {
    shown.current = open;
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const closed = () => {
    if (shown.current && !dialog.current?.open) onClose();
  };
  return html`<dialog ref=${dialog} onClose=${closed} aria-labelledby="dialog-title">${open && children}</dialog>`;
}

export function Confirmation(): VNode {
  const [pending, setPending] = useState<Pending | null>(null);
  useEffect(() => {
    ask = setPending;
  }, []);
  const close = () => setPending(null);
  return html`<${Dialog} open=${pending !== null} onClose=${close}>
    <h2 id="dialog-title">Are you sure?</h2>
    <p>${pending?.text}</p>
    <div class="row">
      <button
        type="button"
        class="danger"
        onClick=${() => {
          if (pending) void send(pending.id, pending.command, true);
          close();
        }}
      >
        Yes, do it
      </button>
      <button type="button" onClick=${close} autofocus>No</button>
    </div>
  </${Dialog}>`;
}

export function TokenDialog(): VNode {
  const open = usePart(({ askForToken }) => askForToken);
  const close = () => change({ askForToken: false });
  const take = (event: Event) => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const token = String(given.get('token') ?? '').trim();
    if (token === '') return;
    setName(String(given.get('name') ?? '').trim());
    setToken(token);
    close();
    const command = waiting;
    waiting = null;
    if (command) give(command);
  };
  return html`<${Dialog} open=${open} onClose=${close}>
    <h2 id="dialog-title">Controls need the token</h2>
    <p>
      It lies in the file <span class="mono">http-token</span> of the data folder. It is kept in this tab alone, until
      the tab is closed. Your name stands in the journal beside what you do.
    </p>
    <form class="row" onSubmit=${take}>
      <input name="name" autocomplete="off" aria-label="Your name" placeholder="Your name" maxlength="40" size="14" value=${nameGiven()} />
      <input name="token" type="password" autocomplete="off" aria-label="Token" placeholder="Token" required autofocus />
      <button>Use it</button>
      <button type="button" onClick=${close}>Cancel</button>
    </form>
  </${Dialog}>`;
}

export function Toasts(): VNode {
  const toasts = usePart((state) => state.toasts);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.map(({ id, text, bad }) => html`<div key=${id} data-id=${id} class=${bad ? 'toast bad' : 'toast'}>${text}</div>`)}
  </div>`;
}

/** At the start: a token that this tab had before it was loaded again. */
export const recallToken = (): void => change({ hasToken: memory.get('bulkhead-token') !== null });
