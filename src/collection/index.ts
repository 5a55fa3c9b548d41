import { abortable } from '../abortable.js';
import { resolveDevice } from '../device/default-device.js';
import type { Device } from '../device/device.js';
import { encodeTexts } from '../encoder/encode-texts.js';
import type { Encoder } from '../encoder/encoder.js';
import { LemurError } from '../errors.js';
import { checkOptions } from '../known-options.js';
import type { FitOptions } from '../learn/learn-options.js';
import { resolveLearnOptions } from '../learn/resolve-learn-options.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import { checkK } from '../search/check-k.js';
import { guardedReplace, readIfThere, sameBytes } from '../storage/guarded-replace.js';
import type { ReadableStorage, Storage, StorageLock } from '../storage/storage.js';
import { storageOf, storageToRead } from '../storage-of.js';
import { type TokenInput, type TokenMatrix, tokenSetsOfDim } from '../tokens/token-sets.js';
import { describeKind } from '../value-kind.js';
import { type Call, type Calls, createCalls, watchedEncoder } from './calls/calls.js';
import { inLanes } from './calls/in-lanes.js';
import { type Curve, encodeManifest, type IndexManifest, MANIFEST } from './files/manifest.js';
import { freeSolver, openSolver } from './files/model-file.js';
import { checkVacant } from './files/own-files.js';
import type { Snapshot } from './files/snapshot.js';
import { LOCK, openStore, readManifest, type Store } from './files/store.js';
import { type Verification, verifySnapshot } from './files/verify.js';
import { type WatchedStorage, watchedStorage } from './files/watched-storage.js';
import { addDocuments, withCommitted } from './ingest/add.js';
import { deleteDocuments } from './ingest/delete.js';
import { compact } from './ingest/merge.js';
import { narrowTokens } from './ingest/narrow.js';
import { renewCodec } from './ingest/renew-codec.js';
import { fitAfterAdd, fitIsDue, isPutOff } from './learn/automatic-fit.js';
import type { WeightsModel } from './learn/document-codes.js';
import { fitIndex } from './learn/fit-index.js';
import { LEAST_FOR_FEATURES } from './learn/refit-advice.js';
import { type CompiledFilter, compileFilter } from './metadata/compile-filter.js';
import { checkId, type IndexDocument } from './metadata/document.js';
import type { Filter } from './metadata/filter.js';
import type { Metadata } from './metadata/metadata.js';
import { newManifest } from './new-manifest.js';
import {
  checkEncoder,
  checkEncoderKind,
  checkFlag,
  checkInclude,
  checkInteger,
  checkRecall,
  invalid,
} from './options/check-options.js';
import {
  ADD_OPTIONS,
  CREATE_OPTIONS,
  FIT_INDEX_OPTIONS,
  OPEN_OPTIONS,
  REFRESH_OPTIONS,
  RERANK_OPTIONS,
  SEARCH_OPTIONS,
  TUNE_OPTIONS,
} from './options/option-names.js';
import type {
  Added,
  AddOptions,
  CreateOptions,
  DefaultInclude,
  FitIndexOptions,
  Hit,
  Include,
  OpenOptions,
  Query,
  RerankOptions,
  SearchOptions,
  TuneOptions,
} from './options/options.js';
import { hitsOf, type QuerySets } from './query/answer.js';
import { candidatesOf } from './query/candidate-count.js';
import { find, listed, passing, type SearchMethod, scoreLists } from './query/find.js';
import { different, lookUp } from './query/look-up.js';
import { candidatesFor } from './query/recall-curve.js';
import { type IndexStats, statsOf } from './query/stats.js';
import { drawQueries, givenQueries, measureCurve } from './query/tune.js';

