/** Every page in a real browser, on a desk and on a phone, in light and dark: it shows what the runtime holds. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Candle } from '../../src/domain/candle.ts';
import { plainText } from '../../src/http/dashboard/doings.ts';
import type { Notice } from '../../src/operator/feed.ts';
import type { TradesPage } from '../../src/operator/views.ts';
import { chromiumPath, complaintsOf, openBrowser, openContext, ServedDemo } from '../support/browser.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';
import { barriers, drawnShare, overflow, picture, sideways, VIEWS } from './dashboard-looks.ts';

const PAGES = [
  'overview',
  'positions',
  'scanner',
  'trades',
  'risk',
  'tree',
  'journal',
  'system',
  'inspector',
];
const LIMIT_BYTES = 300 * 1024;

const chromium = chromiumPath();
if ('missing' in chromium) test('the dashboard', { skip: chromium.missing });
else
  describe('the dashboard', () => {
    const dir = makeTempDir('dashboard');
    let demo: ServedDemo;
    let browser: Browser;
    before(async () => {
      demo = await ServedDemo.start(dir);
      browser = await openBrowser(chromium.path);
      await demo.warm();
    });
    after(async () => {
      await browser?.close();
      await demo?.run.reap();
      removeTempDir(dir);
    });

    for (const view of VIEWS) {
      test(`every page: ${view.name}`, async () => {
        const context = await openContext(browser, view);
        const page = await context.newPage();
        const complaints = complaintsOf(page);
        for (const one of PAGES) {
          await page.goto(`${demo.url}/#/${one}`);
          await page.getByRole('navigation').getByRole('link', { name: one, exact: false }).first().waitFor();
          await page.locator('main .card, main .tile').first().waitFor();
          await page.getByText('One moment…').first().waitFor({ state: 'detached' });
          await picture(page, `${one}-${view.name}`);
          assert.equal(await overflow(page), 0, `${one} is wider than its window`);
          assert.deepEqual(await sideways(page), [], `${one}: to be read without moving it sideways`);
          assert.deepEqual(await barriers(page), [], one);
        }
        assert.deepEqual(complaints, []);
        await context.close();
      });
    }

    test('all of it comes from the runtime, and little of it before a chart has data', async () => {
      const context = await openContext(browser);
      const page = await context.newPage();
      const sizes: Promise<number>[] = [];
      const foreign: string[] = [];
      page.on('request', (request) => {
        if (!request.url().startsWith(demo.url) && !request.url().startsWith('data:'))
          foreign.push(request.url());
      });
      page.on('requestfinished', (request) => {
        if (!new URL(request.url()).pathname.startsWith('/api/'))
          sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
      });
      await page.goto(demo.url);
      await page.locator('canvas').first().waitFor();
      const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      assert.ok(total > 20_000 && total < LIMIT_BYTES, `${total} bytes`);
      assert.deepEqual(foreign, []);
      await context.close();
    });

    test('what somebody zoomed to stays in sight when the chart is drawn anew; a double click shows all', async () => {
      const context = await openContext(browser);
      const page = await context.newPage();
      await page.goto(demo.url);
      const chart = page.getByLabel('Equity, and its drawdown below');
      /** What is in sight, once it stays so: from when to when, and how many bars. */
      const seen = async (what: string, isSo: (bars: number) => boolean): Promise<readonly number[]> => {
        let before = '';
        for (let i = 0; i < 60; i++) {
          const now = (await chart.getAttribute('data-shown')) ?? '';
          const [from = 0, to = 0, bars = 0] = now.split(' ').map(Number);
          if (now === before && isSo(bars)) return [from, to, bars];
          before = now;
          await page.waitForTimeout(250);
        }
        return assert.fail(`${what}: in sight is ${before}`);
      };
      const [, , whole = 0] = await seen('drawn', (bars) => bars > 0);
      // What comes above the chart meanwhile moves it from under the mouse.
      for (let i = 0; i < 12; i++) {
        await chart.hover();
        await page.mouse.wheel(0, -200);
        await page.waitForTimeout(50);
      }
      const [from = 0, to = 0] = await seen(`of ${whole} zoomed`, (bars) => bars < whole * 0.7);
      const drawn = chart.locator('canvas').first();
      await drawn.evaluate((canvas) => canvas.setAttribute('data-old', ''));
      // As new points have it drawn, only sooner.
      await page.getByRole('button', { name: 'Turn' }).click();
      await chart.locator('[data-old]').waitFor({ state: 'detached', timeout: 20_000 });
      const [fromNow = 0] = await seen(`of ${whole} drawn anew`, (bars) => bars < whole * 0.7);
      // Old points may be told more coarsely by now.
      assert.ok(Math.abs(fromNow - from) < (to - from) / 4, `from ${fromNow}, it was ${from} to ${to}`);
      await chart.dblclick();
      await seen(`all of ${whole}`, (bars) => bars > whole * 0.9);
      await context.close();
    });

    test('on a phone the way to the kill switch ends at the kill switch', async () => {
      const context = await openContext(browser, { phone: true });
      const page = await context.newPage();
      await page.goto(`${demo.url}/#/positions`);
      await page.getByRole('button', { name: 'Kill…' }).click();
      const kill = page.getByRole('button', { name: 'Kill', exact: true });
      await kill.waitFor();
      await page.waitForFunction(() => document.activeElement?.ariaLabel === 'Reason for the kill switch');
      const box = await kill.boundingBox();
      assert.ok(box && box.y > 0 && box.y + box.height <= 844, `at ${box?.y}`);
      await context.close();
    });

    test('a position that is over is drawn with the candles of its own time, and fits a phone in the inspector', async () => {
      const { trades } = await demo.view<TradesPage>('trades?limit=500');
      const oldest = trades.at(-1);
      assert.ok(oldest);
      const context = await openContext(browser, { phone: true });
      const page = await context.newPage();
      const [response] = await Promise.all([
        page.waitForResponse(/\/api\/candles\?/),
        page.goto(`${demo.url}/#/positions/${encodeURIComponent(oldest.actor)}`),
      ]);
      const { data } = (await response.json()) as { data: readonly Candle[] };
      const end = (data.at(-1)?.openTime ?? 0) + 900_000;
      assert.ok(Math.abs(end - oldest.closedAt) <= 900_000, `${end}, closed at ${oldest.closedAt}`);
      assert.equal(await overflow(page), 0);
      await page.goto(`${demo.url}/#/inspector/${encodeURIComponent(oldest.actor)}`);
      await page.getByRole('button', { name: 'Hold this one' }).waitFor();
      await page.getByText(/^step \d+ of \d+/).waitFor();
      assert.equal(await overflow(page), 0, 'the inspector');
      await context.close();
    });

    test('the overview says what the status says', async () => {
      const context = await openContext(browser);
      const page = await context.newPage();
      await page.goto(`${demo.url}/#/trades`);
      await page.getByRole('region', { name: 'Trades' }).locator('tbody tr').first().waitFor();
      const { count } = await demo.view<{ count: number }>('trades');
      const shown = await page.getByRole('region', { name: 'Trades' }).locator('tbody tr').count();
      assert.ok(shown > 0 && shown <= count, `${shown} of ${count}`);
      await context.close();
    });

    test('what was said before the page was opened is told after a reload', async () => {
      const context = await openContext(browser);
      const page = await context.newPage();
      await page.goto(`${demo.url}/#/overview`);
      await page.getByText('live', { exact: true }).waitFor();
      await page.reload();
      const [notice] = await demo.view<Notice[]>('notices?limit=1');
      assert.ok(notice);
      await page.locator(`a[href$="/${notice.n}"]`).first().waitFor();
      await page.getByText(plainText(notice)).first().waitFor();
      await context.close();
    });

    test('a chart fills its window after that was made wider', async () => {
      const context = await openContext(browser);
      const page = await context.newPage();
      await page.setViewportSize({ width: 700, height: 900 });
      await page.goto(`${demo.url}/#/overview`);
      await page.locator('canvas').first().waitFor();
      await page.waitForFunction(drawnShare, 0.9);
      await page.setViewportSize({ width: 1_400, height: 900 });
      await page.waitForFunction(drawnShare, 0.9);
      await page.setViewportSize({ width: 600, height: 900 });
      await page.waitForFunction(drawnShare, 0.9);
      await context.close();
    });
  });
