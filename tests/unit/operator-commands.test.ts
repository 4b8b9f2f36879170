/** Commands from untrusted input, and who may say which how late. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isBulkheadError } from '../../src/core/errors.ts';
import type { Command, Who } from '../../src/domain/command.ts';
import { COMMAND_KINDS, COMMAND_RULES, refusal } from '../../src/operator/command.ts';
import { parseCommand, parseWords } from '../../src/operator/parse-command.ts';

const who = (role: Who['role'], channel: Who['channel'] = 'telegram'): Who => ({
  name: 'bob',
  role,
  channel,
});

/** Every kind once, as it is typed. */
const TYPED: Readonly<Record<Command['kind'], string>> = {
  start: 'start',
  stop: 'stop storm',
  pause: 'pause 5 news',
  resume: 'resume',
  close: 'close BTCUSDT 12.5%',
  'close-all': 'close-all',
  'move-stop': 'move-stop BTCUSDT 99.5',
  'force-entry': 'force-entry BTCUSDT long 90',
  blacklist: 'blacklist add BTCUSDT',
  whitelist: 'whitelist remove BTCUSDT',
  direction: 'direction none',
  lock: 'lock BTCUSDT 5 short thin book',
  unlock: 'unlock BTCUSDT',
  trip: 'trip drawdown news',
  release: 'release drawdown seen it',
  kill: 'kill account-wide key leaked',
  'release-kill': 'release-kill over',
  adopt: 'adopt BTCUSDT',
  ignore: 'ignore BTCUSDT',
  'test-event': 'test-event position/BTCUSDT/BOTH/1 MARK {"price":"100"}',
  'config-set': 'config-set risk.maxPositions 8 more room',
  'config-rollback': 'config-rollback 3 worse',
  'config-reload': 'config-reload edited',
};

describe('reading', () => {
  test('every command is read as typed, and the same from its JSON', () => {
    for (const kind of COMMAND_KINDS) {
      const command = parseWords(TYPED[kind].split(' '));
      assert.equal(command.kind, kind);
      assert.deepEqual(parseCommand(JSON.parse(JSON.stringify(command))), command, kind);
    }
    assert.deepEqual(parseWords(['close', 'btcusdt', '12.5%']), {
      kind: 'close',
      symbol: 'BTCUSDT',
      share: '0.125',
    });
    assert.deepEqual(parseWords(['close', 'BTCUSDT', '5%']), {
      kind: 'close',
      symbol: 'BTCUSDT',
      share: '0.05',
    });
    assert.deepEqual(parseWords(['close', 'BTCUSDT', '100%']), { kind: 'close', symbol: 'BTCUSDT' });
    const long = { symbol: 'BTCUSDT', direction: 'long' };
    assert.deepEqual(parseWords(['close', 'BTCUSDT', 'long']), { kind: 'close', ...long });
    assert.deepEqual(parseWords(['close', 'BTCUSDT', 'LONG', '50%']), {
      kind: 'close',
      ...long,
      share: '0.5',
    });
    assert.deepEqual(parseWords(['move-stop', 'BTCUSDT', 'long', '98', 'loosen']), {
      ...{ kind: 'move-stop', ...long, price: '98', loosen: true },
    });
    for (const words of ['pause -1', 'pause 1.5', 'pause 1,5 lunch'])
      assert.throws(() => parseWords(words.split(' ')), /whole number/);
    assert.deepEqual(parseWords(['pause', '3rd', 'loss']), { kind: 'pause', reason: '3rd loss' });
    for (const words of ['close BTCUSDT long 50% x', 'move-stop BTCUSDT 98 loosen x'])
      assert.throws(() => parseWords(words.split(' ')), /one word too many/);
  });

  test('what is wrong says how it is written, and nothing unknown is passed over', () => {
    const WRONG: readonly [unknown, RegExp][] = [
      [null, /object/],
      [{ kind: 'clsoe' }, /Did you mean "close"/],
      [{ kind: 'close' }, /symbol is missing/],
      [{ kind: 'close', symbol: 'BTC/USDT' }, /no symbol/],
      [{ kind: 'close', symbol: 'BTCUSDT', share: 0 }, /more than 0 and less than 1, such as 0.5 or 50%/],
      [{ kind: 'close', symbol: 'BTCUSDT', share: '1e-3' }, /more than 0 and less than 1/],
      [{ kind: 'close', symbol: 'BTCUSDT', shares: '0.5' }, /no field "shares"/],
      [{ kind: 'pause', minutes: 1.5 }, /whole number/],
      [{ kind: 'pause', minutes: 1e9 }, /whole number/],
      [{ kind: 'blacklist', change: 'add', symbols: [] }, /name the symbols/],
      [{ kind: 'blacklist', change: 'clear', symbols: ['BTCUSDT'] }, /takes no symbols/],
      [{ kind: 'trip', breaker: '../x', reason: 'y' }, /breaker/],
      [{ kind: 'test-event', actor: '../etc', event: { type: 'MARK' } }, /actor/],
      [
        { kind: 'test-event', actor: 'portfolio', event: { type: 'xstate.stop' } },
        /with a type such as MARK/,
      ],
      [{ kind: 'test-event', actor: 'portfolio', event: ['MARK'] }, /an object with a type/],
      [{ kind: 'test-event', actor: 'portfolio', event: { type: 'MARK', at: 1 } }, /leave out "at"/],
      [{ kind: 'test-event', actor: 'portfolio', event: { type: 'MARK', x: 'x'.repeat(4_000) } }, /too long/],
      [{ kind: 'config-set', key: '__proto__', value: 1, reason: 'x' }, /key/],
    ];
    for (const [input, message] of WRONG)
      assert.throws(
        () => parseCommand(input),
        (error) => isBulkheadError(error, 'USAGE') && message.test(error.message) && error.hint !== undefined,
        JSON.stringify(input),
      );
  });

  test('whatever comes is a command or a USAGE error', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            kind: fc.oneof(fc.constantFrom(...COMMAND_KINDS), fc.string()),
            symbol: fc.anything(),
            share: fc.anything(),
            reason: fc.anything(),
            minutes: fc.anything(),
            symbols: fc.anything(),
            value: fc.jsonValue(),
            actor: fc.anything(),
            event: fc.jsonValue(),
          },
          { requiredKeys: ['kind'] },
        ),
        (input) => {
          try {
            assert.ok(COMMAND_KINDS.includes(parseCommand(input).kind));
          } catch (error) {
            assert.ok(isBulkheadError(error, 'USAGE'), String(error));
          }
        },
      ),
    );
  });

  test('texts lose what a terminal or a chat must not be made to show', () => {
    const command = parseCommand({ kind: 'stop', reason: 'a\u001b[2Jb\u202ec' });
    assert.deepEqual(command, { kind: 'stop', reason: 'a [2Jb c' });
  });
});

