/**
 * Sealing a backup: zstd, then age (age-encryption.org/v1), so that `age -d backup.age | zstd -d` reads it without
 * Bulkhead. age's format names its version, derives the key by scrypt or X25519, and authenticates each chunk, its
 * place and the last one: a changed, swapped or missing byte is noticed.
 */
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { BulkheadError, errorText } from '../core/errors.ts';

/** 'recipient' can seal and not open: what it sealed, a stolen machine cannot read. */
export type SealKey =
  | { readonly kind: 'passphrase'; readonly text: string }
  | { readonly kind: 'identity'; readonly text: string }
  | { readonly kind: 'recipient'; readonly text: string };

/** 128 MiB and about a second; age's own default would take twice that from a small machine. */
const SCRYPT_LOG_N = 17;

const IDENTITY = /AGE-SECRET-KEY-1[0-9A-Z]+/;
const RECIPIENT = /\bage1[0-9a-z]+\b/;

/** A key file's text: an identity as age-keygen writes it, or a recipient. */
export function readSealKey(text: string): SealKey {
  const identity = IDENTITY.exec(text)?.[0];
  if (identity !== undefined) return { kind: 'identity', text: identity };
  const recipient = RECIPIENT.exec(text)?.[0];
  if (recipient !== undefined) return { kind: 'recipient', text: recipient };
  throw new BulkheadError(
    'CONFIG_INVALID',
    'The backup key is neither an age identity nor an age recipient.',
    {
      hint: 'BULKHEAD_BACKUP_KEY holds AGE-SECRET-KEY-1… or age1…; "bulkhead backup --new-key FILE" makes one.',
    },
  );
}

export async function newIdentity(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

export const canOpen = ({ kind }: SealKey): boolean => kind !== 'recipient';

export async function seal(
  plain: AsyncIterable<Uint8Array>,
  key: SealKey,
): Promise<AsyncIterable<Uint8Array>> {
  const encrypter = new Encrypter();
  if (key.kind === 'passphrase') {
    encrypter.setScryptWorkFactor(SCRYPT_LOG_N);
    encrypter.setPassphrase(key.text);
  } else {
    encrypter.addRecipient(key.kind === 'identity' ? await identityToRecipient(key.text) : key.text);
  }
  const packed = Readable.from(plain).compose(createZstdCompress()) as AsyncIterable<Uint8Array>;
  return (await encrypter.encrypt(asStream(packed) as never)) as unknown as AsyncIterable<Uint8Array>;
}

/** Throws BACKUP_INVALID, at once or while it is read. */
export async function unseal(
  sealed: AsyncIterable<Uint8Array>,
  key: SealKey,
): Promise<AsyncIterable<Uint8Array>> {
  const decrypter = new Decrypter();
  if (key.kind === 'passphrase') decrypter.addPassphrase(key.text);
  else if (key.kind === 'identity') decrypter.addIdentity(key.text);
  else throw sealedForOthers();
  try {
    const packed = await decrypter.decrypt(asStream(sealed) as never);
    return unpacked(packed as unknown as AsyncIterable<Uint8Array>);
  } catch (error) {
    throw unsound(error);
  }
}

async function* unpacked(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* Readable.from(packed).compose(createZstdDecompress()) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw unsound(error);
  }
}

const asStream = (bytes: AsyncIterable<Uint8Array>) =>
  ReadableStream.from(bytes) as ReadableStream<Uint8Array>;

const unsound = (error: unknown): BulkheadError =>
  error instanceof BulkheadError
    ? error
    : new BulkheadError('BACKUP_INVALID', `This backup cannot be opened: ${errorText(error)}.`, {
        hint: 'It is damaged, cut short, or sealed with another key or passphrase. Try another one.',
      });

const sealedForOthers = (): BulkheadError =>
  new BulkheadError('CONFIG_INVALID', 'A recipient can seal backups and cannot open them.', {
    hint: 'Set BULKHEAD_BACKUP_KEY to the identity (AGE-SECRET-KEY-1…) that belongs to it.',
  });
