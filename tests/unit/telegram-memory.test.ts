import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { SILENT } from '../../src/core/logger.ts';
import { CONFIRM_AFTER_RESTART_MS, CONFIRM_MS, Confirmations } from '../../src/telegram/confirmations.ts';
import { Memory } from '../../src/telegram/memory.ts';
import { tempDir } from '../support/temp.ts';

const ANN = { userId: 1, chatId: 1 };
const CLOSE = { ...ANN, requestId: 'tg:5', command: { kind: 'close', symbol: 'BTCUSDT' } } as const;
const KILL = { ...ANN, requestId: 'tg:6', command: { kind: 'kill', reason: 'x' } } as const;

async function world(t: TestContext, run = 'run-1', path = join(tempDir(t), 'telegram.json')) {
  const memory = await Memory.open(path, SILENT);
  const time = new VirtualTime(1_000_000);
  let minted = 0;
  const confirmations = new Confirmations(memory, time, run, () => `${run}-t${minted++}`);
  return { memory, time, confirmations, path };
}

/** The token of the question's "yes". */
const tokenOf = (keyboard: readonly (readonly { data: string }[])[]): string =>
  keyboard[0]?.[0]?.data.slice(2) ?? '';

describe('the memory', () => {
  it('is there after a restart', async (t) => {
    const { memory, path } = await world(t);
    await memory.see(7);
    await memory.change(() => ({ lastDaily: '2025-01-31' }));
    const again = await Memory.open(path, SILENT);
    assert.ok(again.hasSeen(7) && !again.hasSeen(8));
    assert.equal(again.now.lastDaily, '2025-01-31');
  });

  it('keeps the newest thousand updates, and all that was changed at once', async (t) => {
    const { memory, path } = await world(t);
    await Promise.all(Array.from({ length: 1_200 }, (_, i) => memory.see(i)));
    const again = await Memory.open(path, SILENT);
    assert.ok(!again.hasSeen(199) && again.hasSeen(200) && again.hasSeen(1_199));
  });

  it('is begun anew when it is damaged, and the damaged one kept', async (t) => {
    const path = join(tempDir(t), 'telegram.json');
    writeFileSync(path, '{"seen": [1,');
    const memory = await Memory.open(path, SILENT);
    assert.ok(!memory.hasSeen(1));
    assert.equal(readFileSync(`${path}.damaged`, 'utf8'), '{"seen": [1,');
    await memory.see(2);
    assert.ok((await Memory.open(path, SILENT)).hasSeen(2));
  });

  it('goes on when it cannot be written', async (t) => {
    const folder = tempDir(t);
    const path = join(folder, 'sub', 'telegram.json');
    const memory = await Memory.open(path, SILENT);
    writeFileSync(join(folder, 'sub'), 'a file where the folder should be');
    await memory.see(1);
    assert.ok(memory.hasSeen(1));
  });
});

describe('a question before what moves money', () => {
  it('is answered by whom it was put to, where it was put, once', async (t) => {
    const { confirmations } = await world(t);
    const token = tokenOf(await confirmations.ask(CLOSE));
    const take = (from: object) => confirmations.take(token, { ...ANN, updateId: 20, ...from });
    assert.match(String(((await take({ userId: 2 })) as { why?: string }).why), /somebody else/);
    assert.match(String(((await take({ chatId: -5 })) as { why?: string }).why), /somebody else/);
    assert.match(
      String(((await confirmations.take('guessed', { ...ANN, updateId: 20 })) as { why?: string }).why),
      /over/,
    );
    const taken = await take({});
    assert.ok(taken.kind === 'taken');
    assert.equal(taken.pending.requestId, 'tg:5');
    assert.match(String(((await take({ updateId: 21 })) as { why?: string }).why), /answered already/);
  });

  it('may be delivered twice: the same press is the same answer, after a crash too', async (t) => {
    const { confirmations, path, time } = await world(t);
    const token = tokenOf(await confirmations.ask(CLOSE));
    assert.equal((await confirmations.take(token, { ...ANN, updateId: 20 })).kind, 'taken');
    const after = await world(t, 'run-2', path);
    after.time.advanceTo(time.now() + 10 * CONFIRM_MS);
    assert.equal((await after.confirmations.take(token, { ...ANN, updateId: 20 })).kind, 'taken');
    assert.equal((await after.confirmations.take(token, { ...ANN, updateId: 21 })).kind, 'refused');
  });

  it('is over after a minute, after a restart sooner, for a kill never', async (t) => {
    const { confirmations, time, path } = await world(t);
    const close = tokenOf(await confirmations.ask(CLOSE));
    const kill = tokenOf(await confirmations.ask(KILL));
    time.advanceTo(time.now() + CONFIRM_MS + 1);
    assert.match(
      String(((await confirmations.take(close, { ...ANN, updateId: 20 })) as { why?: string }).why),
      /Too late/,
    );
    assert.equal((await confirmations.take(kill, { ...ANN, updateId: 21 })).kind, 'taken');
    const fresh = tokenOf(await confirmations.ask({ ...CLOSE, requestId: 'tg:9' }));
    const after = await world(t, 'run-2', path);
    after.time.advanceTo(time.now() + CONFIRM_AFTER_RESTART_MS + 1);
    assert.equal((await after.confirmations.take(fresh, { ...ANN, updateId: 22 })).kind, 'refused');
  });

  it('can be declined, and then not answered', async (t) => {
    const { confirmations } = await world(t);
    const token = tokenOf(await confirmations.ask(CLOSE));
    assert.ok(!(await confirmations.drop(token, { userId: 2, chatId: 1 })));
    assert.ok(await confirmations.drop(token, ANN));
    assert.equal((await confirmations.take(token, { ...ANN, updateId: 20 })).kind, 'refused');
    assert.ok(!(await confirmations.drop(token, ANN)));
  });
});
