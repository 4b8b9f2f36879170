/** The configuration's versions: who, when, why, what is different; the way back, and reading the file again. */
import type { Json } from '../../core/json.ts';
import type { ConfigChangeLine, ConfigVersionLine } from '../../operator/views.ts';
import { give } from './commands.ts';
import { time } from './format.ts';
import { Badge, Card, type Column, Loaded, Table, useNamedView } from './parts.ts';
import { html, useState, type VNode } from './ui.ts';

const PAGE = 20;
const MOST = 500;
/** A version that somebody makes is a command, at which views are read anew; this is for reloads by signal. */
const LOOK_EVERY_MS = 30_000;
/** Of one version, before one asks for the rest. */
const CHANGES_SHOWN = 5;

export function ConfigVersions(): VNode {
  const [limit, setLimit] = useState(PAGE);
  const [reason, setReason] = useState('');
  const versions = useNamedView<readonly ConfigVersionLine[]>('config/versions', { limit }, LOOK_EVERY_MS);
  const word = reason.trim() === '' ? null : reason.trim();
  const older = ({ version }: ConfigVersionLine) => version > 1 && limit < MOST;
  return html`<${Card} title="Configuration versions" wide=${true}>
    <div class="row">
      <input aria-label="Reason for a change of the configuration" placeholder="Reason (it stands beside the version)" size="36" maxlength="200" value=${reason} onInput=${(event: Event) => setReason((event.target as HTMLInputElement).value)} />
      <button type="button" onClick=${() => give({ kind: 'config-reload', reason: word ?? 'from the dashboard' })}>Read the file again</button>
      ${word === null && html`<span class="quiet">Going back needs a reason.</span>`}
    </div>
    <${Loaded} seen=${versions} show=${(lines: readonly ConfigVersionLine[]) => html`
      <${Table} label="Configuration versions" stacked="lines" rows=${lines} columns=${columns(word)} keyOf=${({ version }: ConfigVersionLine) => version} empty="There is no version yet." />
      ${lines.slice(-1).some(older) && html`<button type="button" onClick=${() => setLimit(Math.min(MOST, limit * 5))}>Show older ones</button>`}
    `} />
  </${Card}>`;
}

const columns = (reason: string | null): readonly Column<ConfigVersionLine>[] => [
  {
    name: 'Version',
    of: ({ version, runs }) => html`${version} ${runs && html`<${Badge} tone="good">in force</${Badge}>`}`,
  },
  { name: 'When', of: ({ at }) => html`<span class="mono">${time(at)}</span>` },
  {
    name: 'Who',
    of: ({ by, channel }) => html`${by} ${channel !== by && html`<span class="quiet">${channel}</span>`}`,
  },
  { name: 'Why', words: true, of: ({ why }) => why },
  {
    name: 'What changed',
    words: true,
    of: ({ version, changes }) => html`<${Changes} version=${version} changes=${changes} />`,
  },
  {
    name: '',
    of: ({ version, runs }) =>
      !runs &&
      html`<button
        type="button"
        disabled=${reason === null}
        aria-label=${`Go back to version ${version}`}
        onClick=${() => reason !== null && give({ kind: 'config-rollback', version, reason })}
      >
        Go back
      </button>`,
  },
];

interface Changed {
  readonly version: number;
  readonly changes: readonly ConfigChangeLine[];
}

function Changes({ version, changes }: Changed): VNode {
  if (changes.length === 0)
    return html`<span class="quiet">${version === 1 ? '–' : 'nothing that is in force'}</span>`;
  const [first, rest] = [changes.slice(0, CHANGES_SHOWN), changes.slice(CHANGES_SHOWN)];
  return html`${first.map(changeLine)}
    ${rest.length > 0 && html`<details><summary>and ${rest.length} more</summary>${rest.map(changeLine)}</details>`}`;
}

const changeLine = ({ key, before, after }: ConfigChangeLine): VNode =>
  html`<div key=${key} class="json">${key} <del class="old">${valueText(before)}</del> → <ins class="changed">${valueText(after)}</ins></div>`;

const valueText = (value: Json): string =>
  value === null ? 'not set' : typeof value === 'string' ? value : JSON.stringify(value);
