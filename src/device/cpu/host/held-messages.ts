import type { ToWorker } from '../protocol.js';

/**
 * Messages that workers need not hear of before the next job: they go with it, as one. A search
 * makes and frees a dozen tensors, and each message of its own would wake every worker.
 */
export class HeldMessages {
  readonly #post: (message: ToWorker) => void;
  #messages: ToWorker[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(post: (message: ToWorker) => void) {
    this.#post = post;
  }

  add(message: ToWorker): void {
    this.#messages.push(message);
    // without a next job workers would keep alive what was freed
    if (message.type === 'free') this.#timer ??= setTimeout(() => this.send(), 0);
  }

  send(): void {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    this.clear();
    this.#post({ type: 'several', messages });
  }

  /** Forgets them. */
  clear(): void {
    this.#messages = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
