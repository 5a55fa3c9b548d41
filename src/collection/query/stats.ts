import type { PassageRules } from '../../passages/passage-rules.js';
import type { Precision } from '../../tokens/encodings.js';
import { type Curve, filesOf, type Residual, type SegmentEntry } from '../files/manifest.js';
import type { Snapshot } from '../files/snapshot.js';
import { type DocumentLengths, documentLengths, refitAdvice } from '../learn/refit-advice.js';
import { mergeResiduals } from '../learn/residual.js';
import { candidateCount } from './candidate-count.js';
import { chooseCandidates } from './choose-candidates.js';
import { recallAt } from './recall-curve.js';
import { sourceCount } from './source-count.js';

/** Facts of a collection, of its model and of its searches. */
export interface IndexStats {
  /** Documents that are not deleted; where these are cut, their passages. */
  documents: number;
  /** Documents that are not deleted, each once however many passages it has. */
  sources: number;
  /** Deleted documents whose place has not been given back yet. */
  deleted: number;
  /** Stored token vectors, deleted documents' included. */
  tokens: number;
  /** Batches that documents are stored in; `compact` makes fewer of them. */
  segments: number;
  /** Of all files. */
  bytes: number;
  /** Dimension of the token vectors. */
  dim: number;
  /** How token vectors are stored. */
  precision: Precision;
  /** Token vectors were merged into this part of them; 1: none was. */
  pooling: number;
  /** The encoder that it was made with; null where token vectors came ready-made. */
  encoder: {
    /** Its `id`. */
    id: string;
    /** Dimension of its token vectors. */
    dim: number;
  } | null;
  /** How documents are cut into passages, which count as documents here; null: they are not. */
  passages: PassageRules | null;
  /**
   * What documents are kept in step with by `mirror`, in the order of the numbers that are kept of
   * them: of a folder its path from the index's own; and what the ids of its documents begin with.
   */
  roots: readonly {
    /** Its name. */
    root: string;
    /** Empty for the first one. */
    prefix: string;
  }[];
  /** What searches by keywords need; null: the collection is to have none of it. */
  keywords: {
    /** Of its files. */
    bytes: number;
    /**
     * Documents, deleted ones too, that have not been looked through, as those of an earlier
     * version, until `compact`.
     */
    missing: number;
  } | null;
  /** How candidates are found. */
  features: 'exact' | 'random' | 'trained';
  /** Documents that the model was fitted with; null without a model. */
  fittedDocuments: number | null;
  /** The curve that `tune` has measured. */
  curve: Curve | null;
  /** Mean squared error of the stored tokens over the variance of the given ones. */
  quantizationError: number;
  /**
   * How badly the weights explain documents (1 - R^2 at the solve sample): those of the fit, and
   * those added since.
   */
  residuals: {
    /** Those that the model was fitted with. */
    fitted: Residual;
    /** Those that came later. */
    added: Residual;
  } | null;
  /** How long documents' vectors are; null without a model, and with one of an earlier version. */
  lengths: DocumentLengths | null;
  /** What a search for 10 hits does that says nothing of candidates or recall. */
  search: {
    /** Documents that it reranks; null: it scores all of them. */
    numCandidates: number | null;
    /** Share of the exact best that it finds: 1 where it scores all, null before `tune`. */
    recall: number | null;
  };
  /** Whether the model should be fitted anew. */
  refit: {
    /** Whether it should. */
    due: boolean;
    /** Why, or why not: one sentence. */
    why: string;
  };
}

export function statsOf(snapshot: Snapshot): IndexStats {
  const { manifest, live, documents } = snapshot;
  const { segments, model } = manifest;
  const tokens = segments.reduce((sum, entry) => sum + entry.tokens, 0);
  const added = segments
    .flatMap(({ residual }) => residual ?? [])
    .reduce(mergeResiduals, { documents: 0, mean: 0 });
  const { dim, precision, pooling, encoder } = manifest;
  const lengths = documentLengths(snapshot);
  return {
    documents: live,
    sources: sourceCount(snapshot),
    deleted: documents - live,
    tokens,
    segments: segments.length,
    bytes: filesOf(manifest).reduce((sum, { bytes }) => sum + bytes, 0),
    dim,
    precision,
    pooling,
    encoder: encoder && { id: encoder.id, dim: encoder.dim },
    passages: manifest.passages ?? null,
    roots: manifest.roots ?? [],
    keywords: manifest.keywords === false ? null : keywordStats(segments),
    features: model?.features ?? 'exact',
    fittedDocuments: model?.documents ?? null,
    curve: model?.curve ?? null,
    quantizationError:
      segments.reduce((sum, entry) => sum + entry.quantizationError * entry.tokens, 0) /
      Math.max(1, tokens),
    residuals: model && { fitted: model.residual, added },
    lengths,
    search: defaultSearch(snapshot),
    refit: refitAdvice(snapshot, added, lengths),
  };
}

function keywordStats(segments: readonly SegmentEntry[]): IndexStats['keywords'] {
  const missing = segments.filter(({ keywords }) => keywords === undefined);
  return {
    bytes: segments.reduce((sum, { keywords }) => sum + (keywords?.file.bytes ?? 0), 0),
    missing: missing.reduce((sum, { documents }) => sum + documents, 0),
  };
}

/** Hits of a search that says nothing. */
const K = 10;

function defaultSearch(snapshot: Snapshot): IndexStats['search'] {
  const choice = chooseCandidates(snapshot, snapshot.live, candidateCount(snapshot, K));
  if (choice.method !== 'features') return { numCandidates: null, recall: 1 };
  const { numCandidates } = choice;
  const curve = snapshot.manifest.model?.curve;
  return { numCandidates, recall: curve ? recallAt(curve, numCandidates) : null };
}
