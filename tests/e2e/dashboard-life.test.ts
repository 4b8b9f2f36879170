/**
 * The inspector on one position from before its birth to after its end: live, while the page is open; then the same life
 * again from the journal, step by step, from event to event, and one moment held against another.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { StateValue } from '../../src/http/dashboard/chart-state.ts';
import type { ChartLayout } from '../../src/operator/chart-drawing.ts';
import type { ActorMoment, DeskView, JournalPage } from '../../src/operator/views.ts';
import { chromiumPath, complaintsOf, type ServedDemo, until } from '../support/browser.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';
import { ControlsUsed } from './dashboard-controls-used.ts';
import { closeDemo, openDemo } from './dashboard-demo.ts';
import { barriers, picture } from './dashboard-looks.ts';

type Rows = JournalPage['rows'];
type Row = Rows[number];

/** Of each step that the page drew. */
interface Drawn {
  readonly n: number;
  readonly event: string;
  /** Ids of the states that are lit. */
  readonly lit: string;
  /** Arrows and lines of arrival that are marked as taken, in the chart's words. */
  readonly taken: readonly string[];
  /** "step 3 of 9" and where the slider stands, and ends. */
  readonly words: string;
  readonly slider: readonly number[];
}

/** The market's speed while its life begins, and while it runs its course. */
const SLOW = 20;
const FAST = 1_800;
/** A life that lasts longer than this, of the market's time, is ended by a person's word. */
const LONGEST_MS = 6 * 3_600_000;

