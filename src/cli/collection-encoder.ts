import type { PoolingEncoder } from '../encoder/node.js';
import { isLemurError, LemurError } from '../errors.js';
import { type Collection, openProjection } from './collection.js';
import { findModel, openEncoder } from './model.js';

/**
 * The encoder that made the collection; another's vectors mean nothing here. Raises 'invalid-argument' for another one, and for a collection
 * of ready-made vectors.
 */
export async function openCollectionEncoder(
  { folder, info }: Pick<Collection, 'folder' | 'info'>,
  model: string | undefined,
  threads: number | undefined,
): Promise<PoolingEncoder> {
  const { plan } = info;
  if (!info.encoder) {
    throw new LemurError('invalid-argument', `${folder} was made from ready-made vectors, so questions must come as vectors too`, {
      where: folder,
    });
  }
  const weights = await findModel(model ?? (plan.model && 'folder' in plan.model ? plan.model.folder : undefined));
  const encoder = await openEncoder(weights.folder, await openProjection(folder), threads);
  if (encoder.id === info.encoder.id) return encoder;
  await encoder.close();
  throw new LemurError('invalid-argument', `${weights.folder}: encoder ${encoder.id}, but ${folder} was made with ${info.encoder.id}`, {
    where: 'model',
  });
}

/** The same where it only measures its own time, so that its absence is no reason to stop. */
export async function optionalEncoder(
  collection: Collection,
  model: string | undefined,
  threads: number | undefined,
): Promise<PoolingEncoder | undefined> {
  if (!collection.info.encoder && model === undefined) return undefined;
  try {
    return await openCollectionEncoder(collection, model, threads);
  } catch (error) {
    const absent = isLemurError(error, 'missing-package') || isLemurError(error, 'not-found');
    if (absent && model === undefined) return undefined;
    throw error;
  }
}
