import { pacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import { quantizationLoss, quantizeText } from '../../tokens/quantize.js';
import type { IndexManifest, SegmentEntry } from '../files/manifest.js';
import type { Store } from '../files/store.js';
import { documentCodes, type WeightsModel } from '../learn/document-codes.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { partsOf } from './merge.js';
import { writeSegment } from './write-segment.js';

/** What the token vectors of a collection become. */
export interface TokenChange {
  /** Of the new vectors. */
  dim: number;
  /** What int8 codes are taken from; null for float32. */
  tokenMean: Float32Array | null;
  /**
   * A document's new vectors, rows x dim, of the old ones as float32; left out: they stay what they
   * are.
   */
  map?: (vectors: Float32Array) => Promise<Float32Array>;
  /** What else changes with them. */
  manifest?: Partial<Pick<IndexManifest, 'encoder' | 'model'>>;
}

/**
 * Rewrites the token vectors of all documents, and their codes by the model where there is one: new
 * files for every segment, one commit. Until then, and for readers of the old state, everything
 * stays as it is; a second copy of the collection is on the disk meanwhile.
 */
export async function rewriteTokens(
  store: Store,
  change: TokenChange,
  model: WeightsModel | null,
  run: RunOptions,
): Promise<void> {
  const { snapshot } = store;
  const { signal } = run;
  const oldMean = snapshot.manifest.tokenMean && Float32Array.from(snapshot.manifest.tokenMean);
  const segments: SegmentEntry[] = [];
  const pace = pacer(signal);
  let done = 0;
  for (const { entry, segment } of snapshot.segments) {
    const documents: StoredDocument[] = [];
    let error = 0;
    let energy = 0;
    for (const [from, to] of partsOf(segment, entry.file.bytes)) {
      for (const document of await segment.part(from, to)) {
        await pace();
        run.onProgress?.({ stage: 'rewrite', done: done++, total: snapshot.documents });
        const old = float32Of(document, oldMean);
        const vectors = change.map ? await change.map(old) : old;
        if (!change.tokenMean) {
          documents.push({ ...document, vectors });
          continue;
        }
        const codes = new Int8Array(vectors.length);
        const factor = quantizeText(vectors, change.tokenMean, codes);
        const loss = quantizationLoss(vectors, change.tokenMean, codes, factor);
        error += loss.error;
        energy += loss.energy;
        documents.push({ ...document, vectors: codes, factor });
      }
    }
    const codes =
      model &&
      (await documentCodes(store.device, model, documents, change.dim, change.tokenMean, {
        signal,
      }));
    const { residual, fitted, deleted } = entry;
    const quantizationError = entry.quantizationError + (energy > 0 ? error / energy : 0);
    const written = await writeSegment(
      store,
      documents,
      codes,
      { quantizationError, residual, fitted },
      signal,
      change.dim,
    );
    segments.push({ ...written, deleted });
  }
  signal?.throwIfAborted();
  const { dim, tokenMean } = change;
  await store.commit((manifest) => ({
    ...manifest,
    ...change.manifest,
    dim,
    tokenMean: tokenMean && [...tokenMean],
    segments,
  }));
}

/** A stored document's vectors. */
function float32Of({ vectors, factor }: StoredDocument, mean: Float32Array | null): Float32Array {
  if (vectors instanceof Float32Array || !mean) return Float32Array.from(vectors);
  const out = new Float32Array(vectors.length);
  for (let row = 0; row < out.length; row += mean.length)
    for (let j = 0; j < mean.length; j++) out[row + j] = vectors[row + j] * factor + mean[j];
  return out;
}
