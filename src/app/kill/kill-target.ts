/**
 * Where the venue of a data folder is: what its last run used, so that `bulkhead kill` needs no flags in a hurry and
 * no database to ask. No secrets: those come from the environment, as always.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { CommandOptions } from '../cli/io.ts';
import { type VenueTarget, venueTarget } from '../run/modes.ts';

export interface VenueFacts {
  readonly mode: 'paper' | 'live';
  readonly restUrl: string;
  readonly streamUrl: string;
  readonly timeFactor: number;
  readonly symbols: readonly SymbolName[];
}

const factsPath = (dataDir: string): string => join(dataDir, 'venue.json');

export function rememberVenue(dataDir: string, facts: VenueFacts): void {
  mkdirSync(dataDir, { recursive: true });
  const path = factsPath(dataDir);
  writeFileSync(`${path}.tmp`, `${JSON.stringify(facts)}\n`);
  renameSync(`${path}.tmp`, path);
}

export function recallVenue(dataDir: string): VenueFacts | undefined {
  try {
    return JSON.parse(readFileSync(factsPath(dataDir), 'utf8')) as VenueFacts;
  } catch {
    return undefined;
  }
}

export interface KillTarget {
  readonly target: VenueTarget;
  readonly config: Config;
}

/** What the person says goes first, then what the folder remembers. Undefined: its venue is in the run itself. */
export function killTarget(options: CommandOptions, dataDir: string): KillTarget | undefined {
  const config = withFacts(options.config, recallVenue(dataDir));
  const target = venueTarget({ config, secrets: options.secrets });
  return target && { target, config };
}

function withFacts(config: Config, facts: VenueFacts | undefined): Config {
  if (!facts || (config.mode !== 'demo' && config.mode !== facts.mode)) return config;
  const { restUrl, streamUrl, timeFactor, mode } = facts;
  const isOwn = config.venue.restUrl === undefined;
  return {
    ...config,
    mode,
    venue: isOwn ? { ...config.venue, restUrl, streamUrl, timeFactor } : config.venue,
    market:
      config.market.symbols.length > 0 ? config.market : { ...config.market, symbols: [...facts.symbols] },
  };
}
