import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parse } from 'yaml';
import { DEFAULT_PLAN } from '../../machines/position/plan.ts';
import { CONFIG_KEYS } from '../../src/config/keys.ts';
import { loadConfig } from '../../src/config/load.ts';
import { positionPlan } from '../../src/config/plan.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import { mask } from '../../src/core/redact.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const EXAMPLE = new URL('../../bulkhead.example.yaml', import.meta.url);

let files = 0;
function file(content: string): string {
  const path = join(folder, `config-${files++}.yaml`);
  writeFileSync(path, content);
  return path;
}

type Options = Partial<Parameters<typeof loadConfig>[0]>;
const load = (options: Options = {}) => loadConfig({ env: {}, cwd: folder, ...options });

/** The message of the CONFIG_INVALID that loading must end in. */
function refusal(options: Options): string {
  try {
    load(options);
  } catch (error) {
    assert.ok(error instanceof BulkheadError, String(error));
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.ok(error.hint, 'every error says what to do');
    return error.message;
  }
  return assert.fail('accepted');
}

describe('where a value comes from', () => {
  test('without anything every key has its default', () => {
    const { config, file } = load();
    assert.equal(file, undefined);
    assert.equal(config.mode, 'demo');
    assert.equal(config.paper.initialBalance, '10000');
    assert.equal(config.position.scaleOut.parts.length, 3);
  });

  test('file, then variable, then flag', () => {
    const path = file('market: { speed: 2 }\nlog: { level: warn }\naccount: a');
    const env = { BULKHEAD_MARKET_SPEED: '3', BULKHEAD_LOG_LEVEL: 'error' };
    const flags = [{ path: 'market.speed', value: 'max', flag: '--speed' }];
    assert.equal(load({ file: path }).config.market.speed, 2);
    assert.equal(load({ file: path, env }).config.market.speed, 3);
    const all = load({ file: path, env, flags }).config;
    assert.equal(all.market.speed, 'max');
    assert.equal(all.log.level, 'error');
    assert.equal(all.account, 'a');
  });

  test('bulkhead.yaml of the working folder is found, JSON too', () => {
    const cwd = mkdtempSync(join(folder, 'cwd-'));
    writeFileSync(join(cwd, 'bulkhead.json'), '{"account": "json"}');
    assert.equal(load({ cwd }).config.account, 'json');
    writeFileSync(join(cwd, 'bulkhead.yaml'), 'account: yaml');
    assert.equal(load({ cwd }).config.account, 'yaml');
  });

  test('a named file that is not there is an error of its own', () => {
    assert.throws(
      () => load({ file: 'nowhere.yaml' }),
      (error) => {
        return (
          error instanceof BulkheadError &&
          error.code === 'INPUT_MISSING' &&
          error.message.includes('nowhere.yaml')
        );
      },
    );
  });

  test('variables are read by the kind of their key', () => {
    const { config } = load({
      env: {
        BULKHEAD_MARKET_SYMBOLS: 'BTCUSDT, ETHUSDT',
        BULKHEAD_MARKET_UNTIL_END: 'true',
        BULKHEAD_PAPER_INITIAL_BALANCE: '2500.50',
        BULKHEAD_STRATEGY_OPTIONS: '{"period": 14}',
        BULKHEAD_ACCOUNT: '123',
      },
    });
    assert.deepEqual(config.market.symbols, ['BTCUSDT', 'ETHUSDT']);
    assert.equal(config.market.untilEnd, true);
    assert.equal(config.paper.initialBalance, '2500.5');
    assert.deepEqual(config.strategy.options, { period: 14 });
    assert.equal(config.account, '123');
  });

  test('every key has a variable of its own', () => {
    const variables = CONFIG_KEYS.map((key) => key.variable);
    assert.equal(new Set(variables).size, variables.length);
    assert.ok(variables.includes('BULKHEAD_POSITION_TRAILING_ARM_PROFIT_PERCENT'));
  });

  test('decimals may be written as numbers or texts and stay exact', () => {
    assert.equal(
      load({ file: file('paper: { initialBalance: 0012.50e1 }') }).config.paper.initialBalance,
      '125',
    );
    assert.equal(
      load({ file: file('risk: { maxSymbolExposure: "0.10" }') }).config.risk.maxSymbolExposure,
      '0.1',
    );
  });
});

