import { ABSENT, ARRAY, FALSE, NULL, NUMBER, OBJECT, type Part, type Scalar, STRING, TRUE, tensorName } from './column.js';
import type { Metadata } from './metadata.js';
import { endsOf, SEGMENT_LIMITS } from './segment-limits.js';

/** An array of a column, to be written as a tensor of one dimension. */
export type ColumnArray = Uint8Array | Int32Array | Float64Array;

/** What one document has at a path: a scalar, several, or (undefined) objects alone. */
type Found = Scalar | Scalar[] | undefined;

/** What the documents have at one path, without those that have nothing. */
interface PathValues {
  rows: number[];
  found: Found[];
}

/**
 * The columns of a segment's documents, one for every path of keys that leads to anything in any of them: arrays by the names of their tensors
 * (`column/author.name/kinds`), for a safetensors file. `metadata`: one for each document, as `checkMetadata` returns it; undefined is one without any.
 * Keys are joined by dots; a key that has dots itself makes the same path as nested ones, and what is found by either counts. Objects in an array
 * are entered, so that `authors.name` has the names of all authors; arrays in an array are not.
 * The same metadata gives the same bytes, whatever the order of the keys along different paths. Raises 'invalid-argument' for more than `most` bytes of different strings, or values in
 * arrays, along one path.
 */
export function buildColumns(metadata: readonly (Metadata | undefined)[], most: number = SEGMENT_LIMITS.section): Map<string, ColumnArray> {
  const paths = new Map<string, PathValues>();
  metadata.forEach((object, row) => {
    if (object !== undefined) gatherObject(object, '', row, paths);
  });
  const arrays = new Map<string, ColumnArray>();
  for (const path of [...paths.keys()].sort()) {
    for (const [part, data] of columnArrays(paths.get(path)!, metadata.length, path, most)) {
      if (data.length > 0) arrays.set(tensorName(path, part), data);
    }
  }
  return arrays;
}

function gatherObject(object: Metadata, prefix: string, row: number, paths: Map<string, PathValues>): void {
  for (const [key, value] of Object.entries(object)) {
    const path = prefix + key;
    if (Array.isArray(value)) {
      add(paths, path, row, value.filter(isScalar));
      for (const item of value) if (!isScalar(item) && !Array.isArray(item)) gatherObject(item, `${path}.`, row, paths);
    } else if (isScalar(value)) {
      add(paths, path, row, value);
    } else {
      add(paths, path, row, undefined);
      gatherObject(value, `${path}.`, row, paths);
    }
  }
}

function isScalar(value: unknown): value is Scalar {
  return typeof value !== 'object' || value === null;
}

/** Notes what the row has at the path, beside what it has there already. A list that is given is kept. */
function add(paths: Map<string, PathValues>, path: string, row: number, found: Found): void {
  let values = paths.get(path);
  if (values === undefined) {
    values = { rows: [], found: [] };
    paths.set(path, values);
  }
  const last = values.rows.length - 1;
  if (values.rows[last] !== row) {
    values.rows.push(row);
    values.found.push(found);
    return;
  }
  const before = values.found[last];
  if (before === undefined) values.found[last] = found;
  if (before === undefined || found === undefined) return;
  const several = Array.isArray(before) ? before : [before];
  for (const item of Array.isArray(found) ? found : [found]) several.push(item);
  values.found[last] = several;
}

function columnArrays({ rows, found }: PathValues, count: number, path: string, most: number): [Part, ColumnArray][] {
  const several = found.filter((value) => Array.isArray(value));
  const different = new Set<string>();
  for (const value of found) if (typeof value === 'string') different.add(value);
  for (const list of several) for (const value of list) if (typeof value === 'string') different.add(value);
  const dictionary = [...different].sort();
  const codes = new Map(dictionary.map((text, code) => [text, code]));
  const elementOffsets = offsetsOf(
    several.map((list) => list.length),
    most,
    `metadata: ${path}: values in arrays`,
  );
  const elements = valueArrays(several.flat(), codes);
  // by rows where that takes fewer bytes, so that a path of one document does not cost what a path of all does
  const sparse = 5 * rows.length < count;
  const values = valueArrays(sparse ? found : spread(rows, found, count), codes);
  const encoder = new TextEncoder();
  const texts = dictionary.map((text) => encoder.encode(text));
  const bytes = texts.reduce((sum, text) => sum + text.length, 0);
  const dictionaryOffsets = offsetsOf(
    texts.map((text) => text.length),
    most,
    `metadata: ${path}: bytes of different strings`,
  );
  return [
    ['rows', Int32Array.from(sparse ? rows : [])],
    ['kinds', values.kinds],
    ['numbers', values.numbers],
    ['codes', values.codes],
    ['element-offsets', several.length > 0 ? elementOffsets : new Int32Array()],
    ['element-kinds', elements.kinds],
    ['element-numbers', elements.numbers],
    ['element-codes', elements.codes],
    ['dictionary', joined(texts, bytes)],
    ['dictionary-offsets', texts.length > 0 ? dictionaryOffsets : new Int32Array()],
  ];
}

/** A document that has nothing at the path. */
const NOTHING = Symbol('nothing');

function spread(rows: readonly number[], found: readonly Found[], count: number): (Found | typeof NOTHING)[] {
  const all = new Array<Found | typeof NOTHING>(count).fill(NOTHING);
  rows.forEach((row, i) => {
    all[row] = found[i];
  });
  return all;
}

function valueArrays(
  found: readonly (Found | typeof NOTHING)[],
  codeOf: ReadonlyMap<string, number>,
): { kinds: Uint8Array; numbers: Float64Array; codes: Int32Array } {
  const kinds = new Uint8Array(found.length);
  const numbers: number[] = [];
  const codes: number[] = [];
  for (let i = 0; i < found.length; i++) {
    const value = found[i];
    kinds[i] = kindOf(value);
    if (typeof value === 'number') numbers.push(value);
    else if (typeof value === 'string') codes.push(codeOf.get(value)!);
  }
  return { kinds, numbers: new Float64Array(numbers), codes: new Int32Array(codes) };
}

function kindOf(value: Found | typeof NOTHING): number {
  if (value === NOTHING) return ABSENT;
  if (value === undefined) return OBJECT;
  if (value === null) return NULL;
  if (typeof value === 'boolean') return value ? TRUE : FALSE;
  if (typeof value === 'number') return NUMBER;
  return typeof value === 'string' ? STRING : ARRAY;
}

function offsetsOf(lengths: readonly number[], most: number, what: string): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  offsets.set(endsOf(lengths, most, what), 1);
  return offsets;
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
