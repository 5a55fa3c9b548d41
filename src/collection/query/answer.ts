import { pacer } from '../../pacer.js';
import { evidenceOf } from '../../search/evidence.js';
import { inLanes } from '../calls/in-lanes.js';
import type { Snapshot } from '../files/snapshot.js';
import type { Metadata } from '../metadata/metadata.js';
import type { Include } from '../options/options.js';
import type { Evidence, Hit } from '../options/results.js';
import type { Ranking } from './group-sources.js';
import { passageOf } from './passage.js';
import type { QuerySets } from './read-queries.js';

/**
 * The hits of query q in the order of their ranking, with what is to be included of them. Rejects
 * with the signal's reason.
 */
export async function hitsOf<M extends Metadata>(
  snapshot: Snapshot,
  queries: QuerySets,
  q: number,
  { documents, scores }: Ranking,
  include: readonly Include[],
  signal?: AbortSignal | undefined,
): Promise<Hit<M>[]> {
  const [withText, withMetadata, withEvidence] = (['text', 'metadata', 'evidence'] as const).map(
    (part) => include.includes(part),
  );
  const cut = snapshot.manifest.passages !== undefined;
  const tokens = queries.counts[q];
  return inLanes(
    documents.length,
    async (i) => {
      const document = documents[i];
      const id = snapshot.id(document);
      const score = scores[i];
      const hit: Hit<M> = { id, score, similarity: score / tokens };
      if (withText || withMetadata || cut) {
        const record = await snapshot.record(document);
        const { text, metadata } = record;
        if (withText && text !== undefined) hit.text = text;
        if (withMetadata && metadata !== undefined) hit.metadata = metadata as M;
        if (cut) hit.passage = passageOf(id, record);
      }
      if (withEvidence) hit.evidence = await evidence(snapshot, queries, q, document, signal);
      return hit;
    },
    signal,
  );
}

/** Products of two vectors that are made in one go, in multiplications. */
const PRODUCTS = 1 << 20;

async function evidence(
  snapshot: Snapshot,
  { vectors, offsets, dim, spans }: QuerySets,
  q: number,
  document: number,
  signal: AbortSignal | undefined,
): Promise<Evidence[]> {
  const { view, at } = snapshot.locate(document);
  const documentSpans = await view.segment.spans(at);
  const stored = await snapshot.vectors(document);
  const pace = pacer(signal);
  const evidence: Evidence[] = [];
  const rows = Math.max(1, Math.floor(PRODUCTS / stored.length));
  for (let from = offsets[q]; from < offsets[q + 1]; from += rows) {
    const to = Math.min(offsets[q + 1], from + rows);
    // one query in one go most often, and then no turn is lost to it
    if (from > offsets[q]) await pace();
    const { tokens, scores } = evidenceOf(vectors.subarray(from * dim, to * dim), stored, dim);
    for (const [i, token] of tokens.entries()) {
      const queryToken = from - offsets[q] + i;
      evidence.push({
        queryToken,
        querySpan: spanOf(spans, from + i),
        token,
        span: spanOf(documentSpans, token),
        score: scores[i],
      });
    }
  }
  return evidence;
}

function spanOf(spans: Int32Array | undefined, row: number): readonly [number, number] | undefined {
  return spans && [spans[2 * row], spans[2 * row + 1]];
}
