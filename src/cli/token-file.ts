import type { ByteSink } from '../bytes/node-file.js';
import { LemurError } from '../errors.js';
import { writeNpy } from '../formats/npy/npy.js';
import { streamSafetensors } from '../formats/safetensors/safetensors-stream.js';
import type { TokenSets } from '../tokens/token-sets.js';

/** Values that are written between two looks at Ctrl-C. */
const PIECE = 1 << 22;

/**
 * A .npy file of 3 dimensions: texts x tokens x dim. Raises 'invalid-argument' for texts of unequal
 * length, naming `from`.
 */
export function encodeTokensNpy({ vectors, counts, dim }: TokenSets, from: string): Uint8Array {
  const [tokens] = counts;
  const other = counts.findIndex((count) => count !== tokens);
  if (other < 0) return writeNpy({ shape: [counts.length, tokens, dim], data: vectors });
  const got = `text ${other} has ${counts[other]} token vectors, text 0 ${tokens}`;
  const advice = 'needs texts of equal length; convert to safetensors or a folder';
  const problem = `${from}: ${got}: an array of 3 dimensions ${advice}`;
  throw new LemurError('invalid-argument', problem, { where: from });
}

/** A safetensors file, from the vectors where they lie: it is never in memory. */
export async function writeTokensSafetensors(
  { vectors, counts, dim }: TokenSets,
  append: ByteSink,
  signal: AbortSignal,
): Promise<void> {
  const shapes = {
    tokens: { type: 'F32', shape: [vectors.length / dim, dim] },
    counts: { type: 'I32', shape: [counts.length] },
  } as const;
  const file = await streamSafetensors(shapes, append);
  for (let at = 0; at < vectors.length; at += PIECE) {
    signal.throwIfAborted();
    await file.write('tokens', vectors.subarray(at, at + PIECE));
  }
  await file.write('counts', counts);
  await file.end();
}
