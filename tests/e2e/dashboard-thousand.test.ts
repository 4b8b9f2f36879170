/**
 * A thousand positions with ticking marks, on a real server and in a real browser: what an update costs is bounded by what is
 * in sight. Times are printed and not judged; the structure that makes them short is.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { systemTime } from '../../src/core/clock.ts';
import { SILENT } from '../../src/core/logger.ts';
import type { TreeNode } from '../../src/domain/tree-node.ts';
import { HttpServer } from '../../src/http/http-server.ts';
import { pageFile } from '../../src/http/page-files.ts';
import { Feed } from '../../src/operator/feed.ts';
import type { PositionStatus } from '../../src/operator/status-document.ts';
import type { ActorLine, TradesPage, TradesQuery, Views } from '../../src/operator/views.ts';
import { chromiumPath, openBrowser, openContext } from '../support/browser.ts';
import { fixedViews, POSITION, RecordingOperator, TRADES } from '../support/telegram-views.ts';
import { ControlsUsed } from './dashboard-controls-used.ts';
import { barriers, overflow, picture } from './dashboard-looks.ts';

const COUNT = 1_000;
const TICK_MS = 100;
const UPDATES = 15;
/** Rows that a table draws of many: those in sight and a margin. */
const MOST_ROWS = 80;
const MOST_ELEMENTS = 1_000;
/** Each with what it shows once it knows of all of them. */
const PAGES = {
  overview: `text=${COUNT} positions`,
  risk: '[aria-label="Exposure"] tbody tr:nth-child(20)',
  tree: `text=all ${COUNT},`,
  inspector: '#actors option:nth-child(100)',
} as const;

const names = Array.from({ length: COUNT }, (_, i) => `S${String(i).padStart(4, '0')}USDT`);
const actorOf = (symbol: string): string => `position/${symbol}/BOTH/1`;

const positionsAt = (tick: number): PositionStatus[] =>
  names.map((symbol, i) => ({
    ...POSITION,
    ...{ symbol, actor: actorOf(symbol), direction: i % 2 ? 'long' : 'short' },
    ...{ markPrice: `${100 + i}.${tick}`, openPnl: String(((tick * 7 + i) % 41) - 20) },
  }));

const node = (id: string, children: readonly TreeNode[] = []): TreeNode => ({
  ...{ id, kind: children.length > 0 ? 'supervisor' : 'worker', state: 'running', restarts: 0 },
  ...{ uptimeMs: 1_000, status: undefined, lastError: undefined, children },
});

const MANY_TRADES = 1_200;

/** The newest first, by pages. */
function tradesPage({ limit = 50, before = MANY_TRADES + 1 }: TradesQuery = {}): TradesPage {
  const [like] = TRADES;
  assert.ok(like);
  const last = Math.max(0, before - 1 - limit);
  const trades = Array.from({ length: before - 1 - last }, (_, i) => {
    const n = before - 1 - i;
    return { ...like, n, symbol: `T${n}USDT` };
  });
  return { trades, count: MANY_TRADES, net: '20', next: last > 0 ? last + 1 : null, complete: true };
}

/** A small run's views, with a thousand of everything that there is one of for each position. */
function manyViews(tick: () => number): Views {
  const one = fixedViews();
  const tree = node('root', [
    node(
      'positions',
      names.map((symbol) => node(actorOf(symbol))),
    ),
  ]);
  const actors = names.map((symbol, i): ActorLine => {
    const line = { actor: actorOf(symbol), type: 'position', machine: 'position@1', state: 'open' };
    return { ...line, n: i + 1, seq: 1, at: 0 };
  });
  const exposures = names.map((symbol) => {
    return { actor: actorOf(symbol), symbol, direction: 'long' as const, notional: '100' };
  });
  return {
    ...one,
    status: () => ({ ...one.status(), positions: positionsAt(tick()) }),
    positions: () => positionsAt(tick()),
    tree: () => tree,
    actors: () => actors,
    risk: () => ({ ...one.risk(), exposures }),
    trades: tradesPage,
  };
}

