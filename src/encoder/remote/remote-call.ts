import { abortable, anyAbort } from '../../abortable.js';
import { invalidArgument, LemurError, unsupported } from '../../errors.js';
import type { ResolvedRemoteOptions } from './remote-options.js';

/** Statuses that mean: later. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A service that wants to be left alone for longer is told of, not waited for. */
const MOST_PATIENCE_MS = 5 * 60_000;
/** Of an answer, so that one that never ends does not fill the memory. */
const MOST_BYTES = 2 ** 28;
/** Of what a service says was wrong. */
const MOST_SAID = 200;

/** A try that may go better later; the time that the service asked for. */
interface Failed {
  readonly problem: string;
  readonly cause?: unknown;
  readonly afterMs: number | undefined;
}

/** Asks a service, no faster than it may be asked, and again where it could not answer. */
export class RemoteCalls {
  readonly #options: ResolvedRemoteOptions;
  readonly #address: string;
  /** No request is begun before. */
  #next = 0;

  constructor(options: ResolvedRemoteOptions, path: string) {
    this.#options = options;
    this.#address = `${options.url}${path}`;
  }

  /**
   * The answer to a request. Rejects with 'offline' (nobody there, or too busy, as often as it was
   * tried), 'invalid-argument' (refused), 'unsupported' (no JSON), or the signal's reason.
   */
  async post(body: object, signal: AbortSignal): Promise<unknown> {
    const text = JSON.stringify(body);
    const { maxRetries } = this.#options;
    for (let tries = 0; ; tries++) {
      await this.#turn(signal);
      const answer = await this.#try(text, signal);
      if (!('problem' in answer)) return answer.value;
      const { problem, cause, afterMs = backOff(tries) } = answer;
      if (tries >= maxRetries || afterMs > MOST_PATIENCE_MS) {
        const often = tries > 0 ? `, tried ${tries + 1} times` : '';
        const when =
          afterMs > MOST_PATIENCE_MS ? `; it asks for ${Math.round(afterMs / 1000)} s` : '';
        const message = `${this.#address}: ${problem}${often}${when}`;
        throw new LemurError('offline', message, { where: this.#address }, { cause });
      }
      // what is too much for it is too much from the others here as well
      if (answer.afterMs !== undefined)
        this.#next = Math.max(this.#next, performance.now() + afterMs);
      else await wait(afterMs, signal);
    }
  }

  /** Waits until another request may be begun. */
  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const gap = 60_000 / this.#options.requestsPerMinute;
    const begins = Math.max(this.#next, performance.now());
    this.#next = begins + gap;
    await wait(begins - performance.now(), signal);
  }

  async #try(body: string, signal: AbortSignal): Promise<{ value: unknown } | Failed> {
    const { fetch, headers, timeoutMs } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    const either = anyAbort([signal, late.signal]);
    try {
      const response = await fetch(this.#address, {
        method: 'POST',
        headers,
        body,
        signal: either.signal,
        // a key goes to nobody else
        redirect: 'error',
      });
      const text = await abortable(this.#read(response), either.signal);
      if (response.ok) return { value: this.#parsed(text) };
      if (!LATER.has(response.status)) throw this.#refused(response.status, text);
      const afterMs = retryAfter(response.headers.get('retry-after'));
      return { problem: `status ${response.status}${this.#said(text)}`, afterMs };
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof LemurError) throw cause;
      const problem = late.signal.aborted ? `no answer within ${timeoutMs} ms` : 'nobody answers';
      return { problem, cause, afterMs: undefined };
    } finally {
      clearTimeout(timer);
      either.end();
    }
  }

  async #read(response: Response): Promise<string> {
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    let [text, bytes] = ['', 0];
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done || !value) return text + decoder.decode();
      bytes += value.length;
      if (bytes > MOST_BYTES) {
        await reader?.cancel();
        throw unsupported(this.#address, `an answer of more than ${MOST_BYTES} bytes`);
      }
      text += decoder.decode(value, { stream: true });
    }
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      // what JSON.parse says quotes the answer, which may repeat the key
      throw unsupported(this.#address, 'its answer is not JSON');
    }
  }

  #refused(status: number, text: string): LemurError {
    const advice = status === 401 || status === 403 ? ' (apiKey)' : '';
    return invalidArgument(
      this.#address,
      `refused with status ${status}${advice}${this.#said(text)}`,
    );
  }

  /** The beginning of what the service says, without the key, which it may repeat. */
  #said(text: string): string {
    const { apiKey } = this.#options;
    const without = apiKey ? text.replaceAll(apiKey, '…') : text;
    const line = without.replace(/\s+/g, ' ').trim();
    return line === '' ? '' : `: ${line.slice(0, MOST_SAID)}`;
  }
}

/** Twice as long each time, by chance up to a quarter less, so that many do not come at once. */
function backOff(tries: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);
  return longest * (1 - Math.random() / 4);
}

/** Milliseconds, of seconds or of a date; undefined where neither is said. */
export function retryAfter(value: string | null, now: number = Date.now()): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return abortable(waited, signal).finally(() => clearTimeout(timer));
}
