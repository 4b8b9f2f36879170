/** How Bulkhead itself stands, as texts: limits, breakers, wishes, health, log, configuration. Pure. */
import { moment, money, signedMoney } from '../core/amounts.ts';
import { neg } from '../core/decimal.ts';
import type { Json } from '../core/json.ts';
import type { TreeNode } from '../domain/tree-node.ts';
import type { CommandLine } from '../operator/feed.ts';
import type { LogLine } from '../operator/log-ring.ts';
import type { AccountStatus, BreakerStatus } from '../operator/status-document.ts';
import type { BreakersView, DecisionsView, HealthView, RiskView, SloLine } from '../operator/views.ts';
import { bold, code, line, type Message, text } from './markup.ts';
import { light } from './reply.ts';
import { pairs, table } from './table.ts';
import { breakerLine, forbidden } from './text-now.ts';

export function balanceText(account: AccountStatus): Message {
  const { wallet, equity, openPnl, realised, fees, funding, initial } = account;
  return [
    text(bold('Balance')),
    pairs([
      ['equity', `${money(equity)} USDT`],
      ['wallet', money(wallet)],
      ['open P&L', signedMoney(openPnl)],
      ['began with', money(initial)],
      ['realised', signedMoney(realised)],
      ['fees', signedMoney(neg(fees))],
      ['funding', signedMoney(funding)],
    ]),
  ];
}

const REFUSALS_SHOWN = 5;

export function riskText(risk: RiskView): Message {
  const { use, refusals, refusedRules, drawdownPercent, dayPnl, weekPnl, peakEquity, tradingState } = risk;
  const rules = Object.entries(refusedRules).sort(([, a], [, b]) => b - a);
  return [
    text(line`${bold('Limits and their use')}, ${tradingState}`),
    pairs([
      ['today', signedMoney(dayPnl)],
      ['this week', signedMoney(weekPnl)],
      ['below peak', `${short(drawdownPercent)} %`],
      ['peak', money(peakEquity)],
    ]),
    table(
      ['LIMIT', '>IS', '>MAY', '>USED'],
      use.map(({ limit, used, max, share }) => [
        limit,
        short(used),
        short(max),
        `${Math.round(share * 100)} %`,
      ]),
    ),
    text(
      ...(rules.length === 0
        ? []
        : [`refused so far: ${rules.map(([rule, count]) => `${rule} ${count}`).join(', ')}`]),
      ...refusals
        .slice(-REFUSALS_SHOWN)
        .map(
          ({ at, symbol, refusals: all }) =>
            line`${moment(at).slice(5)} ${bold(symbol)} ${all.map(({ rule, detail }) => `${rule} (${detail})`).join('; ')}`,
        ),
    ),
  ];
}

/** Four digits are enough to see how near it is. */
const short = (value: number): string => String(Number(value.toPrecision(4)));

/** Those of single sides and symbols are many and alike. */
function closedWords(names: readonly string[]): string {
  const whole = names.filter((name) => !name.includes('/'));
  const single = names.length - whole.length;
  return [...whole, ...(single === 0 ? [] : [`${single} of single sides and symbols`])].join(', ');
}

export function breakersText({ breakers, kill }: BreakersView): Message {
  // The kill switch is a file first; its breaker opens a moment later.
  const isOpen = ({ name, state }: BreakerStatus): boolean =>
    state !== 'closed' || (kill !== null && name === 'kill');
  const open = breakers.filter(isOpen);
  const closed = breakers.filter((one) => !isOpen(one));
  return [
    text(
      ...(kill
        ? [
            line`\u{1F6D1} ${bold('killed')} by ${kill.by} at ${moment(kill.at)}: ${kill.reason}; ${code('/release REASON')} lifts it`,
          ]
        : []),
      bold(
        open.length === 0
          ? 'All breakers are closed'
          : `${open.length} of ${breakers.length} ${open.length === 1 ? 'is' : 'are'} not closed`,
      ),
      ...open.filter(({ state }) => state !== 'closed').map(breakerLine),
      ...(closed.length === 0 ? [] : [line`closed: ${closedWords(closed.map(({ name }) => name))}`]),
      ...(open.every(({ name }) => name === 'kill')
        ? []
        : [line`${code('/reset BREAKER REASON')} closes one by hand`]),
    ),
  ];
}

