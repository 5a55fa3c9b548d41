import { evidenceOf } from '../search/evidence.js';
import type { TopK } from '../search/top-k.js';
import type { TokenSets } from '../tokens/token-sets.js';
import type { Metadata } from './metadata.js';
import type { Evidence, Hit, Include } from './options.js';
import type { Snapshot } from './snapshot.js';

/** Queries with the spans of their tokens, where these are known. */
export type QuerySets = TokenSets & { readonly spans?: Int32Array | undefined };

/** The hits of query q, with what is to be included of them. */
export async function hitsOf<M extends Metadata>(
  snapshot: Snapshot,
  queries: QuerySets,
  q: number,
  { indices, scores, k }: TopK,
  include: readonly Include[],
): Promise<Hit<M>[]> {
  const places = Array.from({ length: k }, (_, i) => q * k + i).filter((place) => indices[place] >= 0);
  return Promise.all(
    places.map(async (place) => {
      const document = indices[place];
      const hit: Hit<M> = { id: snapshot.id(document), score: scores[place] };
      if (include.includes('text') || include.includes('metadata')) {
        const { text, metadata } = await snapshot.record(document);
        if (include.includes('text') && text !== undefined) hit.text = text;
        if (include.includes('metadata') && metadata !== undefined) hit.metadata = metadata as M;
      }
      if (include.includes('evidence')) hit.evidence = await evidence(snapshot, queries, q, document);
      return hit;
    }),
  );
}

async function evidence(snapshot: Snapshot, { vectors, offsets, dim, spans }: QuerySets, q: number, document: number): Promise<Evidence[]> {
  const { view, at } = snapshot.locate(document);
  const documentSpans = await view.segment.spans(at);
  const query = vectors.subarray(offsets[q] * dim, offsets[q + 1] * dim);
  const { tokens, scores } = evidenceOf(query, await snapshot.vectors(document), dim);
  return Array.from(tokens, (token, i) => ({
    queryToken: i,
    querySpan: spanOf(spans, offsets[q] + i),
    token,
    span: spanOf(documentSpans, token),
    score: scores[i],
  }));
}

function spanOf(spans: Int32Array | undefined, row: number): readonly [number, number] | undefined {
  return spans && [spans[2 * row], spans[2 * row + 1]];
}
