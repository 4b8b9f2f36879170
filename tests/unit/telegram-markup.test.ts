import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  bold,
  caption,
  code,
  escaped,
  line,
  type Message,
  PAGE_LIMIT,
  pages,
  text,
} from '../../src/telegram/markup.ts';
import { PHONE_WIDTH, pairs, table } from '../../src/telegram/table.ts';
import { readHtml } from '../support/bot-api-markup.ts';

const anyBlock = fc.oneof(
  fc
    .array(fc.string({ unit: 'grapheme', maxLength: 300 }), { minLength: 1, maxLength: 60 })
    .map((lines) => text(...lines)),
  fc
    .array(fc.string({ maxLength: 6_000 }), { minLength: 1, maxLength: 3 })
    .map((lines) => text(...lines.map((one) => line`${bold(one)}: ${code('<x> & y')}`))),
  fc
    .array(fc.tuple(fc.string({ maxLength: 80 }), fc.string({ maxLength: 12 })), {
      minLength: 1,
      maxLength: 200,
    })
    .map((rows) => table(['NAME', '>VALUE'], rows)),
);

describe('what is put into a message', () => {
  it('cannot become markup', () => {
    const evil = '</pre><b>&lt;BTCUSDT';
    assert.equal(line`${bold(evil)} closed`.html, '<b>&lt;/pre&gt;&lt;b&gt;&amp;lt;BTCUSDT</b> closed');
    assert.equal(readHtml(line`${bold(evil)} closed`.html).text, `${evil} closed`);
  });

  it('reads back as it was, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (odd) => {
        assert.equal(readHtml(line`${bold(odd)} and ${odd}`.html).text, `${odd} and ${odd}`);
        assert.equal(readHtml(escaped(odd)).text, odd);
      }),
    );
  });
});

describe('pages', () => {
  it('are within the limit, valid by themselves, and hold every line in order', () => {
    fc.assert(
      fc.property(
        fc.array(anyBlock, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(200, 1_024, 4_096),
        (message, limit) => {
          const done = pages(message, limit);
          for (const page of done) {
            assert.ok(page.length <= limit, `${page.length} > ${limit}`);
            readHtml(page);
          }
          const bare = (lines: readonly string[]): string => lines.join('').replace(/\s/g, '');
          const said = message.flatMap((block) =>
            block.kind === 'table' ? block.lines : block.lines.map(({ plain }) => plain),
          );
          assert.equal(bare(done.map((page) => readHtml(page).text)), bare(said));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('keep a long table a table on each of them', () => {
    const rows = Array.from({ length: 400 }, (_, i) => [`SYMBOL${i}USDT`, `${i}.00`]);
    const done = pages([text('Trades'), table(['SYMBOL', '>NET'], rows)]);
    assert.ok(done.length > 1);
    for (const page of done) assert.match(page, /<pre>[^<]+<\/pre>$/);
    assert.ok(done.every((page) => page.length <= PAGE_LIMIT));
  });

  it('say nothing where there is nothing to say', () => {
    assert.deepEqual(pages([]), []);
    assert.equal(caption([]), '');
  });

  it('give a photo what fits under it', () => {
    const message: Message = [text(...Array.from({ length: 100 }, (_, i) => `line ${i} of the story`))];
    assert.ok(caption(message).length <= 1_024);
    assert.match(caption(message), /^line 0 of the story\n/);
  });
});

describe('tables', () => {
  it('fit a phone, and never cut a number', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.string({ maxLength: 60 }),
            fc.string({ maxLength: 60 }),
            fc.stringMatching(/^-?\d{1,9}\.\d\d$/),
          ),
          {
            minLength: 1,
            maxLength: 10,
          },
        ),
        (rows) => {
          const { lines } = table(['SYMBOL', 'WHY', '>NET'], rows);
          for (const [i, [, , number]] of rows.entries()) {
            const shown = String(lines[i + 1]);
            assert.ok([...shown].length <= PHONE_WIDTH, shown);
            assert.ok(shown.endsWith(number), shown);
          }
        },
      ),
    );
  });

  it('set numbers to the right, and names under names', () => {
    assert.deepEqual(
      table(
        ['SYMBOL', '>NET'],
        [
          ['BTCUSDT', '-1.20'],
          ['XRPUSDT', '100.00'],
        ],
      ).lines,
      ['SYMBOL     NET', 'BTCUSDT  -1.20', 'XRPUSDT 100.00'],
    );
    assert.deepEqual(
      pairs([
        ['wallet', '9,980.45'],
        ['open P&L', '+15.67'],
      ]).lines,
      ['wallet   9,980.45', 'open P&L   +15.67'],
    );
  });
});