describe('what is refused, and how', () => {
  test('an unknown key is named with the likely one', () => {
    const message = refusal({ file: file('market: { sped: 3 }') });
    assert.match(message, /market\.sped: there is no such key\. Did you mean "speed"\?/);
    assert.match(
      refusal({ file: file('markt: { speed: 3 }') }),
      /markt: there is no such key\. Did you mean "market"\?/,
    );
    assert.match(
      refusal({ file: file('log: { zzz: 3 }') }),
      /log\.zzz: there is no such key\. Known here: level\./,
    );
  });

  const WRONG: readonly [yaml: string, message: RegExp][] = [
    ['mode: dmo', /mode: "dmo" from .*\.yaml is not allowed; allowed: one of demo, paper, live/],
    ['market: { speed: -1 }', /market\.speed: -1 from .* allowed: "max" or a number above 0/],
    ['market: { speed: fast }', /market\.speed: "fast" from .* allowed: "max" or a number above 0/],
    ['market: { seed: 1.5 }', /market\.seed: 1\.5 from .* allowed: a whole number from 0 to 4294967295/],
    ['market: { symbols: [btc] }', /market\.symbols\.0: "btc" from .* allowed: a list of symbols/],
    ['market: { symbols: [BTCUSDT, BTCUSDT] }', /market\.symbols: .* each once/],
    [
      'paper: { initialBalance: lots }',
      /paper\.initialBalance: "lots" from .* allowed: a decimal number from 1/,
    ],
    ['paper: { initialBalance: 0 }', /paper\.initialBalance: 0 from .* allowed: a decimal number from 1/],
    ['risk: { maxLeverage: 126 }', /risk\.maxLeverage: 126 from .* allowed: a whole number from 1 to 125/],
    ['lease: { standby: perhaps }', /lease\.standby: "perhaps" from .* allowed: true or false/],
    ['data: .bulkhead', /data: ".bulkhead" from .* allowed: a group of keys/],
    ['account: "no spaces"', /account: "no spaces" from .* allowed: letters, digits/],
    [
      'position: { scaleOut: { parts: [{ profitPercent: "2", sharePercent: "200" }] } }',
      /parts\.0\.sharePercent: "200" from/,
    ],
    [
      'position: { scaleOut: { parts: [{ profitPercent: "2", sharePercent: "60" }, { profitPercent: "3", sharePercent: "60" }] } }',
      /position\.scaleOut\.parts: .* at most 100/,
    ],
    [
      'market: { source: recorded }',
      /market\.recording: nothing is not allowed; allowed: .*needed by market\.source/,
    ],
    ['- a\n- b', /does not hold a mapping/],
    ['a: [', /is not valid YAML: .*line 1/],
    ['log: { level: info, level: warn }', /is not valid YAML: .*unique/],
  ];
  for (const [yaml, message] of WRONG) {
    test(`the file ${JSON.stringify(yaml)}`, () => assert.match(refusal({ file: file(yaml) }), message));
  }

  test('everything wrong is reported at once', () => {
    const message = refusal({ file: file('mode: x\nlog: { level: y }'), env: { BULKHEAD_NOPE: '1' } });
    for (const part of ['mode: "x"', 'log.level: "y"', 'BULKHEAD_NOPE'])
      assert.ok(message.includes(part), message);
  });

  test('a wrong variable or flag is named as the source', () => {
    assert.match(
      refusal({ env: { BULKHEAD_MARKET_SPEED: 'fast' } }),
      /market\.speed: "fast" from BULKHEAD_MARKET_SPEED/,
    );
    const flags = [{ path: 'market.speed', value: 'fast', flag: '--speed' }];
    assert.match(refusal({ flags }), /market\.speed: "fast" from --speed/);
  });

  test('an unknown variable is an error', () => {
    assert.match(
      refusal({ env: { BULKHEAD_MARKET_SPED: '3' } }),
      /BULKHEAD_MARKET_SPED: there is no such variable\. Did you mean "BULKHEAD_MARKET_SPEED"\?/,
    );
  });
});

