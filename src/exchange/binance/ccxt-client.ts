/**
 * ccxt's binanceusdm as one thing: it signs a request and carries it, once. What comes back is the answer, or a
 * VenueFailure that says all that is known.
 *
 * ccxt is used below its unified calls, whose traps do not touch us here: its retries, its rate limiter, its time-out
 * that forgets the body, its error classes (which depend on the URL and drop status and code), its floats.
 * Only the one file is imported (a quarter of a second; all of ccxt takes over one).
 *
 * Invariants: parameters reach the wire as given, numbers as exact text; ids beyond 2^53 come back exact; no error
 * says a URL, a signature, a key or a body that could echo one.
 */
import type { binanceusdm } from 'ccxt';
import { BulkheadError } from '../../core/errors.ts';
import { redactText } from '../../core/redact.ts';
import { failedBeforeSending, neverSent, VenueFailure } from '../call-outcome.ts';
import { LONGEST_REASON, readAnswer } from '../venue-answer.ts';
import type {
  Api,
  Method,
  VenueAnswer,
  VenueClient,
  VenueClientOptions,
  VenueRequest,
  WireParams,
} from '../venue-client.ts';

/** What undici answers, in the shape that ccxt makes of it. */
interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: () => Promise<string>;
}

const USER_AGENT = 'bulkhead';
let loading: Promise<typeof binanceusdm> | undefined;

/** The package exports only its whole; its single file is found beside it. */
function loadBinance(): Promise<typeof binanceusdm> {
  loading ??= import(new URL('src/binanceusdm.js', import.meta.resolve('ccxt')).href).then(
    (module) => (module as { default: typeof binanceusdm }).default,
  );
  return loading;
}

export async function openVenueClient(options: VenueClientOptions): Promise<VenueClient> {
  const Binance = await loadBinance();
  class Signer extends Binance {
    override nonce(): number {
      return options.venueNow();
    }
  }
  const signer = new Signer({
    apiKey: options.apiKey,
    secret: options.apiSecret,
    enableRateLimit: false,
    options: { recvWindow: options.recvWindowMs },
  });
  if (options.origin !== undefined) redirect(signer, options.origin);
  await signer.loadFetchImplementation();
  if (signer.undiciModule === undefined)
    throw new BulkheadError('INTERNAL', 'ccxt found no undici to carry its requests.', {
      hint: 'Run "npm ci" again.',
    });
  return new CcxtClient(signer, [options.apiKey, options.apiSecret]);
}

function redirect(signer: binanceusdm, origin: string): void {
  const api = signer.urls.api as Record<string, string>;
  for (const [name, url] of Object.entries(api)) {
    if (typeof url === 'string') api[name] = origin + new URL(url).pathname;
  }
}

class CcxtClient implements VenueClient {
  readonly #signer: binanceusdm;
  readonly #secrets: readonly string[];

  constructor(signer: binanceusdm, secrets: readonly string[]) {
    this.#signer = signer;
    this.#secrets = secrets.filter((secret) => secret.length > 0);
  }

  async send(
    { api, path, method, params }: VenueRequest,
    signal: AbortSignal,
    onHeaders?: (headers: VenueAnswer['headers']) => void,
  ): Promise<VenueAnswer> {
    if (signal.aborted) throw neverSent('the time for it had run out');
    const raw = await this.#carry(this.#sign(api, path, method, params), signal);
    const headers = lowerCase(raw.headers);
    onHeaders?.(headers);
    let body: string;
    try {
      body = await raw.text();
    } catch (error) {
      throw new VenueFailure(`HTTP ${raw.status} with a body that broke off: ${this.#say(error)}`, {
        sent: true,
        http: raw.status,
        cause: error,
      });
    }
    const parse = (text: string): unknown => this.#signer.parseJson(text);
    return { value: readAnswer({ http: raw.status, headers, body }, parse, this.#secrets), headers };
  }

  async close(): Promise<void> {
    await this.#signer.fetchDispatcher?.destroy();
  }

  #sign(api: Api, path: string, method: Method, params: WireParams): SignedRequest {
    try {
      // A copy: ccxt may add to what it is given.
      return this.#signer.sign(path, api, method, { ...params }) as SignedRequest;
    } catch (error) {
      throw neverSent(`could not be signed: ${this.#say(error)}`);
    }
  }

  async #carry({ url, method, headers, body }: SignedRequest, signal: AbortSignal): Promise<RawAnswer> {
    try {
      return (await this.#signer.undiciRequest(url, {
        method,
        headers: { 'User-Agent': USER_AGENT, ...headers },
        body,
        signal,
        dispatcher: this.#signer.fetchDispatcher,
      })) as RawAnswer;
    } catch (error) {
      const sent = !failedBeforeSending(error);
      throw new VenueFailure(sent ? `no answer: ${this.#say(error)}` : `no connection: ${this.#say(error)}`, {
        sent,
        cause: error,
      });
    }
  }

  /** An error's own words. ccxt puts URLs with signatures into its messages; undici and node do not. */
  #say(error: unknown): string {
    if (!(error instanceof Error)) return 'not an error';
    const code = (error as { code?: unknown }).code;
    const text = /https?:\/\//.test(error.message) ? error.name : error.message;
    const said = text === '' && typeof code === 'string' ? code : text;
    return redactText(said, this.#secrets).slice(0, LONGEST_REASON);
  }
}

interface SignedRequest {
  readonly url: string;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly body: string | undefined;
}

function lowerCase(headers: RawAnswer['headers']): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined)
      result[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ');
  }
  return result;
}
