/**
 * Every key of the configuration: its type, what it allows, its default. Secrets are no keys: they come from
 * the environment or from files that it names (secrets.ts), so that this document can be shown to anybody.
 *
 * Invariant: each key here stands annotated in bulkhead.example.yaml with its default (held by a test).
 */
import { z } from 'zod';
import { lte, sum } from '../core/decimal.ts';
import { exact, flag, list, oneOf, options, speed, text, whole } from './leaf.ts';

const group = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape);

export const MODES = ['demo', 'paper', 'live'] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

const SYMBOL = /^[A-Z0-9]{2,30}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const NAME_ALLOWED = 'letters, digits, ".", "_" and "-", at most 64';
const STEPS_ALLOWED = 'a list of {atPercent, partPercent} whose parts are together at most 100';

export const configSchema = group({
  mode: oneOf(MODES).default('demo'),
  account: text(NAME_ALLOWED, NAME).default('main'),
  data: group({
    dir: text('the path of a folder').default('.bulkhead'),
  }).prefault({}),
  store: group({
    engine: oneOf(['embedded', 'postgres']).default('embedded'),
  }).prefault({}),
  lease: group({
    ttlMs: whole(1_000, 600_000).default(15_000),
    standby: flag().default(false),
  }).prefault({}),
  market: group({
    source: oneOf(['synthetic', 'recorded']).default('synthetic'),
    recording: text('the path of a recording: a folder, a .csv.gz or a Binance .zip').optional(),
    symbols: list(
      'a list of symbols such as [BTCUSDT, ETHUSDT], each once; empty: all there are',
      SYMBOL,
    ).default([]),
    seed: whole(0, 4_294_967_295).optional(),
    speed: speed().default(60),
    untilEnd: flag().default(false),
  }).prefault({}),
  paper: group({
    initialBalance: exact('1', '1000000000').default('10000'),
  }).prefault({}),
  strategy: group({
    name: text(NAME_ALLOWED, NAME).default('trend-breakout'),
    options: options('options of the strategy, as a mapping').default({}),
  }).prefault({}),
  risk: group({
    capitalPerPosition: exact('1', '1000000000').default('100'),
    baseNotional: exact('1', '1000000000').default('100'),
    maxLeverage: whole(1, 125).default(20),
    maxSymbolExposure: exact('0.001', '125').default('0.25'),
    maxTotalExposure: exact('0.001', '125').default('2'),
    maxLotRoundUp: exact('1', '10').default('1.5'),
  }).prefault({}),
  position: group({
    trailing: group({
      enabled: flag().default(true),
      armAtPercent: exact('0', '1000').default('3'),
      keepOfPeak: exact('0', '1').default('0.6'),
      stepPercent: exact('0.01', '100').default('0.25'),
    }).prefault({}),
    scaleOut: group({
      enabled: flag().default(true),
      steps: z
        .array(group({ atPercent: exact('0.01', '1000'), partPercent: exact('0.01', '100') }), {
          error: STEPS_ALLOWED,
        })
        .refine((steps) => lte(sum(steps.map((step) => step.partPercent)), '100'), { error: STEPS_ALLOWED })
        .meta({ allowed: STEPS_ALLOWED, leaf: 'json' })
        .default([
          { atPercent: '2', partPercent: '33' },
          { atPercent: '4', partPercent: '33' },
          { atPercent: '6', partPercent: '34' },
        ]),
    }).prefault({}),
    pyramid: group({
      enabled: flag().default(false),
      maxAdds: whole(0, 10).default(2),
      atPercent: exact('0.01', '1000').default('2'),
      sizeFactor: exact('0.01', '1').default('0.5'),
    }).prefault({}),
    timeStop: group({
      enabled: flag().default(true),
      afterMs: whole(60_000, 31_536_000_000).default(259_200_000),
    }).prefault({}),
  }).prefault({}),
  breakers: group({
    maxDrawdownPercent: exact('0.1', '100').default('20'),
    dailyLossPercent: exact('0.1', '100').default('5'),
    consecutiveLosses: whole(1, 1_000).default(6),
    staleDataMs: whole(1_000, 86_400_000).default(180_000),
    flashCrashPercent: exact('0.1', '100').default('10'),
    coolDownMs: whole(1_000, 604_800_000).default(3_600_000),
  }).prefault({}),
  log: group({
    level: oneOf(LOG_LEVELS).default('info'),
  }).prefault({}),
  status: group({
    intervalMs: whole(100, 60_000).default(1_000),
    lastTrades: whole(1, 1_000).default(8),
  }).prefault({}),
  shutdown: group({
    deadlineMs: whole(100, 600_000).default(10_000),
  }).prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type Mode = Config['mode'];
