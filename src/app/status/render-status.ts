/** A status as text: the dashboard for a terminal, one line for a log. Pure. */
import { renderTree } from '../../../supervisors/introspection.ts';
import { cmp, div, eq, mul, round, sub } from '../../core/decimal.ts';
import { columns, duration, fit, gain, moment, money, type Paint, painter } from '../cli/render-text.ts';
import { renderVenue } from './render-venue.ts';
import type { BreakerStatus, PositionStatus, StatusDocument, TradeStatus } from './status-file.ts';

export interface RenderOptions {
  readonly colour: boolean;
  readonly width: number;
  /** Epoch ms, to say how old the status is. */
  readonly now: number;
  /** Whether the process that wrote it still runs; undefined: it is this one. */
  readonly alive?: boolean | undefined;
  readonly maxChildren?: number;
}

export function renderStatus(status: StatusDocument, options: RenderOptions): string {
  const paint = painter(options.colour);
  const sections =
    status.state === 'standby' ? onStandby(status, options, paint) : whole(status, options, paint);
  const lines = sections.filter((section) => section.length > 0).flatMap((section) => ['', ...section]);
  return `${lines
    .slice(1)
    .map((line) => fit(line, options.width))
    .join('\n')}\n`;
}

/** Who only follows the journal knows of no position and no money: nothing is said of them, which could be taken for none. */
const onStandby = (status: StatusDocument, options: RenderOptions, paint: Paint): string[][] => [
  process(status, options, paint),
  standing(status, paint),
  ['Positions, money and trades are told where the leader runs.', dataLine(status, paint)],
];

function whole(status: StatusDocument, options: RenderOptions, paint: Paint): string[][] {
  return [
    header(status, options, paint),
    toldBefore(status, options),
    account(status, paint),
    positions(status.positions, paint),
    trades(status, paint),
    entries(status, paint),
    breakers(status, paint),
    status.venue ? renderVenue(status.venue, status.virtualTime ?? status.updatedAt, paint) : [],
    alerts(status, paint),
    footer(status, paint),
    standing(status, paint),
    tree(status, options, paint),
  ];
}

function process(status: StatusDocument, { alive, now }: RenderOptions, paint: Paint): string[] {
  const dead = alive === false && status.state !== 'stopped' && status.state !== 'failed';
  const state = dead ? paint('red', `dead (was ${status.state})`) : stateText(status.state, paint);
  const age = alive === undefined ? '' : `, seen ${duration(now - status.updatedAt)} ago`;
  const first = [
    paint('bold', `Bulkhead ${status.version}`),
    `${status.mode} · ${state}`,
    `pid ${status.pid}${age}`,
    `up ${duration(status.updatedAt - status.startedAt)}`,
  ];
  return [first.join('  '), ...(status.error === null ? [] : [paint('red', status.error)])];
}

function header(status: StatusDocument, options: RenderOptions, paint: Paint): string[] {
  const [first = '', ...error] = process(status, options, paint);
  const seed = status.market.seed === null ? '' : `, seed ${status.market.seed}`;
  const time = status.virtualTime === null ? 'not begun' : `${moment(status.virtualTime)} UTC`;
  const second = `${status.market.name} (${status.market.symbols.length} symbols${seed})  ${time}${percentDone(status)}`;
  const { configuration } = status;
  const third = configuration
    ? [
        `configuration version ${configuration.version}, by ${configuration.by} at ${moment(configuration.at)} UTC: ${configuration.why}`,
      ]
    : [];
  return [first, second, ...third, ...error];
}

function stateText(state: StatusDocument['state'], paint: Paint): string {
  const colour = state === 'running' ? 'green' : state === 'failed' ? 'red' : 'yellow';
  return paint(colour, state);
}

function percentDone({ progress }: StatusDocument): string {
  if (!progress?.total) return '';
  return `  ${Math.floor((progress.done / progress.total) * 100)} % of the recording`;
}

function toldBefore({ toldAt }: StatusDocument, { now }: RenderOptions): string[] {
  if (toldAt === undefined) return [];
  const when = `${moment(toldAt)} UTC, ${duration(now - toldAt)} ago`;
  return [`What follows is what the run before this one told (${when}): this one has not read the journal.`];
}