declare global {
  // older libraries of TypeScript have no such symbol
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** Queries that `tune` measures with at most. */
const MOST_SAMPLE = 100_000;

/** The answer to a query: hits, best first, and how they were found. */
export interface SearchResult<
  M extends Metadata = Metadata,
  I extends readonly Include[] = readonly Include[],
> {
  /** At most k, by descending score; documents with the same score in the order of the index. */
  hits: Hit<M, I>[];
  /** Whether candidates were taken by their features, and how many documents were looked at. */
  how: SearchMethod;
}

/** A document as it is stored. */
export interface StoredText<M extends Metadata = Metadata> {
  /** The id that it was added with. */
  id: string;
  /** Its text; undefined where it was added without one. */
  text: string | undefined;
  /** Its metadata; undefined where it was added without any. */
  metadata: M | undefined;
}

/** Hits of one call, of all its queries. */
const MOST_HITS = 2 ** 24;

/** A call that changes the collection. */
interface WritingCall extends Call, RunOptions {
  readonly signal: AbortSignal;
  readonly store: Store;
  readonly encoder: Encoder | undefined;
}

/**
 * Makes the token vectors of a collection narrower by a projection that is found of them; `open`
 * gives the encoder with it. For the command line, which keeps beside the collection what makes
 * vectors of texts. A model is fitted anew, as it was.
 */
export let narrowIndex: (
  index: Index,
  dim: number,
  open: (projection: Float32Array) => Promise<Encoder>,
  options: RunOptions,
) => Promise<void>;

/**
 * A searchable collection of documents that lives on disk: add, delete, search, filter, explain,
 * tune. One writer at a time, any number of readers, each with the state that it opened. What a
 * call has resolved survives a crash; an interrupted call leaves the state before it.
 */
export class Index<M extends Metadata = Metadata> {
  readonly #device: Device;
  #encoder: Encoder | undefined;
  readonly #writable: boolean;
  readonly #store: Store;
  readonly #calls: Calls;
  /** Of the present model, once documents have been added to it. */
  #weights: { model: unknown; loaded: WeightsModel } | null = null;

  /** Use `Index.create` or `Index.open`. */
  private constructor(
    device: Device,
    encoder: Encoder | undefined,
    writable: boolean,
    store: Store,
    calls: Calls,
  ) {
    this.#device = device;
    this.#encoder = encoder;
    this.#writable = writable;
    this.#store = store;
    this.#calls = calls;
  }

  /**
   * Makes an empty collection in a folder (its path or `file:` URL, or a storage) and opens it for
   * writing. Rejects with 'already-exists', 'locked', 'invalid-argument' and 'storage-failed'.
   */
  static async create<M extends Metadata = Metadata>(
    at: string | URL | Storage,
    options: CreateOptions = {},
  ): Promise<Index<M>> {
    checkOptions(options, CREATE_OPTIONS, 'Index.create');
    const manifest = newManifest(options);
    const calls = createCalls();
    const storage = watchedStorage(storageOf(at), calls.waitFor);
    return Index.#opening(options.signal, () =>
      Index.#create<M>(storage, manifest, options, calls),
    );
  }

  static async #create<M extends Metadata>(
    storage: WatchedStorage,
    manifest: IndexManifest,
    options: CreateOptions,
    calls: Calls,
  ): Promise<Index<M>> {
    const device = await resolveDevice(options);
    await checkVacant(storage);
    const lock = await storage.lock(LOCK);
    try {
      await checkVacant(storage);
      options.signal?.throwIfAborted();
      const bytes = encodeManifest(manifest);
      const made = await guardedReplace(storage, lock, MANIFEST, null, bytes);
      if (made.now !== 'new' || made.failure !== undefined) throw made.failure;
      try {
        return new Index<M>(
          device,
          options.encoder ?? undefined,
          true,
          await openStore(storage, device, lock),
          calls,
        );
      } catch (error) {
        // what could not be opened was not made
        const there = await readIfThere(storage, MANIFEST).catch(() => null);
        if (sameBytes(there, bytes)) await storage.delete(MANIFEST).catch(() => undefined);
        throw error;
      }
    } catch (error) {
      await lock.release().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Opens a collection (a folder's path or `file:` URL, or a storage), for reading unless `write`
   * is set. Opening for reading writes nothing. Rejects with 'not-found', 'bad-file',
   * 'unsupported', 'encoder-mismatch', and for writing 'locked', or 'read-only' where the storage
   * can only be read.
   */
  static async open<M extends Metadata = Metadata>(
    at: string | URL | ReadableStorage,
    options: OpenOptions = {},
  ): Promise<Index<M>> {
    checkOptions(options, OPEN_OPTIONS, 'Index.open');
    const calls = createCalls();
    const storage = watchedStorage(storageToRead(at), calls.waitFor);
    return Index.#opening(options.signal, () => Index.#open<M>(storage, options, calls));
  }

  static async #open<M extends Metadata>(
    storage: WatchedStorage,
    options: OpenOptions,
    calls: Calls,
  ): Promise<Index<M>> {
    const { encoder, write = false } = options;
    checkFlag(write, 'write');
    if (encoder) checkEncoderKind(encoder);
    const device = await resolveDevice(options);
    let lock: StorageLock | null = null;
    try {
      if (write) {
        await readManifest(storage);
        lock = await storage.lock(LOCK);
      }
      const store = await openStore(storage, device, lock);
      try {
        checkEncoder(storage, store.snapshot.manifest, encoder);
      } catch (error) {
        await store.close();
        throw error;
      }
      return new Index<M>(device, encoder ?? undefined, write, store, calls);
    } catch (error) {
      await lock?.release().catch(() => undefined);
      throw error;
    }
  }

  /** What was opened after the signal had aborted is closed again. */
  static #opening<M extends Metadata>(
    signal: AbortSignal | undefined,
    open: () => Promise<Index<M>>,
  ): Promise<Index<M>> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const opened = open();
    const close = (index: Index<M>): unknown => signal?.aborted && index.close();
    opened.then(close).catch(() => undefined);
    return abortable(opened, signal);
  }

  /** Documents that are not deleted. */
  get size(): number {
    return this.#store.snapshot.live;
  }

  /** Dimension of the token vectors. */
  get dim(): number {
    return this.#store.snapshot.manifest.dim;
  }

  /**
   * Adds documents: one, an array, or an iterable of any length, which is committed segment by
   * segment (64 MiB of vectors, texts and metadata) while it is read, so that memory does not grow
   * with it; `onProgress` says how many are encoded (`encode`) and how many are safe (`add`). What
   * fits one segment goes in whole or not at all. Documents of an array are all checked, vectors
   * included, before anything is encoded or written. A LemurError says how many were `committed`.
   * Rejects with 'duplicate-id', 'invalid-argument', 'dimension-mismatch', 'not-finite',
   * 'empty-document', 'read-only', 'storage-failed', or the signal's reason; what was committed
   * before stays.
   */
  add(
    documents: IndexDocument<M> | Iterable<IndexDocument<M>> | AsyncIterable<IndexDocument<M>>,
    options: AddOptions = {},
  ): Promise<Added> {
    return this.#write('add', options, ADD_OPTIONS, async (run) => {
      checkFlag(options.fit, 'fit');
      const added = await addDocuments(
        run.store,
        documents,
        run.encoder,
        () => this.#weightsModel(),
        { ...options, ...run },
      );
      if (
        options.fit !== false &&
        fitIsDue(this.#store.snapshot.manifest, this.size) &&
        !isPutOff(this.#store, this.size)
      ) {
        const unfit = await fitAfterAdd(run.store, () => this.#fit({ epochs: 0 }, run)).catch(
          (error: unknown) => {
            throw withCommitted(error, added.added + added.replaced, run.signal);
          },
        );
        if (unfit !== undefined) added.unfit = unfit;
      }
      return added;
    });
  }

  /**
   * Deletes documents by their ids, or those that pass a filter. Ids that are not there are left
   * out of the number returned.
   */
  delete(
    which: string | readonly string[] | { filter: Filter<M> },
    options: RunOptions = {},
  ): Promise<number> {
    return this.#write('delete', options, RUN_OPTIONS, async ({ signal, store }) => {
      const { snapshot } = store;
      if (typeof which === 'object' && which !== null && !Array.isArray(which)) {
        checkOptions(which, { filter: true }, 'delete');
        const mask = await passing(
          snapshot,
          compileFilter((which as { filter: Filter }).filter),
          signal,
        );
        return deleteDocuments(store, listed(mask), signal);
      }
      const ids: readonly string[] = typeof which === 'string' ? [which] : which;
      if (!Array.isArray(ids))
        throw invalid(
          'delete',
          `expected an id, an array of ids or { filter }, got ${describeKind(which)}`,
        );
      const found = await lookUp(snapshot, ids, 'ids', signal);
      const documents = await different(found, snapshot.documents, signal);
      return deleteDocuments(store, documents, signal);
    });
  }

  /**
   * A document by its id; undefined where there is none. For an array of ids an array, in its
   * order.
   */
  get(id: string): Promise<StoredText<M> | undefined>;
  get(ids: readonly string[]): Promise<(StoredText<M> | undefined)[]>;
  get(
    ids: string | readonly string[],
  ): Promise<StoredText<M> | undefined | (StoredText<M> | undefined)[]> {
    return this.#read('get', {}, {}, async (snapshot) => {
      const record = async (id: string, document: number): Promise<StoredText<M> | undefined> => {
        if (document < 0) return undefined;
        const { text, metadata } = await snapshot.record(document);
        return { id, text, metadata: metadata as M | undefined };
      };
      if (typeof ids === 'string') {
        checkId(ids, 'id');
        return record(ids, snapshot.find(ids));
      }
      if (!Array.isArray(ids))
        throw invalid('get', `expected an id or an array of ids, got ${describeKind(ids)}`);
      // the caller may go on with its array
      const asked = ids.slice();
      const documents = await lookUp(snapshot, asked, 'ids');
      return inLanes(documents.length, (i) => record(asked[i], documents[i]));
    });
  }

  /**
   * The best documents for one query, by exact MaxSim among the candidates. Rejects with
   * 'invalid-argument', 'closed', or the signal's reason.
   */
  async search<const I extends readonly Include[] = DefaultInclude>(
    query: Query,
    options: SearchOptions<M, I> = {},
  ): Promise<SearchResult<M, I>> {
    checkOptions(options, SEARCH_OPTIONS, 'search');
    return (await this.searchBatch([query], options))[0];
  }

  /**
   * The same for many queries, which takes less time than one after the other. Token vectors may
   * come as `{ vectors, counts, dim }`. At most 16,777,216 hits in all (queries times k), which are
   * held in memory with what is included of them.
   */
  searchBatch<const I extends readonly Include[] = DefaultInclude>(
    queries: readonly Query[] | TokenInput,
    options: SearchOptions<M, I> = {},
  ): Promise<SearchResult<M, I>[]> {
    return this.#read('searchBatch', options, SEARCH_OPTIONS, async (snapshot, encoder) => {
      const { k = 10, filter, exact = false, signal, onProgress } = options;
      const include = checkInclude(options.include);
      checkK(k);
      checkFlag(exact, 'exact');
      const compiled: CompiledFilter | null =
        filter === undefined ? null : compileFilter(filter as Filter);
      const numCandidates = candidatesOf(snapshot, k, options.numCandidates, options.recall);
      const sets = await this.#querySets(queries, encoder, signal);
      if (snapshot.live === 0)
        return Array.from(sets.counts, () => ({
          hits: [],
          how: { method: 'exact' as const, candidates: 0, passing: 0, documents: 0 },
        }));
      const [count, most] = [sets.counts.length, Math.min(k, snapshot.documents)];
      if (count * most > MOST_HITS)
        throw invalid(
          'k',
          `${count} queries with ${most} hits each, expected at most ${MOST_HITS} hits in one call: search some at a time`,
        );
      const { top, how } = await find(this.#device, snapshot, sets, {
        // more than there are would be room for nothing
        k: most,
        numCandidates: numCandidates ?? k,
        filter: compiled,
        exact: exact || numCandidates === null,
        signal,
        onProgress,
      });
      const results: SearchResult<M, I>[] = [];
      for (let q = 0; q < sets.counts.length; q++)
        results.push({
          hits: (await hitsOf<M>(snapshot, sets, q, top, include, signal)) as Hit<M, I>[],
          how: { ...how },
        });
      return results;
    });
  }

  /**
   * Scores documents that were found elsewhere by exact MaxSim, best first; ids that are not there
   * are left out. Default k: all of them.
   */
  rerank<const I extends readonly Include[] = DefaultInclude>(
    query: Query,
    ids: readonly string[],
    options: RerankOptions<I> = {},
  ): Promise<SearchResult<M, I>> {
    return this.#read('rerank', options, RERANK_OPTIONS, async (snapshot, encoder) => {
      const include = checkInclude(options.include);
      if (!Array.isArray(ids))
        throw invalid('ids', `expected an array of ids, got ${describeKind(ids)}`);
      const found = await lookUp(snapshot, ids, 'ids', options.signal);
      const rows = await different(found, snapshot.documents, options.signal);
      const k = options.k ?? Math.max(1, rows.length);
      checkK(k);
      const sets = await this.#querySets([query], encoder, options.signal);
      const top = await scoreLists(this.#device, snapshot, sets, [rows], k, options);
      const how: SearchMethod = {
        method: 'exact',
        candidates: rows.length,
        passing: rows.length,
        documents: snapshot.live,
      };
      const hits = await hitsOf<M>(snapshot, sets, 0, top, include, options.signal);
      return { hits: hits as Hit<M, I>[], how };
    });
  }

  /**
   * Learns the present documents anew: features (trained, or random with `epochs: 0` or `features:
   * 'random'`) and the codes of all documents, which replace the old ones in one step while
   * searches go on. A collection with `features: 'exact'`, or 'auto' and neither features nor 4,096
   * documents, stays exact.
   */
  fit(options: FitIndexOptions = {}): Promise<IndexStats> {
    return this.#write('fit', options, FIT_INDEX_OPTIONS, async (run) => {
      // also where nothing is learned
      resolveLearnOptions(options as FitOptions);
      const { features, model } = this.#store.snapshot.manifest;
      const few = features === 'auto' && this.size < LEAST_FOR_FEATURES && !model;
      const exact = features === 'exact' || few || this.size === 0;
      if (exact) await this.#renewCodec(run);
      else await this.#fit({ ...(features === 'random' ? { epochs: 0 } : {}), ...options }, run);
      return statsOf(this.#store.snapshot);
    });
  }

  /**
   * Measures on held-out queries how many candidates find which share of the exact top k, and keeps
   * the curve: searches with `recall`, and those that say nothing, go by it. Rejects with
   * 'unsupported' without a model, and 'read-only'.
   */
  tune(options: TuneOptions = {}): Promise<Curve & { numCandidates: number | null }> {
    return this.#write(
      'tune',
      options,
      TUNE_OPTIONS,
      async ({ signal, onProgress, store, encoder }) => {
        const { recall = 0.95, k = 10, sample = 200, seed = 0 } = options;
        checkK(k);
        checkRecall(recall);
        checkInteger(sample, 'sample', 1, MOST_SAMPLE);
        checkInteger(seed, 'seed', 0);
        const { snapshot } = store;
        const { queries: given } = options;
        const isGiven = given !== undefined && given !== null;
        const queries = isGiven
          ? givenQueries(await this.#querySets(given, encoder, signal), sample)
          : await drawQueries(snapshot, encoder, sample, seed, signal);
        const measured = await measureCurve(this.#device, snapshot, queries, k, {
          signal,
          onProgress,
        });
        const curve: Curve = {
          ...measured,
          source: isGiven ? 'given' : 'collection',
          target: recall,
        };
        await store.commit((manifest) => ({
          ...manifest,
          model: manifest.model && { ...manifest.model, curve },
        }));
        return { ...curve, numCandidates: candidatesFor(curve, recall) };
      },
    );
  }

  /**
   * What is known of the collection: sizes, model, curve, quantisation, and whether a refit is due.
   */
  stats(): IndexStats {
    this.#calls.checkOpen();
    return statsOf(this.#store.snapshot);
  }

  /** Reads all files and compares their checksums. */
  verify(options: RunOptions = {}): Promise<Verification> {
    return this.#read('verify', options, RUN_OPTIONS, async (snapshot) => {
      return verifySnapshot(this.#store.storage, snapshot, options);
    });
  }

  /** Rewrites small segments and those with deleted documents, which gives their place back. */
  compact(options: RunOptions = {}): Promise<IndexStats> {
    return this.#write('compact', options, RUN_OPTIONS, async (run) => {
      await compact(run.store, run);
      await this.#renewCodec(run);
      return statsOf(this.#store.snapshot);
    });
  }

  /**
   * Takes over what a writer has committed since this reader was opened. Returns whether there was
   * something.
   */
  async refresh(options: Pick<RunOptions, 'signal'> = {}): Promise<boolean> {
    checkOptions(options, REFRESH_OPTIONS, 'refresh');
    return this.#calls.write('refresh', options.signal, ({ signal }) =>
      this.#store.refresh(signal, (manifest) =>
        checkEncoder(this.#store.storage, manifest, this.#encoder),
      ),
    );
  }

  /**
   * Ends it: searches under way finish, writing calls stop at their next step with 'closed', calls
   * after it reject with 'closed'. It takes less than a second beyond what is being computed,
   * whatever source, encoder and storage do: calls that wait for these reject with 'closed' then,
   * and what the storage has not ended is left behind. A file that is being replaced or deleted
   * keeps the lock until that has ended. Where it rejects it may be called again; this process can
   * open the collection for writing either way.
   */
  close(): Promise<void> {
    return this.#calls.close(async () => {
      this.#dropWeights();
      await this.#store.close();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Work on the state of now, which stays until it is done. */
  async #read<T>(
    where: string,
    options: RunOptions,
    known: Readonly<Record<string, true>>,
    use: (snapshot: Snapshot, encoder: Encoder | undefined) => Promise<T>,
  ): Promise<T> {
    checkOptions(options, known, where);
    return this.#calls.read(where, options.signal, async (call) => {
      const { snapshot } = this.#store;
      const release = snapshot.use();
      try {
        return await use(snapshot, watchedEncoder(this.#encoder, this.#calls, call));
      } finally {
        release();
      }
    });
  }

  /**
   * A call that changes the collection; what it wrote and did not commit is deleted when it fails.
   */
  async #write<T>(
    where: string,
    options: RunOptions,
    known: Readonly<Record<string, true>>,
    use: (call: WritingCall) => Promise<T>,
  ): Promise<T> {
    checkOptions(options, known, where);
    return this.#calls.write(where, options.signal, async (call) => {
      if (!this.#writable) {
        const message = `${where}: the collection was opened for reading; open it with { write: true }`;
        throw new LemurError('read-only', message, { where });
      }
      await this.#store.ready();
      const store = this.#store.writing(call.signal);
      try {
        return await use({
          ...call,
          onProgress: options.onProgress,
          store,
          encoder: watchedEncoder(this.#encoder, this.#calls, call),
        });
      } catch (error) {
        await store.discard();
        throw error;
      }
    });
  }

  static {
    narrowIndex = (index, dim, open, { signal, onProgress }) =>
      index.#write('narrow', { signal, onProgress }, RUN_OPTIONS, async (run) => {
        const { model } = index.#store.snapshot.manifest;
        const encoder = await narrowTokens(run.store, dim, open, run);
        index.#encoder = encoder;
        index.#dropWeights();
        if (model) await index.#fit(model.options, { ...run, encoder });
      });
  }

  #renewCodec({ store, signal, onProgress }: WritingCall): Promise<void> {
    return renewCodec(store, () => this.#weightsModel(), { signal, onProgress });
  }

  async #fit(options: FitIndexOptions, run: WritingCall): Promise<void> {
    await this.#renewCodec(run);
    const { store, encoder, signal, onProgress } = run;
    const loaded = await fitIndex(store, encoder, { ...options, signal, onProgress });
    this.#dropWeights();
    this.#weights = { model: this.#store.snapshot.manifest.model?.file.name, loaded };
  }

  /** The present model with what gives new documents their weights; null where there is none. */
  async #weightsModel(): Promise<WeightsModel | null> {
    const { manifest, model } = this.#store.snapshot;
    if (!manifest.model || !model) return null;
    const { name } = manifest.model.file;
    if (this.#weights?.model !== name) {
      this.#dropWeights();
      const solver = await openSolver(this.#store.storage, this.#device, manifest.model, model.map);
      const { mean, std, length } = manifest.model;
      this.#weights = { model: name, loaded: { ...model, solver, mean, std, length } };
    }
    return this.#weights.loaded;
  }

  #dropWeights(): void {
    if (this.#weights) freeSolver(this.#device, this.#weights.loaded.solver);
    this.#weights = null;
  }

  async #querySets(
    queries: readonly Query[] | TokenInput,
    encoder: Encoder | undefined,
    signal: AbortSignal | undefined,
  ): Promise<QuerySets> {
    if (Array.isArray(queries) && queries.some((query) => typeof query === 'string')) {
      const mixed = queries.findIndex((query) => typeof query !== 'string');
      if (mixed >= 0)
        throw invalid(`queries[${mixed}]`, 'token vectors among texts, expected all of one kind');
      if (!encoder)
        throw invalid(
          'query',
          'a text, and this index has no encoder: open it with { encoder }, or give token vectors',
        );
      const texts = queries as string[];
      const empty = texts.findIndex((text) => text.trim() === '');
      if (empty >= 0)
        throw invalid(texts.length === 1 ? 'query' : `queries[${empty}]`, 'the text is empty');
      return encodeTexts(encoder, 'query', texts, { dim: this.dim, signal });
    }
    return tokenSetsOfDim(queries as TokenInput | TokenMatrix[], this.dim, 'queries', signal);
  }
}
