/** `bulkhead inspect`: a machine's author saves a file, and the page in a real browser redraws; what is broken is shown. */
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, complaintsOf, openBrowser, openContext } from '../support/browser.ts';
import { CliProcess, cli, errorOf } from '../support/cli-process.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';
import { barriers, overflow, picture, VIEWS } from './dashboard-looks.ts';

const XSTATE = import.meta.resolve('xstate');

/** A machine in two files, with types to be stripped. */
const MACHINE = `
import { createMachine } from '${XSTATE}';
import { more } from './more.ts';
const first: string = 'dark';
export const lamp = createMachine({
  id: 'lamp',
  initial: first,
  states: { dark: { on: { PRESS: 'bright' } }, bright: { on: { PRESS: 'dark' } }, ...more },
});
`;
const more = (states: object): string => `export const more: object = ${JSON.stringify(states)};`;

test('the machines of this program, each with a chart', async (t) => {
  const run = new CliProcess(['inspect', '--port', '0', '--json']);
  t.after(() => run.reap());
  const [, machines = '[]', error] = await run.said(/"event":"loaded","machines":(\[.*?\]),"error":(.*)\}/);
  assert.equal(error, 'null');
  const expected = ['breaker', 'entry', 'feed', 'guardian', 'operator', 'portfolio', 'position', 'scanner'];
  assert.deepEqual((JSON.parse(machines) as string[]).sort(), expected);
  run.kill('SIGINT');
  assert.equal((await run.ended).code, 130);
});

test('a file that is not there is said at once', async () => {
  const end = await cli(['inspect', 'nowhere.ts', '--json']);
  assert.equal(end.code, 64);
  assert.match(errorOf(end).message, /nowhere\.ts/);
});

const chromium = chromiumPath();
if ('missing' in chromium) test('the page of an author', { skip: chromium.missing });
else
  describe('the page of an author', () => {
    const dir = makeTempDir('inspect');
    const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
    let run: CliProcess;
    let url: string;
    let browser: Browser;
    let page: Page;
    before(async () => {
      write('lamp.ts', MACHINE);
      write('more.ts', more({}));
      run = new CliProcess(['inspect', 'lamp.ts', '--port', '0', '--json'], { cwd: dir });
      [, url = ''] = await run.said(/"event":"ready","url":"([^"]+)"/);
      browser = await openBrowser(chromium.path);
      page = await (await openContext(browser)).newPage();
      await page.goto(url);
      await page.getByText('live', { exact: true }).waitFor();
    });
    after(async () => {
      await browser?.close();
      await run?.reap();
      removeTempDir(dir);
    });

    const drawn = (name: string) => page.locator('.statechart text.key').getByText(name, { exact: true });

    test('what the file holds is drawn, with its states, arrows and events', async () => {
      await drawn('bright').waitFor();
      await page.getByRole('heading', { name: 'lamp, version 1: 3 states, 2 arrows' }).waitFor();
      assert.equal(await drawn('dark').count(), 1);
      await page.getByText('Hears PRESS').waitFor();
      await page.evaluate(() => {
        document.documentElement.dataset.same = 'page';
      });
    });

    test('a saved file that it imports redraws it', async () => {
      write('more.ts', more({ broken: {} }));
      await drawn('broken').waitFor();
      assert.equal(await page.locator('rect.state.entered').count(), 1, 'what is new stands out');
    });

    test('what cannot be loaded is shown, the last good chart stays, and a good one takes its place', async () => {
      const complaint = page.getByRole('alert');
      for (const [text, said] of [
        ['export const more = {', /SyntaxError|Expected/],
        ['export const more = {}; throw new Error("not today");', /not today.*more\.ts/s],
        ['export const more = {}; process.exit(3);', /ended the thread/],
        [more({ dark: { on: { PRESS: 'nowhere' } } }), /nowhere/],
      ] as const) {
        write('more.ts', text);
        await complaint.filter({ hasText: said }).waitFor();
        assert.equal(await drawn('broken').count(), 1, text);
      }
      // As editors save: another file takes its name.
      write('saved.tmp', more({ mended: {} }));
      renameSync(join(dir, 'saved.tmp'), join(dir, 'more.ts'));
      await drawn('mended').waitFor();
      await complaint.waitFor({ state: 'detached' });
      assert.equal(await page.locator('html').getAttribute('data-same'), 'page', 'it was not loaded again');
    });

    for (const { name, ...view } of VIEWS)
      test(`nothing keeps anybody out, with a complaint and without: ${name}`, async () => {
        const context = await openContext(browser, view);
        const own = await context.newPage();
        const complaints = complaintsOf(own);
        const look = async (what: string): Promise<void> => {
          await picture(own, `authors-${what}-${name}`);
          assert.equal(await overflow(own), 0, `${what} is wider than its window`);
          assert.deepEqual(await barriers(own), [], what);
        };
        await own.goto(url);
        await own.locator('.statechart text.key').first().waitFor();
        await look('chart');
        write('more.ts', 'export const more = {}; throw new Error("not today");');
        await own.getByRole('alert').waitFor();
        await look('complaint');
        write('more.ts', more({ mended: {} }));
        await own.getByRole('alert').waitFor({ state: 'detached' });
        assert.deepEqual(complaints, []);
        await context.close();
      });

    test('the machines of this program: nothing keeps anybody out', async (t) => {
      const ours = new CliProcess(['inspect', '--port', '0', '--json']);
      t.after(() => ours.reap());
      const [, at = ''] = await ours.said(/"event":"ready","url":"([^"]+)"/);
      for (const { name, ...view } of VIEWS) {
        const context = await openContext(browser, view);
        const own = await context.newPage();
        for (const machine of ['position', 'operator']) {
          await own.goto(`${at}/#/${machine}`);
          await own.getByRole('heading', { name: new RegExp(`^${machine}, version`) }).waitFor();
          await picture(own, `authors-${machine}-${name}`);
          assert.equal(await overflow(own), 0, `${machine}, ${name}`);
          assert.deepEqual(await barriers(own), [], `${machine}, ${name}`);
        }
        await context.close();
      }
    });

    test('another web page may not read it, and nobody can tell it anything', async () => {
      const status = async (init: RequestInit) => (await fetch(`${url}/api/charts`, init)).status;
      assert.equal(await status({ headers: { origin: 'http://evil.example' } }), 403);
      assert.equal(await status({ method: 'POST', body: '{}' }), 405);
      assert.equal(await status({}), 200);
    });
  });
