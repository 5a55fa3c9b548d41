import { badFile, LemurError } from '../../errors.js';
import type { Slices } from '../../pacer.js';
import { showJson } from '../json/show-json.js';

/** The format's element types, by their names in the header. */
export type SafetensorsType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

/** A tensor's type and shape. */
export interface SafetensorsTensor {
  /** Type of its elements. */
  readonly type: SafetensorsType;
  /** Length of each dimension; empty for a single value. */
  readonly shape: readonly number[];
}

/** A tensor, and where it lies, in bytes from the end of the header. */
export interface PlacedTensor extends SafetensorsTensor {
  readonly begin: number;
  readonly end: number;
}

/**
 * A header: the tensors in the order of their bytes, and the strings that the file carries about
 * itself.
 */
export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes of an element. */
export const elementSizes: Readonly<Record<SafetensorsType, number>> = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** Bytes before the header: its length. */
export const LENGTH_BYTES = 8;

/**
 * Most that a header may have: more would hold the thread for long, since JSON is parsed in one go.
 * The metadata of a collection's documents may come to 20,492 tensors of a segment.
 */
export const MOST_HEADER_BYTES: number = 2 ** 24;
export const MOST_TENSORS = 24_576;
/** Tensors of a file that is read in one go. */
const MOST_AT_ONCE = 8192;

/** The most that the header of a file may have. */
export interface HeaderLimits {
  readonly bytes: number;
  readonly tensors: number;
  /** What else there is for a file that has more. */
  readonly advice?: string | undefined;
}

export const HEADER_LIMITS: HeaderLimits = { bytes: MOST_HEADER_BYTES, tensors: MOST_TENSORS };
export const AT_ONCE_LIMITS: HeaderLimits = {
  bytes: MOST_HEADER_BYTES,
  tensors: MOST_AT_ONCE,
  advice: `; openSafetensors reads up to ${MOST_TENSORS} tensors`,
};
/** Tensors that are checked between two turns of the event loop. */
const SLICE = 2048;

/**
 * The header's length, from the file's first bytes, found to be possible in a file of `size` bytes.
 */
export function headerLength(
  first: Uint8Array,
  size: number,
  where: string,
  limits: HeaderLimits = HEADER_LIMITS,
): number {
  if (size < LENGTH_BYTES || first.length < LENGTH_BYTES)
    throw badSafetensors(
      where,
      `${size} bytes, expected at least the ${LENGTH_BYTES} of the header's length`,
    );
  const length = Number(
    new DataView(first.buffer, first.byteOffset, LENGTH_BYTES).getBigUint64(0, true),
  );
  if (LENGTH_BYTES + length > size)
    throw badSafetensors(
      where,
      `${size} bytes, expected at least ${LENGTH_BYTES + length}: the header is cut off`,
    );
  if (length > limits.bytes) throw tooLarge(where, `${length} bytes`, limits.bytes);
  return length;
}

/**
 * A parsed header, checked against the number of bytes behind it: tensors lie end to end, each as
 * long as its type and shape say, and fill the file. Raises `bad-file` for anything that the format
 * does not allow.
 */
export function* placeTensors(
  header: object,
  bodyLength: number,
  where: string,
): Slices<SafetensorsHeader> {
  let metadata: Record<string, string> = {};
  const found: [string, PlacedTensor][] = [];
  for (const [name, value] of Object.entries(header)) {
    if (found.length % SLICE === SLICE - 1) yield;
    if (name === '__metadata__') metadata = checkMetadata(value, where);
    else found.push([name, checkEntry(value, name, where)]);
  }
  yield;
  found.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);

  const tensors = new Map<string, PlacedTensor>();
  let at = 0;
  for (const [name, placed] of found) {
    const { begin, end } = placed;
    if (begin !== at)
      throw badSafetensors(
        where,
        `tensor ${name} begins at byte ${begin}, expected ${at}: no gaps and no overlaps`,
      );
    if (end > bodyLength)
      throw badSafetensors(
        where,
        `${bodyLength} bytes of tensors, expected at least ${end} for ${name}: ` +
          'the file is truncated',
      );
    tensors.set(name, placed);
    at = end;
    if (tensors.size % SLICE === 0) yield;
  }
  if (at !== bodyLength)
    throw badSafetensors(where, `${bodyLength} bytes of tensors, expected ${at}`);
  return { tensors, metadata };
}

export function badSafetensors(where: string, got: string, cause?: unknown): LemurError {
  return badFile(where, `not a valid safetensors file: ${got}`, cause);
}

export function product(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/**
 * The header's JSON: it is read, then parsed. Raises `bad-file` where it is not JSON, or has more
 * tensors than the limits.
 */
export function* parseHeader(
  bytes: Uint8Array,
  where: string,
  limits: HeaderLimits = HEADER_LIMITS,
): Slices<object> {
  if (bytes[0] !== 0x7b) throw badSafetensors(where, 'a header that does not begin with {');
  let header: unknown;
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const tensors = countTensors(json);
    if (tensors > limits.tensors)
      throw tooLarge(where, `${tensors} tensors`, limits.tensors, limits.advice);
    yield;
    header = JSON.parse(json);
  } catch (cause) {
    if (cause instanceof LemurError) throw cause;
    throw badSafetensors(where, 'a header that is not JSON', cause);
  }
  return header as object; // begins with {, so it is one
}

/** Of a header that has not been parsed: each tensor says where it lies. */
function countTensors(json: string): number {
  const key = '"data_offsets"';
  let count = 0;
  for (let at = json.indexOf(key); at >= 0; at = json.indexOf(key, at + key.length)) count++;
  return count;
}

function tooLarge(where: string, got: string, most: number, advice = ''): LemurError {
  const problem = `a safetensors header of ${got}, at most ${most} are read${advice}`;
  return badFile(where, problem);
}

function checkMetadata(value: unknown, where: string): Record<string, string> {
  const strings =
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((item) => typeof item === 'string');
  if (!strings || Array.isArray(value)) {
    throw badSafetensors(where, '__metadata__ that is not an object of strings');
  }
  return value as Record<string, string>;
}

function checkEntry(value: unknown, name: string, where: string): PlacedTensor {
  const { dtype, shape, data_offsets } = (value ?? {}) as {
    dtype?: unknown;
    shape?: unknown;
    data_offsets?: unknown;
  };
  if (typeof dtype !== 'string' || !Object.hasOwn(elementSizes, dtype)) {
    const types = Object.keys(elementSizes).join(', ');
    const got = `tensor ${name} of type ${showJson(dtype)}`;
    throw badSafetensors(where, `${got}, expected one of ${types}`);
  }
  if (!isLengths(shape))
    throw badSafetensors(
      where,
      `tensor ${name} with shape ${showJson(shape)}, expected non-negative integers`,
    );
  if (!isLengths(data_offsets) || data_offsets.length !== 2 || data_offsets[1] < data_offsets[0]) {
    throw badSafetensors(
      where,
      `tensor ${name} with offsets ${showJson(data_offsets)}, expected [begin, end]`,
    );
  }
  const type = dtype as SafetensorsType;
  const [begin, end] = data_offsets;
  const expected = product(shape) * elementSizes[type];
  if (end - begin !== expected) {
    throw badSafetensors(
      where,
      `tensor ${name} with ${end - begin} bytes, expected ${expected} for ${type} [${shape}]`,
    );
  }
  return { type, shape, begin, end };
}

/** Whether it is an array of lengths or offsets: non-negative integers. */
export function isLengths(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
