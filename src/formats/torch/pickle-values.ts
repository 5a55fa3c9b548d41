/** A class or function by its name: the name is all there is of it. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Values of a checkpoint that lie in a file of their own, `length` of one type. */
export class PickleStorage {
  readonly type: StorageType;
  readonly key: string;
  readonly length: number;

  constructor(type: StorageType, key: string, length: number) {
    this.type = type;
    this.key = key;
    this.length = length;
  }
}

/** A tensor's values, row-major, as float32. */
export interface PickleTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Lists are arrays, tuples frozen arrays, dictionaries maps; None is null. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | readonly PickleValue[]
  | PickleMap
  | PickleTensor
  | PickleGlobal
  | PickleStorage;
export type PickleMap = Map<string | number, PickleValue>;

/**
 * Makes a tensor from a part of a storage; the numbers are non-negative integers, as many strides
 * as lengths.
 */
export type RebuildTensor = (
  storage: PickleStorage,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
) => PickleTensor;

export const STORAGES = [
  'FloatStorage',
  'DoubleStorage',
  'HalfStorage',
  'BFloat16Storage',
  'LongStorage',
  'IntStorage',
  'ShortStorage',
  'CharStorage',
  'ByteStorage',
  'BoolStorage',
] as const;
export type StorageType = (typeof STORAGES)[number];

const MOST_DIMENSIONS = 16;

export const isTuple = (value: PickleValue): value is readonly PickleValue[] =>
  Array.isArray(value) && Object.isFrozen(value);
export const isSize = (value: PickleValue): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
/** A shape or strides. */
export const isSizes = (value: PickleValue): value is readonly number[] =>
  isTuple(value) && value.length <= MOST_DIMENSIONS && value.every(isSize);
