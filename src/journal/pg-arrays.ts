/**
 * PostgreSQL arrays in the binary wire format. pg sends a Buffer parameter as binary, which spares escaping
 * every quote of every JSON text on this side and parsing the array literal on the other.
 */
const BOOL_OID = 16;
const INT8_OID = 20;
const TEXT_OID = 25;
const HEADER_BYTES = 20;

/** One dimension, lower bound 1; `bodyBytes` is the size of all elements with their length words. */
function header(oid: number, length: number, hasNulls: boolean, bodyBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + bodyBytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(length, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
}

export function textArray(values: readonly (string | null)[]): Buffer {
  let bytes = 0;
  let hasNulls = false;
  for (const value of values) {
    if (value === null) hasNulls = true;
    bytes += 4 + (value === null ? 0 : Buffer.byteLength(value));
  }
  const buffer = header(TEXT_OID, values.length, hasNulls, bytes);
  let offset = HEADER_BYTES;
  for (const value of values) {
    const length = value === null ? -1 : buffer.write(value, offset + 4);
    buffer.writeInt32BE(length, offset);
    offset += 4 + Math.max(length, 0);
  }
  return buffer;
}

export function bigintArray(values: readonly number[]): Buffer {
  const buffer = header(INT8_OID, values.length, false, values.length * 12);
  for (const [index, value] of values.entries()) {
    buffer.writeInt32BE(8, HEADER_BYTES + index * 12);
    buffer.writeBigInt64BE(BigInt(value), HEADER_BYTES + index * 12 + 4);
  }
  return buffer;
}

export function boolArray(values: readonly boolean[]): Buffer {
  const buffer = header(BOOL_OID, values.length, false, values.length * 5);
  for (const [index, value] of values.entries()) {
    buffer.writeInt32BE(1, HEADER_BYTES + index * 5);
    buffer.writeUInt8(value ? 1 : 0, HEADER_BYTES + index * 5 + 4);
  }
  return buffer;
}
