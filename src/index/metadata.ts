import { LemurError } from '../errors.js';
import { describeValue, isPlainObject, MOST_LEVELS, memberOf } from './value-place.js';

/**
 * What documents carry beside their text: a JSON object, nested as one likes. `any`, so that interfaces are accepted too, which have no index
 * signature; what the values may be is said, and held to, by `checkMetadata`.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Metadata = { readonly [key: string]: any };

/**
 * The metadata as it will be stored: a copy, equal to what its JSON text gives when it is parsed. Properties that are undefined are left out, -0 is 0,
 * and half a surrogate pair in a string (a text cut within an emoji) is U+FFFD, as in every text written as UTF-8.
 * Raises 'invalid-argument', which names the place, for all that JSON does not have: undefined in an array, NaN, infinities, bigints, symbols,
 * functions, dates and other objects of classes, cycles; for more than 32 levels of objects and arrays; and for half a pair in a key.
 */
export function checkMetadata(value: unknown, where: string): Metadata {
  if (!isPlainObject(value)) throw invalid(where, `expected an object of JSON values, got ${describeValue(value)}`);
  return checked(value, where, []) as Metadata;
}

/** Half of a surrogate pair. */
const HALVES = /[\ud800-\udfff]/gu;

/** A string as its UTF-8 bytes have it. */
export function wellFormed(text: string): string {
  return text.replace(HALVES, '\ufffd');
}

function checked(value: unknown, where: string, holders: readonly object[]): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0; // -0 becomes 0
  const array = Array.isArray(value);
  if (!array && !isPlainObject(value)) throw invalid(where, `${expected(value)}, got ${describeValue(value)}`);
  if (holders.includes(value)) throw invalid(where, 'a cycle: the value lies within itself');
  if (holders.length === MOST_LEVELS) throw invalid(where, `more than ${MOST_LEVELS} levels of objects and arrays`);

  const within = [...holders, value];
  // Array.from: holes are undefined, map would keep them
  if (array) return Array.from(value, (item, i) => checked(item, `${where}[${i}]`, within));
  const entries: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    if (wellFormed(key) !== key) throw invalid(where, `a key with half of a surrogate pair: ${describeValue(key)}`);
    entries.push([key, checked(item, memberOf(where, key), within)]);
  }
  return Object.fromEntries(entries); // defines its properties: __proto__ is a key like others
}

function expected(value: unknown): string {
  if (typeof value === 'number') return 'expected a finite number';
  if (Object.prototype.toString.call(value) === '[object Date]') return 'expected a JSON value; give a date as a string or a number';
  return 'expected a JSON value';
}

function invalid(where: string, problem: string): LemurError {
  return new LemurError('invalid-argument', `${where}: ${problem}`, { where });
}