describe('what is made from it', () => {
  test('the default configuration gives the default plan of a position', () => {
    assert.deepEqual(positionPlan(load().config), { ...DEFAULT_PLAN, adoptedStopPercent: '5' });
  });

  test('switched-on parts of the plan are taken over, switched-off ones are not', () => {
    const on = file(
      'position: { scaleOut: { enabled: true }, pyramid: { enabled: true }, timeStop: { enabled: true }, trailing: { enabled: false } }',
    );
    const plan = positionPlan(load({ file: on }).config);
    assert.equal(plan.trailing, null);
    assert.equal(plan.scaleOut.length, 3);
    assert.deepEqual(plan.pyramid, {
      maxAdds: 2,
      stepPercent: '2',
      sizeFactor: '0.5',
      confirm: 'close',
      maxExposure: '2',
    });
    assert.equal(plan.timeStopMs, 259_200_000);
  });
});

describe('secrets', () => {
  test('come from the environment, or from the file it names', () => {
    const path = join(folder, 'secret');
    writeFileSync(path, 'postgres://u:p@db/x\n');
    assert.equal(load({ env: { DATABASE_URL: 'postgres://a' } }).secrets.databaseUrl, 'postgres://a');
    assert.equal(
      load({ env: { BULKHEAD_DATABASE_URL_FILE: path } }).secrets.databaseUrl,
      'postgres://u:p@db/x',
    );
  });

  test('ours wins over the general name; the value and its file together are refused', () => {
    const env = { DATABASE_URL: 'postgres://a', BULKHEAD_DATABASE_URL: 'postgres://b' };
    assert.equal(load({ env }).secrets.databaseUrl, 'postgres://b');
    assert.match(refusal({ env: { BULKHEAD_API_KEY: 'k', BULKHEAD_API_KEY_FILE: 'f' } }), /both set/);
    assert.match(
      refusal({ env: { BULKHEAD_API_KEY_FILE: '/nowhere/key' } }),
      /BULKHEAD_API_KEY_FILE names \/nowhere\/key/,
    );
  });

  test('are refused in the file, with the variable to use, and never shown', () => {
    const message = refusal({
      file: file('store: { url: "postgres://bob:hunter2@db/x" }\nexchange: { apiKey: s3cret }'),
    });
    assert.match(message, /store\.url: a secret .* BULKHEAD_DATABASE_URL or BULKHEAD_DATABASE_URL_FILE/);
    assert.match(message, /exchange\.apiKey: a secret .* BULKHEAD_API_KEY/);
    assert.doesNotMatch(message, /hunter2|s3cret|no such key/);
  });

  test('mask stars what must not be seen', () => {
    assert.equal(mask('x', 'redis://me:pw@host:1'), 'redis://***@host:1');
    assert.equal(mask('apiSecret', 'abc'), '***');
    assert.equal(mask('data.dir', '.bulkhead'), '.bulkhead');
  });

  test('a database engine without its URL says which variable is missing', () => {
    assert.match(refusal({ file: file('store: { engine: postgres }') }), /BULKHEAD_DATABASE_URL/);
  });
});

describe('the annotated example', () => {
  const content = readFileSync(EXAMPLE, 'utf8');

  test('is valid and holds nothing but the defaults', () => {
    const path = file(content);
    assert.deepEqual(load({ file: path }).config, load().config);
  });

  test('holds every key, with a comment on or above its group', () => {
    // Keys without a default stand as comments: `# seed: 42`.
    const uncommented = content.replace(
      /^(\s*)# (recording|seed|restUrl|streamUrl|to|bucketEndpoint|address|namespace|authMount): /gm,
      '$1$2: ',
    );
    const tree: unknown = parse(uncommented);
    for (const key of CONFIG_KEYS) {
      let node: unknown = tree;
      for (const name of key.path.split('.')) node = (node as Record<string, unknown> | undefined)?.[name];
      assert.notEqual(node, undefined, `${key.path} is missing in bulkhead.example.yaml`);
    }
  });
});
