/**
 * Is this venue, this account and this key fit to trade with? Asked at the start, before anything else is, and by
 * the doctor.
 *
 * Invariants: `inspect` changes nothing and says what `run` would change; in `run`, what can be set right without touching an open position is set right (position mode, margin mode,
 * leverage, and these only when nothing is open there); what cannot is said, with what to do; a check that could not
 * be made is said to be unverified and never counted as passed.
 */
import { isZero } from '../../core/decimal.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { PositionMode } from '../../domain/position-key.ts';
import { classifyFailure } from '../call-outcome.ts';
import type { VenueCheck } from '../venue-gateway.ts';
import { refusedKey } from './ccxt-account.ts';
import type { VenueCaller } from './ccxt-caller.ts';
import { type ExchangeInfo, isAbsent, missingFilters } from './ccxt-instruments.ts';
import { inTurns } from './ccxt-report.ts';
import { asRow, asRows, flag, flagOrNo, type Row, readPosition, text, whole } from './ccxt-rows.ts';
import type { ActVerb } from './ccxt-verbs.ts';

export interface CheckPolicy {
  readonly symbols: readonly string[];
  readonly maxLeverage: number;
  readonly marginMode: 'cross' | 'isolated';
  readonly positionMode: PositionMode;
  readonly allowWithdrawals: boolean;
  /** How far the wall clock may be off; a venue that plays a recording has a clock of its own. */
  readonly maxClockSkewMs: number;
  readonly clockMatters: boolean;
  /** Asked right before anything is set: a reason not to. */
  readonly veto?: () => string | undefined;
}

export interface Finding extends VenueCheck {
  /** Without it nothing starts. */
  readonly mandatory: boolean;
  /** Only looked at: a start would set something right here. */
  readonly pending?: true;
}

/** Whether what can be set right is set right, or only told of. */
type Manner = 'set' | 'look';

/** What is open, for deciding what may be changed. */
interface Open {
  readonly symbols: ReadonlySet<string>;
  readonly anything: boolean;
}

const AT_ONCE = 4;
const NO_CHANGE_NEEDED: ReadonlySet<number> = new Set([-4046, -4059]);
const LISTED_AT_MOST = 10;

const words = (mode: PositionMode): string => (mode === 'hedge' ? 'Hedge' : 'One-way');

const passed = (check: string, detail: string): Finding => ({ check, ok: true, detail, mandatory: true });
const failed = (check: string, detail: string): Finding => ({ check, ok: false, detail, mandatory: true });
/** Worth a person's eye, no reason not to start: open positions need us whatever else is wrong. */
const warned = (check: string, detail: string): Finding => ({ check, ok: false, detail, mandatory: false });

/** All that nothing may start with; undefined: there is nothing of the kind. */
export function unfitToTrade(findings: readonly Finding[]): BulkheadError | undefined {
  const wrong = findings.filter(({ ok, mandatory }) => !ok && mandatory);
  if (wrong.length === 0) return undefined;
  return new BulkheadError(
    'VENUE_REFUSED',
    `The venue is not fit to trade with. ${wrong.map(({ detail }) => detail).join(' ')}`,
    { hint: 'Change what each sentence names, then start again. `bulkhead doctor` repeats the checks.' },
  );
}

export class VenueChecks {
  readonly #caller: VenueCaller;
  readonly #policy: CheckPolicy;

  constructor(caller: VenueCaller, policy: CheckPolicy) {
    this.#caller = caller;
    this.#policy = policy;
  }

  /** Throws VENUE_REFUSED with all that is wrong, or whatever keeps it from asking. */
  async run(info: ExchangeInfo, offsetMs: number, signal: AbortSignal): Promise<readonly VenueCheck[]> {
    const findings = await this.#all('set', info, offsetMs, signal);
    const unfit = unfitToTrade(findings);
    if (unfit) throw unfit;
    return findings.map(({ check, ok, detail }) => ({ check, ok, detail }));
  }

  /** All of it, wrong or right, without changing anything; throws only what keeps it from asking. */
  inspect(info: ExchangeInfo, offsetMs: number, signal: AbortSignal): Promise<readonly Finding[]> {
    return this.#all('look', info, offsetMs, signal);
  }

