import { pacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import { decodeVectors, encodeVectors } from '../../tokens/encode-tokens.js';
import type { TokenCodec } from '../../tokens/encoding.js';
import type { IndexManifest, SegmentEntry } from '../files/manifest.js';
import { withCodec } from '../files/token-codec.js';
import type { Transaction } from '../files/transaction.js';
import { documentCodes, type WeightsModel } from '../learn/document-codes.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { partsOf } from './merge.js';
import { writeSegment } from './write-segment.js';

/** What the token vectors of a collection become. */
export interface TokenChange {
  /** How the new vectors are stored. */
  codec: TokenCodec;
  /** A document's new vectors of the old ones, tokens x dim; left out: they stay what they are. */
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
  store: Transaction,
  change: TokenChange,
  model: WeightsModel | null,
  run: RunOptions,
): Promise<void> {
  const { snapshot } = store;
  const { signal } = run;
  const { codec } = change;
  const segments: SegmentEntry[] = [];
  const pace = pacer(signal);
  let done = 0;
  for (const { entry, segment } of snapshot.segments) {
    const documents: StoredDocument[] = [];
    let error = 0;
    let energy = 0;
    for (const [from, to] of partsOf(segment, entry.file.bytes)) {
      for (const document of await segment.readDocuments(from, to)) {
        await pace();
        run.onProgress?.({ stage: 'rewrite', done: done++, total: snapshot.documents });
        const old = decodeVectors(document, snapshot.codec);
        const vectors = change.map ? await change.map(old) : old;
        const encoded = encodeVectors(vectors, codec);
        const loss = codec.encoding.loss(vectors, encoded, codec);
        error += loss.error;
        energy += loss.energy;
        documents.push({ ...document, ...encoded });
      }
    }
    const codes = model && (await documentCodes(store.device, model, documents, codec, { signal }));
    const { residual, fitted, deleted } = entry;
    const quantizationError = entry.quantizationError + (energy > 0 ? error / energy : 0);
    const written = await writeSegment(
      store,
      documents,
      codes,
      { quantizationError, residual, fitted },
      signal,
      codec,
    );
    segments.push({ ...written, deleted });
  }
  signal?.throwIfAborted();
  await store.commit((manifest) => ({
    ...withCodec(manifest, codec),
    ...change.manifest,
    segments,
  }));
}
