import { abortable } from '../abortable.js';
import { checkOptions } from '../known-options.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import type { ReadableStorage, Storage } from '../storage/storage.js';
import type { TokenInput } from '../tokens/token-sets.js';
import { createCollection } from './create-collection.js';
import { type Verification, verifySnapshot } from './files/verify.js';
import { getDocuments, type StoredText } from './get.js';
import type { IndexDocument } from './metadata/document.js';
import type { Filter } from './metadata/filter.js';
import type { Metadata } from './metadata/metadata.js';
import type { MirrorSource } from './mirror/mirror-source.js';
import { type OpenCollection, openCollection, type WritingCall } from './open-collection.js';
import { openOrCreate } from './open-or-create.js';
import {
  ADD_OPTIONS,
  COMPACT_OPTIONS,
  FIT_INDEX_OPTIONS,
  MIRROR_OPTIONS,
  RERANK_OPTIONS,
  SEARCH_OPTIONS,
  TUNE_OPTIONS,
} from './options/option-names.js';
import type {
  AddOptions,
  CompactOptions,
  CreateOptions,
  DefaultInclude,
  FitIndexOptions,
  Include,
  MirrorOptions,
  OpenOptions,
  Query,
  RerankOptions,
  SearchOptions,
  TuneOptions,
} from './options/options.js';
import type { Added, Mirrored } from './options/results.js';
import { providedWriting, type Writing } from './provided-writing.js';
import type { SearchResult } from './query/search-result.js';
import { type IndexStats, statsOf } from './query/stats.js';
import { rerankIds, searchQueries } from './search.js';
import type { Tuned } from './tune.js';

