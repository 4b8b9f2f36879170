import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger, type LoggerOptions } from '../../src/core/logger.ts';
import { redact } from '../../src/core/redact.ts';

function logger(overrides: Partial<LoggerOptions> = {}) {
  let text = '';
  const log = createLogger({
    level: 'debug',
    pretty: false,
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    output: {
      write(line) {
        text += line;
      },
    },
    ...overrides,
  });
  return { log, text: () => text, line: () => JSON.parse(text) };
}

describe('lines', () => {
  test('JSON with level, time, message and fields', () => {
    const { log, line } = logger();
    log.with({ actor: 'venue' }).warn('slow', { ms: 12n });
    assert.deepEqual(line(), {
      level: 'warn',
      at: '2026-01-02T03:04:05.000Z',
      actor: 'venue',
      ms: '12',
      message: 'slow',
    });
  });

  test('below the level nothing is written; silent writes nothing at all', () => {
    const { log, text } = logger({ level: 'warn' });
    log.info('x');
    assert.equal(text(), '');
    const silent = logger({ level: 'silent' });
    silent.log.error('x');
    assert.equal(silent.text(), '');
  });

  test('pretty lines are for eyes', () => {
    const { log, text } = logger({ pretty: true });
    log.info('stop refused', { actor: 'position/BTCUSDT/BOTH/1', why: 'two words', code: -2021 });
    assert.equal(
      text(),
      '03:04:05 info  stop refused  actor=position/BTCUSDT/BOTH/1 why="two words" code=-2021\n',
    );
  });

  test('errors keep message, code and cause; circles and getters that throw do no harm', () => {
    const { log, line } = logger();
    const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'X' });
    log.error('failed', { error });
    assert.equal(line().error.code, 'X');
    assert.equal(line().error.cause.message, 'inner');
    const hostile = logger();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    hostile.log.info('circle', circle);
    assert.match(hostile.text(), /"message":"circle"/);
    const bomb = logger();
    bomb.log.info('bomb', {
      get value() {
        throw new Error('boom');
      },
    });
    assert.match(bomb.text(), /boom.*"message":"bomb"/);
  });
});

describe('secrets', () => {
  test('secret names are starred out at any depth', () => {
    assert.deepEqual(
      redact({ a: [{ apiKey: 'k', api_secret: 's', Authorization: 'x', password: 'p', ok: 1 }] }, []),
      {
        a: [{ apiKey: '***', api_secret: '***', Authorization: '***', password: '***', ok: 1 }],
      },
    );
  });

  test('registered values and URL credentials are starred out wherever they turn up', () => {
    const { log, text } = logger({ secrets: ['hunter2', undefined, ''] });
    log.error('cannot reach postgres://bob:pw@db/x with hunter2', { error: new Error('hunter2 refused') });
    assert.doesNotMatch(text(), /hunter2|bob|pw@/);
    assert.match(text(), /postgres:\/\/\*\*\*@db\/x/);
  });

  test('an absent secret is shown as absent', () => {
    assert.deepEqual(redact({ token: undefined }, []), { token: undefined });
  });
});
