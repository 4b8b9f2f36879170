/** A page as people meet it: what would keep somebody out, and pictures to look at. */
import { mkdirSync } from 'node:fs';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import type { View } from '../support/browser.ts';

/** Each page is looked at on a desk and on a phone, in light and dark. */
export const VIEWS: readonly (View & { readonly name: string })[] = [
  { name: 'desk-light', theme: 'light' },
  { name: 'desk-dark', theme: 'dark' },
  { name: 'phone-light', theme: 'light', phone: true },
  { name: 'phone-dark', theme: 'dark', phone: true },
];

/** By how many pixels a page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));

/** Tables of which a part is out of sight to the side. */
export const sideways = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.scroll')]
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      .map((table) => `${table.ariaLabel} by ${table.scrollWidth - table.clientWidth} px`),
  );

/** Where pictures go for people to look at; none are kept otherwise. */
const PICTURES = process.env.DASHBOARD_PICTURES;

/** What would keep somebody out, by axe's rules for WCAG 2.1 A and AA. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe: checker } = window as unknown as { axe: typeof axe };
    const { violations } = await checker.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
    });
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map(({ html }) => html.slice(0, 160))
          .join(' | ')}`,
    );
  });
}

export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}/${name}.png` });
}

/** In the page: something is drawn over so much of the first chart's width. */
export function drawnShare(least: number): boolean {
  const canvas = [...document.querySelectorAll<HTMLCanvasElement>('.chart canvas')].toSorted(
    (a, b) => b.width * b.height - a.width * a.height,
  )[0];
  const colour = getComputedStyle(document.documentElement).getPropertyValue('--accent').trim();
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const { width = 0, height = 0 } = canvas ?? {};
  const data = canvas?.getContext('2d')?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray();
  const columns = new Set<number>();
  for (let i = 0; i < data.length; i += 4)
    if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) columns.add((i / 4) % width);
  return columns.size / width >= least;
}
