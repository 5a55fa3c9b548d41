import { collectionOf } from '../collection/index.js';
import { narrow as narrowCollection } from '../collection/narrow.js';
import type { RunOptions } from '../run-options.js';
import { describeEncoder, type IndexEncoder, openProjected } from './index-encoder.js';
import { type OpenedIndex, readManifest } from './open-index.js';

/** Token vectors that make a projection. */
const ENOUGH_TOKENS = 20_000;

/**
 * Makes an index as narrow as was asked for once it has enough token vectors to find a projection,
 * in one commit. Returns whether it may become narrower later.
 */
export async function narrowWhenDue(opened: OpenedIndex, run: RunOptions): Promise<boolean> {
  const { folder, index, encoder } = opened;
  if (!encoder) return false;
  const manifest = await readManifest(folder);
  const dim = (await describeEncoder(folder, manifest))?.narrowTo;
  if (dim === undefined) return false;
  if (index.stats().tokens < ENOUGH_TOKENS) return true;
  let narrow: IndexEncoder | undefined;
  try {
    const open = async (matrix: Float32Array): Promise<IndexEncoder> => {
      narrow = await openProjected(folder, manifest, matrix, dim, opened.weights);
      return narrow;
    };
    await narrowCollection(collectionOf(index), dim, open, run);
    return false;
  } finally {
    const done = index.dim === dim;
    if (done) opened.encoder = narrow;
    await (done ? encoder : narrow)?.close();
  }
}
