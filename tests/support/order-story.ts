/** What an owner may be told of one order, and in which order. */
import assert from 'node:assert/strict';
import * as D from '../../src/core/decimal.ts';
import type { VenueEvent } from '../../src/domain/order.ts';

export function checkStory(ref: string, story: readonly VenueEvent[]): void {
  let cumulative = '0';
  let acknowledged = false;
  let over = false;
  const text = `${ref}: ${story.map(({ type }) => type).join(' ')}`;
  for (const event of story) {
    switch (event.type) {
      case 'ORDER_ACKNOWLEDGED':
        assert.ok(!acknowledged && !over, text);
        acknowledged = true;
        break;
      case 'ORDER_REJECTED':
        assert.ok(!acknowledged && !over, text);
        over = true;
        break;
      case 'ORDER_UNKNOWN':
        assert.ok(!acknowledged && !over, text);
        break;
      case 'ORDER_TRIGGERED':
        assert.ok(acknowledged && !over, text);
        break;
      case 'ORDER_FILLED':
        assert.ok(acknowledged || event.cause !== undefined, text);
        assert.equal(event.cumulative, D.add(cumulative, event.quantity), text);
        cumulative = event.cumulative;
        over ||= event.complete;
        break;
      case 'ORDER_CLOSED':
        assert.ok(acknowledged && !over, text);
        assert.equal(event.cumulative, cumulative, text);
        over = true;
        break;
      default:
    }
  }
}

/** What the fills that it was told of come to, signed. */
export const ownedBy = (events: readonly VenueEvent[]): string =>
  D.sum(
    events.flatMap((event) =>
      event.type === 'ORDER_FILLED' ? [event.side === 'BUY' ? event.quantity : D.neg(event.quantity)] : [],
    ),
  );