declare global {
  // older libraries of TypeScript have no such symbol
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/**
 * What an index has open: for the command line, which does what `mirror` does in two steps, and
 * narrows token vectors, since only it keeps beside a collection what its encoder is loaded from;
 * and for the server, which reads texts of others by that encoder. `Index` sets it, for nobody else
 * reaches that.
 */
export let collectionOf: (index: Index) => OpenCollection;

/**
 * A searchable collection of documents that lives on disk: add, delete, search, filter, explain,
 * tune. The collection is what is stored, an `Index` is what has it open. One writer at a time, any
 * number of readers, each with the state that it opened. What a call has resolved survives a crash;
 * an interrupted call leaves the state before it. Every call rejects with 'invalid-argument' for
 * options that it does not know or take, with 'closed' after `close`, and with the reason of its
 * signal; those that change the collection with 'read-only' without `write`, and with 'deadlock'
 * where one is called inside of what another waits for.
 */
export class Index<M extends Metadata = Metadata> {
  readonly #collection: OpenCollection;

  /** Use `Index.create` or `Index.open`. */
  private constructor(collection: OpenCollection) {
    this.#collection = collection;
  }

  static {
    collectionOf = (index) => index.#collection;
  }

  /**
   * Makes an empty collection in a folder (its path or `file:` URL, or a storage) and opens it for
   * writing. Rejects with 'already-exists', 'locked', 'invalid-argument', 'dimension-mismatch' and
   * 'storage-failed'.
   *
   * @example
   * const index = await Index.create('notes', { encoder: await loadEncoder() });
   */
  static async create<M extends Metadata = Metadata>(
    at: string | URL | Storage,
    options: CreateOptions = {},
  ): Promise<Index<M>> {
    return new Index<M>(await createCollection(at, options));
  }

  /**
   * Opens a collection (a folder's path or `file:` URL, or a storage), for reading unless `write`
   * is set. Opening for reading writes nothing, and loads no encoder: the first text does, from
   * what the collection keeps of the one it was made with. Calls reject then as `loadEncoder` does,
   * and with 'encoder-mismatch' where another one has come. Opening rejects with 'not-found',
   * 'bad-file', 'unsupported', 'encoder-mismatch', 'dimension-mismatch', and for writing 'locked',
   * or 'read-only' where the storage can only be read.
   *
   * @example
   * const index = await Index.open('notes', { write: true });
   */
  static async open<M extends Metadata = Metadata>(
    at: string | URL | ReadableStorage,
    options: OpenOptions = {},
  ): Promise<Index<M>> {
    return new Index<M>(await openCollection(at, options));
  }

  /**
   * Opens a collection for writing, or makes it where there is none: with the default encoder
   * (`loadEncoder()`), unless `encoder` or `dim` says otherwise. Of one that is there the options
   * of `create` must be what it was made with. Rejects as `open` and `create` do.
   *
   * @example
   * const index = await Index.openOrCreate('notes');
   */
  static async openOrCreate<M extends Metadata = Metadata>(
    at: string | URL | Storage,
    options: CreateOptions = {},
  ): Promise<Index<M>> {
    return new Index<M>(await openOrCreate(at, options));
  }

  /** Documents that are not deleted. */
  get size(): number {
    return this.#collection.snapshot.live;
  }

  /** Dimension of the token vectors. */
  get dim(): number {
    return this.#collection.snapshot.manifest.dim;
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
   *
   * @example
   * await index.add([
   *   { id: 'p1', text: 'Cholesterol is lowered by statins.', metadata: { year: 2011 } },
   *   { id: 'p2', tokens: { data: vectors, dims: [rows, 128] } },
   * ]);
   */
  add(
    documents: IndexDocument<M> | Iterable<IndexDocument<M>> | AsyncIterable<IndexDocument<M>>,
    options: AddOptions = {},
  ): Promise<Added> {
    return this.#write('add', options, ADD_OPTIONS, ({ addAndFit }, call) =>
      addAndFit(call, documents, options),
    );
  }

  /**
   * Brings the collection in step with a source, such as `readFolder` of `lemur/files`: new and
   * changed documents go in, those that are gone go out, each batch in a commit of its own, about a
   * second's work; what was interrupted goes on. By hashes that are kept, nothing is encoded
   * of what is unchanged, has another id or other metadata. Only what came from the same root is
   * deleted. Rejects as `add` does, with what the source raises, and without `force` with
   * 'empty-corpus' for a source that has nothing, and 'invalid-argument' where more than half of
   * what is recorded is gone: nothing is written then.
   *
   * @example
   * const { added, updated, deleted } = await index.mirror(readFolder('notes/'));
   */
  async mirror(source: MirrorSource<M>, options: MirrorOptions = {}): Promise<Mirrored> {
    checkOptions(options, MIRROR_OPTIONS, 'mirror');
    const { mirror } = await abortable(providedWriting(), options.signal);
    return mirror(this.#collection, source, options);
  }

  /**
   * Deletes documents by their ids, or those that pass a filter. Ids that are not there are left
   * out of the number returned. Rejects with 'invalid-argument', 'read-only', 'locked' (the lock
   * was taken over), 'storage-failed', 'closed', or the signal's reason; nothing is deleted then.
   *
   * @example
   * await index.delete(['p1', 'p2']);
   * const count = await index.delete({ filter: { year: { $lt: 2000 } } });
   */
  delete(
    which: string | readonly string[] | { filter: Filter<M> },
    options: RunOptions = {},
  ): Promise<number> {
    return this.#write('delete', options, RUN_OPTIONS, ({ deleteChosen }, call) =>
      deleteChosen(call, which as string | readonly string[] | { filter: Filter }),
    );
  }

  /**
   * A document by its id; undefined where there is none. For an array of ids an array, in its
   * order. Rejects with 'invalid-argument', 'bad-file' (a document that is damaged), or 'closed'.
   *
   * @example
   * const document = await index.get('p1');
   * console.log(document?.text);
   */
  get(id: string): Promise<StoredText<M> | undefined>;
  get(ids: readonly string[]): Promise<(StoredText<M> | undefined)[]>;
  get(
    ids: string | readonly string[],
  ): Promise<StoredText<M> | undefined | (StoredText<M> | undefined)[]> {
    return this.#collection.read('get', {}, {}, ({ snapshot }) => getDocuments<M>(snapshot, ids));
  }

  /**
   * The best documents for one query, by exact MaxSim among the candidates. Rejects with
   * 'invalid-argument', 'dimension-mismatch', 'not-finite', 'empty-document' (a query without a
   * token), 'unsupported' (a recall or keywords that are not there), 'bad-file' (what it reads is
   * damaged), 'closed', or the signal's reason.
   *
   * @example
   * const { hits } = await index.search('do statins lower cholesterol?', {
   *   filter: { year: { $gte: 2000 } },
   *   include: ['text', 'evidence'],
   * });
   * for (const { id, score, text } of hits) console.log(id, score, text);
   */
  async search<const I extends readonly Include[] = DefaultInclude>(
    query: Query,
    options: SearchOptions<M, I> = {},
  ): Promise<SearchResult<M, I>> {
    checkOptions(options, SEARCH_OPTIONS, 'search');
    return (await this.searchBatch([query], options))[0];
  }

  /**
   * `search` for many queries, which takes less time than one after the other. Token vectors may
   * come as `{ vectors, counts, dim }`. At most 16,777,216 hits in all (queries times k), which are
   * held in memory with what is included of them.
   */
  searchBatch<const I extends readonly Include[] = DefaultInclude>(
    queries: readonly Query[] | TokenInput,
    options: SearchOptions<M, I> = {},
  ): Promise<SearchResult<M, I>[]> {
    return this.#collection.read('searchBatch', options, SEARCH_OPTIONS, (call) =>
      searchQueries(call, queries, options),
    );
  }

  /**
   * Scores documents that were found elsewhere by exact MaxSim, best first; ids that are not there
   * are left out. Default k: all of them. Rejects as `search` does.
   *
   * @example
   * const found = keywords.search(question).map(({ id }) => id);
   * const { hits } = await index.rerank(question, found.slice(0, 100), { k: 10 });
   */
  rerank<const I extends readonly Include[] = DefaultInclude>(
    query: Query,
    ids: readonly string[],
    options: RerankOptions<I> = {},
  ): Promise<SearchResult<M, I>> {
    return this.#collection.read('rerank', options, RERANK_OPTIONS, (call) =>
      rerankIds(call, query, ids, options),
    );
  }

  /**
   * Learns the present documents anew: features (trained, or random with `epochs: 0` or `features:
   * 'random'`) and the codes of all documents, which replace the old ones in one step while
   * searches go on. A collection with `features: 'exact'`, or 'auto' and neither features nor 4,096
   * documents, stays exact. Rejects with 'invalid-argument' (also where all that there is to learn
   * from is the same), 'dimension-mismatch' and 'not-finite' (of
   * `learn`), 'read-only', 'storage-failed', 'bad-file', 'closed', or the signal's reason; the
   * model that was there stays then. Needs room for all codes once more, and where token vectors
   * can be rounded better by now, first for the whole collection once more, in a commit of its own.
   *
   * @example
   * await index.fit({ learn: questionsThatPeopleAsked });
   * await index.tune({ recall: 0.95 });
   */
  fit(options: FitIndexOptions = {}): Promise<IndexStats> {
    return this.#write('fit', options, FIT_INDEX_OPTIONS, async ({ fitUnlessExact }, call) => {
      await fitUnlessExact(call, options);
      return statsOf(call.transaction.snapshot);
    });
  }

  /**
   * Measures on held-out queries how many candidates find which share of the exact top k, and keeps
   * the curve: searches with `recall`, and those that say nothing, go by it. Rejects with
   * 'unsupported' without a model, 'invalid-argument', 'read-only', 'storage-failed', 'closed', or
   * the signal's reason.
   */
  tune(options: TuneOptions = {}): Promise<Tuned> {
    return this.#write('tune', options, TUNE_OPTIONS, ({ tuneCandidates }, call) =>
      tuneCandidates(call, options),
    );
  }

  /**
   * Facts about the collection: sizes, model, curve, quantisation, and whether a refit is due.
   */
  stats(): IndexStats {
    this.#collection.checkOpen();
    return statsOf(this.#collection.snapshot);
  }

  /**
   * Reads all files and compares their checksums; what is wrong is told, not raised. Rejects with
   * 'closed', or the signal's reason.
   */
  verify(options: RunOptions = {}): Promise<Verification> {
    const { storage } = this.#collection.store;
    return this.#collection.read('verify', options, RUN_OPTIONS, ({ snapshot }) =>
      verifySnapshot(storage, snapshot, options),
    );
  }

  /**
   * Rewrites small segments and those with deleted documents, which gives their place back, one
   * after the other, and makes what searches by keywords need where it is missing, as in indexes of
   * earlier versions: what is done stays done. Needs room for one segment beside the old ones, and
   * where token vectors can be rounded better by now, at the end for the whole collection once
   * more, in a commit of its own. Rejects with 'read-only', 'storage-failed', 'bad-file', 'closed',
   * or the signal's reason.
   */
  compact(options: CompactOptions = {}): Promise<IndexStats> {
    return this.#write('compact', options, COMPACT_OPTIONS, async ({ compactAndRenew }, call) => {
      await compactAndRenew(call, options);
      return statsOf(call.transaction.snapshot);
    });
  }

  /**
   * Takes over what a writer has committed since this reader was opened. Returns whether there was
   * something. Rejects with 'bad-file', 'not-found', 'encoder-mismatch', 'dimension-mismatch',
   * 'closed', or the signal's reason; the state that was open stays then.
   */
  refresh(options: Pick<RunOptions, 'signal'> = {}): Promise<boolean> {
    return this.#collection.refresh(options);
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
    return this.#collection.close();
  }

  /** `close`, at the end of `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A call that changes the collection, by code that a page loads at the first one. */
  #write<T>(
    where: string,
    options: RunOptions,
    known: Readonly<Record<string, true>>,
    use: (writing: Writing, call: WritingCall) => Promise<T>,
  ): Promise<T> {
    return this.#collection.write(where, options, known, async (call) =>
      use(await abortable(providedWriting(), call.signal), call),
    );
  }
}
