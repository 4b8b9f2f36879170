/** What `bulkhead simulate` says of a world that throws, rather than breaks an invariant: it is repeated like any other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULT_SETS } from '../../src/app/simulation/fault-plan.ts';
import { simulate } from '../../src/app/simulation/simulate-command.ts';
import type { SimulateCommand } from '../../src/app/simulation/simulate-flags.ts';
import { fakeIo } from '../support/fake-io.ts';

const OPTIONS: SimulateCommand = {
  ...{ seeds: [7], hours: 0.5, symbols: 3, faults: FAULT_SETS, workers: 1, positionMode: 'hedge' },
  ...{ trace: false, json: false, shrink: true },
};
const AGAIN = 'bulkhead simulate --seed 7 --hours 0.5 --symbols 3 --faults all --hedge';

const broken = async (options: SimulateCommand): Promise<string> => {
  const io = fakeIo();
  const code = await simulate(options, io, async () => {
    throw new Error('the venue made no door');
  });
  assert.equal(code, 1);
  return io.out();
};

test('it says why, and the command that shows it again', async () => {
  const out = await broken(OPTIONS);
  assert.match(out, /the venue made no door/);
  assert.ok(out.includes(`again: ${AGAIN}`), out);
});

test('and so for scripts', async () => {
  const lines = (await broken({ ...OPTIONS, json: true })).trim().split('\n');
  const said = lines.map((line) => JSON.parse(line) as { failed?: number; reproduce?: string });
  assert.equal(said.find(({ failed }) => failed === 7)?.reproduce, AGAIN);
});
