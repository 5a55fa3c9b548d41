/** A value that a filter can compare. */
export type Scalar = string | number | boolean | null;

/** Kinds of what a document has at a path. The numbers are those in the file. */
export const ABSENT = 0;
export const NULL = 1;
export const FALSE = 2;
export const TRUE = 3;
export const NUMBER = 4;
export const STRING = 5;
/**
 * An array, or several values: that of a dotted key beside that of nested ones, those within the
 * objects of an array.
 */
export const ARRAY = 6;
/** An object. What is in it lies in columns of its own. */
export const OBJECT = 7;

/** Values by kind: numbers and strings stand in their own lists, in the order of their kinds. */
export interface Values {
  readonly kinds: Uint8Array;
  /** One for each kind NUMBER; finite. */
  readonly numbers: Float64Array;
  /** One for each kind STRING: the number of its entry in the dictionary. */
  readonly codes: Int32Array;
}

/** The values of a segment's documents at one path. */
export interface Column {
  /**
   * The documents that `values` speaks of, ascending; undefined: all. The others have nothing at
   * the path.
   */
  readonly rows: Int32Array | undefined;
  readonly values: Values;
  /** Of each kind ARRAY in `values` where its elements begin, and the end of the last. */
  readonly elementOffsets: Int32Array;
  /** NULL to STRING: arrays and objects in an array are no elements. */
  readonly elements: Values;
  /** Ascending by UTF-16 code units, each once. */
  readonly dictionary: readonly string[];
}

/**
 * The arrays of a column; the tensor's name is `column/<path>/<part>`. All have one dimension;
 * those of no element are left out. docs/formats.md says what they hold.
 */
export const PARTS = {
  rows: 'I32',
  kinds: 'U8',
  numbers: 'F64',
  codes: 'I32',
  'element-offsets': 'I32',
  'element-kinds': 'U8',
  'element-numbers': 'F64',
  'element-codes': 'I32',
  dictionary: 'U8',
  'dictionary-offsets': 'I32',
} as const;

export type Part = keyof typeof PARTS;

const PREFIX = 'column/';

export function tensorName(path: string, part: Part): string {
  return `${PREFIX}${path}/${part}`;
}

/**
 * Path and part of a tensor's name; undefined: the tensor is of no column. Paths may have slashes,
 * parts have none.
 */
export function parseTensorName(name: string): { path: string; part: string } | undefined {
  const end = name.lastIndexOf('/');
  if (!name.startsWith(PREFIX) || end < PREFIX.length) return undefined;
  return { path: name.slice(PREFIX.length, end), part: name.slice(end + 1) };
}
