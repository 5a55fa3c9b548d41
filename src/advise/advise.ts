import type { Snapshot } from '../collection/files/snapshot.js';
import { collectionOf, Index } from '../collection/index.js';
import type { ReadingCall } from '../collection/open-collection.js';
import { checkInteger, checkRecall } from '../collection/options/check-options.js';
import type { Query } from '../collection/options/options.js';
import { passagesFor } from '../collection/query/group-sources.js';
import { oneQuery, type QuerySets, readQueries } from '../collection/query/read-queries.js';
import { uploadTokens } from '../device/device-tokens.js';
import { withTensors } from '../device/with-tensors.js';
import { invalidArgument, LemurError } from '../errors.js';
import type { OptionNames } from '../known-options.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import { allowedDocuments } from '../search/allowed-documents.js';
import { checkK } from '../search/check-k.js';
import { encodeTokens } from '../tokens/encode-tokens.js';
import { createRandom, sampleWithoutReplacement } from '../tokens/random.js';
import { STREAM } from '../tokens/random-streams.js';
import type { TokenInput } from '../tokens/token-sets.js';
import { describeKind, showValue } from '../value-kind.js';
import { compare } from './compare.js';
import type { ComparedSearch, Judgements } from './compared.js';
import { type Conclusion, conclude } from './conclude.js';
import { exactSettings } from './exact-settings.js';
import { featureSettings } from './feature-settings.js';
import { measureRounds } from './rounds.js';
import type { Ground, Setting } from './setting.js';
import { takeDocuments } from './take-documents.js';
import { vectorSettings } from './vector-settings.js';
import { wordSettings } from './word-settings.js';

/** What is compared, and by what. */
export interface AdviseOptions extends RunOptions {
  /** Results that count; default 10. */
  k?: number | undefined;
  /** Share of the exact best k that a search is to find, above 0 and at most 1; default 0.95. */
  recall?: number | undefined;
  /** Numbers of candidates to try, each at least k; default 50, 100, 200 and 400. */
  candidates?: readonly number[] | undefined;
  /**
   * For each query the grades of documents by their ids (of documents, not of passages), or
   * undefined where it is not judged: rankings then have an nDCG. Default: none is judged.
   */
  judgements?: readonly (Judgements | undefined)[] | undefined;
  /**
   * Documents that are compared on, at most; of larger collections so many are chosen at random,
   * those judged relevant among them. Default 20,000; never more than have 1 GiB of float32
   * vectors.
   */
  sample?: number | undefined;
  /** Queries that are measured, at most; of more so many are chosen at random. Default 500. */
  mostQueries?: number | undefined;
  /** Of all random draws; default 0. */
  seed?: number | undefined;
}

const ADVISE_OPTIONS: OptionNames<AdviseOptions> = {
  k: true,
  recall: true,
  candidates: true,
  judgements: true,
  sample: true,
  mostQueries: true,
  seed: true,
  ...RUN_OPTIONS,
};

/** What `advise` has found. */
export interface Advice extends Conclusion {
  /** Results that counted. */
  k: number;
  /** The wanted share of the exact best k. */
  recall: number;
  /** Seed of the random draws. */
  seed: number;
  /** Documents (where they are cut, passages) that were compared on, and those of the index. */
  documents: number;
  /** Documents, or passages, of the index. */
  total: number;
  /** Dimension of the token vectors. */
  dim: number;
  /** How the index stores token vectors. */
  precision: string;
  /** Queries that were measured. */
  queries: number;
  /** Those of them that a document is judged relevant to. */
  judged: number;
  /** What was compared; the first is the index's exact search, to which recall is held. */
  rows: ComparedSearch[];
}

type Resolved = {
  [K in Exclude<keyof AdviseOptions, keyof RunOptions>]-?: NonNullable<AdviseOptions[K]>;
};

/** The table where nothing else is asked for. */
export const ADVISE_DEFAULTS: Omit<Resolved, 'judgements'> = {
  k: 10,
  recall: 0.95,
  candidates: [50, 100, 200, 400],
  sample: 20_000,
  mostQueries: 500,
  seed: 0,
};

/**
 * Compares on the index's own documents, for queries like those that people ask, the ways to
 * search it: exact MaxSim by each token encoding, first stages by random and trained features,
 * MUVERA and one pooled vector with several numbers of candidates, keywords and hybrid search
 * where the index has them and the queries are texts; and says which to use. The index is only
 * read: what has to be learned or encoded for it is held in memory, and freed. Rejects with
 * 'invalid-argument', 'dimension-mismatch', 'not-finite', 'empty-document' (a query),
 * 'empty-corpus' (an index without documents), 'unsupported' (a device that does not learn),
 * 'bad-file', 'closed', or the signal's reason.
 *
 * @example
 * const { text, rows } = await advise(index, questionsThatPeopleAsked);
 * console.table(rows);
 * console.log(text);
 */
export async function advise(
  index: Index,
  queries: readonly Query[] | TokenInput,
  options: AdviseOptions = {},
): Promise<Advice> {
  if (!(index instanceof Index))
    throw invalidArgument('index', `expected an Index, got ${describeKind(index)}`);
  const collection = collectionOf(index);
  return collection.read('advise', options, ADVISE_OPTIONS, async (call) => {
    const chosen = resolve(options);
    const { signal, onProgress } = options;
    const { snapshot, encoder } = call;
    if (snapshot.live === 0) throw empty();
    const sets = await readQueries(queries, snapshot.manifest.dim, encoder, signal);
    checkJudgements(options.judgements, sets.counts.length);
    return adviseOn(call, sets, chosen, { signal, onProgress });
  });
}