  async #all(
    manner: Manner,
    info: ExchangeInfo,
    offsetMs: number,
    signal: AbortSignal,
  ): Promise<readonly Finding[]> {
    const findings: Finding[] = [this.#clock(offsetMs)];
    findings.push(await this.#permissions(signal));
    const open = await this.#open(signal);
    findings.push(...(await this.#account(manner, open, signal)));
    findings.push(...this.#symbols(info));
    findings.push(...(await this.#settings(manner, info, open, signal)));
    return findings;
  }

  #clock(offsetMs: number): Finding {
    const { maxClockSkewMs } = this.#policy;
    const ahead = offsetMs > 0 ? 'behind' : 'ahead of';
    const detail = `This machine\u2019s clock is ${Math.abs(offsetMs)} ms ${ahead} the venue\u2019s`;
    if (Math.abs(offsetMs) <= maxClockSkewMs) return passed('clock', `${detail}.`);
    return (this.#policy.clockMatters ? failed : warned)(
      'clock',
      `${detail}, more than the ${maxClockSkewMs} ms allowed: turn on time synchronisation (NTP), check the date.`,
    );
  }

  async #permissions(signal: AbortSignal): Promise<Finding> {
    let row: Row;
    try {
      row = asRow(await this.#caller.read('apiRestrictions', {}, 'data', signal), 'key restrictions');
    } catch (error) {
      if (!isAbsent(error)) throw refusedKey(error);
      return warned('key', 'What the API key may do is unverified: this venue does not tell.');
    }
    if (flag(row, 'enableWithdrawals') && !this.#policy.allowWithdrawals)
      return failed(
        'key',
        'The API key may withdraw money: take "Enable Withdrawals" from it at the venue, or make a new one without it (venue.allowWithdrawals overrides this).',
      );
    if (!flag(row, 'enableFutures'))
      return failed('key', 'The API key may not trade futures: give it "Enable Futures" at the venue.');
    const bound = flagOrNo(row, 'ipRestrict') ? 'bound to addresses' : 'not bound to an address';
    return passed(
      'key',
      `The API key may trade futures, ${flag(row, 'enableWithdrawals') ? 'MAY WITHDRAW' : 'may not withdraw'}, and is ${bound}.`,
    );
  }

  async #open(signal: AbortSignal): Promise<Open> {
    const read = (verb: 'positionRisk' | 'openOrders' | 'openAlgoOrders') =>
      this.#caller.read(verb, {}, 'data', signal);
    const [positions, orders, algos] = await Promise.all([
      read('positionRisk').catch((error: unknown) => {
        throw refusedKey(error);
      }),
      read('openOrders'),
      read('openAlgoOrders'),
    ]);
    const algoRows: unknown = Array.isArray(algos) ? algos : asRow(algos, 'open algo orders').orders;
    const symbols = new Set([
      ...asRows(positions, 'positions')
        .map(readPosition)
        .filter((position) => !isZero(position.amount))
        .map((position) => position.symbol),
      ...asRows(orders, 'open orders').map((row) => text(row, 'symbol')),
      ...asRows(algoRows, 'open algo orders').map((row) => text(row, 'symbol')),
    ]);
    return { symbols, anything: symbols.size > 0 };
  }

  async #account(manner: Manner, open: Open, signal: AbortSignal): Promise<readonly Finding[]> {
    const row = asRow(await this.#caller.read('accountConfig', {}, 'data', signal), 'account configuration');
    const findings: Finding[] = [
      flag(row, 'canTrade')
        ? passed('trading', 'The account may trade.')
        : failed('trading', 'The venue does not let this account trade: look there for the reason.'),
      flagOrNo(row, 'multiAssetsMargin')
        ? failed('assets', 'Multi-assets mode is on: switch the account to single-asset mode at the venue.')
        : passed('assets', 'Single-asset mode.'),
    ];
    const mode = flag(row, 'dualSidePosition') ? 'hedge' : 'one-way';
    return [...findings, await this.#positionMode(manner, mode, open)];
  }

  async #positionMode(manner: Manner, mode: PositionMode, open: Open): Promise<Finding> {
    const { positionMode: wanted } = this.#policy;
    if (mode === wanted) return passed('position-mode', `${words(mode)} mode.`);
    if (open.anything)
      return failed(
        'position-mode',
        `The account is in ${mode} mode with positions or orders open: close them, or switch to ${wanted} mode at the venue (venue.positionMode says which is meant).`,
      );
    if (manner === 'look')
      return {
        ...passed(
          'position-mode',
          `${words(mode)} mode, with nothing open: the start switches it to ${wanted} mode.`,
        ),
        pending: true,
      };
    await this.#set('setPositionMode', { dualSidePosition: String(wanted === 'hedge') });
    return passed('position-mode', `Switched from ${mode} mode to ${wanted} mode.`);
  }

  #symbols(info: ExchangeInfo): readonly Finding[] {
    const { symbols } = this.#policy;
    const unknown = symbols.filter((symbol) => !info.symbols.has(symbol));
    const known = symbols.map((symbol) => info.symbols.get(symbol)).filter((row) => row !== undefined);
    const incomplete = known
      .filter((row) => missingFilters(row).length > 0)
      .map((row) => text(row, 'symbol'));
    const halted = known
      .filter((row) => row.status !== 'TRADING')
      .map((row) => `${text(row, 'symbol')} (${String(row.status)})`);
    const findings: Finding[] = [];
    // A typing error in one name must not keep the others' positions without care, but all wrong is wrong.
    if (unknown.length > 0)
      findings.push(
        (unknown.length === symbols.length ? failed : warned)(
          'symbols',
          `The venue does not list ${list(unknown)}: correct \`symbols\`.`,
        ),
      );
    if (incomplete.length > 0)
      findings.push(
        warned('filters', `The venue gives no filters for ${list(incomplete)}: they are not traded.`),
      );
    if (halted.length > 0) findings.push(warned('status', `Not trading at the moment: ${list(halted)}.`));
    if (findings.length === 0)
      findings.push(passed('symbols', `${symbols.length} symbols trade, with their filters.`));
    return findings;
  }

  /** Margin mode and leverage, symbol by symbol; never under an open position. */
  async #settings(
    manner: Manner,
    info: ExchangeInfo,
    open: Open,
    signal: AbortSignal,
  ): Promise<readonly Finding[]> {
    const { maxLeverage, marginMode } = this.#policy;
    const rows = asRows(await this.#caller.read('symbolConfig', {}, 'data', signal), 'symbol configuration');
    const wanted = new Set(this.#policy.symbols.filter((symbol) => info.symbols.has(symbol)));
    const ours = rows.filter((row) => wanted.has(text(row, 'symbol')));
    const marginType = marginMode === 'cross' ? 'CROSSED' : 'ISOLATED';
    const wrongMode = ours.filter((row) => text(row, 'marginType').toUpperCase() !== marginType);
    const tooHigh = ours.filter((row) => whole(row, 'leverage') > maxLeverage);
    const free = (row: Row): boolean => !open.symbols.has(text(row, 'symbol'));
    if (manner === 'set')
      await inTurns(
        [
          ...wrongMode
            .filter(free)
            .map((row) => () => this.#set('setMarginType', { symbol: text(row, 'symbol'), marginType })),
          ...tooHigh
            .filter(free)
            .map(
              (row) => () => this.#set('setLeverage', { symbol: text(row, 'symbol'), leverage: maxLeverage }),
            ),
        ],
        AT_ONCE,
      );
    const stuck = (rowsOf: readonly Row[]): readonly string[] =>
      rowsOf.filter((row) => !free(row)).map((row) => text(row, 'symbol'));
    return [
      outcome('margin-mode', stuck(wrongMode), wrongMode.length, `${marginMode} margin`, manner),
      outcome('leverage', stuck(tooHigh), tooHigh.length, `leverage of at most ${maxLeverage}`, manner),
    ];
  }

  async #set(verb: ActVerb, params: Readonly<Record<string, string | number>>): Promise<void> {
    const { veto } = this.#policy;
    try {
      await this.#caller.act(verb, params, { lane: 'data', ...(veto && { veto }) });
    } catch (error) {
      const failure = classifyFailure(error);
      if (failure.outcome !== 'rejected' || !NO_CHANGE_NEEDED.has(failure.code)) throw error;
    }
  }
}

function outcome(
  check: string,
  stuck: readonly string[],
  changed: number,
  what: string,
  manner: Manner,
): Finding {
  const pending = manner === 'look' && changed > stuck.length ? ({ pending: true } as const) : {};
  if (stuck.length > 0)
    return {
      ...warned(
        check,
        `Something is open on ${list(stuck)}, which is not set to ${what}: it is set once nothing is.`,
      ),
      ...pending,
    };
  if (changed === 0) return passed(check, `All symbols have ${what}.`);
  const detail = `${manner === 'set' ? 'Set' : 'The start sets'} ${changed} symbols to ${what}.`;
  return { ...passed(check, detail), ...pending };
}

const list = (names: readonly string[]): string =>
  names.length <= LISTED_AT_MOST
    ? names.join(', ')
    : `${names.slice(0, LISTED_AT_MOST).join(', ')} and ${names.length - LISTED_AT_MOST} more`;
