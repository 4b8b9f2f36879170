/**
 * The official client's own declarations as a judge: is every field that it declares for an answer there, with the
 * type that it declares? Reads the package's declaration file, as text.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = new URL('index.d.ts', import.meta.resolve('@binance/derivatives-trading-usds-futures'));
const TEXT = readFileSync(fileURLToPath(FILE), 'utf8');

type Declared = ReadonlyMap<string, string>;

const interfaces = new Map<string, Declared>();
const aliases = new Map<string, string>();

for (const [, name, body] of TEXT.matchAll(/^interface ([\w$]+) \{\n([\s\S]*?)^\}/gm))
  if (name !== undefined) interfaces.set(name, fieldsOf(body ?? ''));
for (const [, name, item] of TEXT.matchAll(/^interface ([\w$]+) extends Array<(.+)> \{\}/gm))
  if (name !== undefined) aliases.set(name, `Array<${item}>`);
for (const [, name, type] of TEXT.matchAll(/^type ([\w$]+) = ([\s\S]*?);$/gm))
  if (name !== undefined && type !== undefined && !type.includes('{')) aliases.set(name, type);

function fieldsOf(body: string): Declared {
  const fields = new Map<string, string>();
  for (const [, name, type] of body.matchAll(/^ {2}'?([\w$]+)'?\??: (.*);$/gm))
    if (name !== undefined && type !== undefined) fields.set(name, type);
  return fields;
}

/** Of every REST method, what its answer is declared to be. */
export function restAnswers(): ReadonlyMap<string, string> {
  const start = TEXT.indexOf('\ndeclare class RestAPI {');
  const body = TEXT.slice(start, TEXT.indexOf('\n}', start));
  const found = body.matchAll(/^ {2}(\w+)\(.*\): Promise<RestApiResponse<(.+)>>;$/gm);
  return new Map([...found].map(([, name, type]) => [name ?? '', type ?? '']));
}

/** Of every market or public stream, what its frames are declared to be. */
export function streamFrames(): ReadonlyMap<string, string> {
  const start = TEXT.indexOf('\ndeclare class WebsocketStreamsConnection {');
  const body = TEXT.slice(start, TEXT.indexOf('\n}', start));
  const found = body.matchAll(/^ {2}(\w+)\(.*\): WebsocketStream<(.+)>;$/gm);
  return new Map([...found].map(([, name, type]) => [name ?? '', type ?? '']));
}

export class TypeJudge {
  readonly problems: string[] = [];
  /**
   * "Interface.field", "Interface.*" or "*.field": why it may be missing, or, with a "!" behind it, of another type;
   * "path.Interface": why a list of these may be empty.
   */
  readonly #exceptions: ReadonlyMap<string, string>;
  readonly #used = new Set<string>();

  constructor(exceptions: Readonly<Record<string, string>>) {
    this.#exceptions = new Map(Object.entries(exceptions));
  }

  judge(where: string, type: string, value: unknown): void {
    this.problems.push(...this.#misfits(where, type.trim(), value));
  }

  /** Exceptions that nothing needed: they say what is no longer so. */
  unused(): string[] {
    return [...this.#exceptions.keys()].filter((name) => !this.#used.has(name));
  }

  #misfits(where: string, type: string, value: unknown): string[] {
    const choices = union(type);
    if (choices.length > 1) {
      const each = choices.map((choice) => this.#misfits(where, choice, value));
      return each.reduce((best, one) => (one.length < best.length ? one : best));
    }
    const item = /^Array<(.+)>$/.exec(type)?.[1];
    if (item !== undefined) return this.#misfitItems(where, item, value);
    const alias = aliases.get(type);
    if (alias !== undefined) return this.#misfits(where, alias, value);
    const fields = interfaces.get(type);
    if (fields) return this.#misfitFields(where, type, fields, value);
    return isPlain(type, value) ? [] : [`${where} is ${JSON.stringify(value)}, not ${type}`];
  }

  #misfitItems(where: string, item: string, value: unknown): string[] {
    if (!Array.isArray(value)) return [`${where} is no array`];
    if (value.length === 0) return this.#excused(where, item) ? [] : [`${where} is empty`];
    if (TOGETHER.has(item)) return this.#misfits(`${where}[]`, item, Object.assign({}, ...value));
    return value.flatMap((one) => this.#misfits(`${where}[]`, item, one));
  }

  #misfitFields(where: string, type: string, fields: Declared, value: unknown): string[] {
    if (typeof value !== 'object' || value === null) return [`${where} is no ${type}`];
    const given = value as Readonly<Record<string, unknown>>;
    return [...fields].flatMap(([field, of]) => {
      if (field in given) {
        if (this.#excused(type, `${field}!`)) return [];
        return this.#misfits(`${where}.${field}`, of, given[field]);
      }
      return this.#excused(type, field) ? [] : [`${where}.${field} is missing (${type})`];
    });
  }

  #excused(type: string, field: string): boolean {
    const name = [`${type}.${field}`, `${type}.*`, `*.${field}`].find((one) => this.#exceptions.has(one));
    if (name !== undefined) this.#used.add(name);
    return name !== undefined;
  }
}

/** Declared as one with the fields of every kind: all of an answer's together must have them. */
const TOGETHER = new Set(['ExchangeInformationResponseSymbolsInnerFiltersInner']);

/** Top-level alternatives only: those within Array<…> stay together. */
function union(type: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < type.length; i++) {
    if (type[i] === '<') depth++;
    if (type[i] === '>') depth--;
    if (type[i] === '|' && depth === 0) {
      parts.push(type.slice(start, i).trim());
      start = i + 1;
    }
  }
  return [...parts, type.slice(start).trim()].filter((part) => part !== '');
}

function isPlain(type: string, value: unknown): boolean {
  if (type === 'number' || type === 'bigint') return typeof value === 'number' || typeof value === 'bigint';
  if (type === 'string' || type === 'boolean') return typeof value === type;
  if (type === 'object' || type === 'any') return typeof value === 'object' && value !== null;
  if (type === 'null') return value === null;
  if (type === 'void') return true;
  throw new Error(`the declarations use ${type}, which this judge does not know`);
}