export function decisionsText(decisions: DecisionsView): Message {
  const { direction, blacklist, whitelist } = decisions;
  const list = (marks: object, none: string): string => Object.keys(marks).join(' ') || none;
  return [
    text(
      bold('What people decided'),
      forbidden(decisions) ?? 'entries are allowed on both sides',
      line`direction: ${direction.allowed}`,
      line`blacklist: ${list(blacklist, 'empty')}`,
      line`whitelist: ${list(whitelist, 'empty, so every symbol')}`,
    ),
    ...locksText(decisions),
  ];
}

export function locksText(decisions: Pick<DecisionsView, 'locks'>): Message {
  const locks = Object.entries(decisions.locks);
  if (locks.length === 0) return [text('No symbol is locked.')];
  return [
    text(
      bold(`${locks.length} locked`),
      ...locks.map(
        ([symbol, { direction, until, by, reason }]) =>
          line`${bold(symbol)} ${direction ?? 'both sides'} until ${moment(until)} by ${by}${reason === null ? '' : `: ${reason}`}`,
      ),
    ),
  ];
}

export function logsText(lines: readonly LogLine[]): Message {
  if (lines.length === 0) return [text('The log has no such line yet.')];
  const mark = (level: string): string =>
    level === 'error' ? '\u{1F534} ' : level === 'warn' ? '\u{1F7E1} ' : '';
  const rest = ({ id, level, at, message, ...fields }: LogLine): string =>
    Object.entries(fields)
      .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join('');
  return [
    text(
      ...lines.map(
        (one) =>
          line`${code(one.at.slice(11, 19))} ${mark(one.level)}${one.message}${rest(one).slice(0, 200)}`,
      ),
    ),
  ];
}

/** Keys with their dots, in the order of the file. */
export function flatKeys(tree: Json, path = ''): [key: string, value: Json][] {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return [[path, tree]];
  return Object.entries(tree).flatMap(([name, value]) =>
    flatKeys(value, path === '' ? name : `${path}.${name}`),
  );
}

export function configText(config: Json, part: string): Message {
  const keys = flatKeys(config).filter(([key]) => key.toLowerCase().includes(part.toLowerCase()));
  if (keys.length === 0) return [text(`No key holds "${part}". /config without words shows all.`)];
  return [
    text(bold('Configuration'), ...keys.map(([key, value]) => line`${key}: ${code(JSON.stringify(value))}`)),
    text(line`${code('/set KEY VALUE REASON')} changes what may change while running`),
  ];
}

export function auditText(lines: readonly CommandLine[]): Message {
  if (lines.length === 0) return [text('Nobody has asked for anything yet.')];
  return [
    text(
      bold('Who asked for what'),
      ...lines.map(
        ({ at, who, kind, outcome, text: said }) =>
          line`${moment(at).slice(5)} ${bold(who.name)} ${kind}: ${outcome}, ${said}`,
      ),
    ),
  ];
}

export function healthText({ state, checks }: HealthView): Message {
  return [
    text(
      line`${light(state === 'ok')} ${bold(state === 'ok' ? 'All is well' : state)}`,
      ...checks.map(({ check, ok, detail }) => line`${light(ok)} ${check}: ${detail}`),
    ),
  ];
}

export function sloText(lines: readonly SloLine[]): Message {
  const mark = (met: boolean | null): string => (met === null ? '\u26AA' : light(met));
  return [
    text(
      bold('Aims, and how it is'),
      ...lines.map(
        ({ objective, target, value, unit, met, since }) =>
          line`${mark(met)} ${objective}: ${value === null ? 'nothing measured yet' : `${short(value)} ${unit}`} (aim ${target}${since === null ? '' : `; since ${moment(since)}`})`,
      ),
    ),
  ];
}

const TREE_CHILDREN = 12;
const TREE_WIDTH = 44;

/** Supervisors with their children; of many alike the first, and how many more. */
export function treeText(root: TreeNode | null): Message {
  if (!root) return [text('There is no tree yet.')];
  const lines: string[] = [];
  const walk = (node: TreeNode, depth: number): void => {
    const again = node.restarts === 0 ? '' : ` \u21BB${node.restarts}`;
    lines.push(`${' '.repeat(depth)}${node.id} ${node.status ?? node.state}${again}`.slice(0, TREE_WIDTH));
    for (const child of node.children.slice(0, TREE_CHILDREN)) walk(child, depth + 1);
    const more = node.children.length - TREE_CHILDREN;
    if (more > 0) lines.push(`${' '.repeat(depth + 1)}\u2026 ${more} more`);
  };
  walk(root, 0);
  return [{ kind: 'table', lines }];
}

export const versionText = (rows: Readonly<Record<string, string>>): Message => [pairs(Object.entries(rows))];
