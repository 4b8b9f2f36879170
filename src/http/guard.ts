/**
 * Who may ask what. Pure: a request's facts in, a refusal or none out.
 *
 * Invariants: a foreign web page reaches nothing: its Origin is not ours, and a name that was rebound to this machine
 * is no Host of ours; reading is free only from this machine under its own name; every control needs the token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';

export interface Asked {
  /** Of the socket. */
  readonly remote: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** A proxy says that it speaks for somebody else. */
  readonly isForwarded: boolean;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
}

export interface GuardRules {
  readonly token: string;
  /** Names under which a person may call this server, besides this machine's own. */
  readonly allowedHosts: readonly string[];
  /** Addresses and networks that may ask at all; empty: all. */
  readonly allowedIps: readonly string[];
}

/** 'public': holds nothing of the account. */
export type Need = 'public' | 'read' | 'control';

export interface Refusal {
  readonly status: 400 | 401 | 403 | 415 | 421;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

const OWN_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

export class Guard {
  readonly #rules: GuardRules;
  #digest: Buffer;
  readonly #ips: BlockList | undefined;

  constructor(rules: GuardRules) {
    this.#rules = rules;
    this.#digest = digestOf(rules.token);
    this.#ips = rules.allowedIps.length === 0 ? undefined : listOf(rules.allowedIps);
  }

  /** From now on it is this one. */
  changeToken(token: string): void {
    this.#digest = digestOf(token);
  }

  /** Undefined: it may pass. */
  refuses(asked: Asked, need: Need): Refusal | undefined {
    return (
      this.#address(asked) ?? this.#host(asked) ?? originRefusal(asked, need) ?? this.#token(asked, need)
    );
  }

  holdsToken({ authorization }: Pick<Asked, 'authorization'>): boolean {
    const [scheme, token] = (authorization ?? '').split(' ');
    if (scheme?.toLowerCase() !== 'bearer' || token === undefined) return false;
    return timingSafeEqual(digestOf(token), this.#digest);
  }

  #address({ remote }: Asked): Refusal | undefined {
    if (this.#ips === undefined || isOneOf(this.#ips, remote)) return undefined;
    return {
      status: 403,
      code: 'ADDRESS',
      message: 'This address may not ask here.',
      hint: 'Add it to http.allowedIps.',
    };
  }

  #host({ host }: Asked): Refusal | undefined {
    const name = hostName(host);
    if (name !== undefined && (OWN_NAMES.includes(name) || this.#rules.allowedHosts.includes(name)))
      return undefined;
    return {
      status: 421,
      code: 'HOST',
      message: `This server is not called ${name ?? 'nothing'}.`,
      hint: 'Use http://127.0.0.1, or add the name to http.allowedHosts.',
    };
  }

  #token(asked: Asked, need: Need): Refusal | undefined {
    const isControl = need === 'control';
    if (need === 'public' || this.holdsToken(asked)) return undefined;
    if (!isControl && isFree(asked)) return undefined;
    return {
      status: 401,
      code: 'TOKEN',
      message: isControl ? 'Every control needs the token.' : 'From elsewhere everything needs the token.',
      hint: 'Send "Authorization: Bearer TOKEN"; the run says where its token lies.',
    };
  }
}

/** Asked on this machine, under its own name, by nobody else's hand. */
const isFree = ({ remote, host, isForwarded }: Asked): boolean =>
  isLoopbackAddress(remote) && !isForwarded && OWN_NAMES.includes(hostName(host) ?? '');

export const isLoopbackAddress = (address: string): boolean =>
  /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address) || address === '::1';

function originRefusal({ origin, host, fetchSite, contentType }: Asked, need: Need): Refusal | undefined {
  if (need === 'public') return undefined;
  const isForeign = origin !== undefined && originHost(origin) !== host?.toLowerCase();
  if (isForeign || fetchSite === 'cross-site')
    return {
      status: 403,
      code: 'ORIGIN',
      message: 'Another web page may not ask here.',
      hint: 'Open the page that this server serves itself.',
    };
  // A form can send anything else without asking the browser's leave.
  if (need === 'control' && !/^application\/json\b/i.test(contentType ?? ''))
    return {
      status: 415,
      code: 'CONTENT_TYPE',
      message: 'A command is sent as application/json.',
      hint: 'Set "Content-Type: application/json".',
    };
  return undefined;
}

function originHost(origin: string): string | undefined {
  try {
    return new URL(origin).host.toLowerCase();
  } catch {
    return undefined;
  }
}

/** Without its port; undefined where it is no host at all. */
function hostName(host: string | undefined): string | undefined {
  const found = /^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(host ?? '');
  return found?.[1]?.toLowerCase();
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

function listOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

function isOneOf(list: BlockList, address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}
