import type { PoolingEncoder } from '../encoder/node.js';
import { LemurError } from '../errors.js';
import type { CandidateOptions } from '../lemur/candidates.js';
import { MaxSim } from '../search/exact-search.js';
import type { TopK } from '../search/top-k.js';
import { type Collection, openLemur, type StoredTokens } from './collection.js';
import { timed } from './measure.js';
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
  /** What was asked, or else the id of the vectors that came in its place. */
  question?: string;
  query?: string;
  hits: Hit[];
  /** Milliseconds of each step. */
  times: Record<string, number>;
}

/** What answers questions. */
export interface Engine {
  /** Encodes the question, takes the reduction's candidates and reranks them by MaxSim. */
  ask(question: string, k: number, numCandidates: number): Promise<Answer>;
  /** The same for a query that is there as token vectors, under its id. */
  find(id: string, tokens: StoredTokens, k: number, numCandidates: number): Promise<Answer>;
  /** Frees the vectors; the encoder stays open. */
  close(): void;
}

export interface EngineOptions {
  /** Tokens of a question that are encoded. */
  maxTokens: number | undefined;
  /** Scores all documents by MaxSim, without candidates. */
  exact: boolean;
  /** How candidates are found. */
  scan?: CandidateOptions['scan'];
  threads: number | undefined;
  signal: AbortSignal;
}

/** Opens the trained features beside texts and tokens. */
export async function openEngine(
  collection: Pick<Collection, 'folder' | 'documents' | 'tokens'>,
  encoder: PoolingEncoder | undefined,
  { maxTokens, exact, scan, threads, signal }: EngineOptions,
): Promise<Engine> {
  const lemur = exact ? undefined : await openLemur(collection, 'lemur', threads);
  const maxSim = await MaxSim.create(collection.tokens, { threads, signal });
  const search = async (tokens: StoredTokens, k: number, numCandidates: number): Promise<Pick<Answer, 'hits' | 'times'>> => {
    if (!lemur) {
      const top = await timed(() => maxSim.search(tokens, k, { signal }));
      return { hits: hitsOf(top.value), times: { 'exact MaxSim': top.ms } };
    }
    const found = await timed(() => lemur.candidates(tokens, numCandidates, { scan, signal }));
    const top = await timed(() => maxSim.rerankSubset(tokens, k, found.value, { signal }));
    return { hits: hitsOf(top.value), times: { candidates: found.ms, rerank: top.ms } };
  };
  const hitsOf = ({ indices, scores }: TopK): Hit[] =>
    Array.from(
      indices.filter((number) => number >= 0),
      (number, i): Hit => {
        const { id, title, text } = collection.documents[number];
        return { rank: i + 1, score: scores[i], id, title, text };
      },
    );
  return {
    async ask(question, k, numCandidates) {
      if (question.trim() === '') throw new LemurError('invalid-argument', 'the question is empty', { where: 'question' });
      const encoded = await timed(() => encoder!.encodeQuery([question], { maxTokens, signal }));
      const { hits, times } = await search(encoded.value, k, numCandidates);
      return { question, hits, times: { encode: encoded.ms, ...times } };
    },
    async find(id, tokens, k, numCandidates) {
      return { query: id, ...(await search(tokens, k, numCandidates)) };
    },
    close() {
      lemur?.close();
      maxSim.close();
    },
  };
}

export function formatAnswer({ question, query, hits, times }: Answer): string {
  const total = Object.values(times).reduce((sum, ms) => sum + ms, 0);
  const steps = Object.entries(times).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  const lines = [`${question ?? `query ${query}`}   (${total.toFixed(1)} ms: ${steps.join(', ')})`];
  for (const { rank, score, id, title, text } of hits) {
    const start = `${String(rank).padStart(3)}  ${score.toFixed(3).padStart(6)}  `;
    if (title === '' && text === '') {
      lines.push(start + id);
      continue;
    }
    lines.push(`${start}${snippet(title || text, 110)}  [${id}]`);
    lines.push(`${' '.repeat(13)}${snippet(text, 120)}`);
  }
  return lines.join('\n');
}
