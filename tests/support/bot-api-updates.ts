/**
 * The updates that wait for a bot: handed out by getUpdates from an offset on and forgotten once a higher offset is
 * asked for, or posted to a webhook until it answers 2xx.
 */
import { ApiRefusal, type ApiUpdate, badRequest } from './bot-api-types.ts';

const LONGEST_POLL_S = 50;
const WEBHOOK_RETRY_MS = 50;

export class UpdateQueue {
  #waiting: ApiUpdate[] = [];
  #nextId = 1_000;
  #poll: { readonly wake: () => void; readonly conflict: () => void } | undefined;
  #webhook: { readonly url: string; readonly secret: string | undefined } | undefined;
  #isPosting = false;
  /** Called when a poll begins to wait. */
  onPoll: () => void = () => {};
  /** Waits of webhook retries and polls, to be ended with the server. */
  readonly #timers = new Set<NodeJS.Timeout>();

  get webhook(): string {
    return this.#webhook?.url ?? '';
  }

  get isPolled(): boolean {
    return this.#poll !== undefined;
  }

  get pending(): number {
    return this.#waiting.length;
  }

  push(content: Omit<ApiUpdate, 'update_id'>): number {
    const update = { update_id: this.#nextId++, ...content };
    this.again(update);
    return update.update_id;
  }

  /** Telegram may deliver an update more than once. */
  again(update: ApiUpdate): void {
    this.#waiting.push(update);
    this.#poll?.wake();
    void this.#post();
  }

  /** Bots that were away long enough lose what waited. */
  drop(): void {
    this.#waiting = [];
  }

  async get(params: Readonly<Record<string, unknown>>, gone: AbortSignal): Promise<ApiUpdate[]> {
    if (this.#webhook) {
      throw new ApiRefusal(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    this.#poll?.conflict();
    const offset = Number(params.offset ?? 0);
    const limit = Math.min(100, Math.max(1, Number(params.limit ?? 100)));
    const timeoutS = Math.min(LONGEST_POLL_S, Number(params.timeout ?? 0));
    if (offset < 0) this.#waiting = this.#waiting.slice(offset);
    else this.#waiting = this.#waiting.filter(({ update_id }) => update_id >= offset);
    if (this.#waiting.length === 0 && timeoutS > 0) await this.#sleep(timeoutS, gone);
    return this.#waiting.slice(0, limit);
  }

  setWebhook(params: Readonly<Record<string, unknown>>): true {
    const url = String(params.url ?? '');
    if (url !== '' && !/^https?:\/\//.test(url))
      throw badRequest('bad webhook: An HTTPS URL must be provided for webhook');
    const secret = params.secret_token === undefined ? undefined : String(params.secret_token);
    if (secret !== undefined && !/^[A-Za-z0-9_-]{1,256}$/.test(secret))
      throw badRequest('secret token contains unallowed characters');
    this.#webhook = url === '' ? undefined : { url, secret };
    if (params.drop_pending_updates === true) this.drop();
    void this.#post();
    return true;
  }

  close(): void {
    this.#webhook = undefined;
    this.#poll?.wake();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #sleep(timeoutS: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        if (this.#poll === poll) this.#poll = undefined;
        clearTimeout(timer);
        this.#timers.delete(timer);
        finish();
      };
      const poll = {
        wake: () => done(resolve),
        conflict: () =>
          done(() =>
            reject(
              new ApiRefusal(
                409,
                'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
              ),
            ),
          ),
      };
      const timer = setTimeout(poll.wake, timeoutS * 1_000);
      this.#timers.add(timer);
      gone.addEventListener('abort', poll.wake, { once: true });
      this.#poll = poll;
      this.onPoll();
    });
  }

  async #post(): Promise<void> {
    if (this.#isPosting) return;
    this.#isPosting = true;
    try {
      for (let update = this.#waiting[0]; update && this.#webhook; update = this.#waiting[0]) {
        if (await this.#delivered(this.#webhook, update))
          this.#waiting = this.#waiting.filter((one) => one !== update);
        else await this.#pause();
      }
    } finally {
      this.#isPosting = false;
    }
  }

  async #delivered(
    { url, secret }: { url: string; secret: string | undefined },
    update: ApiUpdate,
  ): Promise<boolean> {
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': secret }),
        },
        body: JSON.stringify(update),
      });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, WEBHOOK_RETRY_MS);
      this.#timers.add(timer);
    });
  }
}
