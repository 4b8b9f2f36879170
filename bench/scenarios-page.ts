/** docs/SCENARIOS.md from the reports of the crashes. */
import type { RuleEffect, RuleReport } from '../src/app/rules/rule-report.ts';
import { add, type Decimal, isZero, round, ZERO } from '../src/core/decimal.ts';
import type { Crash } from './crashes.ts';

export interface Scenario {
  readonly crash: Crash;
  readonly report: RuleReport;
}

const intro = (commit: string): string => `# What each rule saved or cost in eight crashes

Each recording is traded by the default strategy and the default configuration with 100 USDT a symbol, then again
with one rule alone switched: off where it is on, on where it is off. *Saved* is what the account had more at the end
because of the rule, in USDT; below zero is what it cost. A rule that is off by default shows what it would have
saved. Everything else stays as it is, so the figures of several rules do not add up. What is still open at the end
counts at its last price. There is no order book in these recordings, so liquidity and funding ahead are not judged,
and the edge (50 trades) is not yet measured. ${commit === '' ? '' : `Measured at commit ${commit}.`}

One crash is one path: a rule that costs here may be what saves the account in the next one. That is what most of
them are for: to keep the worst small, not the mean large. So read *saved* beside the deepest drawdown and the worst
trade: partial exits, for one, give away much of a move that runs on, and leave a smaller drawdown behind.

Repeat one, or try your own recording and configuration:

\`\`\`sh
npx bulkhead rules --recording ../shared/data --timeframe 1h --from 2022-05-02 --to 2022-05-13 --balance 300 --symbols BTCUSDT,ETHUSDT,XRPUSDT
node run.cjs bench/crash-scenarios.ts --data ../shared/data --out docs/SCENARIOS.md    # this page
\`\`\`
`;

export const scenariosPage = (scenarios: readonly Scenario[], commit: string): string =>
  [intro(commit), summary(scenarios), ...scenarios.map(section)].join('\n');

const signed = (value: Decimal): string => {
  const text = round(value, 2);
  return isZero(text) ? '0' : `${text.startsWith('-') ? '−' : '+'}${text.replace('-', '')}`;
};

function summary(scenarios: readonly Scenario[]): string {
  const names = [...new Set(scenarios.flatMap(({ report }) => report.rules.map(({ rule }) => rule)))];
  const all = names
    .map((name) => {
      const effects = scenarios.map(({ report }) => report.rules.find(({ rule }) => rule === name));
      const total = effects.reduce((sum, effect) => add(sum, effect?.saved ?? ZERO), ZERO);
      return { name, effects, total };
    })
    .sort((a, b) => Number(b.total) - Number(a.total) || a.name.localeCompare(b.name));
  const rows = all.filter(({ effects }) => effects.some((effect) => effect?.matters));
  const idle = all.filter((row) => !rows.includes(row)).map(({ name }) => name);
  const cell = (effect: RuleEffect | undefined): string =>
    effect === undefined ? '' : effect.matters ? signed(effect.saved) : '·';
  const line = ({ name, effects, total }: (typeof rows)[number]): string => {
    const isOff = effects.some((effect) => effect && !effect.isOn);
    return `| ${name}${isOff ? ' (off)' : ''} | ${effects.map(cell).join(' | ')} | ${signed(total)} |`;
  };
  return [
    '## All of them',
    '',
    `| saved, USDT | ${scenarios.map(({ crash }) => crash.title).join(' | ')} | together |`,
    `|---|${'--:|'.repeat(scenarios.length + 1)}`,
    `| *net with all rules* | ${scenarios.map(({ report }) => signed(report.all.net)).join(' | ')} | ${signed(
      scenarios.reduce((sum, { report }) => add(sum, report.all.net), ZERO),
    )} |`,
    ...rows.map(line),
    '',
    '· made no difference there; an empty cell was not tried. Rules that made no difference anywhere are left out:',
    `${idle.join(', ')}.`,
    '',
  ].join('\n');
}

const HEADER = [
  'rule',
  'saved',
  'net',
  'trades',
  'won',
  'refused',
  'deepest drawdown',
  'worst trade',
  'unprotected',
];

function section({ crash, report }: Scenario): string {
  const { all, rules, symbols, timeframe, from, to, balance } = report;
  const mattering = rules.filter(({ matters }) => matters);
  const row = (
    name: string,
    saved: string,
    { net, trades, wins, refused, maxDrawdownPercent, worstTrade, unprotectedMs }: RuleReport['all'],
  ): string =>
    `| ${[name, saved, signed(net), trades, wins, refused, `${round(maxDrawdownPercent, 2)} %`, worstTrade === null ? '–' : signed(worstTrade), `${unprotectedMs} ms`].join(' | ')} |`;
  const opened = Object.entries(all.breakers).map(([name, times]) => `${name} ${times}×`);
  return [
    `## ${crash.title}`,
    '',
    `${symbols.join(', ')}; ${timeframe} bars, ${from} to ${to}; ${balance} USDT; \`${report.market}\`.`,
    opened.length > 0 ? `Breakers that opened: ${opened.join(', ')}.` : 'No breaker opened.',
    '',
    `| ${HEADER.join(' | ')} |`,
    `|---|${'--:|'.repeat(HEADER.length - 1)}`,
    row('*all as they are*', '', all),
    ...mattering.map(({ rule, isOn, saved, switched }) =>
      row(isOn ? `without ${rule}` : `with ${rule} (off)`, signed(saved), switched),
    ),
    '',
  ].join('\n');
}
