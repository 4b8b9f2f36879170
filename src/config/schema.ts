/**
 * Every key of the configuration: its type, what it allows, its default. Secrets are no keys: they come from
 * the environment or from files that it names (secrets.ts), so that this document can be shown to anybody.
 *
 * Invariant: each key here stands annotated in bulkhead.example.yaml with its default (held by a test).
 */
import { z } from 'zod';
import { DEFAULT_BREAKER_SETTINGS } from '../../machines/breaker-rules.ts';
import {
  DEFAULT_ACTIVE_TARGET,
  DEFAULT_PLAN,
  DEFAULT_TRAILING,
  THREE_PARTS,
} from '../../machines/position/plan.ts';
import { lt, lte, sum } from '../core/decimal.ts';
import { POSITION_MODES } from '../domain/position-key.ts';
import { TRAILING_RULES } from '../domain/signal.ts';
import { alertsSchema } from './alerts-schema.ts';
import { exitsSchema } from './exits-schema.ts';
import {
  exact,
  flag,
  group,
  hot,
  list,
  needsRestart,
  number,
  oneOf,
  options,
  speed,
  text,
  whole,
} from './leaf.ts';
import { riskSchema } from './risk-schema.ts';
import { telegramSchema } from './telegram-schema.ts';
import { secretsSchema, vaultSchema } from './vault-schema.ts';

export const MODES = ['demo', 'paper', 'live'] as const;
export const FOREIGN_POLICIES = ['report', 'adopt', 'close', 'ignore'] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

const REST_URL = /^https?:\/\/[^\s/@]+$/;
const STREAM_URL = /^wss?:\/\/[^\s/@]+$/;
const SYMBOL = /^[A-Z0-9]{2,30}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Breakers that halt by their own rule. */
const HALTING = /^(drawdown|weekly-loss|api-errors|journal|rate-limit|reconciliation|clock)$/;
const HOST = /^[A-Za-z0-9:.-]{1,253}$/;
const IP = /^[0-9a-fA-F:.]{2,45}(\/\d{1,3})?$/;
const NAME_ALLOWED = 'letters, digits, ".", "_" and "-", at most 64';
const PARTS_ALLOWED = 'a list of {profitPercent, sharePercent} whose shares are together at most 100';

/** Nothing that recovers, stands by or is looked at by the hour needs older rows. */
const LEAST_KEPT_MS = 3_600_000;
const KEPT_ALLOWED = '0, or a whole number from 3600000 to 315360000000';

const LISTENS = 'the page is served at its address already';
const LOOKED_AFTER = 'secrets are looked after there already';
const REPLAYED = 'the executor\u2019s rows are replayed by it';

/** Up to thirty days. */
const wait = () => whole(10, 2_592_000_000);

