/** The remote venue that the configuration means. Part of the composition root: it names the adapters. */
import { seededRandom } from '../../core/random.ts';
import { localVenueTime } from '../../exchange/binance/binance-server-time.ts';
import { RateBudget } from '../../exchange/rate-budget.ts';
import type { OpenVenue, VenueRequest } from '../live/venue-seams.ts';

const MAX_CLOCK_SKEW_MS = 5_000;

/** One for a connection: the venue counts the account's calls and the market's together. */
const budgets = new WeakMap<VenueRequest, RateBudget>();

function budgetOf(request: VenueRequest): RateBudget {
  const known = budgets.get(request) ?? new RateBudget(request.time);
  budgets.set(request, known);
  return known;
}

/** ccxt and the sockets load only when a venue is wanted: a demo starts without them. */
export const openVenue: OpenVenue = {
  clock: async ({ mode, restUrl }) => (mode === 'paper' ? localVenueTime(restUrl) : undefined),

  gateway: async (request) => {
    const { target, config, time, realTime, log, mayAct, refuses, knows, bare, mayChangeKey, symbols } =
      request;
    const { openCcxtExchange } = await import('../../exchange/binance/ccxt-exchange.ts');
    const { marginMode, positionMode, allowWithdrawals, recvWindowMs, callTimeoutMs } = config.venue;
    const gateway = openCcxtExchange({
      ...target,
      time,
      realTime,
      random: seededRandom(`gateway/${realTime.clock.now()}`),
      mayAct,
      ...(refuses ? { refuses } : {}),
      ...(knows ? { knows } : {}),
      ...(bare === undefined ? {} : { bare }),
      ...(mayChangeKey === undefined ? {} : { mayChangeKey }),
      symbols,
      limits: { maxLeverage: config.risk.maxLeverage, marginMode, positionMode },
      allowWithdrawals,
      // Measured over a real network, on a clock that may run faster.
      maxClockSkewMs: MAX_CLOCK_SKEW_MS * config.venue.timeFactor,
      recvWindowMs,
      callTimeoutMs,
      log,
      budget: budgetOf(request),
    });
    return {
      gateway,
      rateUse: () => gateway.budgetUse(),
      check: () => gateway.check(),
      prepare: () => gateway.prepare(),
      changeKey: (key) => gateway.changeKey(key),
    };
  },

  market: async (request) => {
    const { target, config, time, realTime } = request;
    const { CcxtMarketData } = await import('../../market/feeds/ccxt-market-data.ts');
    const { restUrl, streamUrl } = target;
    const random = seededRandom(`market/${realTime.clock.now()}`);
    const { timeFactor } = config.venue;
    return new CcxtMarketData({
      restUrl,
      streamUrl,
      time,
      realTime,
      timeFactor,
      random,
      budget: budgetOf(request),
    });
  },
};
