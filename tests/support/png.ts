/** A PNG as a viewer would read it: every chunk checked, every pixel unfiltered. Of those that the program draws alone. */
import assert from 'node:assert/strict';
import { crc32, inflateSync } from 'node:zlib';

const SIGNATURE = '89504e470d0a1a0a';
/** Colour types, and how many bytes a pixel takes at eight bits. */
const BYTES: Readonly<Record<number, number>> = { 2: 3, 6: 4 };

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** How many pixels have a colour such as #ef5350. */
  readonly of: (colour: string) => number;
}

export function readPng(bytes: Uint8Array): Picture {
  const file = Buffer.from(bytes);
  assert.equal(file.subarray(0, 8).toString('hex'), SIGNATURE);
  const data: Buffer[] = [];
  let head: Buffer | undefined;
  let type = '';
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const named = file.subarray(at + 4, at + 8 + length);
    type = named.toString('latin1', 0, 4);
    assert.equal(file.readUInt32BE(at + 8 + length), crc32(named), `the checksum of ${type}`);
    if (type === 'IHDR') head = named.subarray(4);
    if (type === 'IDAT') data.push(named.subarray(4));
    at += 12 + length;
  }
  assert.equal(type, 'IEND', 'cut off');
  assert.ok(head, 'no header');
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const [depth, colours, , , interlace] = head.subarray(8);
  const size = BYTES[colours ?? 0];
  assert.ok(depth === 8 && size !== undefined && interlace === 0, 'a kind that nobody here draws');
  const pixels = unfiltered(inflateSync(Buffer.concat(data)), width * size, height, size);
  const counts = new Map<string, number>();
  for (let at = 0; at < pixels.length; at += size) {
    const colour = pixels.toString('hex', at, at + 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return { width, height, of: (colour) => counts.get(colour.slice(1)) ?? 0 };
}

function unfiltered(raw: Buffer, row: number, height: number, size: number): Buffer {
  assert.equal(raw.length, (row + 1) * height, 'as many pixels as the header says');
  const out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)] ?? 0;
    for (let x = 0; x < row; x++) {
      const left = x < size ? 0 : (out[y * row + x - size] ?? 0);
      const up = y === 0 ? 0 : (out[(y - 1) * row + x] ?? 0);
      const corner = x < size || y === 0 ? 0 : (out[(y - 1) * row + x - size] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, nearest(left, up, corner)][filter];
      assert.ok(guess !== undefined, `filter ${filter}`);
      out[y * row + x] = (raw[y * (row + 1) + 1 + x] ?? 0) + guess;
    }
  }
  return out;
}

function nearest(left: number, up: number, corner: number): number {
  const [a, b, c] = [left, up, corner].map((one) => Math.abs(left + up - corner - one));
  if ((a ?? 0) <= (b ?? 0) && (a ?? 0) <= (c ?? 0)) return left;
  return (b ?? 0) <= (c ?? 0) ? up : corner;
}
