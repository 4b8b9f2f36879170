import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchReader, endsIdle, firstValue, queryMessage } from '../../src/journal/pglite-wire.ts';

function message(type: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

const STARTUP = Buffer.from('0000000900030000ff', 'hex');
const EXTENDED = Buffer.concat(['P', 'B', 'D', 'E', 'S'].map((type) => message(type, Buffer.from('xyz'))));
const SIMPLE = Buffer.from(queryMessage('select 1'));

test('bytes cut anywhere come out as the same whole batches', () => {
  const stream = Buffer.concat([STARTUP, EXTENDED, SIMPLE, EXTENDED, message('X')]);
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (points) => {
      const cuts = [0, ...points.sort((a, b) => a - b), stream.length];
      const reader = new BatchReader();
      const batches = cuts.slice(1).flatMap((end, index) => reader.push(stream.subarray(cuts[index], end)));
      assert.deepEqual(
        batches.map((batch) => [batch.type, Buffer.from(batch.bytes).toString('hex')]),
        [
          ['startup', STARTUP.toString('hex')],
          ['batch', EXTENDED.toString('hex')],
          ['batch', SIMPLE.toString('hex')],
          ['batch', EXTENDED.toString('hex')],
          ['terminate', message('X').toString('hex')],
        ],
      );
    }),
    { seed: 18, numRuns: 200 },
  );
});

test('half a batch is kept back: a part would be answered by a stray ReadyForQuery', () => {
  const reader = new BatchReader();
  reader.push(STARTUP);
  assert.deepEqual(reader.push(EXTENDED.subarray(0, EXTENDED.length - 1)), []);
  assert.equal(reader.push(EXTENDED.subarray(EXTENDED.length - 1)).length, 1);
});

test('an answer tells whether its session is in a transaction', () => {
  const ready = (status: string) => Buffer.concat([message('C'), message('Z', Buffer.from(status))]);
  assert.deepEqual([endsIdle(ready('I')), endsIdle(ready('T')), endsIdle(ready('E'))], [true, false, false]);
  assert.equal(endsIdle(Buffer.alloc(0)), false);
});

test('the first value of an answer is read; an error is thrown with the server’s words', () => {
  const row = Buffer.from('0001000000023432', 'hex');
  assert.equal(firstValue(Buffer.concat([message('T'), message('D', row), message('D', row)])), '42');
  assert.equal(firstValue(message('D', Buffer.from('0001ffffffff', 'hex'))), undefined);
  assert.throws(() => firstValue(message('E', Buffer.from('SERROR\0Mno such thing\0\0'))), /no such thing/);
});
