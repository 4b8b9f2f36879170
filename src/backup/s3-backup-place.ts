/**
 * Backups in a bucket of an S3-compatible storage, through s3mini.
 *
 * Invariants: what is small goes in one request, the rest in parts of which nothing appears before the last one is
 * there; a request without an answer is repeated as a whole, because an object put twice is the same object.
 */
import { S3mini, S3ServiceError } from 's3mini';
import { BulkheadError, errorText } from '../core/errors.ts';
import type { BackupPlace, StoredFile } from './backup-place.ts';

export interface S3Options {
  /** e.g. "https://s3.eu-central-1.amazonaws.com", "http://127.0.0.1:9000". */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** '' or "some/folder/". */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The smallest part that the protocol allows in the middle. */
const PART_BYTES = 5 * 1024 * 1024;
const TYPE = 'application/octet-stream';
const TRIES = 3;

export class S3BackupPlace implements BackupPlace {
  readonly name: string;
  readonly #client: S3mini;
  readonly #prefix: string;

  constructor({ endpoint, region, bucket, prefix, accessKeyId, secretAccessKey }: S3Options) {
    this.name = `s3://${bucket}/${prefix} at ${endpoint}`;
    this.#prefix = prefix;
    const address = `${endpoint.replace(/\/+$/, '')}/${bucket}`;
    this.#client = new S3mini({ accessKeyId, secretAccessKey, endpoint: address, region });
  }

  async list(): Promise<readonly StoredFile[]> {
    const found = await this.#tried(() => this.#client.listObjects('/', this.#prefix));
    return (found ?? [])
      .map(({ Key, Size }) => ({ name: Key.slice(this.#prefix.length), bytes: Number(Size) }))
      .filter(({ name }) => name !== '' && !name.includes('/'));
  }

  async write(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const key = this.#prefix + name;
    const parts = partsOf(bytes);
    const first = await parts.next();
    const second = await parts.next();
    if (second.done === true) {
      const whole = first.value ?? Buffer.alloc(0);
      await this.#tried(() => this.#client.putObject(key, whole, TYPE));
      return;
    }
    const upload = await this.#tried(() => this.#client.getMultipartUploadId(key, TYPE));
    try {
      const done = [await this.#part(key, upload, first.value ?? Buffer.alloc(0), 1)];
      for (
        let next: IteratorResult<Buffer, undefined> = second;
        next.done !== true;
        next = await parts.next()
      )
        done.push(await this.#part(key, upload, next.value, done.length + 1));
      await this.#tried(() => this.#client.completeMultipartUpload(key, upload, done));
    } catch (error) {
      await this.#client.abortMultipartUpload(key, upload).catch(() => undefined);
      throw error;
    }
  }

  async read(name: string): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#tried(() => this.#client.getObjectResponse(this.#prefix + name));
    if (response?.body) return response.body as unknown as AsyncIterable<Uint8Array>;
    throw new BulkheadError('NOT_FOUND', `There is no backup ${name} in ${this.name}.`, {
      hint: '"bulkhead backup --list" shows those that there are.',
    });
  }

  async remove(name: string): Promise<void> {
    await this.#tried(() => this.#client.deleteObject(this.#prefix + name));
  }

  #part(key: string, upload: string, data: Buffer, number: number) {
    return this.#tried(() => this.#client.uploadPart(key, upload, data, number));
  }

  async #tried<T>(request: () => Promise<T>): Promise<T> {
    for (let left = TRIES - 1; ; left--) {
      try {
        return await request();
      } catch (error) {
        if (left === 0 || isRefusal(error)) throw this.#failed(error);
      }
    }
  }

  #failed(error: unknown): BulkheadError {
    if (error instanceof BulkheadError) return error;
    const why =
      error instanceof S3ServiceError ? `${error.status} ${error.serviceCode ?? ''}` : errorText(error);
    return new BulkheadError('BACKUP_UNREACHABLE', `${this.name} does not do it: ${why.trim()}.`, {
      hint: isRefusal(error)
        ? 'Check the bucket, BULKHEAD_S3_ACCESS_KEY_ID and BULKHEAD_S3_SECRET_ACCESS_KEY, and what that key may do.'
        : 'Check backup.s3Endpoint and the network.',
    });
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof S3ServiceError && error.status >= 400 && error.status < 500;

/** Equal parts, but the last. */
async function* partsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, undefined> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const piece of bytes) {
    waiting.push(piece);
    size += piece.length;
    while (size >= PART_BYTES) {
      const all = Buffer.concat(waiting);
      yield all.subarray(0, PART_BYTES);
      waiting = [all.subarray(PART_BYTES)];
      size -= PART_BYTES;
    }
  }
  if (size > 0) yield Buffer.concat(waiting);
  return undefined;
}
