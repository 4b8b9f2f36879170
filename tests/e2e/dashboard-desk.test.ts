/** A trader's day at the page: entries by hand, parts taken, all closed, each seen in status and journal; and the past read. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { CommandLine } from '../../src/operator/feed.ts';
import type { PositionStatus } from '../../src/operator/status-document.ts';
import type { DecisionsView, DeskView, JournalPage, TradesPage } from '../../src/operator/views.ts';
import { chromiumPath, complaintsOf, openContext, type ServedDemo, until } from '../support/browser.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';
import { ControlsUsed } from './dashboard-controls-used.ts';
import { closeDemo, openDemo } from './dashboard-demo.ts';
import { type Hands, handsOf } from './dashboard-hands.ts';
import { barriers, overflow, picture, VIEWS } from './dashboard-looks.ts';

/** What is open stays open while it is looked at. */
const SLOWLY = { BULKHEAD_MARKET_SPEED: '20', BULKHEAD_MARKET_SEED: '42' };
const WHO = 'Ida';
/** One more than a version shows before it is asked. */
const MANY_KEYS = {
  'risk.kelly.minTrades': 51,
  'risk.kelly.priorTrades': 51,
  'risk.learning.priorTrades': 21,
  'risk.correlation.minReturns': 49,
  'risk.valueAtRisk.minReturns': 49,
  'risk.stop.priorTrades': 11,
};
/** Cheap ones: a quarter of an entry is some lots. */
const DIVISIBLE = ['DOGEUSDT', 'ADAUSDT', 'XRPUSDT', 'SUIUSDT', 'DOTUSDT', 'LINKUSDT'];

