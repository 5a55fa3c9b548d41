import { sliceTexts } from '../../../tokens/slice-texts.js';
import type { TokenSets } from '../../../tokens/token-sets.js';
import { uploadTokens } from '../../device-tokens.js';
import type { DocumentSearch, FoundDocuments, SearchDepths, TopOptions } from '../../retriever.js';
import { type MaxSimSubsetArgs, planSubset } from '../operations/max-sim.js';
import { bestScores } from './best-scores.js';
import type { SearchTensors } from './kept-tensors.js';
import { emptyTop, inPasses, putRows } from './query-passes.js';
import { type Step, step } from './run.js';
import { CodeSearch, type SearchHost } from './top-codes.js';

/** Candidates of queries by codes and the best of these by exact MaxSim, a pass a trip. */
export async function searchDocuments(
  host: SearchHost,
  search: DocumentSearch,
  queries: TokenSets,
  { rescored, candidates, k }: SearchDepths,
  options: TopOptions,
): Promise<FoundDocuments> {
  const count = queries.counts.length;
  const codes = new CodeSearch(host, search.codes, options);
  const depths = {
    rescored: codes.listed(rescored, candidates),
    candidates: Math.min(candidates, search.codes.rows),
    k: Math.min(k, candidates, search.codes.rows),
  };
  const top = { ...emptyTop(count, k), scored: new Int32Array(count) };
  await inPasses(count, options, codes.queriesAtOnce(depths.rescored), (from, some) =>
    host.kept.use(async (tensors) => {
      const part = sliceTexts(queries, from, from + some);
      const found = await findBest(host, tensors, codes, search, part, depths, options);
      putRows(top, k, from, some, found.indices, found.scores);
      top.scored.set(found.scored, from);
    }),
  );
  return top;
}

/** Of one pass. */
async function findBest(
  host: SearchHost,
  tensors: SearchTensors,
  codes: CodeSearch,
  { featureMap, projection, means, documents }: DocumentSearch,
  queries: TokenSets,
  { rescored, candidates, k }: SearchDepths,
  { signal }: TopOptions,
): Promise<FoundDocuments> {
  const { store, run } = host;
  const count = queries.counts.length;
  const tokens = await uploadTokens(tensors, queries);
  const reduced = await codes.reduce(tensors, { featureMap, tokens, projection, means });
  const chosen = await codes.choose(tensors, reduced, rescored, candidates);
  const out = await tensors.allocate('f32', count * candidates);
  const score = { queries: tokens, documents, candidates: chosen.indices, out };
  const indices = await tensors.allocate('i32', count * k);
  const best = await tensors.allocate('f32', count * k);
  const lists = { count, listed: candidates, rows: chosen.indices, scores: out };
  const steps = [
    ...reduced.steps,
    ...chosen.steps,
    await scoreStep(host, tensors, score, candidates, k),
    step('selectScored', { ...lists, k, indices, best }),
  ];
  await run(steps, { signal });
  const rows = await store.read(chosen.indices);
  const scored = Int32Array.from({ length: count }, (_, q) => {
    const list = rows.subarray(q * candidates, (q + 1) * candidates);
    const end = list.indexOf(-1);
    return end < 0 ? candidates : end;
  });
  return { indices: await store.read(indices), scores: await store.read(best), scored };
}

/** Exact MaxSim of so many candidates of each query, or of those that may be among the k best. */
async function scoreStep(
  { store, threads, firstLook }: SearchHost,
  tensors: SearchTensors,
  score: Omit<MaxSimSubsetArgs, 'plan'>,
  candidates: number,
  k: number,
): Promise<Step> {
  const { documentCount } = score.queries;
  const ends = Int32Array.from({ length: documentCount + 1 }, (_, q) => q * candidates);
  const plan = await tensors.upload('i32', planSubset(ends, threads));
  const best = firstLook ? await bestScores(store, tensors, score, { best: k }) : null;
  if (!best) return step('maxSimSubset', { ...score, plan });
  const ranges = await tensors.upload('i32', ends);
  return step('bestMaxSimSubset', { ...score, ...best, plan, ranges });
}