function account({ account, tradingState }: StatusDocument, paint: Paint): string[] {
  const change = sub(account.equity, account.initial);
  const percent = eq(account.initial, '0') ? '0' : mul(div(change, account.initial, 8), '100');
  const state = tradingState === 'active' ? '' : `   trading ${paint('red', tradingState)}`;
  return [
    `Equity ${paint('bold', money(account.equity))} USDT  ${gain(paint, change)} (${money(percent)} %)${state}`,
    [
      `wallet ${money(account.wallet)}`,
      `realised ${gain(paint, account.realised)}`,
      `open ${gain(paint, account.openPnl)}`,
      `fees ${money(account.fees)}`,
      `funding ${gain(paint, account.funding)}`,
    ].join('   '),
  ];
}

function positions(open: readonly PositionStatus[], paint: Paint): string[] {
  if (open.length === 0) return ['No open position'];
  const rows = open.map((position) => [
    position.symbol,
    position.direction,
    position.quantity,
    onTick(position.entryPrice, position.tickSize),
    onTick(position.markPrice, position.tickSize ?? position.stopPrice ?? position.entryPrice),
    position.stopPrice ?? paint('red', 'none'),
    gain(paint, position.openPnl),
    paint('grey', position.doing ?? position.state),
  ]);
  const header = ['POSITION', 'SIDE', 'QTY', 'ENTRY', 'MARK', 'STOP', 'P&L', 'STATE'];
  return columns(header, rows, new Set([2, 3, 4, 5, 6]));
}

const decimalsOf = (price: string): number => price.split('.')[1]?.length ?? 0;

/** An average is told as finely as its instrument's prices. */
const onTick = (price: string, tickSize: string | undefined): string =>
  tickSize === undefined ? price : round(price, decimalsOf(tickSize), 'half-up');

/** A line for each trade of a run that has no screen. */
export const tradeLine = (trade: Omit<TradeStatus, 'closedAt' | 'entryPrice'>, at: number): string =>
  `${moment(at)} closed ${trade.symbol} ${trade.direction} ${trade.quantity} at ${onTick(trade.exitPrice, trade.tickSize)}: ${money(trade.net)} USDT (${trade.reason})`;

function trades({ trades }: StatusDocument, paint: Paint): string[] {
  const { count, wins, losses } = trades;
  if (count === 0) return ['No trade closed yet'];
  const rate = Math.round((wins / count) * 100);
  const row = (trade: TradeStatus): string[] => [
    moment(trade.closedAt),
    trade.symbol,
    trade.direction,
    trade.quantity,
    onTick(trade.entryPrice, trade.tickSize),
    onTick(trade.exitPrice, trade.tickSize),
    gain(paint, trade.net),
    paint('grey', trade.reason),
  ];
  const header = ['CLOSED', 'SYMBOL', 'SIDE', 'QTY', 'ENTRY', 'EXIT', 'NET', 'WHY'];
  return [
    `${count} trades closed, ${wins} won, ${losses} lost (${rate} %)`,
    ...columns(header, trades.last.map(row), new Set([3, 4, 5, 6])),
  ];
}

/** Nobody shall wonder why nothing is entered. */
function entries({ entries, positions }: StatusDocument, paint: Paint): string[] {
  if (!entries || entries.approved + entries.refused === 0) return [];
  const { approved, refused, refusedRules, lastRefused } = entries;
  const rules = Object.entries(refusedRules).sort(([, a], [, b]) => b - a);
  const by = rules.map(([rule, times]) => `${rule} ${times}×`).join(', ');
  return [
    `Entries  ${approved} approved, ${refused} refused${by === '' ? '' : ` by ${by}`}`,
    ...positions.flatMap(({ symbol, direction, sizedBy = [] }) =>
      sizedBy.length === 0 ? [] : [`  ${symbol} ${direction} ${paint('grey', sizedBy.join('; '))}`],
    ),
    ...lastRefused.map(({ at, symbol, refusals }) => {
      const why = refusals.map(({ rule, detail }) => `${rule}: ${detail}`).join('; ');
      return `  ${moment(at)} ${symbol} ${paint('grey', why)}`;
    }),
  ];
}

