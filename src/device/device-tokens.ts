import { LemurError } from '../errors.js';
import { type EncodedTokens, plainTokens } from '../tokens/encode-tokens.js';
import type { TokenSets } from '../tokens/token-sets.js';
import type { Tensor, TensorMaker, TensorMemory } from './memory.js';

/** Token vectors that a device numbers at most: their numbers are int32. */
const MOST_ROWS = 2 ** 31 - 1;

/**
 * Texts on the device: their rows (tokens x values of a row), counts (texts) and, since offsets are
 * needed everywhere, row offsets (texts + 1). Queries are float32; documents may be of any
 * encoding. The rows of documents may lie in files (`attach`), or in several tensors as one
 * (`join`); all else is small and plain.
 */
export interface DeviceTokens {
  /** Name of the encoding that the rows are of. */
  readonly encoding: string;
  /** Rows of all texts: float32 vectors, or bytes as the encoding lays them out. */
  readonly vectors: Tensor<'f32'> | Tensor<'i8'>;
  readonly counts: Tensor<'i32'>;
  readonly offsets: Tensor<'i32'>;
  /** Of the rows of each text; null where texts of the encoding have none. */
  readonly scales: Tensor<'f32'> | null;
  /** What the encoding has learned; null: nothing. */
  readonly parameters: Tensor<'f32'> | null;
  /**
   * CRC-32 of the bytes of each text's vectors as they lie (little-endian), as int32. Texts that
   * are read from a file are held to it; one that differs is a 'bad-file'. Null: nothing is
   * checked.
   */
  readonly checks: Tensor<'i32'> | null;
  /** Number of texts. */
  readonly documentCount: number;
  readonly dim: number;
  /** The longest text, in tokens. */
  readonly longest: number;
}

/** Uploads texts. Rejects with 'invalid-argument' beyond 2^31 - 1 token vectors. */
export async function uploadTokens(
  device: Pick<TensorMaker, 'upload'>,
  texts: TokenSets | EncodedTokens,
): Promise<DeviceTokens> {
  const tokens = 'rows' in texts ? texts : plainTokens(texts);
  const { encoding, rows, scales, parameters, counts, dim } = tokens;
  const offsets = deviceOffsets(counts);
  return {
    encoding: encoding.name,
    vectors:
      rows instanceof Float32Array
        ? await device.upload('f32', rows)
        : await device.upload('i8', rows),
    counts: await device.upload('i32', counts),
    offsets: await device.upload('i32', offsets),
    scales: scales && (await device.upload('f32', scales)),
    parameters: parameters.length > 0 ? await device.upload('f32', parameters) : null,
    checks: null,
    documentCount: counts.length,
    dim,
    longest: counts.reduce((most, count) => Math.max(most, count), 0),
  };
}

/**
 * Row offsets of texts of so many tokens, as the device takes them. Raises 'invalid-argument'
 * beyond 2^31 - 1 rows.
 */
export function deviceOffsets(counts: Int32Array): Int32Array {
  const offsets = new Int32Array(counts.length + 1);
  let rows = 0;
  for (let i = 0; i < counts.length; i++) {
    rows += counts[i];
    offsets[i + 1] = rows;
  }
  if (rows > MOST_ROWS) {
    const message = `token vectors: expected at most ${MOST_ROWS} (2^31 - 1) at once, got ${rows}`;
    throw new LemurError('invalid-argument', message, { where: 'token vectors' });
  }
  return offsets;
}

export function freeTokens(device: TensorMemory, tokens: DeviceTokens): void {
  device.free(...tokenTensors(tokens));
}

/** All that the texts keep on the device. */
export function tokenTensors({
  vectors,
  counts,
  offsets,
  scales,
  parameters,
  checks,
}: DeviceTokens): Tensor[] {
  return [vectors, counts, offsets, scales, parameters, checks].filter((tensor) => tensor !== null);
}
