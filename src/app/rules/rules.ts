/**
 * `bulkhead rules`: what each rule saved or cost on a recorded market. Runs it with all rules as they are, then
 * once for each rule with that one switched, several at a time.
 */
import { availableParallelism, freemem } from 'node:os';
import { defined } from '../../core/assert.ts';
import { BulkheadError } from '../../core/errors.ts';
import { didYouMean } from '../../core/suggest.ts';
import type { Io, RulesOptions } from '../cli/io.ts';
import { ProgressBar } from '../cli/render-progress.ts';
import { moment } from '../cli/render-text.ts';
import { openMarket } from '../compose/open-market.ts';
import { type Rule, rulesOf, withSwitched } from './rule-list.ts';
import { runAll } from './rule-pool.ts';
import { effectOf, inOrder, type RuleReport, renderRules } from './rule-report.ts';
import type { RuleOutcome } from './rule-run.ts';

/** A run keeps its journal in memory. */
const BYTES_A_JOB = 600_000_000;

export async function rules(options: RulesOptions, io: Io): Promise<number> {
  const report = await compareRules(options, io);
  io.stdout.write(options.json ? `${JSON.stringify(report)}\n` : renderRules(report));
  return 0;
}

export async function compareRules(options: RulesOptions, io: Io): Promise<RuleReport> {
  const { config, window } = options;
  if (config.market.source !== 'recorded') throw noRecording();
  const { market, identity, notes } = await openMarket(config, io.cwd, undefined, window);
  const { from, to } = market.range();
  await market.close();
  if (!options.quiet) for (const note of notes) io.stderr.write(`${note}\n`);
  const chosen = chosenRules(rulesOf(config), options.only);
  const bar = progressBar(options, io);
  const input = { config, cwd: io.cwd, window };
  const [all] = await runAll(input, [config], 1, () => bar.update({ done: 1, total: chosen.length + 1 }));
  const whole = defined(all, 'the run with all rules');
  const tried = chosen.filter((rule) => !isIdle(rule, whole));
  const configs = tried.map(({ switched }) => withSwitched(config, switched));
  const outcomes = await runAll(input, configs, jobsFor(options), (done) =>
    bar.update({ done: done + 1, total: configs.length + 1 }),
  );
  bar.end();
  const effects = chosen.map((rule) => effectOf(rule, whole, outcomes[tried.indexOf(rule)] ?? whole));
  return {
    market: market.name,
    symbols: identity.symbols,
    timeframe: market.timeframe,
    from: moment(from),
    to: moment(to),
    balance: config.paper.initialBalance,
    all: whole,
    rules: inOrder(effects),
  };
}

/** A breaker that never opened: the run without it is the same run. */
const isIdle = ({ isOn, breaker }: Rule, all: RuleOutcome): boolean =>
  isOn && breaker !== undefined && !Object.keys(all.breakers).some((name) => breaker.test(name));

/** A name, or the beginning of one up to a dot: "breakers" is all of them. */
function chosenRules(known: readonly Rule[], only: readonly string[]): readonly Rule[] {
  if (only.length === 0) return known;
  const matches = (rule: Rule, name: string): boolean =>
    rule.name === name || rule.name.startsWith(`${name}.`);
  for (const name of only) {
    if (known.some((rule) => matches(rule, name))) continue;
    const names = known.map((rule) => rule.name);
    throw new BulkheadError('USAGE', `There is no rule "${name}". ${didYouMean(name, names)}`.trim(), {
      hint: `Rules: ${names.join(', ')}.`,
    });
  }
  return known.filter((rule) => only.some((name) => matches(rule, name)));
}

const noRecording = (): BulkheadError =>
  new BulkheadError('USAGE', 'Rules are compared on a recorded market, and none is named.', {
    hint: 'Name one with --recording PATH: a folder, a .csv.gz, or a zip of the venue\u2019s public data.',
  });

const jobsFor = ({ jobs }: RulesOptions): number =>
  jobs ?? Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / BYTES_A_JOB)));

const progressBar = ({ json, quiet }: RulesOptions, io: Io): ProgressBar =>
  new ProgressBar({
    label: 'rules',
    output: io.stderr,
    enabled: io.stderrIsTty && !json && !quiet,
    columns: io.columns,
    monotonic: io.time.monotonic,
  });
