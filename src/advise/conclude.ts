import { LEAST_FOR_FEATURES } from '../collection/learn/refit-advice.js';
import { EXACT_DOCUMENTS } from '../collection/query/choose-candidates.js';
import type { ComparedSearch } from './compared.js';

/** A first stage that is less times faster than exact search is not worth its bytes. */
const WORTH = 1.5;
/** Random features that take no more than this many times the time of trained ones are as good. */
const ALIKE = 1.1;
/** Other methods are told of where they take less than this part of the time. */
const FASTER = 0.75;
/** nDCG that a hybrid search must gain to be told of. */
const GAIN = 0.01;
/** Recall of exact search by a smaller encoding that is told of. */
const KEPT = 0.99;

/** What is asked of a search, and what it is of. */
export interface Wanted {
  readonly k: number;
  /** Share of the exact best k. */
  readonly recall: number;
  /** Documents that were compared on. */
  readonly documents: number;
  /** Documents of the collection. */
  readonly total: number;
  /** Whether the collection has learned something. */
  readonly isFitted: boolean;
}

/** What to do, and why. */
export interface Conclusion {
  /** What finds candidates; `exact`: all documents are scored. */
  readonly method: 'exact' | 'random' | 'trained';
  /** Documents to score exactly; null: all. */
  readonly numCandidates: number | null;
  /** One line for people. */
  readonly text: string;
}

/**
 * Of exact search and the features that an index can learn what reaches the wanted recall in the
 * least time, with the reason. The first row is exact search.
 */
export function conclude(rows: readonly ComparedSearch[], wanted: Wanted): Conclusion {
  const [exact] = rows;
  const fastest = (method: string): ComparedSearch | undefined => {
    const enough = rows.filter((row) => row.method === method && isEnough(row, wanted));
    return enough.sort((a, b) => ms(a) - ms(b))[0];
  };
  const [trained, random] = [fastest('trained'), fastest('random')];
  const isRandom = random && !(trained && ms(random) > ALIKE * ms(trained));
  const best = isRandom ? random : trained;
  if (!best || ms(exact) < WORTH * ms(best)) {
    const why = best ? notWorth(best, exact, wanted) : noneReaches(rows, wanted);
    const text = `stay with exact search: ${why}${alsoOf(rows, exact)}`;
    return { method: 'exact', numCandidates: null, text };
  }
  const others = [
    isRandom ? trainedBeside(trained) : randomBeside(rows, random, wanted),
    quickerOf(rows, best, wanted),
    alsoOf(rows, best),
    madeFor(wanted),
  ];
  const { numCandidates } = best;
  const method = isRandom ? 'random' : 'trained';
  const text =
    `use ${method} features and k' = ${numCandidates}: ${share(best.recall)} of exact's top ` +
    `${wanted.k} in ${time(best)}, ${times(exact, best)} faster than exact` +
    others.join('');
  return { method, numCandidates, text };
}

/** An index scores all of few documents, whatever is asked for. */
function isEnough({ recall, numCandidates }: ComparedSearch, wanted: Wanted): boolean {
  const count = numCandidates ?? Infinity;
  return recall >= wanted.recall && wanted.documents > Math.max(EXACT_DOCUMENTS, 2 * count);
}

function notWorth(best: ComparedSearch, exact: ComparedSearch, { recall }: Wanted): string {
  const few = ms(exact) > ms(best) ? `only ${times(exact, best)} faster` : 'no faster';
  return (
    `it takes ${time(exact)}, and the first stage that finds ${share(recall)} of it soonest ` +
    `(${best.method} features, k' = ${best.numCandidates}) is ${few}`
  );
}

function noneReaches(rows: readonly ComparedSearch[], { recall, documents, k }: Wanted): string {
  const features = rows.filter(({ method }) => method === 'trained' || method === 'random');
  const [most] = features.sort((a, b) => b.recall - a.recall);
  const taken = `it takes ${time(rows[0])}`;
  if (!most || documents <= EXACT_DOCUMENTS)
    return `${taken}, and indexes score all of so few documents anyway`;
  if (most.recall >= recall)
    return `${taken}, and ${share(recall)} takes so many candidates that indexes score all`;
  return (
    `${taken}, and no features that were tried find ${share(recall)} of its top ${k}: ` +
    `${most.method} ones with k' = ${most.numCandidates} find ${share(most.recall)}`
  );
}

function trainedBeside(trained: ComparedSearch | undefined): string {
  if (!trained) return '; trained features do not get there';
  return `; training gains little (k' = ${trained.numCandidates}, ${time(trained)})`;
}

function randomBeside(
  rows: readonly ComparedSearch[],
  random: ComparedSearch | undefined,
  { recall }: Wanted,
): string {
  if (random) {
    const how = `k' = ${random.numCandidates}, ${time(random)}`;
    return `; random features reach ${share(recall)} without training (${how})`;
  }
  const shares = rows.filter(({ method }) => method === 'random').map((row) => row.recall);
  return shares.length > 0 ? `; random features reach ${share(Math.max(...shares))} at most` : '';
}

/** What an index does not have of its own. */
function quickerOf(rows: readonly ComparedSearch[], best: ComparedSearch, wanted: Wanted): string {
  const others = rows.filter(
    (row) =>
      (row.method === 'muvera' || row.method === 'pooled') &&
      row.recall >= wanted.recall &&
      ms(row) < FASTER * ms(best),
  );
  const [other] = others.sort((a, b) => ms(a) - ms(b));
  if (!other) return '';
  const how = other.numCandidates === null ? '' : `, k' = ${other.numCandidates}`;
  return `; ${other.name}${how} takes ${time(other)}, as candidates of your own`;
}

/** What ranks better than by meaning alone, and what takes fewer bytes. */
function alsoOf(rows: readonly ComparedSearch[], best: ComparedSearch): string {
  const hybrid = rows.find(({ method }) => method === 'hybrid');
  const better =
    hybrid && (hybrid.ndcg ?? 0) >= (best.ndcg ?? Infinity) + GAIN
      ? `; hybrid search ranks better (nDCG ${share(hybrid.ndcg ?? 0)} against ` +
        `${share(best.ndcg ?? 0)})`
      : '';
  const [stored] = rows;
  const [smaller] = rows
    .filter(({ method, recall }) => method === 'exact' && recall >= KEPT)
    .sort((a, b) => (a.tokenBytes ?? 0) - (b.tokenBytes ?? 0));
  if (!smaller || (smaller.tokenBytes ?? 0) >= (stored.tokenBytes ?? 0)) return better;
  return (
    `${better}; ${smaller.name} keeps ${share(smaller.recall)} in ${smaller.tokenBytes} bytes a ` +
    `token instead of ${stored.tokenBytes}`
  );
}

function madeFor({ total, isFitted }: Wanted): string {
  if (isFitted || total >= LEAST_FOR_FEATURES) return '';
  const least = LEAST_FOR_FEATURES.toLocaleString('en-US');
  return `; an index below ${least} documents learns them where it was made with \`features\``;
}

function ms({ latency }: ComparedSearch): number {
  return latency.median;
}

function time(row: ComparedSearch): string {
  return `${Number(ms(row).toPrecision(ms(row) < 100 ? 2 : 3))} ms`;
}

function times(slow: ComparedSearch, quick: ComparedSearch): string {
  const ratio = ms(slow) / ms(quick);
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} times`;
}

/** 0.9923 as .992. */
function share(value: number): string {
  const text = value.toFixed(3);
  return value < 1 && text !== '1.000' ? text.slice(1) : text;
}
