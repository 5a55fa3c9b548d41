import type { TensorNews, ToWorker } from '../protocol.js';

/**
 * What workers need not hear of before the next job, and hear of with it: a search makes and frees
 * a dozen tensors, and each message of its own would wake every worker. Of tensors in the kernels'
 * memory they are told by two numbers.
 */
export class HeldMessages {
  readonly #send: () => void;
  #news: { made: number[]; freed: number[]; others: ToWorker[] } = {
    made: [],
    freed: [],
    others: [],
  };
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` is called where no job comes in time: it takes them. */
  constructor(send: () => void) {
    this.#send = send;
  }

  add(message: ToWorker): void {
    const { made, freed, others } = this.#news;
    if (message.type === 'free') {
      freed.push(message.id);
      // without a next job workers would keep alive what was freed
      this.#timer ??= setTimeout(this.#send, 0);
    } else if (message.type === 'tensor' && message.location.kind === 'memory' && !message.zero)
      made.push(message.tensor.id, message.location.address);
    else others.push(message);
  }

  /** Those that are held, to be sent by the caller; null: none. */
  take(): TensorNews | null {
    const news = this.#news;
    this.clear();
    return news.made.length + news.freed.length + news.others.length > 0 ? news : null;
  }

  /** Forgets them. */
  clear(): void {
    this.#news = { made: [], freed: [], others: [] };
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
