import type { PoolingEncoder } from '../encoder/node.js';
import { MaxSim } from '../search/exact-search.js';
import { type Collection, openLemur } from './collection.js';
import { timed } from './measure.js';
import { MAX_TOKENS } from './model.js';
import { snippet } from './text-layout.js';

/** One result of a question. */
export interface Hit {
  rank: number;
  /** Exact MaxSim. */
  score: number;
  id: string;
  title: string;
  text: string;
}

export interface Answer {
  question: string;
  hits: Hit[];
  /** Milliseconds. */
  times: { encode: number; candidates: number; rerank: number };
}

/** What answers questions. */
export interface Engine {
  /** Encodes the question, takes the reduction's candidates and reranks them by MaxSim. */
  answer(question: string, k: number, numCandidates: number): Promise<Answer>;
  /** Frees the vectors; the encoder stays open. */
  close(): void;
}

/** Opens the trained features beside texts and tokens. */
export async function openEngine(
  collection: Pick<Collection, 'folder' | 'documents' | 'tokens'>,
  encoder: PoolingEncoder,
  { threads, signal }: { threads: number | undefined; signal: AbortSignal },
): Promise<Engine> {
  const lemur = await openLemur(collection, 'lemur', threads);
  const maxSim = await MaxSim.create(collection.tokens, { threads, signal });
  return {
    async answer(question, k, numCandidates) {
      const encoded = await timed(() => encoder.encodeQuery([question], { maxTokens: MAX_TOKENS, signal }));
      const found = await timed(() => lemur.candidates(encoded.value, numCandidates, { signal }));
      const top = await timed(() => maxSim.rerankSubset(encoded.value, k, found.value, { signal }));
      const { indices, scores } = top.value;
      const hits = Array.from(
        indices.filter((number) => number >= 0),
        (number, i): Hit => {
          const { id, title, text } = collection.documents[number];
          return { rank: i + 1, score: scores[i], id, title, text };
        },
      );
      return { question, hits, times: { encode: encoded.ms, candidates: found.ms, rerank: top.ms } };
    },
    close() {
      lemur.close();
      maxSim.close();
    },
  };
}

export function formatAnswer({ question, hits, times }: Answer): string {
  const { encode, candidates, rerank } = times;
  const total = (encode + candidates + rerank).toFixed(1);
  const lines = [
    `${question}   (${total} ms: encode ${encode.toFixed(1)}, candidates ${candidates.toFixed(1)}, rerank ${rerank.toFixed(1)})`,
  ];
  for (const { rank, score, id, title, text } of hits) {
    lines.push(`${String(rank).padStart(3)}  ${score.toFixed(3).padStart(6)}  ${snippet(title || text, 110)}  [${id}]`);
    lines.push(`${' '.repeat(13)}${snippet(text, 120)}`);
  }
  return lines.join('\n');
}