describe('who may, and how late', () => {
  const NOW = 1_000_000;
  const said = (kind: Command['kind'], by: Who, agoMs = 0) =>
    refusal(parseWords(TYPED[kind].split(' ')), by, NOW - agoMs, NOW)?.code;

  test('a viewer does nothing, a trader what trading needs, an admin everything', () => {
    for (const kind of COMMAND_KINDS) {
      assert.equal(said(kind, who('viewer')), 'ROLE', kind);
      assert.equal(said(kind, who('admin')), undefined, kind);
      assert.equal(
        said(kind, who('trader')),
        COMMAND_RULES[kind].role === 'trader' ? undefined : 'ROLE',
        kind,
      );
    }
  });

  test('what may close positions or opens entries again after a halt is asked about first', () => {
    const asked = COMMAND_KINDS.filter((kind) => COMMAND_RULES[kind].asksTwice);
    assert.deepEqual(asked, [
      ...['close', 'close-all', 'move-stop', 'force-entry', 'trip', 'release', 'kill', 'release-kill'],
      ...['adopt', 'test-event', 'config-set', 'config-rollback', 'config-reload'],
    ]);
  });

  test('the kill switch’s breaker is moved by nobody’s hand, and each channel names its own words for it', () => {
    const words = (by: Who, typed: string) => refusal(parseWords(typed.split(' ')), by, NOW, NOW);
    assert.equal(words(who('trader'), 'release kill over')?.code, 'ROLE');
    for (const typed of ['trip kill storm', 'release kill over']) {
      assert.equal(words(who('admin'), typed)?.code, 'KILL_SWITCH');
      assert.match(
        words(who('admin', 'telegram'), typed)?.text ?? '',
        /\/kill engages it, \/release lifts it/,
      );
      assert.match(words(who('admin', 'cli'), typed)?.text ?? '', /"bulkhead kill" engages/);
      assert.match(words(who('admin', 'http'), typed)?.text ?? '', /"release-kill" lifts/);
    }
    assert.equal(words(who('admin'), 'release kill-switch over'), undefined);
  });

  test('what is stale is not done, except what makes things safer', () => {
    const done = COMMAND_KINDS.filter((kind) => said(kind, who('admin'), 31_000) === undefined);
    assert.deepEqual(done, ['stop', 'pause', 'kill']);
    assert.equal(said('kill', who('viewer'), 31_000), 'ROLE');
  });

  test('what is left at the command line waits for the next start, but what is about the market of the moment', () => {
    const stale = COMMAND_KINDS.filter((kind) => said(kind, who('admin', 'cli'), 86_400_000) === 'STALE');
    assert.deepEqual(stale, ['close', 'close-all', 'move-stop', 'force-entry', 'test-event']);
  });
});
