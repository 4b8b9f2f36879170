import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BREAKER_KINDS } from '../../machines/breaker-rules.ts';
import { rulesOf, withSwitched } from '../../src/app/rules/rule-list.ts';
import { effectOf, inOrder } from '../../src/app/rules/rule-report.ts';
import type { RuleOutcome } from '../../src/app/rules/rule-run.ts';
import { CONFIG_KEYS } from '../../src/config/keys.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';

const config = configSchema.parse({});

const valueAt = (tree: unknown, path: string): unknown =>
  path.split('.').reduce((node, name) => (node as Record<string, unknown>)[name], tree);

const changedKeys = (before: Config, after: Config): string[] =>
  CONFIG_KEYS.map(({ path }) => path).filter(
    (path) => JSON.stringify(valueAt(before, path)) !== JSON.stringify(valueAt(after, path)),
  );

describe('the rules of a configuration', () => {
  test('every group that can be switched is a rule, and says whether it is on', () => {
    const rules = rulesOf(config);
    const names = rules.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { path, defaultValue } of CONFIG_KEYS) {
      const group = /^((risk|position|breakers)\..+)\.enabled$/.exec(path)?.[1];
      if (group === undefined) continue;
      assert.equal(rules.find(({ name }) => name === group)?.isOn, defaultValue, group);
    }
  });

  test('every breaker that a recording can open is a rule', () => {
    const known = rulesOf(config).flatMap(({ breaker }) => (breaker ? [breaker] : []));
    // People open the kill switch; a recording has neither an interface nor a journal that could fail.
    const outside = ['kill', 'api-errors', 'journal'];
    for (const kind of BREAKER_KINDS.filter((each) => !outside.includes(each)))
      assert.ok(
        known.some((breaker) => breaker.test(kind)),
        kind,
      );
    const one = (name: string) => known.filter((breaker) => breaker.test(name)).length;
    for (const name of [
      'consecutive-losses',
      'consecutive-losses/long',
      'consecutive-losses/BTCUSDT',
      'win-rate/short',
    ])
      assert.equal(one(name), 1, name);
  });

  test('switching one changes its own keys and nothing else', () => {
    for (const rule of rulesOf(config)) {
      const switched = withSwitched(config, rule.switched);
      assert.deepEqual(changedKeys(config, switched).sort(), Object.keys(rule.switched).sort(), rule.name);
      const after = rulesOf(switched).find(({ name }) => name === rule.name);
      assert.equal(after?.isOn, !rule.isOn, rule.name);
    }
  });
});

describe('what a rule saved', () => {
  const outcome = (net: string, maxDrawdownPercent: string): RuleOutcome => ({
    trades: 3,
    wins: 1,
    refused: 0,
    openPositions: 0,
    net,
    closedNet: net,
    fees: '0',
    funding: '0',
    maxDrawdownPercent,
    worstTrade: null,
    unprotectedMs: 0,
    refusals: {},
    exits: {},
    breakers: {},
  });
  const rule = (name: string, isOn: boolean) => ({ name, isOn, switched: {} });

  test('of a rule that is on: the run with it less the run without it', () => {
    const { saved, savedDrawdownPercent, matters } = effectOf(
      rule('a', true),
      outcome('5.5', '4'),
      outcome('-2', '10'),
    );
    assert.deepEqual([saved, savedDrawdownPercent, matters], ['7.5', '6', true]);
  });

  test('of a rule that is off: the run with it is the switched one', () => {
    const { saved, savedDrawdownPercent } = effectOf(
      rule('a', false),
      outcome('5.5', '4'),
      outcome('-2', '10'),
    );
    assert.deepEqual([saved, savedDrawdownPercent], ['-7.5', '-6']);
  });

  test('equal runs make no difference, and the best saver comes first', () => {
    const all = outcome('1', '2');
    const effects = [
      effectOf(rule('idle', true), all, outcome('1', '2')),
      effectOf(rule('costs', true), all, outcome('2', '2')),
      effectOf(rule('saves', true), all, outcome('-9.5', '2')),
    ];
    assert.deepEqual(
      effects.map(({ matters }) => matters),
      [false, true, true],
    );
    assert.deepEqual(
      inOrder(effects).map((effect) => [effect.rule, effect.saved]),
      [
        ['saves', '10.5'],
        ['idle', '0'],
        ['costs', '-1'],
      ],
    );
  });
});
