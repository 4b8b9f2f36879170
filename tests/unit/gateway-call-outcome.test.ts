import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BulkheadError } from '../../src/core/errors.ts';
import {
  classifyFailure,
  failedBeforeSending,
  isWorthRepeating,
  neverSent,
  throttledUntil,
  VenueFailure,
} from '../../src/exchange/call-outcome.ts';

interface Facts {
  readonly http?: number;
  readonly code?: number;
  readonly plain?: string;
}

const answered = (facts: Facts, message = 'said so'): VenueFailure =>
  new VenueFailure(message, { sent: true, ...facts });

const UNKNOWN_ERROR = 'Unknown error, please check your request or try again later.';

/** What each answer, or lack of one, amounts to: a refusal's code, or 'unknown'. */
const TABLE: readonly (readonly [what: string, thrown: unknown, expected: number | 'unknown'])[] = [
  ['no connection', neverSent('no connection: ECONNREFUSED'), 0],
  ['not admitted', neverSent('its time to be sent had passed'), 0],
  ['reset after sending', answered({}), 'unknown'],
  ['time-out', answered({}), 'unknown'],
  ['a body that broke off, 200', answered({ http: 200 }), 'unknown'],
  ['a body that broke off, 400', answered({ http: 400 }), 'unknown'],
  ['200 with HTML or nothing', answered({ http: 200 }), 'unknown'],
  ['200 with an error code', answered({ http: 200, code: -2019 }), 'unknown'],
  ['a redirect', answered({ http: 302 }), 'unknown'],
  ['500 html', answered({ http: 500 }), 'unknown'],
  ['502 html', answered({ http: 502 }), 'unknown'],
  ['504', answered({ http: 504 }), 'unknown'],
  ['500 with a code that is definite below 500', answered({ http: 500, code: -2019 }), 'unknown'],
  ['403 html (firewall)', answered({ http: 403 }), 403],
  ['404 html', answered({ http: 404 }), 404],
  ['408 −1007', answered({ http: 408, code: -1007 }), 'unknown'],
  ['408 without a code', answered({ http: 408 }), 'unknown'],
  ['408 with a definite code', answered({ http: 408, code: -2019 }), 'unknown'],
  ['−1000', answered({ http: 400, code: -1000 }), 'unknown'],
  ['−1001', answered({ http: 400, code: -1001 }), 'unknown'],
  ['−1006', answered({ http: 400, code: -1006 }), 'unknown'],
  ['−1007 with any status', answered({ http: 400, code: -1007 }), 'unknown'],
  ['503 (A) with a code', answered({ http: 503, code: -1000, plain: UNKNOWN_ERROR }), 'unknown'],
  ['503 (A) without a code', answered({ http: 503, plain: UNKNOWN_ERROR }), 'unknown'],
  ['503 (B)', answered({ http: 503, plain: 'Service Unavailable.' }), 503],
  ['503 (B) without its full stop', answered({ http: 503, plain: 'Service Unavailable' }), 503],
  ['503 html of somebody between', answered({ http: 503 }), 'unknown'],
  ['503 with more text', answered({ http: 503, plain: 'Service Unavailable. Perhaps.' }), 'unknown'],
  ['503 (C) −1008', answered({ http: 503, code: -1008 }), -1008],
  ['−1008 with any status', answered({ http: 500, code: -1008 }), -1008],
  ['429 without a code', answered({ http: 429 }), 429],
  ['429 −1003', answered({ http: 429, code: -1003 }), -1003],
  ['429 −1015', answered({ http: 429, code: -1015 }), -1015],
  ['418', answered({ http: 418 }), 418],
  ['418 −1003', answered({ http: 418, code: -1003 }), -1003],
  ['−1003 with 400', answered({ http: 400, code: -1003 }), -1003],
  ['−1015 with 400', answered({ http: 400, code: -1015 }), -1015],
  ['−1021', answered({ http: 400, code: -1021 }), -1021],
  ['−5028', answered({ http: 400, code: -5028 }), -5028],
  ['−1022', answered({ http: 400, code: -1022 }), -1022],
  ['−2015', answered({ http: 401, code: -2015 }), -2015],
  ['−2018', answered({ http: 400, code: -2018 }), -2018],
  ['−2019', answered({ http: 400, code: -2019 }), -2019],
  ['−2011', answered({ http: 400, code: -2011 }), -2011],
  ['−2013', answered({ http: 400, code: -2013 }), -2013],
  ['−2021', answered({ http: 400, code: -2021 }), -2021],
  ['−2022', answered({ http: 400, code: -2022 }), -2022],
  ['−4116: the order exists', answered({ http: 400, code: -4116 }), 'unknown'],
  ['−4164', answered({ http: 400, code: -4164 }), -4164],
  ['−4118', answered({ http: 400, code: -4118 }), -4118],
  ['−4131', answered({ http: 400, code: -4131 }), -4131],
  ['−2027', answered({ http: 400, code: -2027 }), -2027],
  ['−4120', answered({ http: 400, code: -4120 }), -4120],
  ['−4400', answered({ http: 400, code: -4400 }), -4400],
  ['−4192', answered({ http: 400, code: -4192 }), -4192],
  ['−5021', answered({ http: 400, code: -5021 }), -5021],
  ['−5022', answered({ http: 400, code: -5022 }), -5022],
  ['400 that says nothing', answered({ http: 400 }), 'unknown'],
  ['a defect of ours', new TypeError('x is not a function'), 'unknown'],
  ['a broken invariant', new BulkheadError('INTERNAL', 'broken'), 'unknown'],
  ['a text', 'oops', 'unknown'],
  ['nothing', undefined, 'unknown'],
];

