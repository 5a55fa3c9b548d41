import type { Field } from '../collection/query/describe-fields.js';
import type { About, Asker } from './asker.js';

/** What there is, and what of it is asked; `chosen` is undefined where there is nothing. */
export type Chosen =
  | { readonly names: readonly string[]; readonly chosen: string; readonly about: About }
  | { readonly names: readonly string[]; readonly chosen: undefined; readonly about: undefined };

/** Paths of the metadata that a hit is titled and placed by. */
const SHOWN: readonly string[] = ['title', 'path', 'url'];

/** Collections and what is known of them, asked for once. */
export class KnownCollections {
  readonly #asker: Asker;
  readonly #abouts = new Map<string, About>();
  #names: readonly string[] | undefined;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** The collection of a name; the first one where there is none of it. */
  async choose(name: string | undefined, signal: AbortSignal): Promise<Chosen> {
    const names = this.#names ?? (await this.#asker.collections(signal));
    signal.throwIfAborted();
    this.#names = names;
    const chosen = name !== undefined && names.includes(name) ? name : names[0];
    if (chosen === undefined) return { names, chosen, about: undefined };
    const known = this.#abouts.get(chosen);
    if (known) return { names, chosen, about: known };
    const whole = await this.#asker.about(chosen, signal);
    signal.throwIfAborted();
    const about = { ...whole, fields: whole.fields.filter(isUseful) };
    // documents may come to an empty one at any time
    if (about.documents > 0) this.#abouts.set(chosen, about);
    return { names, chosen, about };
  }

  forget(): void {
    this.#names = undefined;
    this.#abouts.clear();
  }
}

/** Whether documents may differ there, but for what each hit shows of itself. */
function isUseful(field: Field): boolean {
  if (SHOWN.includes(field.path)) return false;
  switch (field.type) {
    case 'number':
      return field.min < field.max;
    case 'date':
      return field.min.slice(0, 10) < field.max.slice(0, 10);
    case 'string':
      return field.values.length > 1;
    case 'boolean':
      return true;
  }
}
