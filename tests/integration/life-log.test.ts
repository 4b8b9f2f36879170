/** The log of a real run on virtual time: a search for a position or an order's client id finds the whole of its life. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
import type { Intent } from '../../src/domain/events.ts';
import { LiveWorld, settle } from '../support/live-world.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly actor?: string;
  readonly n?: number;
  readonly position?: string;
  readonly clientOrderId?: string;
  readonly cause?: string;
  readonly intent?: string;
}

test('positions, orders and intents are found throughout', { timeout: 120_000 }, async () => {
  const world = await LiveWorld.create({ config: { log: { level: 'debug' } } });
  const life = world.begin();
  const isOpen = () => life.status().positions.length === 1;
  await world.until('a position', isOpen);
  const actor = life.status().positions[0]?.actor ?? '';
  await world.advance(60_000);
  leaveRequest(life.dataDir, { command: { kind: 'close', symbol: 'ETHUSDT' }, by: 'ann', at: world.now });
  await world.until('its end', () => world.rows().some((row) => row.actor === actor && row.final));
  await settle();
  await world.advance(60_000);
  await world.stop();

  const text = life.io.err();
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const rows = world.rows();
  const intentsOf = (row: { readonly intents: string }): Intent[] => JSON.parse(row.intents) as Intent[];

  // The position: from the desk that started it to the portfolio that took its result.
  const grep = (word: string): Line[] => lines.filter((line) => JSON.stringify(line).includes(word));
  const its = grep(actor);
  const actors = new Set(its.map((line) => line.actor));
  for (const who of ['entry/ETHUSDT', actor, 'venue', 'operator', 'portfolio'])
    assert.ok(actors.has(who), who);
  for (const line of its) {
    assert.equal(typeof line.n, 'number', JSON.stringify(line));
    assert.ok(line.actor, JSON.stringify(line));
    // What people are told may name it in its words.
    assert.ok(line.position === actor || line.message.includes(actor), JSON.stringify(line));
  }
  assert.equal(its[0]?.message, 'position started');
  assert.equal(its.findLast((line) => line.actor === 'portfolio')?.message, 'position closed');

  // Each of its rows that says more than time has passed.
  const silent = new Set(['BAR_CLOSED', 'PRICE', 'MARK']);
  for (const row of rows.filter((each) => each.actor === actor)) {
    const { type } = JSON.parse(row.event) as { type: string };
    const isPostponed = row.cause.includes('"postponed"');
    if (!silent.has(type) && !isPostponed)
      assert.ok(
        its.some(({ n }) => n === row.n),
        `row ${row.n} ${type}`,
      );
  }

  // Each order: wanted by the position, sent to the venue, answered, told by the stream, heard by its owner.
  const orders = rows
    .filter((row) => row.actor === actor)
    .flatMap(intentsOf)
    .flatMap((intent) => (intent.type === 'order.submit' ? [intent.order] : []));
  assert.ok(orders.length >= 3, 'entry, stop and close at least');
  for (const { clientOrderId, ref } of orders) {
    const story = grep(clientOrderId).map(({ message }) => message);
    assert.ok(story.includes('order wanted'), `${ref}: ${story.join(' | ')}`);
    assert.ok(story.includes('venue: submit is sent'), `${ref}: ${story.join(' | ')}`);
    assert.ok(story.includes('venue: submit ended: done'), `${ref}: ${story.join(' | ')}`);
    assert.ok(
      story.some((message) => message.includes(`${ref} is at the venue`)),
      `${ref}: ${story.join(' | ')}`,
    );
  }

  // An intent: the line that is it, and the line that follows from it.
  const wanted = its.find(({ message, actor: who }) => message === 'order wanted' && who === actor);
  assert.match(wanted?.intent ?? '', /^\d+\.\d+$/);
  assert.ok(lines.some(({ actor: who, cause }) => who === 'venue' && cause === wanted?.intent));
});
