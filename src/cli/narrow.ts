import { narrowIndex } from '../collection/index.js';
import type { RunOptions } from '../run-options.js';
import { encoderOf, projected, writeIndexEncoder } from './encoder-file.js';
import { type IndexEncoder, openDescribed } from './index-encoder.js';
import type { OpenedIndex } from './open-index.js';

/** Token vectors that make a projection. */
const ENOUGH_TOKENS = 20_000;

/**
 * Makes an index as narrow as was asked for once it has enough token vectors to find a projection.
 * The folder's description of the encoder is written before the index changes: until that has,
 * `encoderOf` takes the model's vectors as they are. Returns whether it may become narrower later.
 */
export async function narrowWhenDue(opened: OpenedIndex, run: RunOptions): Promise<boolean> {
  const { folder, index, encoder } = opened;
  const info = encoder && (await encoderOf(folder, index.dim));
  if (!info || info.narrowTo === undefined) return false;
  if (index.stats().tokens < ENOUGH_TOKENS) return true;
  let narrow: IndexEncoder | undefined;
  try {
    const open = async (matrix: Float32Array): Promise<IndexEncoder> => {
      const described = projected(info, matrix);
      await writeIndexEncoder(folder, described, matrix);
      narrow = await openDescribed(described, matrix, opened.weights);
      return narrow;
    };
    await narrowIndex(index, info.narrowTo, open, run);
    return false;
  } finally {
    const done = index.dim === info.narrowTo;
    if (done) opened.encoder = narrow;
    await (done ? encoder : narrow)?.close();
  }
}
