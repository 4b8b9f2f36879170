import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allFiles, madeUp, PRODUCTION, readText, sourceFiles } from '../support/house/source-files.ts';
import { readSource } from '../support/house/source-text.ts';
import {
  erasableOnly,
  filesAreShort,
  namesAreKebab,
  noAny,
  nothingAmbient,
  nothingForeign,
  waivers,
} from '../support/house/text-rules.ts';

/** Raise it only with a reason that you would tell a colleague. */
const MOST_WAIVERS = 24;

const production = sourceFiles(PRODUCTION);
const everything = sourceFiles([...PRODUCTION, 'tests', 'bench', 'migrations']);
/** The rule's own words, and its bad examples, are no breach of it. */
const ABOUT_WORDS = /^tests\/(support\/house\/text-rules|unit\/house-text\.test)\.ts$/;

describe('the house', () => {
  test('no ambient clock, dice, timers, network or environment', () => {
    assert.deepEqual(nothingAmbient(production), []);
  });
  test('waivers are few', (t) => {
    const given = waivers(production);
    for (const { file, line, reason } of given) t.diagnostic(`${file}:${line} ${reason}`);
    assert.ok(given.length <= MOST_WAIVERS, `${given.length} waivers; at most ${MOST_WAIVERS}`);
  });
  test('files are short', () => assert.deepEqual(filesAreShort(everything), []));
  test('file names are in kebab-case', () => assert.deepEqual(namesAreKebab(everything), []));
  test('nothing is any', () => assert.deepEqual(noAny(everything), []));
  test('types can be stripped', () => assert.deepEqual(erasableOnly(everything), []));
  test('no path of one machine, no work left undone', () => {
    const texts = allFiles()
      .filter((file) =>
        /\.(ts|cjs|md|ya?ml|json|sql|sh)$|^(Dockerfile|LICENSE|\.ci\/run|\.[a-z]+ignore)$/.test(file),
      )
      .filter((file) => !ABOUT_WORDS.test(file) && file !== 'package-lock.json')
      .map((file) => ({ ...madeUp(file, ''), text: readText(file) }));
    assert.ok(texts.length > 80);
    assert.deepEqual(nothingForeign(texts), []);
  });
});

describe('the guards themselves', () => {
  const one = (rule: (files: typeof production) => string[], text: string, file = 'src/risk/x.ts') =>
    rule([madeUp(file, text)]);

  test('every ambient thing is caught, outside its home only', () => {
    const bad = [
      'const t = Date.now();',
      'const t = new Date();',
      'const t = Date();',
      'const now = Date.now;',
      'setTimeout(f, 1);',
      'globalThis.setInterval(f, 1);',
      'setImmediate(f);',
      'performance.now();',
      'process.hrtime.bigint();',
      'Math.random();',
      'randomUUID();',
      'await fetch(url);',
      'process.env.HOME;',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a template as text is what is read here
      'const text = `${Date.now()}`;',
    ];
    for (const text of bad) assert.equal(one(nothingAmbient, text).length, 1, text);
    assert.deepEqual(one(nothingAmbient, 'Date.now(); setTimeout(f, 1);', 'src/core/clock.ts'), []);
    assert.equal(one(nothingAmbient, 'Math.random();', 'src/core/clock.ts').length, 1);
  });

  test('what only looks ambient is not', () => {
    const fine = [
      'const t = new Date(at);',
      'const t = Date.parse(text);',
      '// Date.now() would be wrong',
      `const text = 'Date.now()';`,
      'const x = /Math.random/.test(y);',
      'const x = `Date.now()`;',
      'prefetch(url); this.fetchRows();',
    ];
    for (const text of fine) assert.deepEqual(one(nothingAmbient, text), [], text);
  });

  test('a waiver needs a reason and something to waive', () => {
    assert.deepEqual(
      one(nothingAmbient, 'setTimeout(f, 1); // ambient-ok: the worker has no injected time'),
      [],
    );
    assert.deepEqual(
      one(nothingAmbient, '// ambient-ok: the worker has no injected time\nsetTimeout(f, 1);'),
      [],
    );
    assert.match(one(nothingAmbient, 'setTimeout(f, 1); // ambient-ok:').join(), /without a reason/);
    assert.match(one(nothingAmbient, 'f(); // ambient-ok: there is nothing here').join(), /what nobody does/);
    const far = '// ambient-ok: too far away to speak\n\nsetTimeout(f, 1);';
    assert.equal(one(nothingAmbient, far).length, 2);
  });

  test('long files, odd names, any, syntax that has to be compiled', () => {
    assert.equal(one(filesAreShort, 'x\n'.repeat(401)).length, 1);
    assert.deepEqual(one(filesAreShort, 'x\n'.repeat(400)), []);
    assert.equal(one(namesAreKebab, '', 'src/risk/RiskManager.ts').length, 1);
    assert.deepEqual(one(namesAreKebab, '', 'tests/unit/risk-manager.test.ts'), []);
    for (const text of ['let x: any;', 'x as any', 'Map<string, any>', 'type X = any;', 'f(x: any[])']) {
      assert.equal(one(noAny, text).length, 1, text);
    }
    assert.deepEqual(one(noAny, '// any\nconst any = 1; fc.anything();'), []);
    const compiled = [
      'enum X { A }',
      'export const enum X { A }',
      'namespace X { const a = 1; }',
      'class A { constructor(private readonly x: number) {} }',
      'import x = require("x");',
      'export = x;',
      '@injectable()\nclass A {}',
    ];
    for (const text of compiled) assert.equal(one(erasableOnly, text).length, 1, text);
    assert.deepEqual(
      one(
        erasableOnly,
        'class A { readonly x: number; constructor(x: number, y: readonly string[]) { this.x = x; } }',
      ),
      [],
    );
  });

  test('foreign words are caught in comments and texts too', () => {
    const bad = ['// see /root/main', 'const p = "/home/me/x";', '// TODO later', '// /Users/me/notes'];
    for (const text of bad) assert.equal(one(nothingForeign, text).length, 1, text);
    assert.deepEqual(one(nothingForeign, '// framework/main and ./home/x, a database session'), []);
  });
});

describe('reading source', () => {
  test('positions stay, whatever is blanked', () => {
    for (const file of everything) {
      assert.equal(file.code.length, file.text.length, file.path);
      assert.equal(file.uncommented.length, file.text.length, file.path);
    }
  });

  test('nested templates, regular expressions and divisions are told apart', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template as text is what is read here
    const { code } = readSource('a(`x${b({ c: `y${d}` })}z`); const r = /[/"]/g; e = f / g; h("i");');
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
      assert.match(code, new RegExp(`\\b${name}\\b`));
    for (const name of ['x', 'y', 'z', 'i']) assert.doesNotMatch(code, new RegExp(`\\b${name}\\b`));
  });
});
