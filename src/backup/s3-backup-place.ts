/**
 * Backups in a bucket of an S3-compatible storage, through s3-lite-client.
 *
 * Invariants: what is small goes in one request, the rest in parts of which nothing appears before all are there;
 * reading and removing are tried again, writing is not: its source can be read once, and the next turn writes anew.
 */
import { S3Client, S3Errors } from '@bradenmacdonald/s3-lite-client';
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

/** Held in memory until it has arrived, a few at a time; 10,000 of them are the most there may be. */
const PART_BYTES = 16 * 1024 * 1024;
const TRIES = 3;

export class S3BackupPlace implements BackupPlace {
  readonly name: string;
  readonly #client: S3Client;
  readonly #prefix: string;

  constructor({ endpoint, region, bucket, prefix, accessKeyId, secretAccessKey }: S3Options) {
    this.name = `s3://${bucket}/${prefix} at ${endpoint}`;
    this.#prefix = prefix;
    this.#client = new S3Client({
      endPoint: endpoint,
      region,
      bucket,
      accessKey: accessKeyId,
      secretKey: secretAccessKey,
    });
  }

  async list(): Promise<readonly StoredFile[]> {
    return this.#tried(async () => {
      const files: StoredFile[] = [];
      for await (const { key, size } of this.#client.listObjects({ prefix: this.#prefix })) {
        const name = key.slice(this.#prefix.length);
        if (name !== '' && !name.includes('/')) files.push({ name, bytes: size });
      }
      return files;
    });
  }

  async write(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      const stream = ReadableStream.from(bytes) as ReadableStream<Uint8Array>;
      await this.#client.putObject(this.#prefix + name, stream, { partSize: PART_BYTES });
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async read(name: string): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#tried(() => this.#client.getObject(this.#prefix + name));
    if (response.body) return response.body as unknown as AsyncIterable<Uint8Array>;
    throw this.#failed(new Error(`${name} came without a body`));
  }

  async remove(name: string): Promise<void> {
    await this.#tried(() => this.#client.deleteObject(this.#prefix + name));
  }

  async #tried<T>(request: () => Promise<T>): Promise<T> {
    for (let left = TRIES - 1; ; left--) {
      try {
        return await request();
      } catch (error) {
        if (left === 0 || refusal(error)) throw this.#failed(error);
      }
    }
  }

  #failed(error: unknown): BulkheadError {
    if (error instanceof BulkheadError) return error;
    const refused = refusal(error);
    if (refused?.code === 'NoSuchKey')
      return new BulkheadError('NOT_FOUND', `There is no such backup in ${this.name}.`, {
        hint: '"bulkhead backup --list" shows those that there are.',
      });
    const why = refused ? `${refused.statusCode} ${refused.code}` : errorText(error);
    return new BulkheadError('BACKUP_UNREACHABLE', `${this.name} does not do it: ${why}.`, {
      hint: refused
        ? 'Check the bucket, BULKHEAD_S3_ACCESS_KEY_ID and BULKHEAD_S3_SECRET_ACCESS_KEY, and what that key may do.'
        : 'Check backup.bucketEndpoint and the network.',
    });
  }
}

/** The server answered, and will answer the same again. */
function refusal(error: unknown): S3Errors.ServerError | undefined {
  const isRefusal =
    error instanceof S3Errors.ServerError && error.statusCode >= 400 && error.statusCode < 500;
  return isRefusal ? error : undefined;
}
