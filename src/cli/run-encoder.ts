import type { PoolingEncoder } from '../encoder/node.js';
import { openProjection } from './collection.js';
import { openEncoder } from './model.js';

/** The encoder of a run that fills a folder. */
export interface RunEncoder {
  /** Without a projection; the caller closes it. */
  plain(): Promise<PoolingEncoder>;
  /** With the folder's projection: loaded when first needed, and kept. */
  projected(): Promise<PoolingEncoder>;
  close(): Promise<void>;
}

export function createRunEncoder(folder: string, weights: string, threads: number | undefined): RunEncoder {
  let projected: Promise<PoolingEncoder> | undefined;
  return {
    plain: () => openEncoder(weights, undefined, threads),
    async projected() {
      const projection = await openProjection(folder);
      projected ??= openEncoder(weights, projection, threads);
      return projected;
    },
    async close() {
      await (await projected?.catch(() => undefined))?.close();
    },
  };
}
