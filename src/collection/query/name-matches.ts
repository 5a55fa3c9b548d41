/** Names as keywords know them: letters and digits, with signs between, and `C++` and `C#`. */
const NAMES =
  /[\p{L}\p{N}\p{M}]{1,128}(?:[_.:/@\\-]{1,2}[\p{L}\p{N}\p{M}]{1,128}){0,16}(?:\+\+|#)?/gu;
/** What a plain word does not have: a digit, a sign, capitals within or side by side. */
const SPECIAL = /\p{N}|[_.:/@\\+#]|\p{Ll}\p{Lu}|\p{Lu}{2}/u;
/** Characters of a query that are looked through, names of it, and their places in a text. */
const MOST_QUERY = 65_536;
const MOST_NAMES = 64;
const MOST_PLACES = 1024;

/**
 * Where names of a query (`ERR_MODULE_NOT_FOUND`, `v1.2.3`, `getUserById`) stand in a text, whole,
 * in capitals or not: [start, end) in UTF-16 code units, in order. Plain words are none.
 */
export function nameMatches(text: string, query: string): [start: number, end: number][] {
  const names = new Set<string>();
  for (const [name] of query.slice(0, MOST_QUERY).matchAll(NAMES))
    if (SPECIAL.test(name) && names.size < MOST_NAMES) names.add(name);
  if (names.size === 0) return [];
  // the longest first: of two that begin alike it is the one that is there
  const any = [...names].sort((a, b) => b.length - a.length).map(escaped);
  const pattern = `(?<![\\p{L}\\p{N}\\p{M}])(?:${any.join('|')})(?![\\p{L}\\p{N}\\p{M}])`;
  const found: [number, number][] = [];
  for (const { 0: name, index } of text.matchAll(new RegExp(pattern, 'giu'))) {
    found.push([index, index + name.length]);
    if (found.length === MOST_PLACES) break;
  }
  return found;
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
