/** A demo with its page in a browser whose controls are watched: what each test of the page begins with. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openBrowser, openContext, ServedDemo } from '../support/browser.ts';
import type { ControlsUsed } from './dashboard-controls-used.ts';

export interface OpenDemo {
  readonly demo: ServedDemo;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
}

/** Its first week is over. Whatever was opened is closed where something else could not be. */
export async function openDemo(
  dir: string,
  chromium: string,
  controls: ControlsUsed,
  env: Readonly<Record<string, string>> = {},
): Promise<OpenDemo> {
  const demo = await ServedDemo.start(dir, env);
  let browser: Browser | undefined;
  try {
    browser = await openBrowser(chromium);
    await demo.warm();
    const context = await openContext(browser);
    await controls.watch(context);
    return { demo, browser, context, page: await context.newPage() };
  } catch (error) {
    await closeDemo({ demo, browser });
    throw error;
  }
}

/** As far as it was opened. */
export async function closeDemo({
  demo,
  browser,
}: Partial<Pick<OpenDemo, 'demo'>> & { readonly browser?: Browser | undefined }): Promise<void> {
  await browser?.close();
  await demo?.run.reap();
}
