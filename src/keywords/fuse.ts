/** What the meaning counts for beside the keywords: by SciFact's train queries, as much. */
const MEANING = 0.5;

/** Documents by their numbers, with the MaxSim of each. */
interface Scored {
  readonly documents: Int32Array;
  readonly scores: Float32Array;
}

/** Documents, ascending, with one score of both, and what it is made of. */
export interface Fused extends Scored {
  readonly parts: { readonly meaning: Float32Array; readonly keywords: Float32Array };
}

/** Documents whose numbers are sorted in one go. */
const SORTED = 1 << 15;
/** Documents that are looked at between two chances for other work, and how many are a step. */
const SLICE = 1024;
const DOCUMENTS_A_STEP = 4;

type Step = (steps?: number) => Promise<void> | undefined;

/**
 * One score for each of some documents, whose MaxSim comes in lists: the mean of its similarity,
 * MaxSim by token of the query, and of its share of the BM25 that a text could reach. It is the
 * document's own, whatever else is found. `keywords`: BM25 of all documents, and the sum of the
 * weights of the query's words. Gives way to other work.
 */
export async function fusedScores(
  lists: readonly Scored[],
  tokens: number,
  keywords: { readonly scores: Float32Array; readonly most: number },
  step: Step,
): Promise<Fused> {
  const own = new Map<number, number>();
  for (const { documents, scores } of lists)
    await inSlices(documents.length, step, (i) => void own.set(documents[i], scores[i]));
  const documents = await ascending(own, keywords.scores.length, step);
  const { length } = documents;
  const [scores, meaning, words] = Array.from({ length: 3 }, () => new Float32Array(length));
  const most = keywords.most || 1;
  await inSlices(length, step, (i) => {
    meaning[i] = own.get(documents[i]) ?? 0;
    words[i] = keywords.scores[documents[i]];
    scores[i] = (MEANING * meaning[i]) / tokens + ((1 - MEANING) * words[i]) / most;
  });
  return { documents, scores, parts: { meaning, keywords: words } };
}

/** The keys of a map, all below `count`. */
async function ascending(
  map: ReadonlyMap<number, unknown>,
  count: number,
  step: Step,
): Promise<Int32Array> {
  const out = new Int32Array(map.size);
  const keys = map.keys();
  const next = (): number => keys.next().value as number;
  if (map.size <= SORTED) {
    await inSlices(map.size, step, (i) => {
      out[i] = next();
    });
    return out.sort();
  }
  const there = new Uint8Array(count);
  await inSlices(map.size, step, () => {
    there[next()] = 1;
  });
  let at = 0;
  await inSlices(count, step, (document) => {
    if (there[document]) out[at++] = document;
  });
  return out;
}

/** Calls `use` for the numbers from 0 up to `count`. */
async function inSlices(count: number, step: Step, use: (i: number) => void): Promise<void> {
  for (let from = 0; from < count; from += SLICE) {
    const to = Math.min(count, from + SLICE);
    for (let i = from; i < to; i++) use(i);
    const wait = step((to - from) / DOCUMENTS_A_STEP);
    if (wait) await wait;
  }
}