const chromium = chromiumPath();
if ('missing' in chromium) test('a life in the inspector', { skip: chromium.missing });
else
  describe('a life in the inspector', () => {
    const dir = makeTempDir('life');
    const controls = new ControlsUsed();
    let demo: ServedDemo;
    let browser: Browser;
    let page: Page;
    let complaints: string[];
    /** The position, its rows, and what was seen of them while they were written. */
    let actor = '';
    let rows: Rows = [];
    let live: readonly Drawn[] = [];
    /** What the chart must light, by row. */
    const states = new Map<number, string>();
    before(async () => {
      ({ demo, browser, page } = await openDemo(dir, chromium.path, controls, {
        BULKHEAD_MARKET_SPEED: String(SLOW),
        BULKHEAD_MARKET_SEED: '42',
      }));
      complaints = complaintsOf(page);
    });
    after(async () => {
      await closeDemo({ demo, browser });
      removeTempDir(dir);
    });

    const named = (name: string): string => encodeURIComponent(name);
    const rowsOf = (name: string) => demo.view<Rows>(`actor/rows?actor=${named(name)}&afterSeq=0&limit=500`);
    const momentAt = (name: string, n?: number) =>
      demo.view<ActorMoment>(`actor/at?actor=${named(name)}${n === undefined ? '' : `&n=${n}`}`);
    const speed = (value: number) =>
      demo.command({ kind: 'config-set', changes: { 'market.speed': value }, reason: 'a test' });
    const drawn = (): Promise<Drawn[]> =>
      page.evaluate(() => (window as unknown as { drawn: Drawn[] }).drawn);
    /** What stands there once the step of that row does. */
    const shown = async (n: number): Promise<Drawn> => {
      await page.waitForFunction((wanted) => {
        const steps = (window as unknown as { drawn: Drawn[] }).drawn;
        return steps.at(-1)?.n === wanted;
      }, n);
      const last = (await drawn()).at(-1);
      assert.ok(last);
      return last;
    };
    const button = (name: string) => page.getByRole('button', { name });

    test('live: each state is lit when it is current, the way there is marked, and the timeline grows', async (t) => {
      const [desk] = (await demo.view<DeskView[]>('entries')).filter(
        ({ position, blocks }) => position === null && Object.keys(blocks).length === 0,
      );
      assert.ok(desk, 'a desk is free');
      const { symbol } = desk;
      const { context } = (await momentAt(`entry/${symbol}`)).snapshot as { context: { life: number } };
      actor = `position/${symbol}/BOTH/${context.life + 1}`;
      await page.goto(`${demo.url}/#/inspector/${named(actor)}`);
      await page.getByText(`The journal has no row of an actor called ${actor}`).waitFor();
      await page.evaluate(writeStepsDown);

      const { outcome, text } = await demo.command({ kind: 'force-entry', symbol, direction: 'long' });
      assert.equal(outcome, 'accepted', text);
      await page.waitForFunction(() => {
        const steps = (window as unknown as { drawn: Drawn[] }).drawn;
        return steps.at(-1)?.lit.includes('position.open.protection.covered.protected');
      });
      const born = await momentAt(actor);
      await speed(FAST);
      await until(async () => {
        const { final } = await momentAt(actor);
        const { virtualTime } = await demo.view<{ virtualTime: number }>('status');
        if (!final && virtualTime > born.at + LONGEST_MS) await demo.command({ kind: 'close', symbol });
        return final;
      }, 'the end of its life');
      await speed(SLOW);
      rows = await rowsOf(actor);
      const last = rows.at(-1) as Row;
      await shown(last.n);
      live = await drawn();
      t.diagnostic(
        `${symbol}: ${rows.length} rows, ${new Set(live.map(({ lit }) => lit)).size} sets of states`,
      );

      assert.deepEqual(
        live.map(({ n }) => n),
        rows.map(({ n }) => n),
        'each step was drawn, once, in its order',
      );
      const { layout } = await demo.view<{ layout: ChartLayout }>('machine-layout?type=position');
      const id = idsByPath(layout);
      for (const [at, row] of rows.entries()) {
        const { snapshot, final } = await momentAt(actor, row.n);
        const value = (snapshot as { value: StateValue }).value;
        states.set(row.n, pathsOf(value, 'position').map(id).sort().join(' '));
        const step = live[at] as Drawn;
        assert.equal(step.lit, states.get(row.n), `row ${row.n}`);
        assert.equal(step.event, typeOf(row));
        assert.match(step.words, new RegExp(`^step ${row.seq} of \\d+$`));
        const [from, stands, to = 0] = step.slider;
        assert.deepEqual([from, stands], [1, row.seq]);
        assert.ok(to >= row.seq && to >= (live[at - 1]?.slider[2] ?? 0), 'it only grows');
        if (step.lit !== live[at - 1]?.lit && at > 0)
          assert.ok(step.taken.length > 0, `no way marked: ${typeOf(row)}, ${step.lit}`);
        assert.equal(final, row === last);
      }
      // What every such life passes, in this order.
      const passed = live.map(({ lit }) => lit).join('\n');
      const order = ['preparing', 'entering', 'open.protection.exposed', 'open.protection.covered', 'closed'];
      const places = order.map((state) => passed.indexOf(`position.${state}`));
      assert.deepEqual(
        places.toSorted((a, b) => a - b),
        places,
      );
      assert.ok(
        places.every((place) => place >= 0),
        `${places}`,
      );
      const went = live.flatMap(({ taken }) => taken);
      for (const way of ['CONFIRMED', '⇥ [protectionIs(protected)]'])
        assert.ok(
          went.some((words) => words.includes(way)),
          `${way}: ${went}`,
        );
      const [first] = live;
      assert.ok((first?.slider[2] ?? 0) < rows.length, 'the timeline was short at first');
      assert.deepEqual(complaints, []);
      await picture(page, 'life-end');
    });

    test('scrubbed back and forth: each step looks as it did when it happened', async () => {
      const [first, last] = [rows[0] as Row, rows.at(-1) as Row];
      for (const row of rows.toReversed().slice(1)) {
        await button('‹ Back').click();
        const step = await shown(row.n);
        await page.waitForFunction(isLitInSight);
        const then = live.find(({ n }) => n === row.n);
        assert.deepEqual(
          [step.lit, step.event, step.taken],
          [then?.lit, then?.event, then?.taken],
          `row ${row.n}`,
        );
        assert.deepEqual(step.slider, [1, row.seq, last.seq]);
      }
      assert.equal(await button('‹ Back').isEnabled(), false, 'before its birth is nothing');
      for (const row of rows.slice(1, 4)) {
        await button('Forward ›').click();
        assert.equal((await shown(row.n)).lit, states.get(row.n));
      }
      const slider = page.getByLabel('Moment', { exact: true });
      await slider.press('Home');
      assert.equal((await shown(first.n)).lit, states.get(first.n));
      await slider.press('ArrowRight');
      await shown((rows[1] as Row).n);
      await slider.press('End');
      assert.equal((await shown(last.n)).lit, states.get(last.n));
      assert.equal(await button('Forward ›').isEnabled(), false);
      await page.reload();
      await page.evaluate(writeStepsDown);
      await shown(last.n);
    });

    test('from event to event', async () => {
      const fills = rows.filter((row) => typeOf(row) === 'ORDER_FILLED');
      assert.ok(fills.length >= 2, 'in and out');
      await page.getByLabel('Event to go to').selectOption('ORDER_FILLED');
      const later = fills.filter(({ n }) => n < (rows.at(-1) as Row).n);
      for (const { n } of later.toReversed()) {
        await button('‹ Back').click();
        const step = await shown(n);
        assert.deepEqual([step.event, step.lit], ['ORDER_FILLED', states.get(n)]);
      }
      await button('‹ Back').click();
      await page.getByText('No ORDER_FILLED before this one.').waitFor();
      await button('Forward ›').click();
      await shown((fills[1] as Row).n);
      await page.getByLabel('Event to go to').selectOption('');
    });

    test('two moments held against each other say what is different, and only that', async () => {
      const [birth, fill] = [rows[0] as Row, rows.find((row) => typeOf(row) === 'ORDER_FILLED') as Row];
      await page.goto(`${demo.url}/#/inspector/${named(actor)}/${birth.n}`);
      await shown(birth.n);
      await button('Hold this one').click();
      const held = page.getByLabel(`Moment of ${actor} to compare with`);
      assert.equal(await held.inputValue(), String(birth.n));
      await page.goto(`${demo.url}/#/inspector/${named(actor)}/${fill.n}`);
      await shown(fill.n);
      assert.equal(await held.inputValue(), String(birth.n), 'it is held while one goes elsewhere');
      await differences(birth, fill);
      assert.equal(await page.locator('.statechart .taken').count(), 0, 'no one way led there');
      await held.selectOption('');
      const prior = rows[rows.indexOf(fill) - 1] as Row;
      await differences(prior, fill);
      await page.locator('.statechart .taken').first().waitFor();

      await page.getByText('event, cause and intents whole').click();
      await page.getByText(`"type": "ORDER_FILLED"`).waitFor();
      await page.getByText('whole context').click();
      const { context } = (await momentAt(actor, fill.n)).snapshot as { context: object };
      for (const key of Object.keys(context))
        await page
          .locator('details[open] .json')
          .getByText(new RegExp(`^\\s*${key}\\b`))
          .first()
          .waitFor();
      assert.deepEqual(await barriers(page), []);
      await picture(page, 'life-compared');
      assert.deepEqual(complaints, []);
    });

    /** Waits until the page says the fields of the context that differ, and no others. */
    async function differences(from: Row, to: Row): Promise<void> {
      const [old, now] = await Promise.all(
        [from, to].map(
          async ({ n }) =>
            ((await momentAt(actor, n)).snapshot as { context: Record<string, unknown> }).context,
        ),
      );
      assert.ok(old && now);
      const keys = [...new Set([...Object.keys(now), ...Object.keys(old)])].filter(
        (key) => JSON.stringify(now[key]) !== JSON.stringify(old[key]),
      );
      assert.ok(keys.includes('quantity') && !keys.includes('symbol'), keys.join());
      await page.waitForFunction((wanted) => {
        const heading = [...document.querySelectorAll('h3')].find((one) => /^Context/.test(one.textContent));
        const lines = [...(heading?.nextElementSibling?.children ?? [])].map((one) => one.textContent);
        const outer = lines.flatMap((line) => (/^\S/.test(line) ? [line.split(/[: ]/)[0] ?? ''] : []));
        return outer.toSorted().join() === wanted;
      }, keys.toSorted().join());
    }

    test('an actor with more rows than are read at once is seen to its beginning', async () => {
      const scanner = `scanner/${actor.split('/')[1]}`;
      const { seq: newest } = await momentAt(scanner);
      assert.ok(newest > 600, `${newest} rows`);
      const [birth] = await rowsOf(scanner);
      await page.goto(`${demo.url}/#/inspector/${named(scanner)}/${birth?.n}`);
      await shown(birth?.n ?? 0);
      await page.getByText(/^step 1 of \d{3,}$/).waitFor();
      const slider = page.getByLabel('Moment', { exact: true });
      await slider.press('End');
      await page
        .getByText(/^live$/)
        .last()
        .waitFor();
      await page.waitForFunction((past) => {
        const words = (window as unknown as { drawn: Drawn[] }).drawn.at(-1)?.words ?? '';
        return Number(words.match(/\d+/)?.[0]) >= past;
      }, newest);
      // Its birth is the only row of its kind, hundreds of rows away.
      await page.getByLabel('Event to go to').selectOption(typeOf(birth as Row));
      await button('‹ Back').click();
      await shown(birth?.n ?? 0);
      await slider.press('Home');
      await slider.press('ArrowRight');
      await page.getByText(/^step 2 of/).waitFor();
    });

    test('every control of these pages is known, and this file used its share', () => {
      assert.deepEqual(controls.missing('life'), []);
    });
  });

