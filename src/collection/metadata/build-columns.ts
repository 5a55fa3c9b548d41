import { stepPacer } from '../../pacer.js';
import { sortPaced } from '../../sort-paced.js';
import {
  ABSENT,
  ARRAY,
  FALSE,
  NULL,
  NUMBER,
  OBJECT,
  type Part,
  type Scalar,
  STRING,
  TRUE,
  tensorName,
} from './column.js';
import type { Metadata } from './metadata.js';
import { visitPaths } from './metadata-paths.js';
import { endsOf, SEGMENT_LIMITS } from './segment-limits.js';

/** An array of a column, to be written as a tensor of one dimension. */
export type ColumnArray = Uint8Array | Int32Array | Float64Array;

/** The values of one document at a path: a scalar, several, or (undefined) objects alone. */
type Found = Scalar | Scalar[] | undefined;

/** The values at one path, without the documents that have nothing there. */
interface PathValues {
  rows: number[];
  found: Found[];
}

/**
 * The columns of a segment's documents, one for every path of keys that leads to anything in any of
 * them: arrays by the names of their tensors (`column/author.name/kinds`), for a safetensors file.
 * `metadata`: one for each document, as `checkMetadata` returns it; undefined is one without any.
 * Keys are joined by dots; a key that has dots itself makes the same path as nested ones, and what
 * is found by either counts. Objects in an array are entered, so that `authors.name` has the names
 * of all authors; arrays in an array are not. The same metadata gives the same bytes, whatever the
 * order of the keys along different paths. Gives way to other work every few thousand values.
 * Rejects with 'invalid-argument' for more than `most` bytes of different strings, or values in
 * arrays, along one path, or the signal's reason.
 */
export async function buildColumns(
  metadata: readonly (Metadata | undefined)[],
  most: number = SEGMENT_LIMITS.section,
  signal?: AbortSignal | undefined,
): Promise<Map<string, ColumnArray>> {
  const step = stepPacer(signal);
  const paths = new Map<string, PathValues>();
  for (const [row, object] of metadata.entries()) {
    let values = 1;
    if (object !== undefined)
      visitPaths(object, '', (path, found) => {
        add(paths, path, row, found);
        values += Array.isArray(found) ? found.length : 1;
      });
    await step(values);
  }
  const arrays = new Map<string, ColumnArray>();
  for (const path of await sortPaced(paths.keys(), step)) {
    for (const [part, data] of await columnArrays(
      paths.get(path)!,
      metadata.length,
      path,
      most,
      step,
    )) {
      if (data.length > 0) arrays.set(tensorName(path, part), data);
    }
  }
  return arrays;
}

type Step = (steps?: number) => Promise<void> | undefined;

/**
 * Notes what the row has at the path, beside what it has there already. A list that is given is
 * kept.
 */
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

async function columnArrays(
  { rows, found }: PathValues,
  count: number,
  path: string,
  most: number,
  step: Step,
): Promise<[Part, ColumnArray][]> {
  // a column costs some time however few have it
  await step(32);
  const lists = found.filter((value) => Array.isArray(value));
  const { codes, texts, bytes } = await dictionaryOf(found, step);
  const elementOffsets = offsetsOf(lists, most, `metadata: ${path}: values in arrays`);
  const dictionaryOffsets = offsetsOf(texts, most, `metadata: ${path}: bytes of different strings`);
  const elements = lists.length > 0 ? await valueArrays(lists.flat(), codes, step) : NO_VALUES;
  // by rows where that takes fewer bytes, so that a path of one document does not cost what a path
  // of all does
  const sparse = 5 * rows.length < count;
  const values = await valueArrays(sparse ? found : spread(rows, found, count), codes, step);
  return [
    ['rows', sparse ? Int32Array.from(rows) : NONE],
    ['kinds', values.kinds],
    ['numbers', values.numbers],
    ['codes', values.codes],
    ['element-offsets', elementOffsets],
    ['element-kinds', elements.kinds],
    ['element-numbers', elements.numbers],
    ['element-codes', elements.codes],
    ['dictionary', bytes > 0 ? await joined(texts, bytes, step) : NO_VALUES.kinds],
    ['dictionary-offsets', dictionaryOffsets],
  ];
}

