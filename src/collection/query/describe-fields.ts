import { stepPacer } from '../../pacer.js';
import type { SegmentView } from '../files/open-files.js';
import type { Snapshot } from '../files/snapshot.js';
import { ARRAY, FALSE, NUMBER, STRING, TRUE, type Values } from '../metadata/column.js';
import { sourceCount } from './source-count.js';

/** A field of the metadata, by its path, with what filters by it may ask for. */
export type Field =
  | { path: string; type: 'number'; min: number; max: number }
  /** Strings that begin with YYYY-MM-DD, which strings compare as dates do. */
  | { path: string; type: 'date'; min: string; max: string }
  /** Strings of which there are few: all of them, ascending by UTF-16 code units. */
  | { path: string; type: 'string'; values: string[] }
  | { path: string; type: 'boolean' };

/** Paths that are looked at, the first ones by name. */
const MOST_PATHS = 64;
/** Different strings that are few. */
const MOST_VALUES = 24;
/** Bytes of a segment's different strings that are read: what has more is no choice of few. */
const MOST_BYTES = 2 ** 18;
const DATE = /^\d{4}-\d{2}-\d{2}(?:$|\D)/;

/**
 * The fields of the documents that are not deleted which have numbers, dates, booleans, or few
 * strings: at most 24, and at most half as many as documents. Fields that have values of several
 * kinds are left out. Rejects with 'bad-file' or the signal's reason.
 */
export async function describeFields(
  snapshot: Snapshot,
  signal?: AbortSignal | undefined,
): Promise<Field[]> {
  const all = snapshot.segments.flatMap(({ segment }) => [...segment.columns.paths]);
  // no filter names a path that begins like an operator
  const named = all.filter((path) => !path.startsWith('$'));
  const paths = [...new Set(named)].sort().slice(0, MOST_PATHS);
  const few = Math.min(MOST_VALUES, sourceCount(snapshot) / 2);
  const fields: Field[] = [];
  for (const path of paths) {
    const seen = new Seen();
    for (const view of snapshot.segments) if (!seen.isMixed) await look(view, path, seen, signal);
    const field = seen.field(path, few);
    if (field) fields.push(field);
  }
  return fields;
}

/** What was found at a path. */
class Seen {
  min: number = Infinity;
  max: number = -Infinity;
  booleans = false;
  /** Dates alone, or so many that there are too many. */
  readonly strings: Set<string> = new Set();
  /** Whether a segment has more strings than are read. */
  tooMany = false;

  get isMixed(): boolean {
    const kinds = [this.min <= this.max, this.booleans, this.strings.size > 0, this.tooMany];
    return this.tooMany || kinds.filter(Boolean).length > 1;
  }

  field(path: string, few: number): Field | undefined {
    const { min, max, strings } = this;
    if (this.isMixed) return undefined;
    if (min <= max) return { path, type: 'number', min, max };
    if (this.booleans) return { path, type: 'boolean' };
    const values = [...strings].sort();
    if (values.length === 0) return undefined;
    if (values.every((value) => DATE.test(value)))
      return { path, type: 'date', min: values[0], max: values[values.length - 1] };
    return values.length <= few ? { path, type: 'string', values } : undefined;
  }
}

/** Notes what a segment's documents have at a path. */
async function look(
  { segment, deleted }: SegmentView,
  path: string,
  seen: Seen,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (segment.stringBytes(path) > MOST_BYTES) {
    seen.tooMany = true;
    return;
  }
  const column = await segment.columns.column(path, signal);
  if (!column) return;
  const { rows, values, elements, elementOffsets, dictionary } = column;
  const used = new Uint8Array(dictionary.length);
  const step = stepPacer(signal);
  const cursor = new Cursor(values, seen, used);
  const within = new Cursor(elements, seen, used);
  let array = 0;
  for (let i = 0; i < values.kinds.length; i++) {
    const live = !deleted?.[rows ? rows[i] : i];
    if (values.kinds[i] === ARRAY) {
      const end = elementOffsets[++array];
      while (within.at < end) within.next(live);
    }
    cursor.next(live);
    const wait = step();
    if (wait) await wait;
  }
  for (const [code, value] of dictionary.entries()) if (used[code]) seen.strings.add(value);
}

/** Goes through values in the order of their kinds. */
class Cursor {
  readonly #values: Values;
  readonly #seen: Seen;
  readonly #used: Uint8Array;
  #number = 0;
  #code = 0;
  at = 0;

  constructor(values: Values, seen: Seen, used: Uint8Array) {
    this.#values = values;
    this.#seen = seen;
    this.#used = used;
  }

  /** Notes the next value if it counts. */
  next(counts: boolean): void {
    const { kinds, numbers, codes } = this.#values;
    const kind = kinds[this.at++];
    const number = kind === NUMBER ? numbers[this.#number++] : undefined;
    const code = kind === STRING ? codes[this.#code++] : undefined;
    if (!counts) return;
    if (kind === TRUE || kind === FALSE) this.#seen.booleans = true;
    if (code !== undefined) this.#used[code] = 1;
    if (number === undefined) return;
    this.#seen.min = Math.min(this.#seen.min, number);
    this.#seen.max = Math.max(this.#seen.max, number);
  }
}
