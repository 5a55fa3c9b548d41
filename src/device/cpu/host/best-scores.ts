import type { TensorMaker } from '../../memory.js';
import type { ScoreOptions } from '../../retriever.js';
import type { BestArgs } from '../operations/best-max-sim.js';
import { hasFirstLook } from '../operations/first-look.js';
import type { MaxSimArgs } from '../operations/max-sim.js';
import type { TensorStore } from './tensor-store.js';

/**
 * What the best scores are found with, and `out` as it must be then; null: all are wanted, or
 * documents have no first look.
 */
export async function bestScores(
  store: TensorStore,
  scope: Pick<TensorMaker, 'upload'>,
  { queries, documents, out }: MaxSimArgs,
  { best }: ScoreOptions = {},
): Promise<BestArgs | null> {
  if (best === undefined || !hasFirstLook(documents)) return null;
  await store.write(out, new Float32Array(out.length).fill(-Infinity));
  const none = new Float32Array(queries.documentCount).fill(-Infinity);
  return { best, floors: await scope.upload('f32', none) };
}
