/** What is asked at the command line of a run that is not up: left for the next start, or refused by what can be seen. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { SayOptions } from '../../src/app/cli/io.ts';
import { say } from '../../src/app/requests/say.ts';
import { type StatusDocument, writeStatus } from '../../src/app/status/status-file.ts';
import { configSchema } from '../../src/config/schema.ts';
import { fakeIo } from '../support/fake-io.ts';
import { tempDir } from '../support/temp.ts';

test('a case of the guardian’s is released by its name, which stands among no breakers; a name that is none is not', async (t) => {
  const dir = tempDir(t);
  const status = { format: 1, pid: 0, state: 'stopped', mode: 'paper', market: { symbols: ['BTCUSDT'] } };
  writeStatus(dir, { ...status, breakers: [{ name: 'drawdown' }] } as unknown as StatusDocument);
  const io = fakeIo({ cwd: dir });
  const release = (breaker: string): Promise<number> => {
    const command = { kind: 'release', breaker, reason: 'looked into' } as const;
    const config = configSchema.parse({ data: { dir } });
    return say({ config, command, json: false } as unknown as SayOptions, io);
  };
  const left = (): number => readdirSync(dir, { recursive: true }).length;
  const before = left();
  await assert.rejects(release('drawdwn'), /There is no breaker "drawdwn".*drawdown/);
  assert.equal(left(), before);
  assert.equal(await release('guardian/entry/BTCUSDT'), 0);
  assert.match(io.out(), /the next start takes it up/);
  assert.ok(left() > before, 'a word is left');
});