async function adviseOn(
  call: ReadingCall,
  sets: QuerySets,
  options: Resolved,
  run: RunOptions,
): Promise<Advice> {
  const { device, snapshot } = call;
  const { k, recall, seed, sample } = options;
  const asked = chosenQueries(sets, options);
  const judgements = asked.map((q) => judged(options.judgements[q]));
  const wanted = judgedDocuments(snapshot, judgements);
  const taken = await takeDocuments(snapshot, sample, seed, wanted, run);
  const documents = taken.numbers.length;
  return withTensors(device, async (scope) => {
    const tokens =
      taken.isAll && !('fetch' in snapshot.tokens)
        ? snapshot.tokens
        : await uploadTokens(scope, await encodeTokens(taken.tokens, snapshot.codec, run.signal));
    const ground: Ground = {
      ...{ device, snapshot, taken, tokens, scope, signal: run.signal },
      rows: allowedDocuments(documents, null).rows(),
      depth: snapshot.manifest.passages ? passagesFor(k, documents) : Math.min(k, documents),
    };
    const settings = await settingsOf(ground, call, sets, options, run);
    const queries = asked.map((q) => oneQuery(sets, q));
    const measured = await measureRounds(settings, queries, run);
    const rows = await compare(measured, judgements, snapshot, k, run.signal);
    const { dim, precision, model } = snapshot.manifest;
    const facts = { documents, total: snapshot.live };
    const isFitted = model !== null;
    return {
      ...conclude(rows, { k, recall, ...facts, isFitted }),
      ...{ k, recall, seed, ...facts, dim, precision },
      queries: queries.length,
      judged: judgements.filter((grades) => grades !== undefined).length,
      rows,
    };
  });
}

/** The exact search of the index first. */
async function settingsOf(
  ground: Ground,
  { encoder }: ReadingCall,
  queries: QuerySets,
  { seed, ...options }: Resolved,
  run: RunOptions,
): Promise<Setting[]> {
  const { manifest } = ground.snapshot;
  // as many as there are, or more, would be all
  const candidates = options.candidates.filter((count) => count < ground.rows.length);
  const exact = await exactSettings(ground, seed, run);
  const features =
    candidates.length > 0
      ? await featureSettings(ground, { ...run, seed, encoder, candidates })
      : [];
  const vectors = await vectorSettings(ground, candidates, seed, run);
  const hasWords =
    manifest.keywords !== false && manifest.segments.every((entry) => entry.keywords !== undefined);
  const words = hasWords && queries.text ? wordSettings(ground) : [];
  return [...exact, ...features, ...vectors, ...words];
}

function chosenQueries({ counts }: QuerySets, { mostQueries, seed }: Resolved): number[] {
  const random = createRandom(seed, STREAM.adviceQueries);
  return [...sampleWithoutReplacement(random, counts.length, mostQueries).sort()];
}

/** undefined where no document is relevant. */
function judged(grades: Judgements | undefined): Judgements | undefined {
  return grades && [...grades.values()].some((grade) => grade > 0) ? grades : undefined;
}

/** Numbers of the documents, or their passages, that are relevant to some query. */
function judgedDocuments(
  snapshot: Snapshot,
  judgements: readonly (Judgements | undefined)[],
): number[] {
  const ids = new Set<string>();
  for (const grades of judgements)
    for (const [id, grade] of grades ?? []) if (grade > 0) ids.add(id);
  return [...ids].flatMap((id) => snapshot.findSource(id));
}

function resolve(options: AdviseOptions): Resolved {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const { judgements = [], ...chosen }: Omit<Resolved, 'judgements'> & Partial<Resolved> = {
    ...ADVISE_DEFAULTS,
    ...Object.fromEntries(given),
  };
  const { k } = chosen;
  checkK(k);
  // of the default ones none is below k
  const least = ADVISE_DEFAULTS.candidates.map((count) => Math.max(count, k));
  const candidates = options.candidates ?? [...new Set(least)];
  checkRecall(chosen.recall);
  checkInteger(chosen.sample, 'sample', 1);
  checkInteger(chosen.mostQueries, 'mostQueries', 1);
  checkInteger(chosen.seed, 'seed', 0);
  if (!Array.isArray(candidates))
    throw invalidArgument('candidates', `expected an array, got ${describeKind(candidates)}`);
  for (const count of candidates as unknown[])
    if (!Number.isSafeInteger(count) || (count as number) < k) {
      const expected = `expected integers of at least k, ${k}`;
      throw invalidArgument('candidates', `${expected}, got ${showValue(count)}`);
    }
  return { ...chosen, candidates, judgements };
}

function checkJudgements(judgements: unknown, queries: number): void {
  if (judgements === undefined) return;
  const isList = Array.isArray(judgements) && judgements.length === queries;
  const all: unknown[] = isList ? judgements : [];
  if (isList && all.every((one) => one === undefined || one instanceof Map)) return;
  const got = Array.isArray(judgements) ? `${judgements.length} values` : describeKind(judgements);
  const expected = `expected a Map or undefined for each of the ${queries} queries`;
  throw invalidArgument('judgements', `${expected}, got ${got}`);
}

function empty(): LemurError {
  const message = 'advise: the index has no documents, expected at least one';
  return new LemurError('empty-corpus', message, { where: 'advise' });
}
