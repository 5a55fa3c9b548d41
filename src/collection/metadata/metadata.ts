import { invalidArgument, type LemurError } from '../../errors.js';
import { describeValue, isPlainObject, MOST_LEVELS, memberOf } from './describe-value.js';

/**
 * A JSON object that a document carries beside its text, nested as one likes. `any`, so that
 * interfaces are accepted too, which have no index signature; what the values may be is said, and
 * held to, by `checkMetadata`.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Metadata = { readonly [key: string]: any };

/** Values that metadata may have: properties of objects and items of arrays, on all levels. */
export const MOST_VALUES = 65_536;
/** Characters (UTF-16 code units) that all its keys and strings may have together. */
export const MOST_CHARACTERS: number = 2 ** 22;

/**
 * The metadata as it will be stored: a copy, equal to what its JSON text gives when it is parsed.
 * Properties that are undefined are left out, -0 is 0, and half a surrogate pair in a string (a
 * text cut within an emoji) is U+FFFD, as in every text written as UTF-8. Raises
 * 'invalid-argument', which names the place, for all that JSON does not have: undefined in an
 * array, NaN, infinities, bigints, symbols, functions, dates and other objects of classes, cycles;
 * for more than 32 levels of objects and arrays, 65,536 values, or 2^22 characters of keys and
 * strings in all; and for half a pair in a key.
 */
export function checkMetadata(value: unknown, where: string): Metadata {
  const root: Place = { within: undefined, key: where };
  if (!isPlainObject(value))
    throw invalid(root, `expected an object of JSON values, got ${describeValue(value)}`);
  return checked(value, root, [], { values: MOST_VALUES, characters: MOST_CHARACTERS }) as Metadata;
}

/** Half of a surrogate pair. */
const HALVES = /[\ud800-\udfff]/gu;

/** A string as its UTF-8 bytes have it. */
export function wellFormed(text: string): string {
  // what engines have of their own takes no time, where they have it
  if ((text as { isWellFormed?(): boolean }).isWellFormed?.()) return text;
  return text.replace(HALVES, '\ufffd');
}

/** Where a value is; it is spelled out in errors alone. */
interface Place {
  readonly within: Place | undefined;
  readonly key: string | number;
}

function nameOf({ within, key }: Place): string {
  if (!within) return String(key);
  return typeof key === 'number' ? `${nameOf(within)}[${key}]` : memberOf(nameOf(within), key);
}

/** Counts of what may still come. */
interface Budget {
  values: number;
  characters: number;
}

function checked(
  value: unknown,
  place: Place,
  holders: readonly object[],
  budget: Budget,
): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    spend(value, place, budget);
    return wellFormed(value);
  }
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0; // -0 becomes 0
  const array = Array.isArray(value);
  if (!array && !isPlainObject(value))
    throw invalid(place, `${expected(value)}, got ${describeValue(value)}`);
  if (holders.includes(value)) throw invalid(place, 'a cycle: the value lies within itself');
  if (holders.length === MOST_LEVELS)
    throw invalid(place, `more than ${MOST_LEVELS} levels of objects and arrays`);

  const within = [...holders, value];
  const keys = array ? undefined : Object.keys(value);
  budget.values -= keys ? keys.length : (value as unknown[]).length;
  if (budget.values < 0) throw tooMany(place, value, keys);
  if (array) {
    // by number: holes are undefined, map would keep them
    const items = new Array<unknown>(value.length);
    for (let i = 0; i < items.length; i++)
      items[i] = checked(value[i], { within: place, key: i }, within, budget);
    return items;
  }
  const entries: [string, unknown][] = [];
  for (const key of keys as string[]) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    spend(key, place, budget);
    if (wellFormed(key) !== key)
      throw invalid(place, `a key with half of a surrogate pair: ${describeValue(key)}`);
    entries.push([key, checked(item, { within: place, key }, within, budget)]);
  }
  return Object.fromEntries(entries); // defines its properties: __proto__ is a key like others
}

function spend(text: string, place: Place, budget: Budget): void {
  budget.characters -= text.length;
  if (budget.characters >= 0) return;
  const got = `${text.length} characters here`;
  const most = `the ${MOST_CHARACTERS} that keys and strings of a document's metadata may have`;
  throw invalid(place, `${got}, and more than ${most} in all`);
}

function tooMany(place: Place, value: object, keys: readonly string[] | undefined): LemurError {
  const got = keys ? `${keys.length} properties` : `${(value as unknown[]).length} items`;
  const most = `the ${MOST_VALUES} values in all that the metadata of a document may have`;
  return invalid(place, `${got} here, and more than ${most}`);
}

function expected(value: unknown): string {
  if (typeof value === 'number') return 'expected a finite number';
  if (Object.prototype.toString.call(value) === '[object Date]')
    return 'expected a JSON value; give a date as a string or a number';
  return 'expected a JSON value';
}

function invalid(place: Place, problem: string): LemurError {
  const where = nameOf(place);
  return invalidArgument(where, problem);
}
