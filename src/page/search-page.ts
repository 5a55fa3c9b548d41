import { type About, AskError, type Asker, type Found } from './asker.js';
import { filterOf } from './chosen-filter.js';
import { Controls } from './controls.js';
import { byId } from './element.js';
import type { KeyStore } from './key-store.js';
import { listenToKeys } from './keyboard.js';
import { KnownCollections } from './known-collections.js';
import { openHit } from './open-hit.js';
import { ResultList } from './result-list.js';
import { type State, searchOf, stateOf } from './state.js';
import { cannotAsk, foundWords, lackingWords, problemWords, sizeWords } from './words.js';

/** Hits at first, and further ones each time. */
const HITS = 10;
const MOST_HITS = 200;
/** Until it is said that an answer takes its time. */
const PATIENCE_MS = 400;

/** The page: asks what its address says, and draws what comes. Only the newest question counts. */
export class SearchPage {
  readonly #asker: Asker;
  readonly #keys: KeyStore | undefined;
  readonly #known: KnownCollections;
  readonly #controls: Controls;
  readonly #results: ResultList;
  #asking: AbortController = new AbortController();
  #hits = HITS;
  #collection = '';

  /** `keys`: where the asker's key is kept, if it may want one. */
  constructor(asker: Asker, keys?: KeyStore) {
    this.#asker = asker;
    this.#keys = keys;
    this.#known = new KnownCollections(asker);
    this.#controls = new Controls(() => this.#go());
    this.#results = new ResultList((hit, signal) => openHit(asker, this.#collection, hit, signal));
    listenToKeys(this.#controls.query, this.#results);
    byId('more').addEventListener('click', () => void this.#showMore());
    byId('again').addEventListener('click', () => this.#again());
    byId('unlock').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#unlock();
    });
    addEventListener('popstate', () => void this.show());
    // where it brings up no keyboard that covers half of the screen
    if (matchMedia('(hover: hover)').matches) this.#controls.query.focus();
  }

  /** Shows what the address says, and asks it. */
  async show(): Promise<void> {
    this.#hits = HITS;
    await this.#ask(stateOf(location.search), false);
  }

  /** Takes what is chosen into the address, and asks it. */
  #go(): void {
    const search = searchOf(this.#controls.state());
    // the address of the page itself where nothing is chosen
    if (search !== location.search) history.pushState(null, '', search || location.pathname);
    void this.show();
  }

  #again(): void {
    this.#known.forget();
    void this.show();
    this.#controls.query.focus();
  }

  async #showMore(): Promise<void> {
    const from = this.#results.size;
    this.#hits = Math.min(MOST_HITS, this.#hits + HITS);
    await this.#ask(stateOf(location.search), true);
    this.#results.focus(Math.min(from, this.#results.size - 1));
  }

  async #ask(state: State, isMore: boolean): Promise<void> {
    this.#asking.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const results = byId('results');
    results.setAttribute('aria-busy', 'true');
    byId('problem').hidden = true;
    const late = setTimeout(() => say('Searching …'), PATIENCE_MS);
    try {
      await this.#answer(state, isMore, asking.signal);
    } catch (error) {
      if (!asking.signal.aborted) this.#fail(error);
    } finally {
      clearTimeout(late);
      if (this.#asking === asking) results.removeAttribute('aria-busy');
    }
  }

  async #answer(state: State, isMore: boolean, signal: AbortSignal): Promise<void> {
    const { query } = state;
    const { names, chosen, about } = await this.#known.choose(state.collection, signal);
    byId('unlock').hidden = true;
    if (chosen === undefined) return this.#empty('There are no collections here.');
    this.#collection = chosen;
    this.#controls.draw(state, names, chosen, about);
    document.title = query === '' ? chosen : `${query} – ${chosen}`;
    const problem = cannotAsk(about);
    if (problem !== undefined) return this.#empty(problem);
    if (query === '') return this.#empty(sizeWords(about), true);
    const { hits, note } = await this.#find(state, about, signal);
    const isAll = hits.length < this.#hits;
    const bySource = about.isCut && !state.apart;
    this.#results.draw(hits, about.fields, isMore);
    byId('more').hidden = isAll || this.#hits === MOST_HITS;
    byId('hint').hidden = true;
    say(
      `${foundWords(hits.length, bySource || !about.isCut, isAll, state.choices.size > 0)}${note}`,
    );
  }

  /** Where the encoder is not to be had words are looked for all the same. */
  async #find(
    state: State,
    about: About,
    signal: AbortSignal,
  ): Promise<{ hits: readonly Found[]; note: string }> {
    const chosen = state.mode !== undefined && about.modes.includes(state.mode);
    const options = {
      collection: this.#collection,
      k: this.#hits,
      mode: chosen ? state.mode! : about.modes[0],
      filter: filterOf(about.fields, state.choices),
      bySource: about.isCut && !state.apart,
      texts: about.isCut,
      signal,
    };
    try {
      const hits = await this.#asker.ask(state.query, options);
      signal.throwIfAborted();
      return { hits, note: '' };
    } catch (error) {
      const isLacking = error instanceof AskError && error.problem === 'lacking';
      if (!isLacking || chosen || !about.modes.includes('keywords')) throw error;
      const hits = await this.#asker.ask(state.query, { ...options, mode: 'keywords' });
      signal.throwIfAborted();
      return { hits, note: ` ${lackingWords(error)}` };
    }
  }

  /** No hits, and why. */
  #empty(text: string, hint = false): void {
    this.#results.draw([], [], false);
    byId('more').hidden = true;
    byId('hint').hidden = !hint;
    say(text);
  }

  #fail(error: unknown): void {
    this.#empty('');
    if (this.#keys && error instanceof AskError && error.problem === 'key') {
      byId('key-said').textContent = this.#keys.key === undefined ? '' : 'This key is not right.';
      this.#keys.forget();
      byId('unlock').hidden = false;
      byId('key').focus();
      return;
    }
    byId('problem').hidden = false;
    byId('problem-text').textContent = problemWords(error);
  }

  #unlock(): void {
    const input = byId<HTMLInputElement>('key');
    const taken = this.#keys?.take(input.value);
    byId('key-said').textContent = taken ? '' : 'A key has letters, digits and signs.';
    if (!taken) return;
    input.value = '';
    void this.show();
    this.#controls.query.focus();
  }
}

/** Tells who sees and who listens. */
function say(text: string): void {
  byId('status').textContent = text;
}
