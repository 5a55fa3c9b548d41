import type { About, Found } from './asker.js';
import { byId } from './element.js';
import { type DrawnHit, drawHit } from './hits.js';

/** Puts what a hit is about into it when it is opened. */
export type OpenHit = (hit: DrawnHit, signal: AbortSignal) => Promise<void>;

/** The hits, one of which may have the keyboard, and any of which may be open. */
export class ResultList {
  readonly #list: HTMLElement = byId('hits');
  readonly #open: OpenHit;
  /** Stops what is being opened. */
  readonly #opening = new WeakMap<DrawnHit, AbortController>();
  #hits: DrawnHit[] = [];

  constructor(open: OpenHit) {
    this.#open = open;
  }

  get size(): number {
    return this.#hits.length;
  }

  /** Shows hits in place of those that were there; `isMore`: those that were stay as they are. */
  draw(hits: readonly Found[], fields: About['fields'], isMore: boolean): void {
    const differing = this.#hits.findIndex(({ hit }, i) => idOf(hit) !== idOf(hits[i]));
    const same = differing < 0 ? this.#hits.length : differing;
    const staying = isMore ? this.#hits.slice(0, same) : [];
    for (const drawn of this.#hits.slice(staying.length)) this.#opening.get(drawn)?.abort();
    const coming = hits.slice(staying.length).map((hit, i) => {
      const drawn = drawHit(hit, staying.length + i, fields);
      drawn.button.addEventListener('click', () => this.#toggle(drawn));
      return drawn;
    });
    for (const { item } of this.#hits.slice(staying.length)) item.remove();
    this.#list.append(...coming.map(({ item }) => item));
    this.#hits = [...staying, ...coming];
  }

  /** Gives the keyboard to a hit. */
  focus(number: number): boolean {
    const hit = this.#hits[number];
    hit?.button.focus();
    return hit !== undefined;
  }

  focusLast(): boolean {
    return this.focus(this.#hits.length - 1);
  }

  /** The number of the hit that has the keyboard, or within which something has; -1: none. */
  get focused(): number {
    return this.#hits.findIndex(({ item }) => item.contains(document.activeElement));
  }

  /** Whether there was something to close in the hit that has the keyboard. */
  close(): boolean {
    const hit = this.#hits[this.focused];
    if (!hit || hit.whole.hidden) return false;
    this.#toggle(hit);
    hit.button.focus();
    return true;
  }

  #toggle(drawn: DrawnHit): void {
    const { item, button, whole } = drawn;
    this.#opening.get(drawn)?.abort();
    const opens = Boolean(whole.hidden);
    whole.hidden = !opens;
    item.classList.toggle('open', opens);
    button.setAttribute('aria-expanded', String(opens));
    if (!opens || whole.childElementCount > 0) return;
    const stop = new AbortController();
    this.#opening.set(drawn, stop);
    void this.#open(drawn, stop.signal);
  }
}

function idOf(hit: Found | undefined): string | undefined {
  return hit?.passage?.id ?? hit?.id;
}
