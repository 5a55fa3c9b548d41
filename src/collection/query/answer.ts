import { stepPacer } from '../../pacer.js';
import { platform } from '../../platform.js';
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
  { documents, scores, parts, words }: Ranking,
  include: readonly Include[],
  signal?: AbortSignal | undefined,
): Promise<Hit<M>[]> {
  const [withText, withMetadata, withEvidence] = (['text', 'metadata', 'evidence'] as const).map(
    (part) => include.includes(part),
  );
  const cut = snapshot.manifest.passages !== undefined;
  const tokens = queries.counts[q];
  // hits beside one another wait together
  const step = stepPacer(signal);
  return inLanes(
    documents.length,
    async (i) => {
      const document = documents[i];
      const id = snapshot.id(document);
      const score = scores[i];
      const meaning = parts ? parts.meaning[i] : score;
      const similarity = words ? score / words.most : meaning / tokens;
      const hit: Hit<M> = { id, score, similarity };
      if (parts) hit.parts = { meaning, keywords: parts.keywords[i] };
      if (withText || withMetadata || cut || (withEvidence && words)) {
        const record = await snapshot.record(document);
        const { text, metadata } = record;
        if (withText && text !== undefined) hit.text = text;
        if (withMetadata && metadata !== undefined) hit.metadata = metadata as M;
        if (cut) hit.passage = passageOf(id, record);
        if (withEvidence && words) {
          const { wordMatches } = await platform().loadKeywords();
          hit.evidence = await wordMatches(words, text ?? '', signal);
        }
      }
      if (withEvidence && !words)
        hit.evidence = await evidence(snapshot, queries, q, document, step);
      return hit;
    },
    signal,
  );
}

/** Evidence of so many tokens counts as a step between two turns of the event loop. */
const STEP_TOKENS = 16;

async function evidence(
  snapshot: Snapshot,
  { vectors, offsets, dim, spans }: QuerySets,
  q: number,
  document: number,
  step: ReturnType<typeof stepPacer>,
): Promise<Evidence[]> {
  const { view, at } = snapshot.locate(document);
  const documentSpans = await view.segment.spans(at);
  const parts = await snapshot.vectorParts(document);
  const query = vectors.subarray(offsets[q] * dim, offsets[q + 1] * dim);
  const { tokens, scores } = await evidenceOf(query, parts, dim, step);
  const found: Evidence[] = [];
  for (const [queryToken, token] of tokens.entries()) {
    found.push({
      queryToken,
      querySpan: spanOf(spans, offsets[q] + queryToken),
      token,
      span: spanOf(documentSpans, token),
      score: scores[queryToken],
    });
    const wait = step(1 / STEP_TOKENS);
    if (wait) await wait;
  }
  return found;
}

function spanOf(spans: Int32Array | undefined, row: number): readonly [number, number] | undefined {
  return spans && [spans[2 * row], spans[2 * row + 1]];
}