const chromium = chromiumPath();
if ('missing' in chromium) test('a thousand positions', { skip: chromium.missing });
else
  describe('a thousand positions', () => {
    const feed = new Feed();
    let tick = 0;
    const controls = new ControlsUsed();
    const views = manyViews(() => tick);
    const time = systemTime();
    const server = new HttpServer({
      ...{
        host: '127.0.0.1',
        port: 0,
        token: 'a-token-that-nobody-can-guess',
        allowedHosts: [],
        allowedIps: [],
      },
      ...{ requestsPerMinute: 10_000, maxStreams: 3, views, feed, time, log: SILENT, file: pageFile },
      operator: new RecordingOperator(() => time.clock.now()),
    });
    let ticking: NodeJS.Timeout;
    let url: string;
    let browser: Browser;
    let page: Page;
    before(async () => {
      url = await server.listen(1);
      ticking = setInterval(() => {
        tick += 1;
        feed.publish('status', views.status());
      }, TICK_MS);
      browser = await openBrowser(chromium.path);
      const context = await openContext(browser);
      await controls.watch(context);
      page = await context.newPage();
    });
    after(async () => {
      clearInterval(ticking);
      await browser?.close();
      await server.close();
    });

    const rows = () =>
      page.getByRole('region', { name: 'Open positions' }).locator('tbody tr:not([aria-hidden])');

    test('the table draws what is in sight, and an update touches only what changed there', async (t) => {
      await page.goto(`${url}/#/positions`);
      await page.getByText(`${COUNT} open positions`).waitFor();
      await rows().first().waitFor();
      await page.evaluate(measure);
      const from = await shownTick(page);
      await page.waitForFunction(
        (wanted) =>
          Number(
            document.querySelector('tbody tr:not([aria-hidden]) td:nth-child(5)')?.textContent?.split('.')[1],
          ) >= wanted,
        from + UPDATES,
      );
      const seen = await page.evaluate(() => (window as unknown as { seen: Measured }).seen);
      const updates = (await shownTick(page)) - from;
      const shown = await rows().count();
      assert.ok(shown > 10 && shown <= MOST_ROWS, `${shown} rows are drawn`);
      assert.equal(seen.added, 0, 'no row is made anew for a mark that moved');
      // A mark, a gain and its colour for each row in sight.
      const each = seen.changes / seen.batches;
      assert.ok(seen.batches > 0 && each <= 4 * shown, `${each} changes an update`);
      const frames = seen.frames.toSorted((a, b) => a - b);
      const figures = {
        updates,
        rowsDrawn: shown,
        changesAnUpdate: Math.round(each),
        longTasks: seen.longTasks.length,
        longestTaskMs: Math.round(Math.max(0, ...seen.longTasks)),
        frameP50Ms: Math.round(frames[Math.floor(frames.length * 0.5)] ?? 0),
        frameP99Ms: Math.round(frames[Math.floor(frames.length * 0.99)] ?? 0),
      };
      t.diagnostic(JSON.stringify(figures));
    });

    test('it is scrolled to its end while marks move, and each position can be reached', async () => {
      const region = page.getByRole('region', { name: 'Open positions' });
      for (const share of [0.5, 1]) {
        await region.evaluate((frame, part) => frame.scrollTo(0, frame.scrollHeight * part), share);
        const symbol = names[Math.min(COUNT - 1, COUNT * share)] ?? '';
        await region.getByRole('link', { name: symbol }).waitFor();
        assert.ok((await rows().count()) <= MOST_ROWS);
      }
      await region.getByRole('link', { name: names.at(-1) ?? '' }).click();
      await page.waitForURL(/#\/positions\/position/);
    });

    for (const [name, known] of Object.entries(PAGES))
      test(`${name}: what is drawn does not grow with the positions`, async (t) => {
        await page.goto(`${url}/#/${name}`);
        await page.locator(known).first().waitFor({ state: 'attached' });
        const elements = await page.locator('*').count();
        t.diagnostic(`${elements} elements`);
        assert.ok(elements < MOST_ELEMENTS, `${elements} elements`);
      });

    test('where the venue would take a position stands in the table and at the chart', async () => {
      await page.goto(`${url}/#/positions`);
      await rows().first().getByText('52,310.7', { exact: true }).waitFor();
      await page.goto(`${url}/#/positions/${POSITION.symbol}`);
      const levels = page.getByRole('list', { name: 'Price levels' });
      await levels.getByText('liquidation 52,310.7').waitFor();
      for (const level of ['entry 101,250.55', 'stop 100,900', 'target 1 103,500'])
        assert.equal(await levels.getByText(level).count(), 1, level);
    });

    test('trades are paged to the oldest and back', async () => {
      await page.goto(`${url}/#/trades`);
      const region = page.getByRole('region', { name: 'Trades' });
      const [newer, older] = ['Newer', 'Older'].map((name) => page.getByRole('button', { name }));
      assert.ok(newer && older);
      const first = (n: number) =>
        region.locator('tbody tr:not([aria-hidden])').first().getByText(`T${n}USDT`);
      await first(MANY_TRADES).waitFor();
      assert.equal(await newer.isEnabled(), false);
      for (const n of [700, 200]) {
        await older.click();
        await first(n).waitFor();
      }
      assert.equal(await older.isEnabled(), false, 'that was the last page');
      for (const n of [700, MANY_TRADES]) {
        await newer.click();
        await first(n).waitFor();
      }
      assert.equal(await newer.isEnabled(), false);
    });

    test('on a phone each position is a card with its stop, its gain and a way to close it; far ones too', async () => {
      const held = await openContext(browser, { phone: true, theme: 'dark' });
      const phone = await held.newPage();
      await phone.goto(`${url}/#/positions`);
      const region = phone.getByRole('region', { name: 'Open positions' });
      await region.locator('tbody tr:not([aria-hidden])').first().waitFor();
      assert.equal(await overflow(phone), 0);
      for (const share of [0, 1]) {
        await region.evaluate((frame, part) => frame.scrollTo(0, frame.scrollHeight * part), share);
        const symbol = names[(COUNT - 1) * share] ?? '';
        const card = region.locator('tbody tr', { has: phone.getByRole('link', { name: symbol }) });
        await card.waitFor();
        for (const cell of ['Stop', 'Open P&L', 'Liquidation'])
          await card.locator(`td[data-label="${cell}"]`).scrollIntoViewIfNeeded();
        const close = card.getByRole('button', { name: `Close ${symbol}` });
        await close.scrollIntoViewIfNeeded();
        const [room, frame] = await Promise.all([close.boundingBox(), region.boundingBox()]);
        assert.ok(room && frame && room.x >= frame.x && room.x + room.width <= frame.x + frame.width + 1);
        assert.ok(room.height >= 32, 'a finger finds it');
        assert.match((await card.innerText()).replace(/\s+/g, ' '), / 100,900 52,310\.7 [+−]?\d/);
        assert.ok((await region.locator('tbody tr').count()) <= MOST_ROWS);
      }
      assert.equal(await region.evaluate((one) => one.scrollWidth - one.clientWidth), 0, 'nothing is beside');
      await picture(phone, 'cards-phone-dark');
      assert.deepEqual(await barriers(phone), []);
      await held.close();
    });

    test('the tree shows all of them to who asks', async () => {
      await page.goto(`${url}/#/tree`);
      await page.getByText(`all ${COUNT},`).click();
      await page.getByRole('link', { name: actorOf(names.at(-1) ?? '') }).waitFor();
    });

    test('every control that was met is known, and this file used its share', () => {
      assert.deepEqual(controls.missing('thousand'), []);
    });
  });

const shownTick = async (page: Page): Promise<number> =>
  Number(
    (await page.locator('tbody tr:not([aria-hidden]) td:nth-child(5)').first().innerText()).split('.')[1],
  );

interface Measured {
  readonly longTasks: number[];
  readonly frames: number[];
  /** Nodes that were made, and texts and attributes that were set. */
  added: number;
  changes: number;
  /** Times that anything was. */
  batches: number;
}

/** In the page: its own word on what it does. */
function measure(): void {
  const seen: Measured = { longTasks: [], frames: [], added: 0, changes: 0, batches: 0 };
  (window as unknown as { seen: Measured }).seen = seen;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longTasks.push(duration);
  }).observe({ type: 'longtask' });
  new MutationObserver((records) => {
    seen.batches += 1;
    seen.changes += records.length;
    for (const { addedNodes } of records) seen.added += addedNodes.length;
  }).observe(document.querySelector('main') ?? document.body, {
    ...{ subtree: true, childList: true, characterData: true, attributes: true },
  });
  let last = performance.now();
  const frame = (now: number): void => {
    seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
