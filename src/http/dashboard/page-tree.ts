/** The supervisors and what they hold: live states, restarts, last errors. */
import type { TreeNode } from '../../domain/tree-node.ts';
import { duration } from './format.ts';
import { Badge, Card, Loaded, linkTo, useNamedView } from './parts.ts';
import { html, useState, type VNode } from './ui.ts';

const TONES = {
  running: 'good',
  starting: 'warn',
  restarting: 'warn',
  stopping: 'warn',
  stopped: '',
} as const;
/** Of a branch with more children only the unusual ones are shown at first. */
const MANY = 24;

export function TreePage(): VNode {
  const seen = useNamedView<TreeNode | null>('tree', {}, 3_000);
  return html`<${Card} title="Supervisor tree">
    <${Loaded} seen=${seen} show=${(root: TreeNode | null) => (root ? html`<div class="tree"><ul><${Node} node=${root} /></ul></div>` : html`<p class="quiet">Nothing is started yet.</p>`)} />
  </${Card}>`;
}

function Node({ node }: { node: TreeNode }): VNode {
  const { id, kind, state, status, restarts, uptimeMs, lastError, children } = node;
  return html`<li>
    <span class="row">
      ${kind === 'supervisor' ? html`<b>${id}</b>` : html`<a href=${linkTo('inspector', id)}>${id}</a>`}
      <${Badge} tone=${TONES[state]}>${state}</${Badge}>
      ${status && html`<span class="quiet">${status}</span>`}
      ${restarts > 0 && html`<${Badge} tone="warn">${restarts} restarts</${Badge}>`}
      ${state === 'running' && html`<span class="quiet hide-small">up ${duration(uptimeMs)}</span>`}
      ${lastError && html`<span class="bad">${lastError}</span>`}
    </span>
    ${children.length > 0 && html`<${Branch} nodes=${children} />`}
  </li>`;
}

function Branch({ nodes }: { nodes: readonly TreeNode[] }): VNode {
  const [isOpen, setOpen] = useState(false);
  const list = (some: readonly TreeNode[]) =>
    html`<ul>${some.map((node) => html`<${Node} key=${node.id} node=${node} />`)}</ul>`;
  if (nodes.length <= MANY) return list(nodes);
  const unusual = nodes.filter(
    ({ state, restarts, lastError }) => state !== 'running' || restarts > 0 || lastError,
  );
  return html`${list(unusual)}
    <details onToggle=${(event: Event) => setOpen((event.target as HTMLDetailsElement).open)}><summary>all ${nodes.length}, ${nodes.length - unusual.length} of them running as they should</summary>${isOpen && list(nodes)}</details>`;
}
