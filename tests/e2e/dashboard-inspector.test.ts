/** The inspector on a position through its whole life: live, and again from the journal. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { litStates, type StateValue } from '../../src/http/dashboard/chart-state.ts';
import type { ChartLayout } from '../../src/operator/chart-drawing.ts';
import type { CommandLine } from '../../src/operator/feed.ts';
import type { ActorMoment, JournalPage, TradesPage } from '../../src/operator/views.ts';
import { chromiumPath, complaintsOf, openBrowser, openContext, ServedDemo } from '../support/browser.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const chromium = chromiumPath();
if ('missing' in chromium) test('the inspector', { skip: chromium.missing });
else
  describe('the inspector', () => {
    const dir = makeTempDir('inspector');
    let demo: ServedDemo;
    let browser: Browser;
    let page: Page;
    before(async () => {
      demo = await ServedDemo.start(dir);
      browser = await openBrowser(chromium.path);
      await demo.warm();
      page = await (await openContext(browser)).newPage();
    });
    after(async () => {
      await browser?.close();
      await demo?.run.reap();
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
  });
