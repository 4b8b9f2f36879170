/**
 * Structured logs, to standard error. The home of pino.
 *
 * Invariants: a line never holds a secret: values under secret-looking names are starred out at any depth, and
 * every registered secret is starred out wherever it turns up, in messages and errors too. Logging never throws.
 */
import pino from 'pino';
import { redact, redactText, SHORTEST_SECRET } from './redact.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each of its lines, e.g. the actor. */
  with(fields: LogFields): Logger;
}

/** The one that all others come from. */
export interface RootLogger extends Logger {
  /** Of every logger that comes from it, too. */
  setLevel(level: LogLevel): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly output: { write(text: string): unknown };
  /** Lines for eyes instead of JSON. */
  readonly pretty: boolean;
  /** Hears every line as JSON, redacted, whatever its form at the output. */
  readonly tap?: (line: string) => void;
  /** Values that must never be written, e.g. the database's URL; more may be added while it writes. */
  readonly secrets?: Iterable<string | undefined>;
  /** Epoch ms. */
  readonly now: () => number;
}

export function createLogger(options: LoggerOptions): RootLogger {
  const sink = options.pretty ? prettySink(options.output) : options.output;
  const base = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"at":"${new Date(options.now()).toISOString()}"`,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (text: string) => {
        sink.write(text);
        options.tap?.(text);
      },
    },
  );
  return new RedactingLogger(base, options.secrets ?? [], {});
}

type Level = Exclude<LogLevel, 'silent'>;

class RedactingLogger implements RootLogger {
  readonly #pino: pino.Logger;
  readonly #secrets: Iterable<string | undefined>;
  readonly #fields: LogFields;

  constructor(base: pino.Logger, secrets: Iterable<string | undefined>, fields: LogFields) {
    this.#pino = base;
    this.#secrets = secrets;
    this.#fields = fields;
  }

  trace = (message: string, fields?: LogFields): void => this.#log('trace', message, fields);
  debug = (message: string, fields?: LogFields): void => this.#log('debug', message, fields);
  info = (message: string, fields?: LogFields): void => this.#log('info', message, fields);
  warn = (message: string, fields?: LogFields): void => this.#log('warn', message, fields);
  error = (message: string, fields?: LogFields): void => this.#log('error', message, fields);

  setLevel(level: LogLevel): void {
    this.#pino.level = level;
  }

  with(fields: LogFields): Logger {
    return new RedactingLogger(this.#pino, this.#secrets, { ...this.#fields, ...fields });
  }

  #log(level: Level, message: string, fields: LogFields | undefined): void {
    if (!this.#pino.isLevelEnabled(level)) return;
    const secrets = [...this.#secrets].filter(
      (value): value is string => value !== undefined && value.length >= SHORTEST_SECRET,
    );
    try {
      const all = redact({ ...this.#fields, ...fields }, secrets) as LogFields;
      this.#pino[level](all, redactText(message, secrets));
    } catch (error) {
      this.#pino[level]({ logFailed: redactText(String(error), secrets) }, redactText(message, secrets));
    }
  }
}

/** "12:30:05 warn  stop refused  actor=position/BTCUSDT/BOTH/1 code=-2021" */
function prettySink(output: LoggerOptions['output']): LoggerOptions['output'] {
  return {
    write(line) {
      const { level, at, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const pairs = Object.entries(fields).map(([name, value]) => `${name}=${prettyValue(value)}`);
      const parts = [String(at).slice(11, 19), String(level).padEnd(5), String(message), '', ...pairs];
      return output.write(`${parts.join(' ').trimEnd()}\n`);
    },
  };
}

const prettyValue = (value: unknown): string =>
  typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value);

/** For tests and commands without a log. */
export const SILENT: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => SILENT,
};
