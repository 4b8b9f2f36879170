/**
 * Deterministic names. A client order id derives from (instance, actor, seq, index) and not from the epoch, so
 * that a successor process derives the same id for the same journaled intent; a restore from a backup mints a
 * new instance id, so that repeated sequence numbers never recreate an old order id.
 */
import { createHash, randomBytes } from 'node:crypto';

/** Names one durable actor, e.g. "position/BTCUSDT/BOTH/3". Its first part is its machine's type. */
export type ActorId = string;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

export function base32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >> bits) & 31];
    }
  }
  return bits > 0 ? text + ALPHABET[(buffer << (5 - bits)) & 31] : text;
}

/** At most 36 characters of [A-Za-z0-9-], as Binance demands; 125 bits of hash. */
export function clientOrderId(instance: string, actor: ActorId, seq: number, index: number): string {
  const digest = createHash('sha256').update(`${instance}\n${actor}\n${seq}\n${index}`).digest();
  return `bh-${base32(digest).slice(0, 25)}`;
}

/** What the ids of the kill switch's own orders begin with: those that no row of the journal intends. */
export const KILL_ORDERS = 'bhk-';

/** A new identity for an installation or a lease holder. */
export function freshId(prefix: string): string {
  return `${prefix}-${base32(randomBytes(10))}`;
}

/** What nobody can guess: 256 bits. */
export const freshSecret = (): string => base32(randomBytes(32));

/** The machine type an actor id names: "position" for "position/BTCUSDT/BOTH/3". */
export function actorType(actor: ActorId): string {
  const slash = actor.indexOf('/');
  return slash < 0 ? actor : actor.slice(0, slash);
}