/** The different strings of a path, in UTF-8 and in order, and the number of each. */
interface Dictionary {
  codes: ReadonlyMap<string, number>;
  texts: Uint8Array[];
  /** Of all texts together. */
  bytes: number;
}

async function dictionaryOf(found: readonly Found[], step: Step): Promise<Dictionary> {
  const codes = new Map<string, number>();
  const texts: Uint8Array[] = [];
  let bytes = 0;
  for (const text of await sortPaced(await differentStrings(found, step), step)) {
    codes.set(text, codes.size);
    const encoded = encoder.encode(text);
    bytes += encoded.length;
    texts.push(encoded);
    const wait = step(1 + (text.length >> 8));
    if (wait) await wait;
  }
  return { codes, texts, bytes };
}

async function differentStrings(found: readonly Found[], step: Step): Promise<Set<string>> {
  const different = new Set<string>();
  for (const value of found) {
    if (typeof value === 'string') different.add(value);
    else if (Array.isArray(value))
      for (const item of value) if (typeof item === 'string') different.add(item);
    const wait = step(Array.isArray(value) ? value.length : 1);
    if (wait) await wait;
  }
  return different;
}

const encoder = new TextEncoder();
/** For all columns: thousands of empty arrays would keep the garbage collector busy. */
const NONE = new Int32Array();
const NO_VALUES = { kinds: new Uint8Array(), numbers: new Float64Array(), codes: NONE };

/** A document that has nothing at the path. */
const NOTHING = Symbol('nothing');

function spread(
  rows: readonly number[],
  found: readonly Found[],
  count: number,
): (Found | typeof NOTHING)[] {
  const all = new Array<Found | typeof NOTHING>(count).fill(NOTHING);
  rows.forEach((row, i) => {
    all[row] = found[i];
  });
  return all;
}

async function valueArrays(
  found: readonly (Found | typeof NOTHING)[],
  codeOf: ReadonlyMap<string, number>,
  step: Step,
): Promise<{ kinds: Uint8Array; numbers: Float64Array; codes: Int32Array }> {
  const kinds = new Uint8Array(found.length);
  const numbers: number[] = [];
  const codes: number[] = [];
  for (let i = 0; i < found.length; i++) {
    const value = found[i];
    kinds[i] = kindOf(value);
    if (typeof value === 'number') numbers.push(value);
    else if (typeof value === 'string') codes.push(codeOf.get(value)!);
    const wait = step();
    if (wait) await wait;
  }
  return {
    kinds,
    numbers: numbers.length > 0 ? new Float64Array(numbers) : NO_VALUES.numbers,
    codes: codes.length > 0 ? new Int32Array(codes) : NONE,
  };
}

function kindOf(value: Found | typeof NOTHING): number {
  if (value === NOTHING) return ABSENT;
  if (value === undefined) return OBJECT;
  if (value === null) return NULL;
  if (typeof value === 'boolean') return value ? TRUE : FALSE;
  if (typeof value === 'number') return NUMBER;
  return typeof value === 'string' ? STRING : ARRAY;
}

/** Where each item begins among all, and where the last ends; nothing for no items. */
function offsetsOf(
  items: readonly { readonly length: number }[],
  most: number,
  described: string,
): Int32Array {
  if (items.length === 0) return NONE;
  const lengths = items.map(({ length }) => length);
  const offsets = new Int32Array(lengths.length + 1);
  offsets.set(endsOf(lengths, most, described), 1);
  return offsets;
}

async function joined(
  pieces: readonly Uint8Array[],
  length: number,
  step: Step,
): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
    const wait = step(1 + (piece.length >> 12));
    if (wait) await wait;
  }
  return out;
}
