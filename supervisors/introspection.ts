/**
 * The live tree as data and as text. Pure: it reads what supervisors report and decides nothing.
 */
import type { ChildState, TreeNode } from '../src/domain/tree-node.ts';

export type { ChildState, TreeNode } from '../src/domain/tree-node.ts';

/** As OTP's count_children, and how many are between two incarnations. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly restarting: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** Whatever can report itself: a supervisor of any kind. */
export interface Describable {
  node(): TreeNode;
}

export function tree(root: Describable): TreeNode {
  return root.node();
}

export function countChildren(node: TreeNode): ChildCounts {
  const { children } = node;
  const count = (test: (child: TreeNode) => boolean): number => children.filter(test).length;
  return {
    specs: children.length,
    active: count(({ state }) => state === 'running' || state === 'stopping'),
    restarting: count(({ state }) => state === 'restarting'),
    supervisors: count(({ kind }) => kind === 'supervisor'),
    workers: count(({ kind }) => kind === 'worker'),
  };
}

export interface RenderOptions {
  /** More children than this are collapsed to this many and a summary. */
  readonly maxChildren?: number;
}

const MAX_CHILDREN = 12;

/** A compact tree for a terminal, one child a line. */
export function renderTree(node: TreeNode, options: RenderOptions = {}): string {
  const lines = [describe(node)];
  renderChildren(node, '', options.maxChildren ?? MAX_CHILDREN, lines);
  return lines.join('\n');
}

function renderChildren(node: TreeNode, indent: string, maxChildren: number, lines: string[]): void {
  const shown = pick(node.children, maxChildren);
  const hidden = node.children.filter((child) => !shown.has(child));
  const list = [...shown];
  list.forEach((child, index) => {
    const last = index === list.length - 1 && hidden.length === 0;
    lines.push(`${indent}${last ? '└─ ' : '├─ '}${describe(child)}`);
    renderChildren(child, indent + (last ? '   ' : '│  '), maxChildren, lines);
  });
  if (hidden.length > 0) lines.push(`${indent}└─ … ${hidden.length} more (${summary(hidden)})`);
}

/** Supervisors always; of many workers those in trouble first, then the first ones, in their order. */
function pick(children: readonly TreeNode[], max: number): ReadonlySet<TreeNode> {
  if (children.length <= max || children.every(({ kind }) => kind === 'supervisor')) return new Set(children);
  const troubled = children.filter((child) => child.state !== 'running' || child.lastError !== undefined);
  const chosen = new Set([...troubled, ...children].slice(0, troubled.length + max));
  const kept = new Set([...chosen].slice(0, max));
  return new Set(children.filter((child) => kept.has(child)));
}

function summary(children: readonly TreeNode[]): string {
  const counts = new Map<ChildState, number>();
  for (const { state } of children) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
}

function describe(node: TreeNode): string {
  const parts = [node.id, node.state];
  if (node.status !== undefined) parts.push(`(${node.status})`);
  if (node.uptimeMs > 0) parts.push(`up ${duration(node.uptimeMs)}`);
  if (node.restarts > 0) parts.push(`${node.restarts} ${node.restarts === 1 ? 'restart' : 'restarts'}`);
  if (node.lastError !== undefined) parts.push(`last error: ${node.lastError}`);
  return parts.join('  ');
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}
