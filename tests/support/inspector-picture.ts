/**
 * `npm run picture`: the animated picture of the README, taken anew: a position of the demo from its first row to its
 * last, step by step in the statechart inspector.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import gifenc from 'gifenc';
import type { Page } from 'playwright-core';
import { PNG } from 'pngjs';
import type { JournalPage, TradesPage } from '../../src/operator/views.ts';
import { chromiumPath, openBrowser, ServedDemo } from './browser.ts';
import { makeTempDir, removeTempDir } from './temp.ts';

const OUT = fileURLToPath(new URL('../../docs/inspector.gif', import.meta.url));
const SIZE = { width: 1_180, height: 760 };
const FRAMES = 14;
const FRAME_MS = 900;
const SETTLED_MS = 700;

const { GIFEncoder, quantize, applyPalette } = gifenc;

/** So many of them, the first and the last included. */
const spread = <T>(all: readonly T[]): T[] =>
  all.filter(
    (_, at) => all.length <= FRAMES || at === all.length - 1 || at % Math.ceil(all.length / FRAMES) === 0,
  );

async function frame(page: Page): Promise<{ data: Uint8Array; width: number; height: number }> {
  const { data, width, height } = PNG.sync.read(await page.screenshot());
  return { data: new Uint8Array(data), width, height };
}

async function main(): Promise<void> {
  const found = chromiumPath();
  if ('missing' in found) throw new Error(found.missing);
  const dir = makeTempDir('picture');
  const demo = await ServedDemo.start(dir);
  const browser = await openBrowser(found.path);
  try {
    await demo.warm();
    const { trades } = await demo.view<TradesPage>('trades?limit=20');
    const lives = await Promise.all(
      trades.map(({ actor }) =>
        demo.view<JournalPage['rows']>(`actor/rows?actor=${encodeURIComponent(actor)}&afterSeq=0&limit=500`),
      ),
    );
    const longest = lives.reduce((best, rows) => (rows.length > best.length ? rows : best), []);
    const page = await browser.newPage({ viewport: SIZE, colorScheme: 'dark' });
    const gif = GIFEncoder();
    for (const { actor, n } of spread(longest)) {
      await page.goto(`${demo.url}/#/inspector/${encodeURIComponent(actor)}/${n}`);
      await page.locator('.statechart rect.lit').nth(1).waitFor();
      await page.getByText(/^step \d+ of \d+/).waitFor();
      await page.waitForTimeout(SETTLED_MS);
      const { data, width, height } = await frame(page);
      const palette = quantize(data, 64);
      gif.writeFrame(applyPalette(data, palette), width, height, { palette, delay: FRAME_MS });
    }
    gif.finish();
    writeFileSync(OUT, gif.bytes());
    await page.goto(`${demo.url}/#/overview`);
    await page.locator('canvas').first().waitFor();
    await page.waitForTimeout(SETTLED_MS);
    await page.screenshot({ path: OUT.replace('inspector.gif', 'dashboard.png') });
    console.log(`${OUT}: ${gif.bytes().length} bytes`);
  } finally {
    await browser.close();
    await demo.run.reap();
    removeTempDir(dir);
  }
}

await main();
