/**
 * Every control of the page, and the test file that works it. In each of those files the browser itself writes down
 * what it met and what was used: a control that is not in this table fails the file that met it, and one that its
 * file does not use fails that file.
 */
import type { BrowserContext } from 'playwright-core';

export type TestFile = 'controls' | 'desk' | 'inspector' | 'life' | 'thousand';

/** By where they are, whose they are, and what they are called. */
const CONTROLS: readonly (readonly [place: string, TestFile, ...(readonly string[])])[] = [
  ['bar', 'controls', 'button Pause', 'button Turn THEME'],
  ['bar', 'desk', 'button Kill…', 'button Token…', 'button Forget token'],
  ['dialog', 'controls', 'input Your name', 'input Token', 'button Use it', 'button Yes, do it', 'button No'],
  ['dialog', 'desk', 'button Cancel'],
  ['overview', 'desk', 'button long', 'button none'],
  ['overview', 'controls', 'button Pause entries', 'button Resume entries', 'button short', 'button both'],
  ['overview', 'controls', 'button Stop trading', 'button Start trading'],
  ['positions', 'desk', 'button Close all', 'button Close SYMBOL'],
  ['positions', 'controls', 'button Close', 'button Close 50 %', 'input New stop price', 'button Move stop'],
  ['positions', 'desk', 'button Close 25 %', 'button Close 75 %'],
  ['scanner', 'controls', 'button Enter long SYMBOL', 'button Lock 1 h SYMBOL', 'button Unlock'],
  ['scanner', 'controls', 'input Symbols for a list', 'button Blacklist', 'button Take off'],
  ['scanner', 'desk', 'button Enter short SYMBOL', 'button Whitelist', 'input Symbol'],
  ['trades', 'desk', 'input Symbol', 'select Side', 'input Why', 'input From', 'input To'],
  ['trades', 'desk', 'button Save as CSV'],
  ['trades', 'thousand', 'button Newer', 'button Older'],
  ['risk', 'controls', 'input Reason for a trip or a reset', 'button Trip BREAKER', 'button Reset BREAKER'],
  ['risk', 'controls', 'input Reason for the kill switch', 'button Kill', 'button Release'],
  ['tree', 'thousand', 'summary all N, N of them running as they should'],
  ['journal', 'desk', 'input Actor', 'input Event', 'input Words', 'button Follow', 'button Newer'],
  [
    'journal',
    'desk',
    'button Older',
    'summary event',
    'summary cause',
    'summary intents',
    'summary snapshot',
  ],
  ['system', 'controls', 'input Reason for a change of the configuration', 'button Read the file again'],
  ['system', 'controls', 'button Go back to version N'],
  ['system', 'desk', 'button Show older ones', 'summary and N more'],
  ['system', 'desk', 'summary as it is in force (secrets starred out)'],
  ['inspector', 'inspector', 'button Zoom in', 'button Zoom out', 'button Whole chart', 'button Where it is'],
  ['inspector', 'inspector', 'input Actor', 'summary Send a test event (a demo only)', 'button Send event'],
  ['inspector', 'inspector', 'select Test event', 'textarea Fields of the test event'],
  ['inspector', 'life', 'button ‹ Back', 'button Forward ›', 'input Moment', 'select Event to go to'],
  ['inspector', 'life', 'select Moment of ACTOR to compare with', 'button Hold this one'],
  ['inspector', 'life', 'summary event, cause and intents whole', 'summary whole context'],
];

const SHARES = new Map<string, TestFile>(
  CONTROLS.flatMap(([place, file, ...names]) => names.map((name) => [`${place}: ${name}`, file] as const)),
);

/** What one file's browser met and used. */
export class ControlsUsed {
  readonly #met = new Set<string>();
  readonly #used = new Set<string>();

  /** Before its pages are opened. */
  async watch(context: BrowserContext): Promise<void> {
    await context.exposeBinding('controlsMet', (_, met: readonly string[], used: string | null) => {
      for (const name of met) this.#met.add(generalName(name));
      if (used !== null) this.#used.add(generalName(used));
    });
    await context.addInitScript(writeDown);
  }

  /** What is wrong: nothing where each control is in the table and this file used its share of them. */
  missing(file: TestFile): string[] {
    const unknown = [...this.#met].filter((name) => !SHARES.has(name));
    const share = [...SHARES].flatMap(([name, whose]) => (whose === file ? [name] : []));
    return [
      ...unknown.map((name) => `not in the table: ${name}`),
      ...share.filter((name) => !this.#used.has(name)).map((name) => `not used here: ${name}`),
    ];
  }
}

/** One name for what there is one of for each symbol, breaker or version. */
const generalName = (name: string): string =>
  name
    .replace(/\b[A-Z0-9]+USDT\b/, 'SYMBOL')
    .replace(/ (Trip|Reset) (?!or).*/, ' $1 BREAKER')
    .replace(/ Turn (dark|light)$/, ' Turn THEME')
    .replace(/ Moment of .* to compare/, ' Moment of ACTOR to compare')
    .replace(/\ball \d+, \d+ of/, 'all N, N of')
    .replace(/\band \d+ more/, 'and N more')
    .replace(/\bversion \d+/, 'version N');

/** In the page: what there is to press, choose and fill in, whenever something was drawn; and what was. */
function writeDown(): void {
  type Tell = (met: readonly string[], used: string | null) => void;
  const { controlsMet: tell } = window as unknown as { controlsMet: Tell };
  const KINDS = 'button, input, select, textarea, summary';
  const placeOf = (one: Element): string => {
    if (one.closest('dialog')) return 'dialog';
    if (one.closest('header')) return 'bar';
    // Drawn together with the page, unlike the address.
    return document.querySelector('nav [aria-current="page"]')?.textContent?.toLowerCase() ?? '';
  };
  const nameOf = (one: Element): string => {
    const label = (one as HTMLInputElement).labels?.[0]?.querySelector('span')?.textContent;
    const name = one.getAttribute('aria-label') ?? label ?? one.textContent ?? '';
    return `${placeOf(one)}: ${one.tagName.toLowerCase()} ${name.replace(/\s+/g, ' ').trim()}`;
  };
  const met = new Set<string>();
  const look = (): void => {
    const fresh = [...document.querySelectorAll(KINDS)].map(nameOf).filter((name) => !met.has(name));
    for (const name of fresh) met.add(name);
    if (fresh.length > 0) tell(fresh, null);
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true });
  const note = (event: Event): void => {
    const one = event.target instanceof Element ? event.target.closest(KINDS) : null;
    if (one) tell([], nameOf(one));
  };
  for (const type of ['click', 'input', 'change']) document.addEventListener(type, note, true);
}