export const configSchema = group({
  mode: needsRestart('a journal belongs to one mode', oneOf(MODES).default('demo')),
  account: needsRestart('a journal belongs to one account', text(NAME_ALLOWED, NAME).default('main')),
  data: needsRestart(
    'the folder is open',
    group({
      dir: text('the path of a folder').default('.bulkhead'),
    }).prefault({}),
  ),
  store: needsRestart(
    'the store is open',
    group({
      engine: oneOf(['embedded', 'postgres']).default('embedded'),
    }).prefault({}),
  ),
  lease: group({
    ttlMs: needsRestart('the lease is held by its first length', whole(1_000, 600_000).default(15_000)),
    standby: needsRestart('a run stands by before it trades', flag().default(false)),
  }).prefault({}),
  market: needsRestart(
    'a journal belongs to one market, and its actors are those of its symbols',
    group({
      source: oneOf(['synthetic', 'recorded', 'live']).default('synthetic'),
      recording: text('the path of a recording: a folder, a .csv.gz or a Binance .zip').optional(),
      symbols: list(
        'a list of symbols such as [BTCUSDT, ETHUSDT], each once; empty: all there are',
        SYMBOL,
      ).default([]),
      seed: whole(0, 4_294_967_295).optional(),
      speed: hot(speed().default(60)),
      untilEnd: hot(flag().default(false)),
      warmUpDays: needsRestart('it is about the beginning', whole(0, 3_650).default(7)),
    }).prefault({}),
  ),
  paper: needsRestart(
    'the rows of the simulated venue are replayed by it',
    group({
      initialBalance: exact('1', '1000000000').default('10000'),
      halfSpreadRate: number(0, 0.1).default(0.00005),
      impactRate: number(0, 10).default(0.1),
      makerVolumeShare: number(0, 1).default(0.25),
    }).prefault({}),
  ),
  venue: needsRestart(
    'the venue is connected by it',
    group({
      restUrl: text('an address such as https://fapi.binance.com, without a path', REST_URL).optional(),
      streamUrl: text('an address such as wss://fstream.binance.com, without a path', STREAM_URL).optional(),
      timeFactor: needsRestart(REPLAYED, number(0.001, 1_000).default(1)),
      recvWindowMs: needsRestart(REPLAYED, whole(100, 60_000).default(5_000)),
      callTimeoutMs: needsRestart(REPLAYED, whole(100, 60_000).default(10_000)),
      marginMode: needsRestart(
        'the venue keeps it, for the whole account',
        oneOf(['cross', 'isolated']).default('cross'),
      ),
      positionMode: needsRestart(
        'a journal belongs to one mode of positions',
        oneOf(POSITION_MODES).default('one-way'),
      ),
      allowWithdrawals: needsRestart('the key is checked when the venue is connected', flag().default(false)),
      reconcileEveryMs: hot(whole(1_000, 3_600_000).default(60_000)),
      instrumentsEveryMs: hot(whole(100, 3_600_000).default(60_000)),
      foreign: hot(oneOf(FOREIGN_POLICIES).default('report')),
      markEveryMs: hot(whole(100, 900_000).default(15_000)),
      maxSignalAgeMs: hot(whole(1_000, 900_000).default(60_000)),
      guardBoundMs: hot(whole(1_000, 3_600_000).default(30_000)),
    }).prefault({}),
  ),
  strategy: needsRestart(
    'its state in the journal is that of this strategy with these options',
    group({
      name: text(NAME_ALLOWED, NAME).default('trend-breakout'),
      options: options('a mapping of names to numbers, or to groups of them').default({}),
    }).prefault({}),
  ),
  risk: hot(riskSchema.prefault({})),
  entry: hot(
    group({
      coolDownMs: wait().default(900_000),
      assessTimeoutMs: wait().default(10_000),
    }).prefault({}),
  ),
  // A position is run by the plan that it began with.
  position: hot(
    group({
      trailing: group({
        enabled: flag().default(true),
        rule: oneOf(TRAILING_RULES).default(DEFAULT_TRAILING.rule),
        armProfitPercent: exact('0', '1000').default(DEFAULT_TRAILING.armProfitPercent),
        stepPercent: exact('0.01', '100').default(DEFAULT_TRAILING.stepPercent),
        keepPercent: exact('1', '99').default(DEFAULT_TRAILING.keepPercent),
        distancePercent: exact('0.01', '90').default(DEFAULT_TRAILING.distancePercent),
        atrMultiple: exact('0.1', '100').default(DEFAULT_TRAILING.atrMultiple),
        everyPercent: exact('0.01', '100').default(DEFAULT_TRAILING.everyPercent),
      }).prefault({}),
      breakEven: group({
        enabled: flag().default(false),
        atProfitPercent: exact('0.01', '1000').default('1.5'),
        bufferPercent: exact('0', '1000').default('0.1'),
      })
        .refine(({ atProfitPercent, bufferPercent }) => lt(bufferPercent, atProfitPercent), {
          error: 'a bufferPercent below atProfitPercent',
        })
        .prefault({}),
      scaleOut: group({
        enabled: flag().default(true),
        resting: flag().default(DEFAULT_PLAN.restingTargets),
        parts: z
          .array(group({ profitPercent: exact('0.01', '1000'), sharePercent: exact('0.01', '100') }), {
            error: PARTS_ALLOWED,
          })
          .refine((parts) => lte(sum(parts.map((part) => part.sharePercent)), '100'), {
            error: PARTS_ALLOWED,
          })
          .meta({ allowed: PARTS_ALLOWED, leaf: 'json' })
          .default([...THREE_PARTS]),
      }).prefault({}),
      activeTarget: group({
        enabled: flag().default(true),
        fromPercent: exact('0.1', '1000').default(DEFAULT_ACTIVE_TARGET.fromPercent),
        holdMomentum: number(0.01, 100).default(DEFAULT_ACTIVE_TARGET.holdMomentum),
        fadeMomentum: number(-100, 0).default(DEFAULT_ACTIVE_TARGET.fadeMomentum),
        nearAtrs: number(0.1, 100).default(DEFAULT_ACTIVE_TARGET.nearAtrs),
        extendAtrs: number(0.1, 100).default(DEFAULT_ACTIVE_TARGET.extendAtrs),
        pullAtrs: number(0, 100).default(DEFAULT_ACTIVE_TARGET.pullAtrs),
        minBars: whole(1, 1_000).default(DEFAULT_ACTIVE_TARGET.minBars),
        maxPercent: exact('0.1', '1000').default(DEFAULT_ACTIVE_TARGET.maxPercent),
      }).prefault({}),
      pyramid: group({
        enabled: flag().default(false),
        maxAdds: whole(1, 10).default(2),
        stepPercent: exact('0.01', '1000').default('2'),
        sizeFactor: exact('0.01', '1').default('0.5'),
        confirm: oneOf(['close', 'touch']).default('close'),
        maxExposure: exact('1', '100').default('2'),
      }).prefault({}),
      timeStop: group({
        enabled: flag().default(false),
        afterMs: whole(60_000, 31_536_000_000).default(259_200_000),
      }).prefault({}),
      exits: exitsSchema.prefault({}),
      stopOverrunPercent: exact('0', '100').default(DEFAULT_PLAN.stopOverrunPercent),
      prepareTimeoutMs: wait().default(DEFAULT_PLAN.prepareTimeoutMs),
      entryTimeoutMs: wait().default(DEFAULT_PLAN.entryTimeoutMs),
      unknownStopDeadlineMs: wait().default(DEFAULT_PLAN.unknownStopDeadlineMs),
      unprotectedDeadlineMs: wait().default(DEFAULT_PLAN.unprotectedDeadlineMs),
      stopRetryMs: wait().default(DEFAULT_PLAN.stopRetryMs),
      maxStopRejections: whole(1, 100).default(DEFAULT_PLAN.maxStopRejections),
      closeDeadlineMs: wait().default(DEFAULT_PLAN.closeDeadlineMs),
      emergencyBackoffMs: wait().default(DEFAULT_PLAN.emergencyBackoffMs),
      emergencyMaxBackoffMs: wait().default(DEFAULT_PLAN.emergencyMaxBackoffMs),
      cancelRetryMs: wait().default(DEFAULT_PLAN.cancelRetryMs),
      scaleOutRetryMs: wait().default(DEFAULT_PLAN.scaleOutRetryMs),
      adoptedStopPercent: exact('0.1', '90').default('5'),
    }).prefault({}),
  ),
  breakers: hot(
    group({
      maxDrawdownPercent: exact('0.1', '100').default(DEFAULT_BREAKER_SETTINGS.maxDrawdownPercent),
      maxDailyLossPercent: exact('0.1', '100').default(DEFAULT_BREAKER_SETTINGS.maxDailyLossPercent),
      fullLimitCapital: exact('1', '1000000000').default(DEFAULT_BREAKER_SETTINGS.fullLimitCapital),
      calmDayPercent: number(0.01, 100).default(DEFAULT_BREAKER_SETTINGS.calmDayPercent),
      maxWeeklyLossPercent: exact('1', '100').default(DEFAULT_BREAKER_SETTINGS.maxWeeklyLossPercent),
      maxLossesInARow: whole(1, 1_000).default(DEFAULT_BREAKER_SETTINGS.maxLossesInARow),
      maxSideLossesInARow: whole(1, 1_000).default(DEFAULT_BREAKER_SETTINGS.maxSideLossesInARow),
      maxSymbolLossesInARow: whole(1, 1_000).default(DEFAULT_BREAKER_SETTINGS.maxSymbolLossesInARow),
      lossCoolDownMs: wait().default(DEFAULT_BREAKER_SETTINGS.lossCoolDownMs),
      minWinRatePercent: number(0, 100).default(DEFAULT_BREAKER_SETTINGS.minWinRatePercent),
      winRateTrades: whole(5, 64).default(DEFAULT_BREAKER_SETTINGS.winRateTrades),
      winRateCoolDownMs: wait().default(DEFAULT_BREAKER_SETTINGS.winRateCoolDownMs),
      marginReducePercent: exact('25', '100').default(DEFAULT_BREAKER_SETTINGS.marginReducePercent),
      marginDeleveragePercent: exact('25', '100').default(DEFAULT_BREAKER_SETTINGS.marginDeleveragePercent),
      marginFlattenPercent: exact('25', '100').default(DEFAULT_BREAKER_SETTINGS.marginFlattenPercent),
      deleverageEveryMs: wait().default(DEFAULT_BREAKER_SETTINGS.deleverageEveryMs),
      maxMovePercent: number(4, 1_000).default(DEFAULT_BREAKER_SETTINGS.maxMovePercent),
      maxMeanMovePercent: number(2, 1_000).default(DEFAULT_BREAKER_SETTINGS.maxMeanMovePercent),
      shockCoolDownMs: wait().default(DEFAULT_BREAKER_SETTINGS.shockCoolDownMs),
      maxVolatilityRatio: number(2, 1_000).default(DEFAULT_BREAKER_SETTINGS.maxVolatilityRatio),
      maxMarketVolatilityRatio: number(2, 1_000).default(DEFAULT_BREAKER_SETTINGS.maxMarketVolatilityRatio),
      minVolatilityPercent: number(0, 100).default(DEFAULT_BREAKER_SETTINGS.minVolatilityPercent),
      volatilityCoolDownMs: wait().default(DEFAULT_BREAKER_SETTINGS.volatilityCoolDownMs),
      maxFundingRate: number(0.0005, 1).default(DEFAULT_BREAKER_SETTINGS.maxFundingRate),
      flatten: list(
        'a list of breakers that close everything when they halt, such as [drawdown]; empty: none',
        HALTING,
      ).default([...DEFAULT_BREAKER_SETTINGS.flatten]),
      maxApiErrors: whole(1, 64).default(DEFAULT_BREAKER_SETTINGS.maxApiErrors),
      apiErrorWindowMs: wait().default(DEFAULT_BREAKER_SETTINGS.apiErrorWindowMs),
      apiErrorCoolDownMs: wait().default(DEFAULT_BREAKER_SETTINGS.apiErrorCoolDownMs),
      journalCoolDownMs: wait().default(DEFAULT_BREAKER_SETTINGS.journalCoolDownMs),
      maxStaleShare: number(0.01, 1).default(DEFAULT_BREAKER_SETTINGS.maxStaleShare),
      throttleMarginMs: wait().default(DEFAULT_BREAKER_SETTINGS.throttleMarginMs),
      maxClockSkewMs: wait().default(DEFAULT_BREAKER_SETTINGS.maxClockSkewMs),
      maxLatencyMs: wait().default(DEFAULT_BREAKER_SETTINGS.maxLatencyMs),
      maxSlowCalls: whole(1, 64).default(DEFAULT_BREAKER_SETTINGS.maxSlowCalls),
      latencyWindowMs: wait().default(DEFAULT_BREAKER_SETTINGS.latencyWindowMs),
      latencyCoolDownMs: wait().default(DEFAULT_BREAKER_SETTINGS.latencyCoolDownMs),
    }).prefault({}),
  ),
  backup: hot(
    group({
      to: text('a folder, or s3://BUCKET/FOLDER').optional(),
      everyMs: whole(0, 31_536_000_000).default(0),
      keep: whole(1, 10_000).default(14),
      verify: flag().default(true),
      bucketEndpoint: text('an address such as https://s3.eu-central-1.amazonaws.com', REST_URL).optional(),
      bucketRegion: text(NAME_ALLOWED, NAME).default('us-east-1'),
    }).prefault({}),
  ),
  retention: hot(
    group({
      keepMs: whole(0, 315_360_000_000)
        .refine((ms) => ms === 0 || ms >= LEAST_KEPT_MS, { error: KEPT_ALLOWED })
        .meta({ allowed: KEPT_ALLOWED, leaf: 'number' })
        .default(0),
      everyMs: whole(60_000, 31_536_000_000).default(21_600_000),
      archive: flag().default(false),
      minFreeMb: whole(0, 1_000_000_000).default(1_024),
    }).prefault({}),
  ),
  http: hot(
    group({
      enabled: needsRestart(LISTENS, flag().default(true)),
      host: needsRestart(
        LISTENS,
        text('an address of this machine such as 127.0.0.1', HOST).default('127.0.0.1'),
      ),
      port: needsRestart(LISTENS, whole(0, 65_535).default(8_787)),
      allowedHosts: list('a list of names under which it is called, such as [bot.example.org]', HOST).default(
        [],
      ),
      allowedIps: list('a list of addresses or networks such as [10.0.0.0/8]; empty: all', IP).default([]),
      requestsPerMinute: whole(10, 1_000_000).default(1_200),
      maxStreams: whole(1, 1_000).default(32),
    }).prefault({}),
  ),
  telegram: hot(telegramSchema.prefault({})),
  secrets: needsRestart(LOOKED_AFTER, secretsSchema.prefault({})),
  vault: needsRestart(LOOKED_AFTER, vaultSchema.prefault({})),
  alerts: hot(alertsSchema.prefault({})),
  log: hot(
    group({
      level: oneOf(LOG_LEVELS).default('info'),
    }).prefault({}),
  ),
  status: hot(
    group({
      intervalMs: whole(100, 60_000).default(1_000),
      lastTrades: whole(1, 1_000).default(8),
    }).prefault({}),
  ),
  shutdown: hot(
    group({
      deadlineMs: whole(100, 600_000).default(10_000),
    }).prefault({}),
  ),
});

export type Config = z.output<typeof configSchema>;
export type Mode = Config['mode'];
