import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProgressBar, progressLine } from '../../src/app/cli/render-progress.ts';
import { columns, duration, fit, money, painter, signedMoney } from '../../src/app/cli/render-text.ts';
import { Screen } from '../../src/app/cli/screen.ts';
import { VirtualTime } from '../../src/core/clock.ts';

function sink() {
  const written: string[] = [];
  return { written, output: { write: (text: string) => written.push(text) } };
}

describe('text', () => {
  test('amounts', () => {
    assert.equal(money('1234567.891'), '1,234,567.89');
    assert.equal(money('-1000'), '-1,000.00');
    assert.equal(money('0.5'), '0.50');
    assert.equal(signedMoney('2'), '+2.00');
    assert.equal(signedMoney('0'), '0.00');
  });

  test('durations', () => {
    assert.deepEqual([-5, 59_999, 61_000, 3_661_000, 90_000_000].map(duration), [
      '0s',
      '59s',
      '1m 1s',
      '1h 1m',
      '1d 1h',
    ]);
  });

  test('columns align by what is seen', () => {
    const red = painter(true)('red', '-1');
    assert.deepEqual(
      columns(
        ['A', 'N'],
        [
          ['long', red],
          ['x', '22'],
        ],
        new Set([1]),
      ),
      ['A      N', `long  ${red}`, 'x     22'],
    );
  });

  test('what does not fit is cut with a mark', () => {
    assert.equal(fit('abcdef', 4), 'abc…');
    assert.equal(fit(painter(true)('red', 'abcdef'), 6), painter(true)('red', 'abcdef'));
    assert.equal(fit(painter(true)('red', 'abcdef'), 4), 'abc…');
  });
});

describe('the progress bar', () => {
  test('says how far and how long', () => {
    assert.equal(
      progressLine('replay', { done: 1, total: 4 }, 1000),
      `replay  ${'█'.repeat(7)}${'░'.repeat(21)}  25 %  1/4  3s left`,
    );
    assert.equal(progressLine('run', { done: 7 }, 2000), 'run  7  2s');
    assert.match(progressLine('x', { done: 9, total: 4 }, 0), /100 %/);
  });

  test('draws at most ten times a second, and clears its line', () => {
    const { written, output } = sink();
    const time = new VirtualTime();
    const bar = new ProgressBar({ label: 'x', output, enabled: true, columns: 60, monotonic: time });
    for (let at = 0; at < 1000; at += 10) {
      time.advanceTo(at);
      bar.update({ done: at, total: 1000 });
    }
    assert.equal(written.length, 10);
    bar.end();
    assert.equal(written.at(-1), '\r\u001b[2K');
  });

  test('is silent where there is no terminal', () => {
    const { written, output } = sink();
    const bar = new ProgressBar({
      label: 'x',
      output,
      enabled: false,
      columns: 60,
      monotonic: new VirtualTime(),
    });
    bar.update({ done: 1 });
    bar.end();
    assert.deepEqual(written, []);
  });
});

describe('the screen', () => {
  test('draws over its last picture, shrinks, and gives the cursor back', () => {
    const { written, output } = sink();
    const screen = new Screen(output, 10);
    screen.draw('a\nb\n');
    screen.draw('c\n');
    screen.end();
    screen.end();
    assert.deepEqual(written, [
      '\u001b[?25l\ra\u001b[K\nb\u001b[K\n\u001b[J',
      '\u001b[2A\rc\u001b[K\n\u001b[J',
      '\u001b[?25h',
    ]);
  });

  test('never draws more than the terminal holds', () => {
    const { written, output } = sink();
    new Screen(output, 4).draw('1\n2\n3\n4\n5\n');
    assert.equal(written[0]?.split('\n').length, 4);
    assert.match(written[0] ?? '', /…/);
  });
});
