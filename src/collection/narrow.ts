import type { Encoder } from '../encoder/encoder.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import { fitCollection } from './fit.js';
import { narrowTokens } from './ingest/narrow-tokens.js';
import type { OpenCollection } from './open-collection.js';

/**
 * Makes the token vectors of a collection narrower by a projection that is found of them; `open`
 * gives the encoder with it. A model is fitted anew, as it was.
 */
export function narrow(
  collection: OpenCollection,
  dim: number,
  open: (projection: Float32Array) => Promise<Encoder>,
  { signal, onProgress }: RunOptions,
): Promise<void> {
  return collection.write('narrow', { signal, onProgress }, RUN_OPTIONS, async (call) => {
    const { model } = collection.snapshot.manifest;
    const encoder = await narrowTokens(call.transaction, dim, open, call);
    collection.encoder = encoder;
    call.models.drop();
    if (model) await fitCollection({ ...call, encoder }, model.options);
  });
}
