/** The configuration as it may be shown to anybody: secrets are no keys, and what still looks like one is starred out. */
import type { Json } from '../core/json.ts';
import { redact } from '../core/redact.ts';
import type { Config } from './schema.ts';

export const configForShow = (config: Config): Json => redact(config, []) as Json;
