/** The inspector on a position through its whole life: live, and again from the journal. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { litStates, type StateValue } from '../../src/http/dashboard/chart-state.ts';
import type { ChartLayout } from '../../src/operator/chart-drawing.ts';
import type { CommandLine } from '../../src/operator/feed.ts';
import type { ActorMoment, JournalPage, TradesPage } from '../../src/operator/views.ts';
import { chromiumPath, complaintsOf, openContext, type ServedDemo } from '../support/browser.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';
import { ControlsUsed } from './dashboard-controls-used.ts';
import { closeDemo, openDemo } from './dashboard-demo.ts';

const chromium = chromiumPath();
if ('missing' in chromium) test('the inspector', { skip: chromium.missing });
else
  describe('the inspector', () => {
    const dir = makeTempDir('inspector');
    const controls = new ControlsUsed();
    let demo: ServedDemo;
    let browser: Browser;
    let page: Page;
    before(async () => {
      ({ demo, browser, page } = await openDemo(dir, chromium.path, controls));
    });
    after(async () => {
      await closeDemo({ demo, browser });
      removeTempDir(dir);
    });

    /** What the chart says is active. */
    const lit = async (): Promise<string[]> => {
      const label = (await page.locator('.statechart svg').getAttribute('aria-label')) ?? '';
      return label
        .slice(label.indexOf('active: ') + 8)
        .split(', ')
        .sort();
    };
    const waitForLit = async (expected: readonly string[]): Promise<void> => {
      const wanted = `active: ${expected.join(', ')}`;
      await page.waitForFunction(
        (text) =>
          document.querySelector('.statechart svg')?.getAttribute('aria-label')?.endsWith(text) ?? false,
        wanted,
      );
    };

    test('each row of a closed position lights what its snapshot says', async () => {
      const complaints = complaintsOf(page);
      const { trades } = await demo.view<TradesPage>('trades?limit=1');
      const actor = trades[0]?.actor ?? '';
      assert.match(actor, /^position\//);
      const rows = await demo.view<JournalPage['rows']>(
        `actor/rows?actor=${encodeURIComponent(actor)}&afterSeq=0&limit=500`,
      );
      const { layout } = await demo.view<{ layout: ChartLayout }>('machine-layout?type=position');
      assert.ok(rows.length >= 5);
      for (const { n } of rows) {
        await page.goto(`${demo.url}/#/inspector/${encodeURIComponent(actor)}/${n}`);
        const moment = await demo.view<ActorMoment>(`actor/at?actor=${encodeURIComponent(actor)}&n=${n}`);
        const { value } = moment.snapshot as { value: StateValue };
        await waitForLit([...litStates(layout, value)]);
      }
      assert.ok(
        (await lit()).some((id) => /closed|abandoned/.test(id)),
        'its last row is its end',
      );
      await page.getByText(/^step \d+ of \d+/).waitFor();
      assert.deepEqual(complaints, []);
    });

    test('back and forth, from event to event, and two moments compared', async () => {
      const words = async () =>
        (await page.getByText(/^step \d+ of \d+/).innerText()).match(/\d+/g)?.map(Number) ?? [];
      const [last = 0] = await words();
      await page.getByRole('button', { name: '‹ Back' }).click();
      await page.getByText(`step ${last - 1} of`).waitFor();
      await page.getByRole('button', { name: 'Forward ›' }).click();
      await page.getByText(`step ${last} of`).waitFor();
      await page.getByLabel('Event to go to').selectOption('ORDER_FILLED');
      await page.getByRole('button', { name: '‹ Back' }).click();
      await page.getByRole('heading', { name: 'ORDER_FILLED' }).waitFor();
      const compare = page.getByLabel(/to compare with$/);
      await compare.selectOption({ index: 1 });
      await page.getByRole('heading', { name: 'Context: what changed' }).waitFor();
      // Much lies between its first row and a fill.
      await page.locator('.json .changed').nth(3).waitFor();
    });

    test('a test event: checked as it is written, sent after a yes, taken and drawn', async () => {
      await page.goto(`${demo.url}/#/inspector/${encodeURIComponent('breaker/api-errors')}`);
      await page.getByText('Send a test event').click();
      await page.getByLabel('Test event', { exact: true }).selectOption('OPERATOR_TRIP');
      const fields = page.getByLabel('Fields of the test event');
      const sends = page.getByRole('button', { name: 'Send event' });
      for (const wrong of ['{"by": ', '[]', '{"at": 1}', '{"type": "X"}']) {
        await fields.fill(wrong);
        await page.locator('.test-event').getByRole('alert').waitFor();
        assert.equal(await sends.isEnabled(), false, wrong);
      }
      await fields.fill('{"by": "somebody", "reason": "to see it"}');
      await sends.click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Token').fill(demo.token);
      await dialog.getByRole('button', { name: 'Use it' }).click();
      await dialog.getByText(/as if it had happened/).waitFor();
      await dialog.getByRole('button', { name: 'Yes, do it' }).click();
      await page.getByText(/^OPERATOR_TRIP was taken; it is in open \w+ now$/).waitFor();
      // It cools down soon by the market's fast clock: the moment is looked at, not what is there by now.
      const rows = await demo.view<JournalPage['rows']>(
        `actor/rows?actor=${encodeURIComponent('breaker/api-errors')}&afterSeq=0&limit=500`,
      );
      const taken = rows.find(({ event }) => (event as { type: string }).type === 'OPERATOR_TRIP');
      await page.goto(`${demo.url}/#/inspector/${encodeURIComponent('breaker/api-errors')}/${taken?.n}`);
      await page.waitForFunction(() =>
        /active: .*breaker\.open/.test(
          document.querySelector('.statechart svg')?.getAttribute('aria-label') ?? '',
        ),
      );
      const [said] = await demo.view<CommandLine[]>('audit?limit=1');
      assert.deepEqual([said?.kind, said?.who.name, said?.outcome], ['test-event', 'dashboard', 'accepted']);
    });

    test('nobody sends one without the token', async () => {
      const command = { kind: 'test-event', actor: 'portfolio', event: { type: 'OPERATOR_RESUME' } };
      const answer = await fetch(`${demo.url}/api/commands`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: 'no-token-at-all', command, confirmed: true }),
      });
      assert.equal(answer.status, 401);
      const [said] = await demo.view<CommandLine[]>('audit?limit=1');
      assert.notEqual(said?.id, 'http:no-token-at-all');
    });

    test('live: a step that is committed is drawn, its arrow taken', async () => {
      const symbol = 'BTCUSDT';
      await page.goto(`${demo.url}/#/inspector/${encodeURIComponent(`scanner/${symbol}`)}`);
      await page.locator('.statechart rect.state').first().waitFor();
      const step = async () =>
        Number((await page.getByText(/^step \d+ of \d+/).innerText()).match(/\d+/)?.[0]);
      await page.getByText(/^step [1-9]\d* of/).waitFor();
      const heading = await page
        .getByText(/^row [\d,]+$/)
        .first()
        .innerText();
      await page.waitForFunction((old) => {
        const links = [...document.querySelectorAll('.inspector a')].map((link) => link.textContent ?? '');
        const now = links.find((text) => /^row [\d,]+$/.test(text));
        return now !== undefined && now !== old;
      }, heading);
      assert.ok((await step()) > 1);
    });

    /** What of the chart is in its window: x, y, width, height. */
    const windowOf = async (one: Page): Promise<number[]> =>
      ((await one.locator('.statechart svg').getAttribute('viewBox')) ?? '').split(' ').map(Number);
    const changed = async (one: Page, act: () => Promise<unknown>): Promise<[number[], number[]]> => {
      const from = await windowOf(one);
      await act();
      await one.waitForFunction(
        (old) => document.querySelector('.statechart svg')?.getAttribute('viewBox') !== old,
        from.join(' '),
      );
      return [from, await windowOf(one)];
    };
    const middle = ([x = 0, y = 0, width = 0, height = 0]: number[]) => [x + width / 2, y + height / 2];
    const near = (a: readonly number[], b: readonly number[], by: number) =>
      assert.ok(
        a.every((one, at) => Math.abs(one - (b[at] ?? Number.NaN)) <= by),
        `${a} is not ${b}`,
      );

    test('the chart is zoomed and moved by buttons, wheel and mouse, shown whole, and where it is', async () => {
      await page.goto(`${demo.url}/#/inspector/${encodeURIComponent('scanner/BTCUSDT')}`);
      const actor = page.getByLabel('Actor', { exact: true });
      await page.getByText(/^step \d+ of \d+/).waitFor();
      await actor.fill('');
      await actor.pressSequentially('portfolio');
      assert.equal(await actor.inputValue(), 'portfolio', 'what is written stays while one writes');
      await actor.press('Enter');
      await page.waitForURL(/#\/inspector\/portfolio$/);
      await page.getByRole('img', { name: /^Statechart of portfolio; active: portfolio/ }).waitFor();
      const button = (name: string) => page.getByRole('button', { name }).click();
      const [before, closer] = await changed(page, () => button('Zoom in'));
      near([closer[2] ?? 0, ...middle(closer)], [(before[2] ?? 0) * 0.8, ...middle(before)], 0.01);
      const [, back] = await changed(page, () => button('Zoom out'));
      near(back, before, 0.01);
      const box = (await page.locator('.statechart svg').boundingBox()) ?? {
        x: 0,
        y: 0,
        width: 0,
        height: 0,
      };
      const [left, top] = [box.x + box.width / 2, box.y + box.height / 2];
      await page.mouse.move(left, top);
      const [, wheeled] = await changed(page, () => page.mouse.wheel(0, -100));
      near([wheeled[2] ?? 0, ...middle(wheeled)], [(before[2] ?? 0) * 0.87, ...middle(before)], 0.5);
      await page.mouse.down();
      const [, moved] = await changed(page, () => page.mouse.move(left - 50, top));
      await page.mouse.up();
      assert.ok((moved[0] ?? 0) > (wheeled[0] ?? 0) && moved[2] === wheeled[2], 'dragged, not zoomed');
      const [, all] = await changed(page, () => button('Whole chart'));
      const { layout } = await demo.view<{ layout: ChartLayout }>('machine-layout?type=portfolio');
      assert.ok((all[2] ?? 0) >= layout.width && (all[3] ?? 0) >= layout.height);
      await changed(page, () => button('Where it is'));
      assert.ok(((await windowOf(page))[2] ?? 0) < (all[2] ?? 0));
    });

    test('two fingers zoom on a touch screen, one moves', async () => {
      const held = await openContext(browser, { phone: true });
      const phone = await held.newPage();
      await phone.goto(`${demo.url}/#/inspector/portfolio`);
      const chart = phone.locator('.statechart svg');
      await phone.getByRole('img', { name: /^Statechart of portfolio; active: portfolio/ }).waitFor();
      await chart.scrollIntoViewIfNeeded();
      const box = (await chart.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const session = await held.newCDPSession(phone);
      const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...apart: number[]) => {
        const touchPoints = apart.map((away, id) => ({ x: x + away, y, id }));
        return session.send('Input.dispatchTouchEvent', { type, touchPoints });
      };
      await touch('touchStart', -40, 40);
      const [from, to] = await changed(phone, () => touch('touchMove', -80, 80));
      await touch('touchEnd');
      await phone.waitForFunction(
        (wanted) => {
          const view = document.querySelector('.statechart svg')?.getAttribute('viewBox')?.split(' ');
          return Math.abs(Number(view?.[2]) / wanted - 1) < 0.02;
        },
        (from[2] ?? 0) / 2,
      );
      near(middle(await windowOf(phone)), middle(from), (to[2] ?? 0) * 0.05);
      const zoomed = await windowOf(phone);
      await touch('touchStart', 0);
      const [, moved] = await changed(phone, () => touch('touchMove', 60));
      await touch('touchEnd');
      assert.ok((moved[0] ?? 0) < (zoomed[0] ?? 0), 'the chart follows the finger');
      near([moved[2] ?? 0], [zoomed[2] ?? 0], 0.01);
      await held.close();
    });

    test('every control that was met is known, and this file used its share', () => {
      assert.deepEqual(controls.missing('inspector'), []);
    });
  });