describe('what a failed call amounts to', () => {
  for (const [what, thrown, expected] of TABLE) {
    test(`${what}: ${expected}`, () => {
      const outcome = classifyFailure(thrown);
      assert.equal(outcome.outcome === 'rejected' ? outcome.code : 'unknown', expected);
      assert.equal(typeof outcome.reason, 'string');
    });
  }
});

describe('asking again, for reads', () => {
  test('trouble on the way is worth it, an answer is not', () => {
    assert.ok(isWorthRepeating(answered({})));
    assert.ok(isWorthRepeating(answered({ http: 502 })));
    assert.ok(isWorthRepeating(answered({ http: 503, plain: 'Service Unavailable.' })));
    assert.ok(isWorthRepeating(answered({ http: 400, code: -1021 })));
    assert.ok(isWorthRepeating(neverSent('no connection', new Error('ECONNREFUSED'))));
    assert.ok(!isWorthRepeating(answered({ http: 400, code: -2013 })));
    assert.ok(!isWorthRepeating(answered({ http: 404 })));
  });

  test('the venue that keeps us out is not asked again, nor what we refused ourselves', () => {
    assert.ok(!isWorthRepeating(answered({ http: 429, code: -1003 })));
    assert.ok(!isWorthRepeating(answered({ http: 418 })));
    assert.ok(!isWorthRepeating(neverSent('shutting down')));
    assert.ok(!isWorthRepeating(new TypeError('a defect')));
  });
});

describe('until when the venue keeps us out', () => {
  const now = 1_700_000_030_000;
  const banned = 'Way too many requests; IP(1.2.3.4) banned until 1700000150000. Please use the websocket.';

  test('a ban says so itself', () => {
    assert.equal(throttledUntil(answered({ http: 418, code: -1003 }, banned), now), 1_700_000_150_000);
    assert.equal(throttledUntil(answered({ http: 400, code: -1003 }, banned), now), 1_700_000_150_000);
  });
  test('else Retry-After', () => {
    const failure = new VenueFailure('slow down', { sent: true, http: 429, retryAfterMs: 7000 });
    assert.equal(throttledUntil(failure, now), now + 7000);
  });
  test('else the minute for 429, two minutes for 418', () => {
    assert.equal(throttledUntil(answered({ http: 429 }), now), 1_700_000_040_000);
    assert.equal(throttledUntil(answered({ http: 418 }), now), now + 120_000);
  });
  test('no other refusal does', () => {
    assert.equal(throttledUntil(answered({ http: 400, code: -2019 }), now), undefined);
    assert.equal(throttledUntil(answered({ http: 503 }), now), undefined);
  });
});

describe('an error of the network proves that nothing left', () => {
  const error = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall });

  test('when no connection came about', () => {
    assert.ok(failedBeforeSending(error('ECONNREFUSED', 'connect')));
    assert.ok(failedBeforeSending(error('ENOTFOUND', 'getaddrinfo')));
    assert.ok(failedBeforeSending(error('UND_ERR_CONNECT_TIMEOUT')));
    assert.ok(failedBeforeSending(error('EHOSTUNREACH', 'connect')));
    assert.ok(failedBeforeSending(error('CERT_HAS_EXPIRED')));
    const both = [error('ECONNREFUSED', 'connect'), error('ENETUNREACH', 'connect')];
    assert.ok(failedBeforeSending(new AggregateError(both)));
  });

  test('and never when there may have been one', () => {
    assert.ok(!failedBeforeSending(error('ECONNRESET', 'read')));
    assert.ok(!failedBeforeSending(error('EHOSTUNREACH', 'read')));
    assert.ok(!failedBeforeSending(error('ETIMEDOUT', 'read')));
    assert.ok(!failedBeforeSending(error('EPIPE', 'write')));
    assert.ok(!failedBeforeSending(error('UND_ERR_SOCKET')));
    assert.ok(!failedBeforeSending(new AggregateError([error('ECONNREFUSED'), error('ECONNRESET')])));
    assert.ok(!failedBeforeSending(new AggregateError([])));
    assert.ok(!failedBeforeSending('ECONNREFUSED'));
  });
});
