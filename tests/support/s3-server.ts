/**
 * A server that speaks S3 on loopback, with one bucket in memory: objects, listing (version 2, in pages), multipart
 * uploads. Every request's signature (AWS Signature Version 4) is computed anew from what arrived, as the
 * specification says and not as any client does it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const S3_BUCKET = 'bulkhead-backups';
export const S3_KEY = 'AKIDEXAMPLE';
export const S3_SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

/** A page of a listing. */
const PAGE = 2;
const MIN_PART_BYTES = 5 * 1024 * 1024;

export interface S3Server {
  readonly url: string;
  readonly objects: ReadonlyMap<string, Buffer>;
  /** Uploads that were begun and not completed. */
  readonly uploads: ReadonlyMap<string, Map<number, Buffer>>;
  /** Answers the next so many requests with 503. */
  failNext(count: number): void;
  stop(): Promise<void>;
}

class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

interface Answer {
  readonly status: number;
  readonly body?: Buffer | string;
  readonly headers?: Record<string, string>;
}

export async function startS3(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Map<number, Buffer>>();
  let failures = 0;
  const handle = async (request: IncomingMessage): Promise<Answer> => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    if (failures > 0) {
      failures -= 1;
      throw new S3Error(503, 'SlowDown');
    }
    const body = Buffer.concat(pieces);
    verify(request, body);
    return answer(objects, uploads, request, body);
  };
  const server = createServer((request, response) => {
    handle(request).then(
      (given) => reply(response, given),
      (error: unknown) => reply(response, errorAnswer(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    uploads,
    failNext: (count) => {
      failures = count;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reply(response: ServerResponse, { status, body = '', headers = {} }: Answer): void {
  response.writeHead(status, headers);
  response.end(body);
}

function errorAnswer(error: unknown): Answer {
  const { status, code } = error instanceof S3Error ? error : new S3Error(500, String(error));
  return xml(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`, status);
}

const xml = (text: string, status = 200): Answer => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?>${text}`,
  headers: { 'content-type': 'application/xml' },
});

const etagOf = (bytes: Buffer): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

function answer(
  objects: Map<string, Buffer>,
  uploads: Map<string, Map<number, Buffer>>,
  { method = '', url = '' }: IncomingMessage,
  body: Buffer,
): Answer {
  const { pathname, searchParams: query } = new URL(url, 'http://s3');
  const [, bucket, ...rest] = pathname.split('/');
  if (bucket !== S3_BUCKET) throw new S3Error(404, 'NoSuchBucket');
  const key = decodeURIComponent(rest.join('/'));
  if (method === 'GET' && key === '') return listing(objects, query);
  if (method === 'GET') {
    const bytes = objects.get(key);
    if (!bytes) throw new S3Error(404, 'NoSuchKey');
    return { status: 200, body: bytes, headers: { etag: etagOf(bytes) } };
  }
  if (method === 'DELETE') {
    objects.delete(key);
    return { status: 204 };
  }
  if (method === 'POST' && query.has('uploads')) {
    const id = `upload-${uploads.size + 1}`;
    uploads.set(id, new Map());
    return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }
  const id = query.get('uploadId');
  const parts = id === null ? undefined : uploads.get(id);
  if (id !== null && !parts) throw new S3Error(404, 'NoSuchUpload');
  if (method === 'PUT' && parts) {
    parts.set(Number(query.get('partNumber')), body);
    return { status: 200, headers: { etag: etagOf(body) } };
  }
  if (method === 'POST' && id !== null && parts) {
    objects.set(key, joined(parts, body.toString()));
    uploads.delete(id);
    return xml(`<CompleteMultipartUploadResult><ETag>${etagOf(body)}</ETag></CompleteMultipartUploadResult>`);
  }
  if (method !== 'PUT') throw new S3Error(405, 'MethodNotAllowed');
  objects.set(key, body);
  return { status: 200, headers: { etag: etagOf(body) } };
}

function joined(parts: Map<number, Buffer>, manifest: string): Buffer {
  const listed = [...manifest.matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, number]) =>
    Number(number),
  );
  return Buffer.concat(
    listed.map((number, i) => {
      const part = parts.get(number);
      if (!part || number !== i + 1) throw new S3Error(400, 'InvalidPart');
      if (i < listed.length - 1 && part.length < MIN_PART_BYTES) throw new S3Error(400, 'EntityTooSmall');
      return part;
    }),
  );
}

function listing(objects: Map<string, Buffer>, query: URLSearchParams): Answer {
  if (query.get('list-type') !== '2') throw new S3Error(400, 'InvalidArgument');
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const all = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = all.slice(0, PAGE);
  const contents = page.map((key) => {
    const bytes = objects.get(key) ?? Buffer.alloc(0);
    return `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>${etagOf(bytes)}</ETag><Size>${bytes.length}</Size></Contents>`;
  });
  const isTruncated = all.length > page.length;
  const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  return xml(
    `<ListBucketResult><Name>${S3_BUCKET}</Name><KeyCount>${page.length}</KeyCount><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
  );
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
const MUST_BE_SIGNED = ['host', 'x-amz-content-sha256', 'x-amz-date'];

function verify(request: IncomingMessage, body: Buffer): void {
  const { headers, method = '', url = '' } = request;
  const match = AUTHORIZATION.exec(headers.authorization ?? '');
  if (!match) throw new S3Error(403, 'AccessDenied');
  const [, key, day = '', region = '', names = '', signature = ''] = match;
  if (key !== S3_KEY) throw new S3Error(403, 'InvalidAccessKeyId');
  const signed = names.split(';');
  if (MUST_BE_SIGNED.some((name) => !signed.includes(name))) throw new S3Error(403, 'AccessDenied');
  const digest = String(headers['x-amz-content-sha256']);
  const isBody = digest === createHash('sha256').update(body).digest('hex');
  if (!isBody && digest !== 'UNSIGNED-PAYLOAD') throw new S3Error(400, 'XAmzContentSHA256Mismatch');
  const at = String(headers['x-amz-date']);
  const [path = '', search = ''] = url.split('?');
  const query = [...new URLSearchParams(search)].map((pair) => pair.map(encoded).join('='));
  const lines = signed.map((name) => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, ' ')}\n`);
  const canonical = [method, path, query.sort().join('&'), lines.join(''), names, digest].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', at, scope, createHash('sha256').update(canonical).digest('hex')].join(
    '\n',
  );
  const keyOf = [day, region, 's3', 'aws4_request'].reduce(
    (secret: Buffer | string, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${S3_SECRET}`,
  );
  const wanted = createHmac('sha256', keyOf).update(text).digest();
  if (!at.startsWith(day) || !timingSafeEqual(wanted, Buffer.from(signature, 'hex')))
    throw new S3Error(403, 'SignatureDoesNotMatch');
}

/** RFC 3986: everything but the unreserved. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
