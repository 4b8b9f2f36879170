import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, suggest } from '../../src/core/suggest.ts';

test('a slip of the fingers is recognised', () => {
  assert.equal(suggest('rnu', ['run', 'replay']), 'run');
  assert.equal(suggest('sttaus', ['status', 'stats']), 'status');
  assert.equal(suggest('SPEED', ['speed']), 'speed');
  assert.equal(suggest('sped', ['seed', 'speed']), 'speed');
});

test('what is far from everything suggests nothing', () => {
  assert.equal(suggest('elephant', ['run', 'replay']), undefined);
  assert.equal(suggest('x', []), undefined);
  assert.equal(didYouMean('elephant', ['run']), '');
  assert.equal(didYouMean('rum', ['run']), 'Did you mean "run"?');
});
