import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isBulkheadError } from '../../src/core/errors.ts';
import { venueAddress } from '../../src/exchange/binance/ccxt-address.ts';

const refused = (...args: Parameters<typeof venueAddress>) =>
  assert.throws(
    () => venueAddress(...args),
    (error) => isBulkheadError(error, 'CONFIG_INVALID') && error.hint !== undefined,
    args.join(' '),
  );

describe('where the venue is', () => {
  test('paper speaks to this machine and nothing else', () => {
    for (const host of ['127.0.0.1:7700', 'localhost:7700', '[::1]:7700', '127.8.9.1']) {
      assert.deepEqual(venueAddress('paper', `http://${host}`, `ws://${host}`), {
        rest: `http://${host}`,
        stream: `ws://${host}`,
      });
    }
    const here = 'ws://127.0.0.1:7700';
    for (const elsewhere of [
      'https://fapi.binance.com',
      'http://127.0.0.1.evil.com',
      'http://10.0.0.1',
      'http://0.0.0.0',
    ]) {
      refused('paper', elsewhere, here);
    }
    refused('paper', 'http://127.0.0.1:7700', 'wss://fstream.binance.com');
    refused('paper', undefined, here);
  });

  test('live speaks to the venue itself, never to this machine, never in clear', () => {
    const binance = { rest: undefined, stream: 'wss://fstream.binance.com' };
    assert.deepEqual(venueAddress('live', undefined, undefined), binance);
    assert.deepEqual(venueAddress('live', 'https://fapi.binance.com/', undefined), binance);
    assert.deepEqual(
      venueAddress('live', 'https://demo-fapi.binance.com', 'wss://fstream.binancefuture.com'),
      {
        rest: 'https://demo-fapi.binance.com',
        stream: 'wss://fstream.binancefuture.com',
      },
    );
    for (const wrong of [
      'https://127.0.0.1',
      'https://localhost:7700',
      'https://[::1]',
      'http://fapi.binance.com',
    ]) {
      refused('live', wrong, undefined);
    }
    refused('live', undefined, 'ws://fstream.binance.com');
  });

  test('no address holds a password, and nonsense is none', () => {
    refused('live', 'https://me:secret@fapi.binance.com', undefined);
    refused('paper', '127.0.0.1:7700', 'ws://127.0.0.1:7700');
    refused('paper', '', '');
  });
});
