import { combined } from './document-codes.js';
import { type Curve, filesOf, type IndexManifest, type Residual } from './manifest.js';
import type { Snapshot } from './snapshot.js';

/** What is known of a collection. */
export interface IndexStats {
  documents: number;
  /** Deleted documents whose place has not been given back yet. */
  deleted: number;
  /** Stored token vectors, deleted documents' included. */
  tokens: number;
  segments: number;
  /** Of all files. */
  bytes: number;
  dim: number;
  precision: 'int8' | 'float32';
  pooling: number;
  encoder: { id: string; dim: number } | null;
  /** How candidates are found. */
  features: 'exact' | 'random' | 'trained';
  /** Documents that the model was fitted with; null without a model. */
  fittedDocuments: number | null;
  /** What `tune` has measured. */
  curve: Curve | null;
  /** Mean squared error of the stored tokens over the variance of the given ones. */
  quantizationError: number;
  /** How badly the weights explain documents (1 - R^2 at the solve sample): those of the fit, and those added since. */
  residuals: { fitted: Residual; added: Residual } | null;
  /** Whether the model should be fitted anew, and why. */
  refit: { due: boolean; why: string };
}

export function statsOf({ manifest, live, documents }: Snapshot): IndexStats {
  const { segments, model } = manifest;
  const tokens = segments.reduce((sum, entry) => sum + entry.tokens, 0);
  const added = segments.flatMap(({ residual }) => residual ?? []).reduce(combined, { documents: 0, mean: 0 });
  const { dim, precision, pooling, encoder } = manifest;
  return {
    documents: live,
    deleted: documents - live,
    tokens,
    segments: segments.length,
    bytes: filesOf(manifest).reduce((sum, { bytes }) => sum + bytes, 0),
    dim,
    precision,
    pooling,
    encoder,
    features: model?.features ?? 'exact',
    fittedDocuments: model?.documents ?? null,
    curve: model?.curve ?? null,
    quantizationError: segments.reduce((sum, entry) => sum + entry.quantizationError * entry.tokens, 0) / Math.max(1, tokens),
    residuals: model && { fitted: model.residual, added },
    refit: refitAdvice(manifest, added, live),
  };
}

/** Residuals that are larger by so much mean other documents than those learned from. */
const WORSE = 1.5;
/** Fewer documents say little. */
const ENOUGH = 8;
/** Documents at which learning begins to pay. */
export const LEAST_FOR_FEATURES = 4096;

function refitAdvice({ features, model }: IndexManifest, added: Residual, live: number): { due: boolean; why: string } {
  if (!model) {
    if (features === 'exact') return { due: false, why: 'searches are exact, as the collection was made to be (features: exact)' };
    const least = `features pay from ${LEAST_FOR_FEATURES.toLocaleString('en-US')} on`;
    return live < LEAST_FOR_FEATURES
      ? { due: false, why: `searches are exact, which is quick enough for ${live} documents; ${least}` }
      : { due: true, why: `searches score all ${live} documents exactly; fit() makes them faster` };
  }
  if (added.documents >= ENOUGH && added.mean > WORSE * model.residual.mean) {
    const times = (added.mean / model.residual.mean).toFixed(1);
    return {
      due: true,
      why: `documents added since the fit are explained ${times} times worse than those of the fit: they are of another kind`,
    };
  }
  if (live > 2 * model.documents) return { due: true, why: `there are ${live} documents, and the fit knew ${model.documents}` };
  if (model.features === 'random' && model.options.epochs === 0 && live >= LEAST_FOR_FEATURES) {
    return { due: false, why: 'the features are random ones; fit() trains better ones, with fewer candidates for the same recall' };
  }
  return { due: false, why: 'the documents are like those of the fit' };
}
