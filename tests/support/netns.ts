/**
 * Network namespaces: a process in one of them reaches the world over links that a test cuts and heals, as a switch
 * that loses power would: nobody is told, packets just vanish.
 *
 * `bulkhead exchange` listens on this machine's loopback, and paper trading speaks to loopback only. So each link ends
 * in relays: one in this process, which goes on to the real port, and for the venue one inside the namespace.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { CliProcess } from './cli-process.ts';

const RELAY = fileURLToPath(new URL('./tcp-relay.ts', import.meta.url));

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });

/** Why namespaces cannot be made on this machine; undefined: they can. */
export function whyNoNamespaces(): string | undefined {
  const name = `bh-probe-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up');
    ip('link', 'add', `bhp${process.pid}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    ip('netns', 'del', name);
    return undefined;
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    if (code === 'ENOENT')
      return 'no network namespaces: the command "ip" is missing (apt-get install iproute2)';
    try {
      ip('netns', 'del', name);
    } catch {
      // It was never made.
    }
    return `no network namespaces on this machine (they need root and CAP_SYS_ADMIN): ${String(stderr ?? code).trim()}`;
  }
}

/** Where bytes go: a port of this machine, or PostgreSQL's socket. */
export type Target = { readonly host: string; readonly port: number } | { readonly path: string };

/** Passes bytes on, in both directions; a link that is cut is silence, not an end. */
export function relay(target: Target, open = new Set<net.Socket>()): net.Server {
  return net.createServer((client) => {
    const server = net.connect(target);
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
}

let made = 0;

/** A cable from a namespace to this process. */
class Link {
  readonly #device: string;
  readonly #relay: net.Server;
  readonly #sockets: ReadonlySet<net.Socket>;
  /** As seen from inside. */
  readonly host: string;
  port = 0;

  private constructor(device: string, host: string, server: net.Server, sockets: ReadonlySet<net.Socket>) {
    this.#sockets = sockets;
    this.#device = device;
    this.host = host;
    this.#relay = server;
  }

  static async lay(namespace: string, target: Target): Promise<Link> {
    const number = made++;
    const [outside, inside] = [`bh${process.pid}o${number}`, `bh${number}`];
    // Of the range that is set aside for benchmarks: nobody's network.
    const net30 = `198.18.${(process.pid + Math.floor(number / 60)) % 256}.${(number % 60) * 4}`;
    const address = (last: number): string => net30.replace(/\d+$/, (base) => String(Number(base) + last));
    ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', namespace);
    ip('addr', 'add', `${address(1)}/30`, 'dev', outside);
    ip('link', 'set', outside, 'up');
    ip('-n', namespace, 'addr', 'add', `${address(2)}/30`, 'dev', inside);
    ip('-n', namespace, 'link', 'set', inside, 'up');
    const sockets = new Set<net.Socket>();
    const server = relay(target, sockets);
    server.listen(0, address(1));
    await once(server, 'listening');
    const link = new Link(outside, address(1), server, sockets);
    link.port = (server.address() as net.AddressInfo).port;
    return link;
  }

  cut(): void {
    ip('link', 'set', this.#device, 'down');
  }

  heal(): void {
    ip('link', 'set', this.#device, 'up');
  }

  close(): void {
    this.#relay.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** A machine of its own, with a cable to the database and one to the venue. */
export class Namespace {
  readonly name: string;
  readonly database: Link;
  readonly venue: Link;
  readonly #relay: CliProcess;
  /** Where the venue is, inside. */
  readonly venueUrl: string;

  private constructor(name: string, links: { database: Link; venue: Link }, inner: CliProcess, port: number) {
    this.name = name;
    this.database = links.database;
    this.venue = links.venue;
    this.#relay = inner;
    this.venueUrl = `http://127.0.0.1:${port}`;
  }

  static async make(name: string, database: Target, venue: Target): Promise<Namespace> {
    const full = `bh-${process.pid}-${name}`;
    ip('netns', 'add', full);
    ip('-n', full, 'link', 'set', 'lo', 'up');
    const links = { database: await Link.lay(full, database), venue: await Link.lay(full, venue) };
    const { host, port } = links.venue;
    const inner = new CliProcess([host, String(port)], { main: RELAY, wrap: ['ip', 'netns', 'exec', full] });
    const [, found] = await inner.said(/^listening (\d+)$/m);
    return new Namespace(full, links, inner, Number(found));
  }

  /** What a command is put behind to run in here. */
  get wrap(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  /** The database as it is reached from inside. */
  databaseUrl(url: string): string {
    const inside = new URL(url);
    inside.searchParams.delete('host');
    inside.hostname = this.database.host;
    inside.port = String(this.database.port);
    return inside.href;
  }

  /** Processes inside must have ended. */
  async remove(): Promise<void> {
    await this.#relay.reap();
    this.database.close();
    this.venue.close();
    ip('netns', 'del', this.name);
  }
}
