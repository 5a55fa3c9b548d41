import type { SearchMode } from '../collection/options/options.js';

/** What is chosen of a field: values of it, or a range as it was typed. */
export interface Choice {
  readonly values: readonly string[];
  readonly from: string;
  readonly to: string;
}

/** All that an address of the page says. */
export interface State {
  readonly query: string;
  /** undefined: the first one. */
  readonly collection: string | undefined;
  /** undefined: the best one that there is. */
  readonly mode: SearchMode | undefined;
  /** Whether passages of one document stay apart. */
  readonly apart: boolean;
  readonly choices: ReadonlyMap<string, Choice>;
}

const MODES: readonly string[] = ['meaning', 'keywords', 'hybrid'];
const NOTHING: Choice = { values: [], from: '', to: '' };

/** Reads `?q=…&in=…&mode=…&apart=1&is.lang=en&from.year=2000&to.year=2010`. */
export function stateOf(search: string): State {
  const params = new URLSearchParams(search);
  const choices = new Map<string, Choice>();
  for (const [name, value] of params) {
    const [, kind, path] = /^(is|from|to)\.(.+)$/s.exec(name) ?? [];
    if (path === undefined) continue;
    const choice = choices.get(path) ?? NOTHING;
    const values = kind === 'is' ? [...choice.values, value] : choice.values;
    choices.set(path, { ...choice, values, ...(kind !== 'is' && { [kind]: value }) });
  }
  const mode = params.get('mode') ?? '';
  return {
    query: params.get('q') ?? '',
    collection: params.get('in') ?? undefined,
    mode: MODES.includes(mode) ? (mode as SearchMode) : undefined,
    apart: params.get('apart') === '1',
    choices,
  };
}

/** The address of a state, from its `?` on; the empty text for the one that says nothing. */
export function searchOf({ query, collection, mode, apart, choices }: State): string {
  const params = new URLSearchParams();
  if (query !== '') params.set('q', query);
  if (collection !== undefined) params.set('in', collection);
  if (mode !== undefined) params.set('mode', mode);
  if (apart) params.set('apart', '1');
  for (const [path, { values, from, to }] of choices) {
    for (const value of values) params.append(`is.${path}`, value);
    if (from !== '') params.set(`from.${path}`, from);
    if (to !== '') params.set(`to.${path}`, to);
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
