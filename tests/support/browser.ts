/** A real, headless Chromium for tests of the page; and a runtime that serves it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { freshId } from '../../src/core/ids.ts';
import type { Command } from '../../src/domain/command.ts';
import type { OperatorAnswer } from '../../src/operator/operator.ts';
import { CliProcess } from './cli-process.ts';

const PLACES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** Where it is, or why there is none. */
export function chromiumPath(): { path: string } | { missing: string } {
  const found = PLACES.find((place) => place !== undefined && existsSync(place));
  return found === undefined
    ? { missing: 'no Chromium: install the package chromium, or name one in CHROMIUM' }
    : { path: found };
}

/** Without what it would ask of its maker at each start. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const openBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: QUIET });

export interface View {
  readonly theme?: 'light' | 'dark';
  readonly phone?: boolean;
}

/** A wait that ends here has failed; it is long, for machines that are slow and busy. */
const PATIENCE_MS = 90_000;

/** `BROWSER_SLOWDOWN=6 npm test -- dashboard`: what a page needs of a machine six times slower. */
const SLOWDOWN = Number(process.env.BROWSER_SLOWDOWN ?? 1);

export async function openContext(
  browser: Browser,
  { theme = 'light', phone = false }: View = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport: phone ? { width: 390, height: 844 } : { width: 1_400, height: 900 },
    ...(phone ? { isMobile: true, hasTouch: true } : {}),
  });
  context.setDefaultTimeout(PATIENCE_MS);
  if (SLOWDOWN > 1) context.on('page', (page) => void slowDown(page, SLOWDOWN));
  return context;
}

export async function slowDown(page: Page, rate: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate });
}

/** Until it holds; for what the runtime says, where a page's own waiting does not reach. */
export async function until(holds: () => Promise<boolean>, what = 'it'): Promise<void> {
  for (let i = 0; i < PATIENCE_MS / LOOK_EVERY_MS; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`${what} did not come to be so`);
}

/** What a page complained of: its console, its errors, answers that it did not expect. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  return complaints;
}

const WARM_FROM = Date.UTC(2025, 0, 8);
const LOOK_EVERY_MS = 200;
const LOOKS = 1_500;

/** A demo with the page, its data in `dir`. */
export class ServedDemo {
  readonly run: CliProcess;
  readonly url: string;
  readonly #dir: string;

  private constructor(run: CliProcess, url: string, dir: string) {
    this.run = run;
    this.url = url;
    this.#dir = dir;
  }

  static async start(dir: string, env: Readonly<Record<string, string>> = {}, port = 0): Promise<ServedDemo> {
    const run = new CliProcess(['run'], {
      cwd: dir,
      env: { BULKHEAD_HTTP_ENABLED: 'true', BULKHEAD_HTTP_PORT: String(port), ...env },
    });
    const [, url = ''] = await run
      .said(/the page is at (http:\/\/127\.0\.0\.1:\d+)/, 'stderr')
      .catch(async (error) => {
        await run.reap();
        throw error;
      });
    return new ServedDemo(run, url, dir);
  }

  /** The generated market's first week, which goes by at full speed, is over: now things stay as they are for a while. */
  async warm(): Promise<void> {
    for (let i = 0; i < LOOKS; i++) {
      const { virtualTime } = await this.view<{ virtualTime: number | null }>('status');
      if (virtualTime !== null && virtualTime >= WARM_FROM) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    throw new Error(`the demo did not get through its first week: ${this.run.tail()}`);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get token(): string {
    return readFileSync(path.join(this.#dir, '.bulkhead', 'http-token'), 'utf8').trim();
  }

  /** Said as another program would, over HTTP, with its second word. */
  async command(command: Command): Promise<OperatorAnswer> {
    const response = await fetch(`${this.url}/api/commands`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ id: `test:${freshId('said')}`, command, confirmed: true, by: 'Ann' }),
    });
    return ((await response.json()) as { data: OperatorAnswer }).data;
  }

  async view<T>(name: string): Promise<T> {
    const response = await fetch(`${this.url}/api/${name}`);
    return ((await response.json()) as { data: T }).data;
  }
}
