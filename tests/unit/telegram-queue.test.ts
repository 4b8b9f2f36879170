import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from '../../src/core/clock.ts';
import { SILENT } from '../../src/core/logger.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Delivery, Outgoing } from '../../src/telegram/chat.ts';
import { type Fate, SendQueue, URGENCIES, type Urgency } from '../../src/telegram/queue.ts';

const ANN = 1;
const SENT: Delivery = { kind: 'sent', messageId: 1 };
const AWAY: Delivery = { kind: 'unreachable', reason: 'no route' };

/** A queue before a Telegram that answers what `answer` says. */
function world(answer: (outgoing: Outgoing, now: number) => Delivery, bound = 100) {
  const time = new VirtualTime(0);
  const sent: { html: string; at: number }[] = [];
  const tried: number[] = [];
  const queue = new SendQueue({
    deliver: async (outgoing) => {
      const delivery = answer(outgoing, time.now());
      tried.push(time.now());
      if (delivery.kind === 'sent') sent.push({ html: outgoing.html, at: time.now() });
      return delivery;
    },
    time,
    random: seededRandom('queue'),
    log: SILENT,
    bound,
  });
  /** Lets everything happen that happens within `ms`. */
  const pass = async (ms: number): Promise<void> => {
    const end = time.now() + ms;
    for (;;) {
      await settled();
      const next = time.nextDeadline();
      if (next === undefined || next > end) break;
      time.advanceTo(next);
    }
    time.advanceTo(end);
    await settled();
  };
  return { time, queue, sent, tried, pass };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 400; i++) await Promise.resolve();
}

describe('the queue to Telegram', () => {
  it('sends in order, the most important first', async () => {
    const { queue, sent, pass } = world((_, now) => (now < 5_000 ? AWAY : SENT));
    for (const [html, urgency] of [
      ['i1', 'info'],
      ['w1', 'warning'],
      ['i2', 'info'],
      ['c1', 'critical'],
      ['r1', 'reply'],
    ] as const)
      void queue.put({ chatId: ANN, html }, urgency);
    await pass(20_000);
    assert.deepEqual(
      sent.map(({ html }) => html),
      ['c1', 'r1', 'w1', 'i1', 'i2'],
    );
  });

  it('waits as long as it is asked to and loses nothing', async () => {
    let floods = 1;
    const { queue, sent, tried, pass } = world(() =>
      floods-- > 0 ? { kind: 'flood', waitMs: 7_000 } : SENT,
    );
    void queue.put({ chatId: ANN, html: 'a' }, 'info');
    void queue.put({ chatId: ANN, html: 'b' }, 'info');
    await pass(6_999);
    assert.deepEqual(tried, [0]);
    await pass(300);
    assert.deepEqual(
      sent.map(({ html }) => html),
      ['a', 'b'],
    );
  });

  it('backs off while Telegram is away, up to a minute', async () => {
    const { queue, tried, pass } = world(() => AWAY);
    void queue.put({ chatId: ANN, html: 'a' }, 'info');
    await pass(600_000);
    const gaps = tried.slice(1).map((at, i) => at - (tried[i] ?? 0));
    assert.ok(
      gaps.every((gap) => gap <= 60_000),
      String(gaps),
    );
    assert.ok(tried.length < 25 && tried.length > 10, String(tried.length));
  });

  it('keeps a chat below a message a second in the long run, and others out of it', async () => {
    const { queue, sent, pass } = world(() => SENT);
    for (let i = 0; i < 40; i++) void queue.put({ chatId: ANN, html: `a${i}` }, 'info');
    void queue.put({ chatId: 2, html: 'other' }, 'info');
    await pass(1_000);
    assert.ok(sent.some(({ html }) => html === 'other'));
    assert.ok(sent.length <= 18, String(sent.length));
    await pass(30_000);
    assert.equal(sent.length, 41);
  });

  it('tells whose message was refused for good, and asks no more of a chat that is gone', async () => {
    const { queue, tried, pass } = world(({ html }) =>
      html === 'odd'
        ? { kind: 'refused', why: 'other', reason: 'x' }
        : { kind: 'refused', why: 'gone', reason: 'blocked' },
    );
    const fates = ['odd', 'one', 'two'].map((html) => queue.put({ chatId: ANN, html }, 'info'));
    await pass(1_000);
    assert.deepEqual(
      (await Promise.all(fates)).map(({ kind }) => kind),
      ['refused', 'refused', 'refused'],
    );
    assert.equal(tried.length, 2);
    assert.deepEqual(await queue.put({ chatId: ANN, html: 'three' }, 'critical'), { kind: 'dropped' });
    queue.hasWritten(ANN);
    void queue.put({ chatId: ANN, html: 'four' }, 'info');
    await pass(1_000);
    assert.equal(tried.length, 3);
  });

  it('sends anew what it can no longer edit', async () => {
    const { queue, sent, pass } = world(({ edits }) =>
      edits === undefined ? SENT : { kind: 'refused', why: 'no-such-message', reason: 'gone' },
    );
    const fate = queue.put({ chatId: ANN, html: 'result', edits: 12 }, 'reply');
    await pass(1_000);
    assert.equal((await fate).kind, 'sent');
    assert.deepEqual(
      sent.map(({ html }) => html),
      ['result'],
    );
  });

  it('holds no more than its bound, drops the least important first, and says so', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Urgency>(...URGENCIES), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        async (urgencies, bound) => {
          let isAway = true;
          const { queue, sent, pass } = world(() => (isAway ? AWAY : SENT), bound);
          const fates: Promise<Fate>[] = [];
          for (const [i, urgency] of urgencies.entries()) {
            fates.push(queue.put({ chatId: ANN, html: `${urgency} ${i}` }, urgency));
            assert.ok(queue.depth <= bound + 1);
            await settled();
          }
          isAway = false;
          await pass(300_000);
          const dropped = (await Promise.all(fates)).flatMap(({ kind }, i) =>
            kind === 'dropped' ? [i] : [],
          );
          assert.equal(queue.depth, 0);
          const kept = sent.filter(({ html }) => !html.includes('dropped while'));
          assert.equal(kept.length + dropped.length, urgencies.length);
          const said = sent.find(({ html }) => html.includes('dropped while'));
          assert.equal(said !== undefined, dropped.length > 0);
          if (said) assert.match(said.html, new RegExp(`^${dropped.length} message`));
          // Whatever was dropped, nothing less important that was there at that time was kept; the last bound's worth shows it.
          const lostCritical = dropped.filter((i) => urgencies[i] === 'critical').length;
          const criticals = urgencies.filter((urgency) => urgency === 'critical').length;
          if (criticals < bound) assert.equal(lostCritical, 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('lets what waits leave when it is stopped, within a bound', async () => {
    const { queue, sent, pass, time } = world(() => SENT);
    for (let i = 0; i < 3; i++) void queue.put({ chatId: ANN, html: `bye ${i}` }, 'info');
    let isStopped = false;
    void queue.stop(1_000).then(() => {
      isStopped = true;
    });
    await pass(500);
    assert.equal(sent.length, 3);
    assert.ok(isStopped);
    assert.equal(time.nextDeadline(), undefined);
    assert.deepEqual(await queue.put({ chatId: ANN, html: 'late' }, 'critical'), { kind: 'dropped' });
  });
});
