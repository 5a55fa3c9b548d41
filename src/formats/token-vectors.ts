import { fileKind } from '../bytes/file-kind.js';
import { badFile } from '../errors.js';
import { type TokenSets, tokenSets } from '../tokens/token-sets.js';
import { readNpy } from './npy/npy.js';
import {
  readSafetensors,
  type SafetensorsEntry,
  toFloat32,
  toTypedArray,
} from './safetensors/safetensors.js';

/** Names that the vectors have in a safetensors file. */
const VECTORS = ['tokens', 'vectors'];
const COUNTS = 'counts';
/** Advice about NumPy's archives, for messages. */
export const NPZ: string =
  'an archive of .npy files (.npz); unpack it and give one of them, ' +
  'or a folder with tokens.npy and counts.npy';

/** Options of reading token vectors. */
export interface TokenVectorOptions {
  /** Takes a matrix as the tokens of one text. */
  single?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Token vectors from the bytes of a `.npy` file (texts x tokens x dim) or of a safetensors file
 * (`tokens` or `vectors`, rows x dim, with `counts`; or of 3 dimensions). Raises 'bad-file' and
 * whatever `tokenSets` finds.
 */
export async function parseTokenVectors(
  bytes: Uint8Array,
  where: string,
  options: TokenVectorOptions = {},
): Promise<TokenSets> {
  const kind = fileKind(bytes);
  if (kind === 'npy') {
    const { dtype, shape, data } = readNpy(bytes, where);
    if (!(data instanceof Float32Array))
      throw badFile(where, `values of type ${dtype}, expected float32 or float16`);
    return tokensOfShape({ shape, data }, where, options);
  }
  if (kind === 'safetensors') return tokensOfSafetensors(bytes, where, options);
  throw badFile(where, kind === 'npz' ? NPZ : 'neither .npy nor safetensors');
}

/** Texts x tokens x dim, or tokens x dim where one text is expected. */
export async function tokensOfShape(
  { shape, data }: { shape: readonly number[]; data: Float32Array },
  where: string,
  { single, signal }: TokenVectorOptions,
): Promise<TokenSets> {
  if (shape.length === 3 || (single && shape.length === 2))
    return tokenSets({ data, dims: shape }, where, signal);
  const advice =
    shape.length === 2
      ? '; rows of several texts need their counts: a folder with tokens.npy and counts.npy'
      : '';
  const expected = single ? '[tokens, dim] or [texts, tokens, dim]' : '[texts, tokens, dim]';
  throw badFile(where, `an array of shape [${shape.join(', ')}], expected ${expected}${advice}`);
}

async function tokensOfSafetensors(
  bytes: Uint8Array,
  where: string,
  options: TokenVectorOptions,
): Promise<TokenSets> {
  const { tensors } = readSafetensors(bytes, where);
  const name = VECTORS.find((candidate) => tensors.has(candidate));
  if (name === undefined) {
    throw badFile(
      where,
      `tensors ${[...tensors.keys()].join(', ') || 'none'}, ` +
        `expected one named ${VECTORS.join(' or ')}`,
    );
  }
  const entry = tensors.get(name)!;
  const data = floatsOf(entry, where);
  const counts = tensors.get(COUNTS);
  if (!counts) return tokensOfShape({ shape: entry.shape, data }, where, options);
  if (entry.shape.length !== 2)
    throw badFile(
      where,
      `${name} of shape [${entry.shape.join(', ')}], expected [rows, dim] beside counts`,
    );
  const numbers = Array.from(toTypedArray(counts, where) as ArrayLike<number | bigint>, Number);
  return tokenSets({ vectors: data, counts: numbers, dim: entry.shape[1] }, where, options.signal);
}

/** A view where float32 lies aligned, as in shared memory; else a copy. */
function floatsOf(entry: SafetensorsEntry, where: string): Float32Array {
  const { type, bytes } = entry;
  if (type !== 'F32' || bytes.byteOffset % 4 !== 0) return toFloat32(entry, where);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