function breakers({ breakers }: StatusDocument, paint: Paint): string[] {
  if (breakers.length === 0) return [];
  const tripped = breakers.filter(({ state }) => state !== 'closed');
  if (tripped.length === 0) return [`Breakers  ${paint('green', `all ${breakers.length} closed`)}`];
  const line = ({ name, state, effect, since, reason }: BreakerStatus): string =>
    `  ${paint('red', `${name} ${effect ?? state}`)}${since === null ? '' : ` since ${moment(since)}`}${reason ? `: ${reason}` : ''}`;
  return [`Breakers  ${tripped.length} of ${breakers.length} not closed`, ...tripped.map(line)];
}

/** What somebody was woken for, and whether that reached them. */
function alerts({ alerts, updatedAt }: StatusDocument, paint: Paint): string[] {
  if (!alerts) return [];
  const sinks = alerts.sinks.map(({ name, state, since, reason, waiting }) =>
    state === 'up'
      ? `${name} ${paint('green', 'up')}`
      : paint(
          'red',
          `${name} down for ${duration(updatedAt - (since ?? updatedAt))}, ${waiting} waiting: ${reason}`,
        ),
  );
  const open = alerts.open.map(
    ({ key, severity, since }) => `  ${paint('red', key)} ${severity}, since ${moment(since)}`,
  );
  return [`Alerts   ${open.length} on  ${sinks.join('  ')}`, ...open];
}

function dataLine({ store }: StatusDocument, paint: Paint): string {
  const durable = store.durable ? '' : `  ${paint('red', 'NOT DURABLE')}`;
  return `Data     ${store.location} (${store.engine})${sizeText(store)}${durable}`;
}

function footer(status: StatusDocument, paint: Paint): string[] {
  const { journal, recovery, http } = status;
  const rate = `${Math.round(journal.rowsPerSecond)} rows/s`;
  const recovered =
    recovery === null || recovery.actors === 0
      ? ''
      : `  recovered ${recovery.actors} actors in ${Math.round(recovery.ms)} ms`;
  return [
    `Journal  row ${journal.n}, durable ${journal.durableN}, ${rate}${recovered}`,
    dataLine(status, paint),
    ...(http ? [`Page     ${http.url}  (token of its controls: ${http.token})`] : []),
  ];
}

function sizeText({ bytes, freeBytes, anchorN }: StatusDocument['store']): string {
  if (bytes === undefined) return '';
  const left = freeBytes === undefined ? '' : `, ${mebibytes(freeBytes)} left on the disk`;
  const begins = anchorN === undefined ? '' : `, from row ${anchorN + 1} on`;
  return `, ${mebibytes(bytes)}${left}${begins}`;
}

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(bytes < 1e8 ? 1 : 0)} MiB`;

/** Who stands by, or that this one does. */
function standing({ standby, standbys = [], state }: StatusDocument, paint: Paint): string[] {
  if (standby && state === 'standby') {
    const ready = standby.notReady === null ? paint('green', 'ready') : paint('yellow', standby.notReady);
    return [`Standby  ${ready}, follows the journal at row ${standby.followedN}`];
  }
  return standbys.map(({ owner, host, pid, ageMs, followedN, notReady }) => {
    const ready = notReady === null ? paint('green', 'ready') : paint('yellow', notReady);
    return `Standby  ${owner} on ${host} (pid ${pid}): ${ready}, at row ${followedN}, heard ${duration(ageMs)} ago`;
  });
}

function tree(status: StatusDocument, options: RenderOptions, paint: Paint): string[] {
  if (status.tree === null) return [];
  const text = renderTree(status.tree, { maxChildren: options.maxChildren ?? 8 });
  return text.split('\n').map((line, i) => (i === 0 ? paint('cyan', line) : line));
}

/** One line for a log, or a terminal that cannot redraw. */
export function statusLine(status: StatusDocument): string {
  const { account, positions, trades, journal } = status;
  const time = status.virtualTime === null ? '' : `${moment(status.virtualTime)}  `;
  const change = sub(account.equity, account.initial);
  const sign = cmp(change, '0') > 0 ? '+' : '';
  return `${time}equity ${money(account.equity)} (${sign}${money(change)})  ${positions.length} open  ${trades.count} trades  row ${journal.durableN}${percentDone(status)}`;
}
