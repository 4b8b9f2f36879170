/** How things stand with a remote venue, as lines for the dashboard. Pure. */
import { duration, type Paint } from '../cli/render-text.ts';
import type { VenueStatus } from '../live/venue-status.ts';

const FINDINGS_SHOWN = 5;

export function renderVenue(venue: VenueStatus, now: number, paint: Paint): string[] {
  const red = (text: string): string => paint('red', text);
  if (venue.waitingFor !== null)
    return [`Venue    ${venue.name}  ${paint('yellow', `waiting: ${venue.waitingFor}`)}`];
  const { stream, clock, rate, reconcile, calls, market, protection, unknownOrders, foreign } = venue;
  const since = stream.since === null ? '' : ` ${duration(now - stream.since)}`;
  const first = [
    `Venue    ${venue.name}`,
    stream.state === 'up' ? `stream up${since}` : red(`stream ${stream.state}${since}`),
    ...(clock.offsetMs === null ? [] : [`clock ${clock.offsetMs >= 0 ? '+' : ''}${clock.offsetMs} ms`]),
    ...(rate === null ? [] : [`weight ${rate.weight}/${rate.weightLimit}`]),
    reconcile.ready
      ? `read ${reconcile.ageMs === null ? 'never' : `${duration(reconcile.ageMs)} ago`}`
      : paint('yellow', 'reading the account'),
    ...(calls.inFlight > 0 ? [`${calls.inFlight} calls under way`] : []),
  ];
  const { fillToStop } = protection;
  const stops =
    fillToStop.count === 0
      ? []
      : [
          `Stops    ${fillToStop.count} placed, half within ${fillToStop.p50Ms} ms, slowest ${fillToStop.maxMs} ms`,
        ];
  return [
    first.join('  '),
    ...stops,
    ...(protection.unprotectedNow > 0
      ? [
          red(
            `Stops    ${protection.unprotectedNow} positions uncovered, for ${duration(protection.longestNowMs)}`,
          ),
        ]
      : []),
    ...(market.warmingUp > 0
      ? [paint('yellow', `Market   the past of ${market.warmingUp} symbols is being read`)]
      : []),
    ...(market.outOfOrder.length > 0
      ? [red(`Market   no data: ${market.outOfOrder.slice(0, 10).join(', ')}`)]
      : []),
    ...unknownOrders.map(({ symbol, ref }) => red(`Unknown  ${ref} on ${symbol}: being looked up`)),
    ...foreign
      .filter(({ ignored }) => !ignored)
      .map(({ symbol, amount, orders }) =>
        paint(
          'yellow',
          `Foreign  ${symbol}: ${amount} and ${orders} orders; bulkhead adopt ${symbol}, or ignore ${symbol}`,
        ),
      ),
    ...reconcile.findings.slice(0, FINDINGS_SHOWN).map((finding) => red(`Finding  ${finding}`)),
    ...venue.checks.filter(({ ok }) => !ok).map(({ detail }) => paint('yellow', `Check    ${detail}`)),
  ];
}
