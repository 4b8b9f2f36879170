/** What the admin can ask of a running venue. */
import { type Decimal, decimal } from '../core/decimal.ts';
import { BulkheadError } from '../core/errors.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { Restriction } from './account/records.ts';
import { RESTRICTIONS } from './account/restrictions.ts';
import { parseFaults } from './faults-parse.ts';
import { PRESETS, presetFaults } from './faults-presets.ts';
import type { CorePort, MarketPort } from './server-ports.ts';
import type { AdminRequest, AdminRoutes } from './transport/admin-door.ts';
import type { ManualClock, VenueClock } from './venue-clock.ts';
import type { VenueServer } from './venue-server.ts';

export interface AdminParts {
  readonly server: VenueServer;
  readonly core: CorePort;
  readonly market: MarketPort;
  readonly clock: VenueClock;
  /** Which account is meant when none is named. */
  readonly account: string;
  /** The clock by hand, if it is. */
  readonly manual: ManualClock | undefined;
  /** After the clock was moved by hand: where it stands survives a restart. */
  readonly clockMoved: () => void;
}

type Body = AdminRequest['body'];

const SECOND_MS = 1_000;
const SHOCK_MS = 60_000;

export function adminRoutes(parts: AdminParts): AdminRoutes {
  const { server, core, market } = parts;
  return {
    'GET /state': () => server.state(),
    'GET /ledger': ({ query }) => core.ledger(query.get('account') ?? parts.account),
    'GET /violations': () => ({ violations: server.violations() }),
    'GET /faults': () => ({ faults: server.faults.report(), presets: PRESETS }),
    'POST /faults': ({ body }) => {
      server.addFaults(scriptOf(body));
      return { faults: server.faults.report() };
    },
    'DELETE /faults': () => server.clearFaults(),
    'POST /clock/advance': ({ body }) => advance(body, parts),
    'POST /deposit': ({ body }) =>
      server.feed(
        { type: 'DEPOSIT', at: parts.clock.now(), amount: amountOf(body, 'amount') },
        accountOf(body, parts),
      ),
    'POST /keys': ({ body }) =>
      server.addKey({
        id: optionalText(body, 'account') ?? parts.account,
        apiKey: text(body, 'apiKey'),
        apiSecret: text(body, 'apiSecret'),
      }),
    'DELETE /keys': ({ body }) => server.revokeKey(text(body, 'apiKey')),
    'POST /restrict': ({ body }) => {
      const account = accountOf(body, parts);
      server.restrict(account, restrictionOf(text(body, 'as')));
    },
    'POST /adl': ({ body }) => {
      const quantity = 'quantity' in body ? amountOf(body, 'quantity') : undefined;
      const { symbol } = instrumentOf(body, market);
      const mark = market.quote(symbol)?.mark;
      server.feed(
        {
          type: 'ADL',
          at: parts.clock.now(),
          symbol,
          ...(quantity === undefined ? {} : { quantity }),
          ...(mark === undefined ? {} : { mark }),
        },
        accountOf(body, parts),
      );
    },
    'POST /instrument': ({ body }) => {
      const changed = changedInstrument(body, instrumentOf(body, market));
      market.changeInstrument(changed);
      return changed;
    },
    'POST /price': ({ body }) => {
      const { symbol } = instrumentOf(body, market);
      const fraction = Number(text(body, 'fraction'));
      const forMs = Number(optionalText(body, 'forMs') ?? SHOCK_MS);
      if (!Number.isFinite(fraction) || fraction <= -1 || !Number.isFinite(forMs) || forMs < 0)
        throw wrong('fraction or forMs is no sound number', 'Such as {"fraction": -0.1, "forMs": 60000}.');
      market.shock(symbol, fraction, forMs);
    },
  };
}

function scriptOf(body: Body) {
  if (!('preset' in body)) return parseFaults(body);
  const script = presetFaults(text(body, 'preset'));
  if (script) return script;
  throw wrong(`there is no preset "${text(body, 'preset')}"`, `One of: ${PRESETS.join(', ')}.`);
}

/** What the account may do no more; "none" lifts it. */
function restrictionOf(as: string): Restriction | undefined {
  const known = RESTRICTIONS.find((one) => one === as);
  if (known !== undefined || as === 'none') return known;
  throw wrong(`there is no restriction "${as}"`, `One of: ${[...RESTRICTIONS, 'none'].join(', ')}.`);
}

/** Second by second, so that what each second causes has happened before the next. */
async function advance(body: Body, { manual, market, clockMoved }: AdminParts): Promise<{ at: number }> {
  if (!manual)
    throw wrong('this clock runs by itself', 'Start the exchange with --speed manual to move it by hand.');
  const to = 'to' in body ? Number(text(body, 'to')) : manual.now() + Number(text(body, 'ms'));
  const hint = 'Give {"ms": 60000}, or {"to": epoch ms}.';
  if (!Number.isFinite(to)) throw wrong('that is no number', hint);
  if (to < manual.now()) throw wrong('time goes forward only', hint);
  await market.prepare?.(to);
  while (manual.now() < to) {
    manual.advanceTo(Math.min(to, manual.now() + SECOND_MS));
    await market.settled?.();
  }
  clockMoved();
  return { at: manual.now() };
}

function instrumentOf(body: Body, market: MarketPort): Instrument {
  const symbol = text(body, 'symbol');
  const instrument = market.instrument(symbol);
  if (instrument) return instrument;
  throw wrong(`${symbol} is not traded here`, 'GET /fapi/v1/exchangeInfo lists the symbols.');
}

/** Only what an instrument has, each of the type it has. */
function changedInstrument({ symbol: _symbol, ...changes }: Body, instrument: Instrument): Instrument {
  for (const [name, value] of Object.entries(changes)) {
    // Nobody has one until it is announced.
    const old: unknown = name === 'deliversAt' ? 0 : instrument[name as keyof Instrument];
    if (old === undefined || typeof old === 'object')
      throw wrong(
        `an instrument has no "${name}" that could be changed`,
        'Names are those of src/domain/instrument.ts.',
      );
    if (typeof value !== typeof old)
      throw wrong(`${name} must be a ${typeof old}`, `Now it is ${String(old)}.`);
  }
  return { ...instrument, ...changes };
}

function text(body: Body, name: string): string {
  const value = optionalText(body, name);
  if (value !== undefined) return value;
  throw wrong(`${name} is missing`, 'docs/EXCHANGE.md shows what each admin request takes.');
}

/** Also one below 0: a withdrawal. */
function amountOf(body: Body, name: string): Decimal {
  const said = text(body, name);
  if (/^-?\d{1,15}(\.\d{1,15})?$/.test(said)) return decimal(said);
  throw wrong(`${name} is no amount`, 'Such as "500", or "-12.5".');
}

function accountOf(body: Body, { core, account }: AdminParts): string {
  const named = optionalText(body, 'account') ?? account;
  if (core.ledger(named)) return named;
  throw wrong('there is no such account', 'Leave it away for the only one there is.');
}

function optionalText(body: Body, name: string): string | undefined {
  const value = body[name];
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' ? String(value) : undefined;
}

const wrong = (message: string, hint: string): BulkheadError =>
  new BulkheadError('DATA_INVALID', `Not done: ${message}.`, { hint });
