import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  HOMES,
  importsPointDown,
  machinesArePure,
  noCircles,
  oneHomeALibrary,
  onlyCompositionNamesAdapters,
} from '../support/house/import-rules.ts';
import { madeUp, PRODUCTION, readText, sourceFiles } from '../support/house/source-files.ts';

const files = sourceFiles(PRODUCTION);

describe('the house', () => {
  test('there are files to look at', () => assert.ok(files.length > 40));
  test('imports point down', () => assert.deepEqual(importsPointDown(files), []));
  test('machines know nothing but xstate, the domain and the pure core', () => {
    assert.deepEqual(machinesArePure(files), []);
  });
  test('no circles, type imports included', () => assert.deepEqual(noCircles(files), []));
  test('one library, one home', () => assert.deepEqual(oneHomeALibrary(files), []));
  test('only the composition root names adapters', () => {
    assert.deepEqual(onlyCompositionNamesAdapters(files), []);
  });

  test('every library has a home and every home a tenant', () => {
    const manifest = JSON.parse(readText('package.json')) as { dependencies: Record<string, string> };
    assert.deepEqual(Object.keys(manifest.dependencies).sort(), Object.keys(HOMES).sort());
    const used = new Set(files.flatMap((file) => file.imports.map(({ specifier }) => specifier)));
    for (const library of Object.keys(HOMES)) {
      const isUsed = [...used].some((name) => name === library || name.startsWith(`${library}/`));
      assert.ok(isUsed, `${library} is a dependency that nothing uses`);
    }
  });
});

describe('the guards themselves', () => {
  const one = (rule: (f: typeof files) => string[], file: string, text: string) => rule([madeUp(file, text)]);

  test('an import upwards is caught, in every form', () => {
    const forms = [
      `import { x } from '../app/run.ts';`,
      `import type { X } from '../app/run.ts';`,
      `import {\n  type X,\n  y,\n} from '../app/run.ts';`,
      `import '../app/run.ts';`,
      `export * from '../app/run.ts';`,
      `export type { X } from '../app/run.ts';`,
      `const x = await import('../app/run.ts');`,
      `type X = import('../app/run.ts').X;`,
      `new Worker(new URL('../app/run.ts', import.meta.url));`,
    ];
    for (const form of forms) assert.equal(one(importsPointDown, 'src/journal/x.ts', form).length, 1, form);
    assert.equal(one(importsPointDown, 'src/core/x.ts', `import '../domain/order.ts';`).length, 1);
    assert.equal(one(importsPointDown, 'machines/x.ts', `import '../src/journal/journal.ts';`).length, 1);
    assert.equal(one(importsPointDown, 'src/risk/x.ts', `import '../../supervisors/tree.ts';`).length, 1);
    assert.equal(one(importsPointDown, 'src/risk/x.ts', `import '../../tests/support/temp.ts';`).length, 1);
  });

  test('an import downwards, or in a comment or a text, is none', () => {
    const fine = [
      `import { x } from '../core/x.ts';`,
      `// import { x } from '../app/run.ts';`,
      `/* import '../app/run.ts'; */`,
      `const text = "import x from '../app/run.ts'";`,
      'const text = `import x from "../app/run.ts"`;',
    ];
    for (const form of fine) assert.deepEqual(one(importsPointDown, 'src/journal/x.ts', form), [], form);
  });

  test('an impure machine is caught', () => {
    assert.equal(
      one(machinesArePure, 'machines/x.ts', `import { systemTime } from '../src/core/clock.ts';`).length,
      1,
    );
    assert.equal(one(machinesArePure, 'machines/x.ts', `import fs from 'node:fs';`).length, 1);
    assert.deepEqual(one(machinesArePure, 'machines/x.ts', `import { setup } from 'xstate';`), []);
  });

  test('a circle is caught, through types and over any length', () => {
    const circle = [
      madeUp('src/a/a.ts', `import type { B } from '../b/b.ts';`),
      madeUp('src/b/b.ts', `import { c } from './c.ts';`),
      madeUp('src/b/c.ts', `import type { A } from '../a/a.ts';`),
    ];
    assert.deepEqual(noCircles(circle), ['a circle: src/a/a.ts → src/b/b.ts → src/b/c.ts → src/a/a.ts']);
    assert.equal(noCircles([madeUp('src/a/a.ts', `import './a.ts';`)]).length, 1);
    assert.deepEqual(noCircles(circle.slice(0, 2)), []);
  });

  test('a library away from home, and one without a home, are caught', () => {
    assert.equal(one(oneHomeALibrary, 'src/app/x.ts', `import pg from 'pg';`).length, 1);
    assert.equal(one(oneHomeALibrary, 'src/app/x.ts', `import { x } from 'left-pad/deep';`).length, 1);
    assert.equal(
      one(oneHomeALibrary, 'src/app/x.ts', `import { worker } from '@electric-sql/pglite/worker';`).length,
      1,
    );
    assert.equal(one(oneHomeALibrary, 'src/app/x.ts', `import.meta.resolve('pg/font.ttf');`).length, 1);
    assert.deepEqual(one(oneHomeALibrary, 'src/journal/x.ts', `import pg from 'pg';`), []);
    assert.deepEqual(one(oneHomeALibrary, 'src/app/x.ts', `import fs from 'node:fs';`), []);
  });

  test('an adapter named outside the composition root is caught', () => {
    const text = `import { R } from '../market/recorded-market-data.ts';`;
    assert.equal(one(onlyCompositionNamesAdapters, 'src/backtest/x.ts', text).length, 1);
    assert.equal(one(onlyCompositionNamesAdapters, 'src/app/run/run.ts', text).length, 1);
    assert.deepEqual(one(onlyCompositionNamesAdapters, 'src/app/compose/compose.ts', text), []);
    assert.deepEqual(
      one(onlyCompositionNamesAdapters, 'src/market/x.ts', `import './recorded-market-data.ts';`),
      [],
    );
  });
});
