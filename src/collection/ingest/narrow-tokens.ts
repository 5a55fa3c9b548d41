import type { Encoder } from '../../encoder/encoder.js';
import { principalComponents, project } from '../../linalg/principal-components.js';
import type { RunOptions } from '../../run-options.js';
import { learnCodec } from '../../tokens/encode-tokens.js';
import { STREAM } from '../../tokens/random-streams.js';
import { rowOffsets } from '../../tokens/token-sets.js';
import type { EncoderEntry } from '../files/manifest.js';
import { encodeProjection } from '../files/projection-file.js';
import { CODEC_SEED } from '../files/token-codec.js';
import type { Transaction } from '../files/transaction.js';
import { sampleTokenRows } from '../learn/sample.js';
import { rewriteTokens } from './rewrite-tokens.js';

/** Token vectors that the projection comes from at most. */
const SAMPLE = 32_768;
/** Stored vectors are so near to unit length where those given were of it. */
const NEARLY_UNIT = 0.05;

/**
 * Projects all token vectors onto their leading principal components, in one commit, which says
 * that they are of the encoder that `open` gives for the matrix (old dim x dim). Rows of unit
 * length become that again, as encoders leave them. A model, which knows the old vectors alone, is
 * dropped.
 */
export async function narrowTokens(
  transaction: Transaction,
  dim: number,
  open: (matrix: Float32Array) => Promise<Encoder>,
  run: RunOptions,
): Promise<Encoder> {
  const { dim: wide, precision } = transaction.snapshot.manifest;
  const { signal } = run;
  const rows = await sampleTokenRows(transaction.snapshot, SAMPLE, 0, STREAM.projection, signal);
  const matrix = await principalComponents(rows, wide, dim, run);
  const unit = areUnit(rows, wide);
  const map = (vectors: Float32Array): Promise<Float32Array> =>
    project(vectors, wide, matrix, dim, { signal }, unit);
  const encoder = await open(matrix);
  const { id, origin } = encoder;
  const name = transaction.newName('projection');
  const projection =
    origin && (await transaction.write(await encodeProjection(name, { matrix, dim })));
  const entry: EncoderEntry = { id, dim, ...(origin && { origin, projection }) };
  const counts = new Int32Array(rows.length / wide).fill(1);
  const sample = { vectors: await map(rows), counts, offsets: rowOffsets(counts), dim };
  const codec = await learnCodec(precision, sample, CODEC_SEED, signal);
  await rewriteTokens(
    transaction,
    { codec, map, manifest: { encoder: entry, model: null } },
    null,
    run,
  );
  return encoder;
}

/** Whether most of these are, up to int8. */
function areUnit(vectors: Float32Array, dim: number): boolean {
  let unit = 0;
  for (let at = 0; at < vectors.length; at += dim) {
    let square = 0;
    for (let j = 0; j < dim; j++) square += vectors[at + j] * vectors[at + j];
    if (Math.abs(Math.sqrt(square) - 1) < NEARLY_UNIT) unit++;
  }
  return unit > vectors.length / dim / 2;
}