const typeOf = ({ event }: Row): string => (event as { type: string }).type;

/** All states that a value names, by the keys that lead to them. */
function pathsOf(value: StateValue, path: string): string[] {
  if (typeof value === 'string') return [path, `${path}.${value}`];
  return [path, ...Object.entries(value).flatMap(([key, below]) => pathsOf(below, `${path}.${key}`))];
}

/** A state may have an id of its own. */
function idsByPath({ states }: ChartLayout): (path: string) => string {
  const paths = new Map<string, string>();
  for (const { id, key, parent } of states)
    paths.set(id, parent === null ? id : `${paths.get(parent)}.${key}`);
  const ids = new Map([...paths].map(([id, path]) => [path, id]));
  return (path) => ids.get(path) ?? `no state ${path}`;
}

/** In the page: one of the states that are active now can be seen on the chart. */
function isLitInSight(): boolean {
  const frame = document.querySelector('.statechart')?.getBoundingClientRect();
  return [...document.querySelectorAll('.statechart rect.lit:not(.compound)')].some((one) => {
    const { left, right, top, bottom } = one.getBoundingClientRect();
    return frame && left >= frame.left && right <= frame.right && top >= frame.top && bottom <= frame.bottom;
  });
}

/** In the page: each step that it draws is kept, from now on. */
function writeStepsDown(): void {
  const drawn: Drawn[] = [];
  (window as unknown as { drawn: Drawn[] }).drawn = drawn;
  const textOf = (one: Element | null | undefined): string => one?.textContent?.trim() ?? '';
  const look = (): void => {
    const about = document.querySelector('.inspector > div:nth-child(2)');
    const n = Number(textOf(about?.querySelector('a')).replace(/[^\d]/g, ''));
    const label = document.querySelector('.statechart svg')?.getAttribute('aria-label') ?? '';
    const [, ids = ''] = label.split('; active: ');
    const slider = document.querySelector<HTMLInputElement>('.timeline');
    if (n === 0 || ids === '' || slider === null) return;
    const words = [...document.querySelectorAll('.inspector span.quiet')].map(textOf);
    const step: Drawn = {
      n,
      event: textOf(about?.querySelector('h3')),
      lit: ids.split(', ').sort().join(' '),
      taken: [...document.querySelectorAll('.statechart text.taken')].map(textOf).sort(),
      words: words.find((text) => text.startsWith('step ')) ?? '',
      slider: [slider.min, slider.value, slider.max].map(Number),
    };
    if (drawn.at(-1)?.n !== n) drawn.push(step);
  };
  const options = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(look).observe(document.body, options);
  look();
}
