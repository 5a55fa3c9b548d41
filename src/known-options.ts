import { LemurError } from './errors.js';
import { describeKind } from './value-kind.js';

/**
 * Every name that an options object of type O may have; the compiler finds an option that is
 * missing.
 */
export type OptionNames<O> = { readonly [N in keyof O]-?: true };

/** What options of these meanings are called elsewhere, by their letters alone. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  k: ['topk', 'topn', 'limit', 'n', 'nresults', 'numresults', 'count', 'size'],
  numCandidates: ['nprobe', 'ef', 'efsearch', 'oversampling'],
  filter: ['where'],
  include: ['fields', 'select', 'outputfields', 'withpayload'],
  mode: ['searchtype', 'querytype', 'type'],
  groupBy: ['collapse', 'distinct'],
  exact: ['bruteforce', 'flat'],
  onExisting: ['upsert', 'overwrite', 'replace'],
  signal: ['abort', 'controller'],
  onProgress: ['progress', 'callback', 'verbose'],
  passages: ['chunks', 'chunking', 'splitter'],
  size: ['chunksize', 'maxtokens'],
  overlap: ['chunkoverlap', 'stride'],
  encoder: ['model', 'embedder', 'embeddings', 'embeddingfunction'],
  precision: ['dtype', 'quantization', 'bits'],
  threads: ['workers', 'concurrency'],
};
/** Of a longer name no more is compared. */
const LONGEST = 64;
/** Names that differ in more of their characters are not like each other. */
const UNLIKE = 0.75;

/**
 * Refuses what is no options object, names that are not known (also where their value is undefined:
 * somebody meant something by them), and a signal or `onProgress` that is none. `where` names the
 * call. Raises 'invalid-argument' with the closest known name.
 */
export function checkOptions(
  options: unknown,
  known: Readonly<Record<string, true>>,
  where: string,
): void {
  if (!isOptions(options))
    throw invalid(
      where,
      `options: expected an object ${shown(known)}, got ${describeKind(options)}`,
      where,
    );
  for (const name in options)
    if (!Object.hasOwn(known, name)) throw unknownOption(name, Object.keys(known), where);
  const { signal, onProgress } = options;
  if (signal !== undefined && signal !== null && !isSignal(signal))
    throw invalid(where, `signal: expected an AbortSignal, got ${describeKind(signal)}`, 'signal');
  if (onProgress !== undefined && onProgress !== null && typeof onProgress !== 'function')
    throw invalid(
      where,
      `onProgress: expected a function, got ${describeKind(onProgress)}`,
      'onProgress',
    );
}

/**
 * The one of `names` that is most like `name`; undefined: none is, more than the share `unlike` of
 * the characters is another. Capitals, dashes and underscores do not count.
 */
export function closestName(
  name: string,
  names: readonly string[],
  unlike: number = UNLIKE,
): string | undefined {
  const wanted = letters(name);
  let [closest, least]: [string | undefined, number] = [undefined, unlike];
  for (const candidate of names) {
    const other = letters(candidate);
    const share = editDistance(wanted, other) / Math.max(wanted.length, other.length, 1);
    if (share < least || (share === least && closest === undefined))
      [closest, least] = [candidate, share];
  }
  return closest;
}

/**
 * Objects that somebody made to hold options, not those of other kinds: a Map has names too, but
 * none that would be found.
 */
function isOptions(options: unknown): options is Record<string, unknown> {
  return (
    typeof options === 'object' &&
    options !== null &&
    /^\[object (Object|Module)\]$/.test(Object.prototype.toString.call(options))
  );
}

/** By what it does: those of other realms are no instances of this one's. */
function isSignal(value: unknown): boolean {
  const { aborted, addEventListener, throwIfAborted } = Object(value) as Partial<AbortSignal>;
  return (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof throwIfAborted === 'function'
  );
}

function unknownOption(name: string, known: readonly string[], where: string): LemurError {
  const closest = calledElsewhere(name, known) ?? closestName(name, known);
  const all = known.length === 0 ? 'it takes none' : `the options are ${known.join(', ')}`;
  const hint = closest === undefined ? '' : `; did you mean '${closest}'?`;
  const cut = name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name;
  return invalid(where, `unknown option '${cut}'; ${all}${hint}`, cut);
}

/** The known option that has the meaning of this name in other libraries. */
function calledElsewhere(name: string, known: readonly string[]): string | undefined {
  const wanted = letters(name);
  // what is nearly an option's own name is that one
  if (closestName(name, known, 0.25) !== undefined) return undefined;
  return known.find((option) => ELSEWHERE[option]?.includes(wanted));
}

function shown(known: Readonly<Record<string, true>>): string {
  const names = Object.keys(known);
  return names.length === 0 ? 'without any' : `such as { ${names[0]}: ... }`;
}

function invalid(where: string, problem: string, field: string): LemurError {
  return new LemurError('invalid-argument', `${where}: ${problem}`, { where: field });
}

function letters(name: string): string {
  return name.slice(0, LONGEST).toLowerCase().replace(/[-_]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours that make one of the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length];
}
