import type { FitOptions } from '../learn/learn-options.js';
import { resolveLearnOptions } from '../learn/resolve-learn-options.js';
import type { Snapshot } from './files/snapshot.js';
import { renewCodec } from './ingest/renew-codec.js';
import { fitModel } from './learn/fit-model.js';
import { LEAST_FOR_FEATURES } from './learn/refit-advice.js';
import type { WritingCall } from './open-collection.js';
import type { FitIndexOptions } from './options/options.js';

/** Fits the collection, unless it is to stay exact. Rejects as `Index.fit` does. */
export async function fitUnlessExact(call: WritingCall, options: FitIndexOptions): Promise<void> {
  // also where nothing is learned
  resolveLearnOptions(options as FitOptions);
  const { snapshot } = call.transaction;
  if (staysExact(snapshot)) return renewEncoding(call);
  const random = snapshot.manifest.features === 'random' ? { epochs: 0 } : {};
  return fitCollection(call, { ...random, ...options });
}

/** Learns the present documents and keeps the model for those that are added. */
export async function fitCollection(call: WritingCall, options: FitIndexOptions): Promise<void> {
  await renewEncoding(call);
  const { transaction, encoder, models, signal, onProgress } = call;
  models.keep(await fitModel(transaction, encoder, { ...options, signal, onProgress }));
}

/** Rewrites token vectors where they can be rounded better by now. */
export async function renewEncoding({ transaction, models, ...run }: WritingCall): Promise<void> {
  const { signal, onProgress } = run;
  await renewCodec(transaction, () => models.current(), { signal, onProgress });
}

function staysExact({ live, manifest: { features, model } }: Snapshot): boolean {
  const few = features === 'auto' && live < LEAST_FOR_FEATURES && !model;
  return features === 'exact' || few || live === 0;
}
