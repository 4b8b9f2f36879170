/**
 * Bytes of a recording file: plain, gzip, or the single file inside one of Binance's public-data zips.
 * Invariant: damaged input is a DATA_INVALID naming the file, never half a table: gzip's and zip's checksums are
 * both compared.
 */
import { readFileSync } from 'node:fs';
import { crc32, gunzipSync, inflateRawSync } from 'node:zlib';
import { BulkheadError, errorText } from '../../core/errors.ts';

const CENTRAL_ENTRY = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
const END_LENGTH = 22;
const LONGEST_COMMENT = 65_535;

const damaged = (file: string, what: string, cause?: unknown): BulkheadError =>
  new BulkheadError('DATA_INVALID', `${file}: ${what}`, {
    hint: 'The file is damaged or was not downloaded completely; fetch it again.',
    ...(cause === undefined ? {} : { cause }),
  });

function endOfDirectory(bytes: Buffer, file: string): number {
  const earliest = Math.max(0, bytes.length - END_LENGTH - LONGEST_COMMENT);
  for (let at = bytes.length - END_LENGTH; at >= earliest; at--) {
    if (bytes.readUInt32LE(at) === END_OF_DIRECTORY) return at;
  }
  throw damaged(file, 'not a complete zip archive (its directory is missing)');
}

/** The archive's only file. */
export function unzipSingle(bytes: Buffer, file: string): Buffer {
  try {
    const end = endOfDirectory(bytes, file);
    const entries = bytes.readUInt16LE(end + 10);
    if (entries !== 1) throw damaged(file, `holds ${entries} files; a Binance archive holds one`);
    const entry = bytes.readUInt32LE(end + 16);
    if (bytes.readUInt32LE(entry) !== CENTRAL_ENTRY) throw damaged(file, 'the zip directory is broken');
    const method = bytes.readUInt16LE(entry + 10);
    const checksum = bytes.readUInt32LE(entry + 16);
    const packedLength = bytes.readUInt32LE(entry + 20);
    const local = bytes.readUInt32LE(entry + 42);
    const data = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const packed = bytes.subarray(data, data + packedLength);
    if (packed.length !== packedLength) throw damaged(file, 'the archive is cut short');
    if (method !== 0 && method !== 8) throw damaged(file, `compression method ${method} is not supported`);
    const plain = method === 0 ? packed : inflateRawSync(packed);
    if (crc32(plain) !== checksum) throw damaged(file, 'the checksum does not match');
    return plain;
  } catch (error) {
    if (error instanceof BulkheadError) throw error;
    throw damaged(file, `the zip archive is broken (${errorText(error)})`, error);
  }
}

function readWhole(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new BulkheadError('INPUT_MISSING', `${file} cannot be read (${errorText(error)})`, {
      hint: 'Check that the file exists and that you may read it.',
      cause: error,
    });
  }
}

export function readRecordingFile(file: string): Buffer {
  const bytes = readWhole(file);
  if (file.endsWith('.zip')) return unzipSingle(bytes, file);
  if (!file.endsWith('.gz')) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw damaged(file, `the gzip data is truncated or broken (${errorText(error)})`, error);
  }
}
