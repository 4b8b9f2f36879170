import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deskOf, desksNamed, entryDeskOf, placeNamed, positionOf } from '../../machines/messages.ts';
import { isReducing, opensPosition, orderTerms } from '../../src/domain/order.ts';
import {
  keyFor,
  keyOf,
  keyOfActor,
  keysOn,
  moded,
  modeOf,
  namedSide,
  positionSideOf,
  symbolOf,
} from '../../src/domain/position-key.ts';

const ONE_WAY = keyOf({ symbol: 'BTCUSDT' });
const LONG = keyOf({ symbol: 'BTCUSDT', positionSide: 'LONG' });
const SHORT = keyOf({ symbol: 'BTCUSDT', positionSide: 'SHORT' });

describe('the key of a place', () => {
  test('is the symbol in one-way mode, and the symbol with its side in hedge mode', () => {
    assert.deepEqual([ONE_WAY, LONG, SHORT], ['BTCUSDT', 'BTCUSDT/LONG', 'BTCUSDT/SHORT']);
    assert.equal(keyOf({ symbol: 'BTCUSDT', positionSide: 'BOTH' }), ONE_WAY);
    for (const place of [ONE_WAY, LONG, SHORT]) {
      assert.equal(keyOf({ symbol: symbolOf(place), positionSide: positionSideOf(place) }), place);
      assert.equal(keyOf({ symbol: symbolOf(place), ...namedSide(place) }), place);
      assert.equal(keyOfActor(entryDeskOf(place)), place);
      assert.equal(keyOfActor(positionOf(place, 12)), place);
      assert.equal(deskOf(positionOf(place, 12)), entryDeskOf(place));
    }
    assert.deepEqual(namedSide(ONE_WAY), {}, 'nothing is written of it');
  });

  test('actors keep the names that they had in one-way mode', () => {
    assert.equal(entryDeskOf(ONE_WAY), 'entry/BTCUSDT');
    assert.equal(positionOf(ONE_WAY, 3), 'position/BTCUSDT/BOTH/3');
    assert.equal(positionOf(SHORT, 3), 'position/BTCUSDT/SHORT/3');
    assert.equal(keyOfActor('scanner/BTCUSDT'), ONE_WAY);
  });

  test('there is one for a symbol, or one for each side', () => {
    assert.deepEqual(keysOn('BTCUSDT', 'one-way'), [ONE_WAY]);
    assert.deepEqual(keysOn('BTCUSDT', 'hedge'), [LONG, SHORT]);
    assert.equal(keyFor('BTCUSDT', 'short', 'one-way'), ONE_WAY);
    assert.equal(keyFor('BTCUSDT', 'short', 'hedge'), SHORT);
    assert.deepEqual([modeOf({}), modeOf(moded('hedge')), moded('one-way')], ['one-way', 'hedge', {}]);
  });

  test('people name positions by it', () => {
    assert.deepEqual(placeNamed('BTCUSDT'), { place: ONE_WAY });
    assert.deepEqual(placeNamed('BTCUSDT/3'), { place: ONE_WAY, life: 3 });
    assert.deepEqual(placeNamed('BTCUSDT/LONG'), { place: LONG });
    assert.deepEqual(placeNamed('BTCUSDT/SHORT/2'), { place: SHORT, life: 2 });
    const hedged = (desk: string): boolean => desk === 'entry/BTCUSDT/LONG' || desk === 'entry/BTCUSDT/SHORT';
    assert.deepEqual(desksNamed(ONE_WAY, hedged), ['entry/BTCUSDT/LONG', 'entry/BTCUSDT/SHORT']);
    assert.deepEqual(desksNamed(SHORT, hedged), ['entry/BTCUSDT/SHORT']);
    assert.deepEqual(
      desksNamed(ONE_WAY, (desk) => desk === 'entry/BTCUSDT'),
      ['entry/BTCUSDT'],
    );
  });
});

describe('what an order may do', () => {
  test('terms say it by reduceOnly in one-way mode and by the sides in hedge mode', () => {
    for (const direction of ['long', 'short'] as const)
      for (const side of ['BOTH', direction === 'long' ? 'LONG' : 'SHORT'] as const) {
        const [opening, closing] = [
          orderTerms('open', direction, side),
          orderTerms('close', direction, side),
        ];
        assert.ok(opensPosition(opening) && isReducing(closing));
        assert.equal(closing.reduceOnly, side === 'BOTH', 'hedge mode refuses it');
        assert.equal(opening.reduceOnly, false);
      }
  });

  test('in hedge mode the closing side reduces, whatever else it says', () => {
    const plain = { reduceOnly: false };
    assert.equal(isReducing({ ...plain, side: 'SELL', positionSide: 'LONG' }), true);
    assert.equal(isReducing({ ...plain, side: 'BUY', positionSide: 'SHORT' }), true);
    assert.equal(isReducing({ ...plain, side: 'SELL', positionSide: 'SHORT' }), false);
    assert.equal(isReducing({ ...plain, side: 'SELL', positionSide: 'BOTH' }), false);
    assert.equal(isReducing({ ...plain, side: 'SELL', positionSide: 'BOTH', closePosition: true }), true);
  });
});