const chromium = chromiumPath();
if ('missing' in chromium) test('a day at the page', { skip: chromium.missing });
else
  describe('a day at the page', () => {
    const dir = makeTempDir('desk');
    const controls = new ControlsUsed();
    let demo: ServedDemo;
    let browser: Browser;
    let page: Page;
    let hands: Hands;
    before(async () => {
      ({ demo, browser, page } = await openDemo(dir, chromium.path, controls, SLOWLY));
      hands = handsOf(page);
    });
    after(async () => {
      await closeDemo({ demo, browser });
      removeTempDir(dir);
    });

    const go = (path: string) => page.goto(`${demo.url}/#/${path}`);
    const button = (name: string | RegExp) => page.getByRole('button', { name }).first();
    const decisions = () => demo.view<DecisionsView>('decisions');
    const positions = () => demo.view<PositionStatus[]>('positions');
    const held = async (actor: string) => (await positions()).find((one) => one.actor === actor);
    const newest = async (): Promise<CommandLine> => {
      const [line] = await demo.view<CommandLine[]>('audit?limit=1');
      assert.ok(line);
      return line;
    };
    const rowsIn = (label: string) =>
      page.getByRole('region', { name: label, exact: true }).locator('tbody tr');
    /** Enters on the first of these desks that risk lets in; its position. */
    const enter = async (direction: 'long' | 'short', symbols: readonly string[]): Promise<string> => {
      await go('scanner');
      for (const symbol of symbols) {
        const name = `Enter ${direction} ${symbol}`;
        await button(name).waitFor();
        if (!(await button(name).isEnabled())) continue;
        const [, actor] = / (position\/\S+) enters with /.exec(await hands.agree(name)) ?? [];
        if (actor === undefined) continue;
        await until(async () => (await held(actor))?.stopPrice !== undefined, `${actor} is open`);
        return actor;
      }
      throw new Error(`risk let none of ${symbols} in: ${(await newest()).text}`);
    };

    test('the token is taken and forgotten; without it nothing is done', async () => {
      await go('overview');
      const dialog = page.getByRole('dialog');
      await button('Token…').click();
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'hidden' });
      const take = async () => {
        await button('Token…').click();
        await dialog.getByLabel('Your name').fill(WHO);
        await dialog.getByLabel('Token').fill(demo.token);
        await dialog.getByRole('button', { name: 'Use it' }).click();
        await button('Forget token').waitFor();
      };
      await take();
      await button('Forget token').click();
      await button('Token…').waitFor();
      const said = await demo.view<CommandLine[]>('audit?limit=5');
      await button('Stop trading').click();
      await dialog.getByText('Controls need the token').waitFor();
      await page.keyboard.press('Escape');
      await page.reload();
      await button('Token…').waitFor();
      assert.deepEqual(await demo.view<CommandLine[]>('audit?limit=5'), said, 'nothing was told');
      await take();
      await button('Kill…').click();
      await page.waitForURL(/#\/risk\/kill$/);
    });

    test('the direction of the market: said, in force, and lifted', async () => {
      await go('overview');
      await hands.press(/^long$/);
      await page.getByText(`Direction: long only (`).waitFor();
      assert.equal((await decisions()).direction.allowed, 'long');
      assert.deepEqual([(await newest()).kind, (await newest()).who.name], ['direction', WHO]);
      const short = { kind: 'force-entry', symbol: 'BTCUSDT', direction: 'short' } as const;
      assert.equal((await demo.command(short)).outcome, 'refused');
      await hands.press(/^none$/);
      await page.getByText('Direction: none only (').waitFor();
      assert.equal((await demo.command({ ...short, direction: 'long' })).outcome, 'refused');
      assert.equal((await demo.command({ kind: 'direction', direction: 'both' })).outcome, 'accepted');
      await page.getByText(/^Direction:/).waitFor({ state: 'detached' });
    });

    test('desks are found by symbol; a whitelist lets nothing else in', async () => {
      await go('scanner');
      await rowsIn('Desks').nth(5).waitFor();
      await page.getByLabel('Symbol', { exact: true }).fill('btc');
      await until(async () => (await rowsIn('Desks').count()) === 1);
      assert.match(await rowsIn('Desks').innerText(), /^BTCUSDT/);
      await page.getByLabel('Symbols for a list').fill('ethusdt solusdt');
      await hands.press('Whitelist');
      await page.getByText('SOLUSDT on the whitelist').waitFor();
      assert.deepEqual(Object.keys((await decisions()).whitelist).sort(), ['ETHUSDT', 'SOLUSDT']);
      const { outcome } = await demo.command({ kind: 'force-entry', symbol: 'ADAUSDT', direction: 'long' });
      assert.equal(outcome, 'refused');
      for (const left of [1, 0]) {
        await hands.press('Take off');
        assert.equal(Object.keys((await decisions()).whitelist).length, left);
        // The page hears of it a moment later; until then its button is the one that was pressed.
        await until(async () => (await button('Take off').count()) === left, `${left} left on the page`);
      }
      await page.getByLabel('Symbol', { exact: true }).fill('');
      await rowsIn('Desks').nth(5).waitFor();
    });

    test('a short entered by hand, a quarter taken, then three of what is left', async () => {
      await go('scanner');
      const free = (await demo.view<DeskView[]>('entries')).find(({ position }) => position === null);
      await button(`Enter short ${free?.symbol}`).click();
      const before = await newest();
      await hands.answer('No');
      assert.deepEqual(await newest(), before, 'a no does nothing');
      const actor = await enter('short', DIVISIBLE);
      const [, symbol = ''] = actor.split('/');
      assert.deepEqual([(await newest()).kind, (await newest()).who.name], ['force-entry', WHO]);
      await go('positions');
      const row = rowsIn('Open positions').filter({ has: page.getByRole('link', { name: symbol }) });
      await row.getByText('short').waitFor();
      await row.getByRole('link', { name: symbol }).click();
      await page.locator('canvas').first().waitFor();
      let whole = Number((await held(actor))?.quantity);
      for (const [name, share] of [
        ['Close 25 %', 0.25],
        ['Close 75 %', 0.75],
      ] as const) {
        await hands.agree(name);
        await until(async () => Number((await held(actor))?.quantity) < whole, name);
        const left = Number((await held(actor))?.quantity);
        assert.ok(Math.abs(left / whole - (1 - share)) < 0.1, `${name}: ${whole} became ${left}`);
        whole = left;
      }
      const { rows } = await demo.view<JournalPage>(
        `journal?actor=${encodeURIComponent(actor)}&type=ORDER_FILLED&limit=10`,
      );
      const refs = rows.map(({ event }) => (event as { ref: string }).ref.replace(/-\d+$/, ''));
      assert.equal(refs.filter((ref) => ref === 'reduce').length, 2, `${refs}`);
      await go('positions');
      await row.getByText(String(whole).replace(/\B(?=(\d{3})+(?!\d))/g, ','), { exact: true }).waitFor();

      await hands.agree(`Close ${symbol}`);
      await until(async () => (await held(actor)) === undefined);
      await row.waitFor({ state: 'detached' });
      await go('trades');
      const [trade] = (await demo.view<TradesPage>(`trades?symbol=${symbol}&limit=1`)).trades;
      assert.deepEqual([trade?.actor, trade?.direction], [actor, 'short']);
      await rowsIn('Trades').filter({ hasText: symbol }).first().waitFor();
    });

    test('all is closed by one word, after a yes', async () => {
      await enter('long', ['BTCUSDT', 'ETHUSDT', ...DIVISIBLE]);
      const open = (await positions()).map(({ actor }) => actor);
      assert.ok(open.length > 0);
      await go('positions');
      await button('Close all').click();
      await hands.answer('No');
      assert.deepEqual((await newest()).kind, 'force-entry', 'a no does nothing');
      await hands.agree('Close all');
      await until(async () => (await positions()).every(({ actor }) => !open.includes(actor)), 'all closed');
      assert.deepEqual([(await newest()).kind, (await newest()).who.name], ['close-all', WHO]);
      const { trades } = await demo.view<TradesPage>('trades?limit=20');
      for (const actor of open)
        assert.ok(
          trades.some((trade) => trade.actor === actor),
          actor,
        );
      for (const actor of open)
        await page.locator(`a[href*="${encodeURIComponent(actor)}"]`).waitFor({ state: 'detached' });
    });

    test('trades are filtered, summed and saved: the file has what the table has, on the instrument’s tick', async () => {
      // What is compared stands still meanwhile.
      for (const kind of ['pause', 'close-all'] as const) await demo.command({ kind });
      await until(async () => (await positions()).length === 0);
      await go('trades');
      const table = rowsIn('Trades');
      await table.first().waitFor();
      const all = await demo.view<TradesPage>('trades?limit=500');
      const [one] = all.trades;
      assert.ok(one && all.trades.length > 3 && all.trades.length === all.count);
      const day = new Date(one.closedAt).toISOString().slice(0, 10);
      const why = one.reason.slice(0, 4);
      const symbol = page.getByLabel('Symbol', { exact: true });
      const none = { symbol: '', direction: '', reason: '', from: '', to: '' };
      for (const filter of [
        { ...none, symbol: one.symbol },
        { ...none, direction: 'short' },
        { ...none, reason: why },
        { ...none, from: day },
        { ...none, to: '2025-01-05' },
        { ...none, symbol: one.symbol, direction: one.direction, from: day, to: day },
      ]) {
        await symbol.fill(filter.symbol.toLowerCase());
        await page.getByRole('combobox', { name: 'Side' }).selectOption(filter.direction);
        await page.getByLabel('Why', { exact: true }).fill(filter.reason);
        await page.getByLabel('From', { exact: true }).fill(filter.from);
        await page.getByLabel('To', { exact: true }).fill(filter.to);
        const wanted = all.trades.filter(
          (trade) =>
            trade.symbol.includes(filter.symbol) &&
            (filter.direction === '' || trade.direction === filter.direction) &&
            trade.reason.startsWith(filter.reason) &&
            new Date(trade.closedAt).toISOString().slice(0, 10) >= filter.from &&
            (filter.to === '' || new Date(trade.closedAt).toISOString().slice(0, 10) <= filter.to),
        );
        await page.getByText(new RegExp(`^${wanted.length} trades, net`)).waitFor();
        await until(async () => (await table.count()) === wanted.length, JSON.stringify(filter));
        const [saved] = await Promise.all([page.waitForEvent('download'), button('Save as CSV').click()]);
        const [head = '', ...lines] = readFileSync(await saved.path(), 'utf8')
          .trim()
          .split('\r\n');
        assert.match(head, /^closedAt,openedAt,symbol,direction,/);
        assert.deepEqual(
          lines.map((line) => line.split(',').slice(0, 8).join()),
          wanted.map((trade) =>
            [
              ...[trade.closedAt, trade.openedAt].map((at) => new Date(at).toISOString()),
              ...[
                trade.symbol,
                trade.direction,
                trade.quantity,
                trade.entryPrice,
                trade.exitPrice,
                trade.grossPnl,
              ],
            ].join(),
          ),
        );
      }
      for (const cell of await table.locator('td:nth-child(5), td:nth-child(6)').allInnerTexts())
        assert.ok((cell.split('.')[1] ?? '').length <= (one.tickSize?.split('.')[1] ?? '').length, cell);
    });

    test('the journal is searched, paged, followed; a row is opened whole', async () => {
      await go('journal');
      const table = rowsIn('Journal');
      const numbers = async () => (await table.locator('td:first-child').allInnerTexts()).map(Number);
      await table.first().waitFor();
      const [first = 0] = await numbers();
      const [asked] = await Promise.all([
        page.waitForRequest(/\/api\/journal\?.*before=/),
        button('Older').click(),
      ]);
      const before = Number(new URL(asked.url()).searchParams.get('before'));
      assert.equal(before, first - 199, 'the next page begins where this one ends');
      await until(async () => (await numbers())[0] === before - 1, 'older rows');
      await button('Newer').click();
      await until(async () => ((await numbers())[0] ?? 0) >= first, 'newer rows');
      const search = async (label: string, text: string) => {
        await page.getByLabel(label, { exact: true }).fill(text);
        await page.getByLabel(label, { exact: true }).press('Enter');
      };
      await search('Actor', 'portfolio');
      await search('Event', 'position_closed');
      const wanted = await demo.view<JournalPage>('journal?actor=portfolio&type=POSITION_CLOSED&limit=200');
      await until(async () => (await table.count()) === wanted.rows.length);
      assert.deepEqual(
        await numbers(),
        wanted.rows.map(({ n }) => n),
      );
      const [closed] = wanted.rows;
      assert.ok(closed);
      const { actor } = closed.event as { actor: string };
      await search('Words', actor);
      await until(async () => (await table.count()) === 1);
      await table.first().getByRole('link').first().click();
      await page.getByRole('heading', { name: `Row ${closed.n}` }).waitFor();
      const parts = page
        .locator('section', { has: page.getByRole('heading', { name: /^Row / }) })
        .locator('details');
      for (const [at, name] of ['event', 'cause', 'intents', 'snapshot'].entries()) {
        const part = parts.nth(at);
        const isOpen = async () => (await part.getAttribute('open')) !== null;
        const wasOpen = await isOpen();
        await part.locator('summary', { hasText: name }).click();
        await until(async () => (await isOpen()) !== wasOpen, name);
        if (wasOpen) await part.locator('summary').click();
      }
      assert.ok((await parts.nth(0).locator('.json').textContent())?.includes(`"actor": "${actor}"`));
      assert.ok((await parts.nth(3).locator('.json').textContent())?.includes('"value"'));

      for (const label of ['Actor', 'Event', 'Words']) await search(label, '');
      await button('Follow').click();
      const live = rowsIn('Journal, live').locator('td:first-child');
      await live.nth(2).waitFor();
      const seen = Number(await live.first().innerText());
      await until(async () => Number(await live.first().innerText()) > seen, 'it goes on');
      await button('Follow').click();
      await table.first().waitFor();
    });

    test('many versions of the configuration, one of many keys; and what is in force', async () => {
      const change = (changes: Record<string, number>) =>
        demo.command({ kind: 'config-set', changes, reason: 'a test' });
      for (let i = 0; i < 21; i++) await change({ 'status.lastTrades': 5 + (i % 2) });
      await change(MANY_KEYS);
      await go('system');
      const table = rowsIn('Configuration versions');
      await until(async () => (await table.count()) === 20);
      const [last] = await table.all();
      assert.ok(last);
      const hidden = last.locator('details .json');
      assert.equal(await hidden.isVisible(), false);
      await last.getByText('and 1 more').click();
      await hidden.waitFor();
      for (const key of Object.keys(MANY_KEYS)) assert.ok((await last.innerText()).includes(key), key);
      await button('Show older ones').click();
      await until(async () => (await table.count()) === 23);
      assert.match(await table.last().innerText(), /the first version/);
      await page.getByText('as it is in force (secrets starred out)').click();
      await page.getByText('"lastTrades": 5').waitFor();
    });

    test('a position, both dialogs and an opened row: on desk and phone, in light and dark', async () => {
      await demo.command({ kind: 'resume' });
      const actor = await enter('long', ['BTCUSDT', 'ETHUSDT', ...DIVISIBLE]);
      const birth = `actor/rows?actor=${encodeURIComponent(actor)}&limit=1`;
      const [row] = await demo.view<JournalPage['rows']>(birth);
      for (const { name, ...view } of VIEWS) {
        const other = await openContext(browser, view);
        const looker = await other.newPage();
        const complaints = complaintsOf(looker);
        const look = async (what: string) => {
          await picture(looker, `${what}-${name}`);
          assert.equal(await overflow(looker), 0, `${what} is wider than its window: ${name}`);
          assert.deepEqual(await barriers(looker), [], `${what}: ${name}`);
        };
        await looker.goto(`${demo.url}/#/positions/${encodeURIComponent(actor)}`);
        await looker.locator('canvas').first().waitFor();
        await looker.getByRole('region', { name: 'Story' }).waitFor();
        await look('position');
        await looker.getByRole('button', { name: 'Close', exact: true }).click();
        const dialog = looker.getByRole('dialog');
        await dialog.getByText('Controls need the token').waitFor();
        await look('dialog-token');
        await dialog.getByLabel('Token').fill(demo.token);
        await dialog.getByRole('button', { name: 'Use it' }).click();
        await dialog.getByText('Are you sure?').waitFor();
        await look('dialog-sure');
        await handsOf(looker).answer('No');
        await looker.goto(`${demo.url}/#/journal/${row?.n}`);
        await looker.getByText('snapshot', { exact: true }).click();
        await looker.locator('details[open]').nth(3).waitFor();
        await look('row');
        assert.deepEqual(complaints, []);
        await other.close();
      }
    });

    test('every control that was met is known, and this file used its share', () => {
      assert.deepEqual(controls.missing('desk'), []);
    });
  });
