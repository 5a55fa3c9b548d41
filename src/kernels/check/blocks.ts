import { createRandom } from '../../tokens/random.js';

type BlockType = 'f32' | 'f64' | 'i32' | 'i16' | 'i8';
type Values = Float32Array | Float64Array | Int32Array | Int16Array | Int8Array;

const ARRAYS = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  i16: Int16Array,
  i8: Int8Array,
};

/** An array in the kernels' memory, as it is before a call. */
export interface Block {
  readonly type: BlockType;
  readonly values: Values;
  /** Values that the kernel answers for, from the first on; the rest is scratch. */
  readonly compared: number;
}

/** What a kernel is called with; a block is given by its address. */
export type Argument = number | Block;

/** Makes blocks with random content, the same at every call. */
export interface Draw {
  /** Uniform in [-scale, scale). */
  f32(length: number, scale?: number): Block;
  f64(length: number): Block;
  /** Uniform integers in [-limit, limit]. */
  i16(length: number, limit: number): Block;
  i8(length: number): Block;
  /** Uniform in [0, 1). */
  positive(length: number): Block;
}

export function createDraw(seed: number): Draw {
  const random = createRandom(seed);
  const signed = (): number => 2 * random.uniform() - 1;
  const integer = (limit: number): number => random.integer(2 * limit + 1) - limit;
  return {
    f32: (length, scale = 1) =>
      given(
        'f32',
        Array.from({ length }, () => signed() * scale),
      ),
    f64: (length) => given('f64', Array.from({ length }, signed)),
    i16: (length, limit) =>
      given(
        'i16',
        Array.from({ length }, () => integer(limit)),
      ),
    i8: (length) =>
      given(
        'i8',
        Array.from({ length }, () => integer(127)),
      ),
    positive: (length) => given('f32', Array.from({ length }, random.uniform)),
  };
}

/** A block with this content; of more values than the kernel answers for where it says so. */
export function given(
  type: BlockType,
  content: ArrayLike<number>,
  compared: number = content.length,
): Block {
  return { type, values: ARRAYS[type].from(content), compared };
}

/** A block that the kernel writes: sevens, so that one shows which it did not. */
export function room(type: BlockType, length: number, compared?: number): Block {
  return given(type, new Array<number>(length).fill(7), compared);
}

/** A block that a kernel may write as it likes. */
export function scratch(type: BlockType, length: number): Block {
  return room(type, length, 0);
}

/** The block's place in a memory. */
export function viewOf({ type, values }: Block, buffer: ArrayBufferLike, address: number): Values {
  return new ARRAYS[type](buffer as ArrayBuffer, address, values.length);
}
