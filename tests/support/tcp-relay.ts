/** A relay as a process: `node tcp-relay.ts HOST PORT` listens on loopback and passes bytes on to there. */
import type { AddressInfo } from 'node:net';
import { relay } from './netns.ts';

const [host = '', port = ''] = process.argv.slice(2);
const server = relay({ host, port: Number(port) });
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`);
});
