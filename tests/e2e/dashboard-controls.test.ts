/** Every control of the page, pressed in a real browser; and what the page does when the runtime dies under it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { PositionStatus } from '../../src/operator/status-document.ts';
import type { BreakersView, ConfigVersionLine, DecisionsView } from '../../src/operator/views.ts';
import { chromiumPath, openContext, ServedDemo, until } from '../support/browser.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';
import { ControlsUsed } from './dashboard-controls-used.ts';
import { closeDemo, openDemo } from './dashboard-demo.ts';
import { type Hands, handsOf } from './dashboard-hands.ts';
import { barriers, picture, VIEWS } from './dashboard-looks.ts';

/** As it was given, without what no name has. */
const WHO = 'Zoë O’Hara b';

/** What is open stays open while it is looked at; and with this seed something is, and a desk is free. */
const SLOWLY = { BULKHEAD_MARKET_SPEED: '20', BULKHEAD_MARKET_SEED: '42' };

const chromium = chromiumPath();
if ('missing' in chromium) test('the controls', { skip: chromium.missing });
else
  describe('the controls', () => {
    const dir = makeTempDir('controls');
    const controls = new ControlsUsed();
    let demo: ServedDemo;
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let hands: Hands;
    before(async () => {
      ({ demo, browser, context, page } = await openDemo(dir, chromium.path, controls, SLOWLY));
      hands = handsOf(page);
    });
    after(async () => {
      await closeDemo({ demo, browser });
      removeTempDir(dir);
    });

    const decisions = () => demo.view<DecisionsView>('decisions');
    test('without the token nothing is done; a wrong one is not kept; with it the click is carried out', async () => {
      await page.goto(demo.url);
      await page.getByRole('button', { name: 'Pause entries' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Your name').fill('  Zoë  O’Hara <b>\u202e ');
      await dialog.getByLabel('Token').fill('not the token');
      await dialog.getByRole('button', { name: 'Use it' }).click();
      await page.locator('.toast.bad').waitFor();
      assert.equal((await decisions()).paused, null);
      await dialog.getByLabel('Token').fill(demo.token);
      await hands.said(() => dialog.getByRole('button', { name: 'Use it' }).click());
      await page.getByText(/Entries paused by Zoë O’Hara/).waitFor();
      assert.equal((await decisions()).paused?.by, WHO);
    });

    test('a refusal that comes before the browser’s word of the closing opens the dialog again, and it stays', async () => {
      const other = await context.newPage();
      await other.addInitScript(refuseAtClosing);
      await other.goto(demo.url);
      await other.getByRole('button', { name: 'Pause', exact: true }).click();
      const dialog = other.getByRole('dialog');
      for (const closings of ['1', '2']) {
        await dialog.getByLabel('Token').fill('not the token');
        await dialog.getByRole('button', { name: 'Use it' }).click();
        await other.locator(`html[data-closings="${closings}"]`).waitFor();
        await other.evaluate(frames);
        assert.ok(await dialog.getByLabel('Token').isVisible(), `refused ${closings}`);
      }
      await other.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
      await other.close();
    });

    test('resume, stop, start, directions', async () => {
      await hands.press('Resume entries');
      assert.equal((await decisions()).paused, null);
      await hands.press('Stop trading');
      assert.ok((await decisions()).stopped);
      await hands.press('Start trading');
      assert.equal((await decisions()).stopped, null);
      await hands.press(/^short$/);
      assert.equal((await decisions()).direction.allowed, 'short');
      await hands.press(/^both$/);
      assert.equal((await decisions()).direction.allowed, 'both');
    });

    test('locks, lists, entries by hand', async () => {
      await page.goto(`${demo.url}/#/scanner`);
      await hands.press('Lock 1 h ETHUSDT');
      assert.ok((await decisions()).locks.ETHUSDT);
      await hands.press('Unlock');
      assert.deepEqual((await decisions()).locks, {});
      await page.getByLabel('Symbols for a list').fill('ethusdt, adausdt');
      await hands.press('Blacklist');
      assert.deepEqual(Object.keys((await decisions()).blacklist).sort(), ['ADAUSDT', 'ETHUSDT']);
      await hands.press('Take off');
      assert.equal(Object.keys((await decisions()).blacklist).length, 1);
      const free = await page.getByRole('button', { name: /^Enter long/ }).all();
      for (const button of free) {
        if (!(await button.isEnabled())) continue;
        const label = (await button.getAttribute('aria-label')) ?? '';
        assert.ok((await hands.agree(label)).length > 5, 'an answer of risk, whichever');
        break;
      }
    });

    test('breakers are tripped and reset, with a reason', async () => {
      await page.goto(`${demo.url}/#/risk`);
      const trip = page.getByRole('button', { name: 'Trip api-errors' });
      await trip.waitFor();
      assert.equal(await page.getByRole('button', { name: /^(Trip|Reset) kill$/ }).count(), 0);
      assert.equal(await trip.isEnabled(), false, 'not without a reason');
      await page.getByLabel('Reason for a trip or a reset').fill('to see it');
      assert.match(await hands.agree('Trip api-errors'), /told to the breaker/);
      const state = async () =>
        (await demo.view<BreakersView>('breakers')).breakers.find(({ name }) => name === 'api-errors')?.state;
      await until(async () => (await state()) !== 'closed');
      await page.getByRole('button', { name: 'Reset api-errors' }).waitFor();
      assert.match(await hands.agree('Reset api-errors'), /told to the breaker/);
      await until(async () => (await state()) !== 'open');
    });

    test('versions of the configuration: what was changed elsewhere is seen, and undone by a click and a yes', async () => {
      await page.goto(`${demo.url}/#/system`);
      const card = page.getByRole('region', { name: 'Configuration versions' });
      const row = (version: number) => card.getByRole('row', { name: new RegExp(`^${version}\\b`) });
      await row(1).getByText('in force').waitFor();
      assert.match(await row(1).innerText(), /start.*the first version/s);
      const [first] = await demo.view<ConfigVersionLine[]>('config/versions');
      assert.equal(first?.version, 1);

      const { outcome } = await demo.command({
        kind: 'config-set',
        changes: { 'risk.maxLeverage': 7, 'log.level': 'warn' },
        reason: 'calmer',
      });
      assert.equal(outcome, 'accepted');
      await row(2).getByText('in force').waitFor();
      const said = await row(2).innerText();
      for (const what of ['calmer', 'risk.maxLeverage 20 → 7', 'log.level info → warn'])
        assert.ok(said.includes(what), `${what}: ${said}`);
      const back = page.getByRole('button', { name: 'Go back to version 1' });
      assert.equal(await back.isEnabled(), false, 'not without a reason');
      await page.getByLabel('Reason for a change of the configuration').fill('too calm');
      await back.click();
      await hands.answer('No');
      assert.equal((await demo.view<unknown[]>('config/versions')).length, 2, 'a no does nothing');
      assert.match(await hands.agree('Go back to version 1'), /version 3, .*risk\.maxLeverage 7 → 20/);
      await row(3).getByText('in force').waitFor();
      assert.match(await row(3).innerText(), new RegExp(`${WHO}.*http.*back to version 1: too calm`, 's'));
      assert.equal(await row(2).getByText('in force').count(), 0);
      const { risk } = await demo.view<{ risk: { maxLeverage: number } }>('config');
      assert.equal(risk.maxLeverage, 20);

      assert.match(await hands.agree('Read the file again'), /version 3 .* has that already/);
      for (const theme of ['dark', 'light'] as const) {
        await page.getByRole('button', { name: `Turn ${theme}` }).click();
        await card.scrollIntoViewIfNeeded();
        await picture(page, `versions-${theme}`);
        assert.deepEqual(await barriers(page), [], theme);
      }
      for (const { name, ...view } of VIEWS.filter(({ phone }) => phone)) {
        const held = await openContext(browser, view);
        const phone = await held.newPage();
        await phone.goto(`${demo.url}/#/system`);
        const table = phone.getByRole('region', { name: 'Configuration versions' });
        await table.locator('tbody tr').first().scrollIntoViewIfNeeded();
        await picture(phone, `versions-${name}`);
        const hidden = await table.evaluateAll((found) =>
          found.map((one) => one.scrollWidth - one.clientWidth),
        );
        assert.deepEqual(hidden, [0], 'nothing is beside what one sees');
        assert.deepEqual(await barriers(phone), [], name);
        await held.close();
      }
    });

    test('a position is closed in part, its stop is moved, and it is closed: each only after a yes', async () => {
      const held = await demo.view<{ actor: string; stopPrice: string | null }[]>('positions');
      const actor = held.find(({ stopPrice }) => stopPrice !== null)?.actor ?? '';
      await page.goto(`${demo.url}/#/positions`);
      await page
        .getByRole('region', { name: 'Open positions' })
        .locator(`a[href="#/positions/${encodeURIComponent(actor)}"]`)
        .click();
      await page.locator('canvas').first().waitFor();
      const open = async () =>
        (await demo.view<{ actor: string }[]>('positions')).some((position) => position.actor === actor);
      await page.getByRole('button', { name: 'Close', exact: true }).click();
      await hands.answer('No');
      assert.ok(await open(), 'a no does nothing');
      await page.getByLabel('New stop price').fill('0.0000001');
      await page.getByRole('button', { name: 'Move stop' }).click();
      assert.match(await hands.answer('Yes, do it'), /refused/);
      const quantity = async () =>
        (await demo.view<PositionStatus[]>('positions')).find((position) => position.actor === actor)
          ?.quantity;
      const whole = await quantity();
      const halved = await hands.agree(/^Close 50 %/);
      // Half of a lot is refused, or is all of it.
      if (!/refused/.test(halved))
        await until(async () => (await quantity()) !== whole, `${whole}: "${halved}"`);
      if (await open()) await hands.agree(/^Close$/);
      await until(async () => !(await open()));
    });

    test('the kill switch closes everything, and is released', async () => {
      await page.goto(`${demo.url}/#/risk`);
      await page.getByLabel('Reason for the kill switch').fill('a drill');
      await page.getByRole('button', { name: 'Kill', exact: true }).click();
      await hands.answer('Yes, do it');
      await page.getByText(/^Engaged by/).waitFor();
      await until(async () => (await demo.view<unknown[]>('positions')).length === 0);
      await page.goto(`${demo.url}/#/overview`);
      await page.getByText(/^Kill switch engaged since .*a drill/).waitFor();
      await page.getByText(/^Trading is halted \(.*kill: .*a drill/).waitFor();
      await page.goto(`${demo.url}/#/risk`);
      await hands.agree('Release');
      await until(async () => (await demo.view<BreakersView>('breakers')).kill === null);
    });

    test('the runtime is killed and comes back: the page goes on by itself', async () => {
      await page.goto(`${demo.url}/#/overview`);
      await page.getByText('live', { exact: true }).waitFor();
      const { port } = demo;
      await demo.run.reap();
      await page.getByText('connection lost, trying again').waitFor();
      demo = await ServedDemo.start(dir, SLOWLY, port);
      await page.getByText('live', { exact: true }).waitFor();
      await page.getByText(/running/).waitFor();
    });

    test('every control that was met is known, and this file used its share', () => {
      assert.deepEqual(controls.missing('controls'), []);
    });
  });

/** In the page: commands are refused right after the dialog closed, before its `close` event, which is counted. */
function refuseAtClosing(): void {
  let refuse = () => {};
  const { fetch } = window;
  window.fetch = (path, init) =>
    path === '/api/commands'
      ? new Promise((resolve) => {
          refuse = () => resolve(new Response('{}', { status: 401 }));
        })
      : fetch(path, init);
  const { close } = HTMLDialogElement.prototype;
  HTMLDialogElement.prototype.close = function () {
    close.call(this);
    refuse();
  };
  const count = () => {
    const { dataset } = document.documentElement;
    dataset.closings = String(Number(dataset.closings ?? 0) + 1);
  };
  document.addEventListener('close', count, true);
}

/** In the page: whatever follows from what it knows by now has been drawn. */
async function frames(): Promise<void> {
  for (let i = 0; i < 10; i++)
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}
