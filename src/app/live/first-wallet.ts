/** The wallet of an account that nobody here has traded yet; asked for until the venue tells it. */
import { sleep } from '../../core/clock.ts';
import type { Decimal } from '../../core/decimal.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { VenueGateway } from '../../exchange/venue-gateway.ts';
import type { Session } from '../run/run-session.ts';

const WALLET_PAUSE_MS = 2_000;

/** What the account holds when it is taken over for the first time. */
export async function firstWallet(session: Session, gateway: VenueGateway): Promise<Decimal> {
  let stopped = false;
  session.signals.onStop(() => {
    stopped = true;
  });
  for (let attempt = 0; !stopped; attempt++) {
    const since = gateway.venueNow();
    const read = await gateway.call({ call: 'report', id: `first-${attempt}`, since, symbols: [] });
    if (read.outcome === 'done') return read.value.wallet;
    session.log.warn('the account cannot be read; trying again', { reason: read.reason });
    await sleep(session.io.time.timers, WALLET_PAUSE_MS);
  }
  throw new BulkheadError('VENUE_UNREACHABLE', 'The account could not be read.');
}
