import type { SearchMode } from '../collection/options/options.js';
import type { About } from './asker.js';
import { byId, element } from './element.js';
import { type DrawnFields, drawFields } from './filter-fields.js';
import { type State, searchOf, stateOf } from './state.js';
import { MODE_NAMES } from './words.js';

/** Beside the hits there is room for filters. */
const WIDE = '(min-width: 60rem)';

/** All by which a question is asked: the box, the ways, the collection, the filters. */
export class Controls {
  readonly query: HTMLInputElement = byId('query');
  readonly #collection: HTMLSelectElement = byId('collection');
  readonly #modes: HTMLElement = byId('modes');
  readonly #grouped: HTMLInputElement = byId('grouped');
  readonly #filters: HTMLDetailsElement = byId('filters');
  readonly #clear: HTMLButtonElement = byId('clear');
  #fields: DrawnFields = drawFields([], new Map());
  #names: readonly string[] = [];

  #drawn: About | undefined;

  /** `changed`: the question was asked, or something else was chosen. */
  constructor(changed: () => void) {
    for (const id of ['ask', 'fields'])
      byId(id).addEventListener('submit', (event) => {
        event.preventDefault();
        changed();
      });
    for (const id of ['collection', 'modes', 'grouped', 'fields'])
      byId(id).addEventListener('change', changed);
    this.#clear.addEventListener('click', () => {
      this.#drawFields(this.#drawn?.fields ?? [], new Map());
      changed();
      this.query.focus();
    });
    const wide = matchMedia(WIDE);
    const fold = (): void => {
      this.#filters.open = wide.matches;
    };
    wide.addEventListener('change', fold);
    fold();
  }

  /** What is chosen now. */
  state(): State {
    const query = this.query.value.trim();
    // before it is known what can be chosen it is what the address says
    if (!this.#drawn) return { ...stateOf(location.search), query };
    const mode = this.#modes.querySelector<HTMLInputElement>('input:checked')?.value;
    const { value: collection } = this.#collection;
    return {
      query,
      // what is so without being said is not said
      collection: collection === this.#names[0] ? undefined : collection,
      mode: mode === this.#drawn.modes[0] ? undefined : (mode as SearchMode | undefined),
      apart: !this.#grouped.checked,
      choices: this.#fields.choices(),
    };
  }

  /** Shows a state of a collection. What shows it already stays, with the keyboard in it. */
  draw(state: State, names: readonly string[], chosen: string, about: About): void {
    if (names !== this.#names) {
      this.#names = names;
      this.#collection.replaceChildren(...names.map((name) => element('option', {}, name)));
      byId('choose').hidden = names.length < 2;
      byId('name').textContent = names.length < 2 ? chosen : 'Search';
    }
    this.#collection.value = chosen;
    if (about !== this.#drawn || searchOf(state) !== searchOf(this.state())) {
      this.#drawn = about;
      this.query.value = state.query;
      this.#grouped.checked = !state.apart;
      byId('grouping').hidden = !about.isCut;
      this.#drawModes(about.modes, state.mode);
      this.#drawFields(about.fields, state.choices);
    }
    this.#clear.hidden = this.#fields.choices().size === 0;
  }

  #drawModes(modes: readonly SearchMode[], chosen: SearchMode | undefined): void {
    const checked = chosen !== undefined && modes.includes(chosen) ? chosen : modes[0];
    const [legend] = this.#modes.children;
    const labels = modes.map((mode) => {
      const box = element('input', { type: 'radio', name: 'mode', value: mode });
      box.checked = mode === checked;
      return element('label', {}, box, element('span', {}, MODE_NAMES[mode]));
    });
    this.#modes.replaceChildren(legend, ...labels);
    this.#modes.hidden = modes.length < 2;
  }

  #drawFields(fields: About['fields'], choices: State['choices']): void {
    this.#fields = drawFields(fields, choices);
    byId('fields').replaceChildren(...this.#fields.nodes);
    byId('aside').hidden = this.#fields.nodes.length === 0;
  }
}
