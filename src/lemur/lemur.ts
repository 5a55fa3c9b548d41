import {
  checkDevice,
  DEVICE_OPTIONS,
  type DeviceOptions,
  learningDevice,
  resolveDevice,
} from '../device/default-device.js';
import type { Device } from '../device/device.js';
import { freeWith } from '../device/free-with.js';
import { buildTensors, TensorScope, withTensors } from '../device/with-tensors.js';
import { LemurError } from '../errors.js';
import { checkOptions } from '../known-options.js';
import { documentWeights } from '../learn/document-weights.js';
import { FIT_OPTIONS, type FitOptions, type ResolvedLearnOptions } from '../learn/learn-options.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import { DeviceQueries } from '../search/device-queries.js';
import type { MaxSim } from '../search/max-sim.js';
import { type FirstStage, firstStageTensors } from '../search/prefix/first-stage.js';
import type { PrefixMap } from '../search/prefix/prefix-map.js';
import type { TopK } from '../search/top-documents.js';
import type { ReadableStorage, Storage } from '../storage/storage.js';
import { storageOf, storageToRead } from '../storage-of.js';
import { queryLengths } from '../tokens/lengths.js';
import { reportTokens, type TokenReport } from '../tokens/token-report.js';
import { type TokenInput, type TokenSets, tokenSetsOfDim } from '../tokens/token-sets.js';
import {
  bytesRead,
  CANDIDATE_OPTIONS,
  type CandidateOptions,
  prefixScan,
} from './candidate-options.js';
import { estimateMaxSim } from './estimate-max-sim.js';
import { firstStageOf } from './first-stage-of.js';
import { fitCorpus, uploadDocuments } from './fit-corpus.js';
import { checkFitInput } from './fit-input.js';
import { type FittedCorpus, keptOfCorpus, solvedCorpus } from './fitted-corpus.js';
import { loadFolder } from './load-folder.js';
import { loadReference, REFERENCE_OPTIONS, type ReferenceOptions } from './reference-folder.js';
import { saveFolder } from './save-folder.js';
import { type LemurSearchOptions, searchReranked } from './search-reranked.js';
import { loadTxtai, TXTAI_OPTIONS, type TxtaiOptions } from './txtai-folder.js';

/**
 * The learned reduction of LEMUR (Jääsaari, Hyvönen, Roos, ICML 2026): for one corpus a feature map
 * psi and a weight vector for each document, so that the inner product of a document's weights with
 * the sum of psi over a query's tokens estimates their MaxSim.
 */
export class Lemur {
  /** Dimension d of the token vectors. */
  readonly dim: number;
  /** Latent dimension d'. */
  readonly latentDim: number;
  /** Number of documents. */
  readonly documents: number;
  /** Mean of the targets. */
  readonly mean: number;
  /** Population deviation of the targets. */
  readonly std: number;
  /** The options it was fitted with. */
  readonly options: ResolvedLearnOptions;
  /** Oddities of the corpus that were noticed; undefined where it was not fitted here. */
  readonly tokenReport: TokenReport | undefined;
  readonly #device: Device;
  readonly #fitted: FittedCorpus;
  readonly #firstStage: FirstStage | null;
  readonly #release: () => void;
  #closed = false;

  /** Use `Lemur.fit`, `Lemur.load`, `Lemur.importReference` or `Lemur.importTxtai`. */
  private constructor(
    device: Device,
    fitted: FittedCorpus,
    firstStage: FirstStage | null,
    options: ResolvedLearnOptions,
    report: TokenReport | undefined,
  ) {
    const { featureMap, w } = fitted;
    this.#device = device;
    this.#fitted = fitted;
    this.#firstStage = firstStage;
    this.dim = featureMap.layout.inputDim;
    this.latentDim = featureMap.layout.latentDim;
    this.documents = w.length / this.latentDim;
    this.mean = fitted.mean;
    this.std = fitted.std;
    this.options = options;
    this.tokenReport = report;
    const kept = new TensorScope(device);
    kept.ownAll(keptOfCorpus(fitted));
    if (firstStage) kept.ownAll(firstStageTensors(firstStage));
    this.#release = freeWith(this, kept);
  }

  /** Adds the first stage, from a stored map or a new one, and takes over what it is made of. */
  static async #complete(
    device: Device,
    fitted: FittedCorpus,
    chosen: ResolvedLearnOptions,
    options: RunOptions,
    { report, prefixMap }: { report?: TokenReport; prefixMap?: PrefixMap | undefined } = {},
  ): Promise<Lemur> {
    return buildTensors(device, async (scope) => {
      scope.ownAll(keptOfCorpus(fitted));
      const firstStage = await firstStageOf(device, fitted, chosen, prefixMap, options);
      return new Lemur(device, fitted, firstStage, chosen, report);
    });
  }

  /**
   * Learns from a corpus. Any number of documents works, one included; with few the estimate adds
   * little and exact `MaxSim` is the better choice. Rejects with 'empty-corpus', 'empty-document',
   * 'not-finite', 'dimension-mismatch', 'invalid-argument', or the signal's reason.
   *
   * @example
   * const lemur = await Lemur.fit({ vectors, counts, dim: 128 }, { seed: 7 });
   * const candidates = await lemur.candidates(queries, 200);
   * await lemur.save('papers.model');
   */
  static async fit(documents: TokenInput, options: FitOptions = {}): Promise<Lemur> {
    checkOptions(options, FIT_OPTIONS, 'Lemur.fit');
    checkDevice(options);
    const { corpus, learn, test, chosen } = await checkFitInput(documents, options);
    const report = await reportTokens(corpus, options.signal);
    const work = 2 * chosen.learnSubsetSize * corpus.vectors.length;
    const device = learningDevice(await resolveDevice(options, work), 'Lemur.fit');
    const fitted = await fitCorpus(device, corpus, learn, test, chosen, options);
    return Lemur.#complete(device, fitted, chosen, options, { report });
  }

  /**
   * Opens what `save` wrote: a folder's path or `file:` URL, or a storage. Nothing is refitted.
   * Rejects with 'not-found', 'bad-file' or 'unsupported'.
   */
  static async load(
    at: string | URL | ReadableStorage,
    options: DeviceOptions = {},
  ): Promise<Lemur> {
    checkOptions(options, DEVICE_OPTIONS, 'Lemur.load');
    const storage = storageToRead(at);
    const device = learningDevice(await resolveDevice(options), 'Lemur.load');
    const { fitted, learnOptions, prefixMap } = await loadFolder(device, storage);
    return Lemur.#complete(device, fitted, learnOptions, {}, { prefixMap });
  }

  /**
   * Opens an index folder of the Python reference (`mlp.pt`, `w.pt`): a path, or a storage. Such a
   * folder has no solve sample: without `options.sample`, `computeWeights` and `save` reject with
   * 'unsupported'. Rejects with 'not-found', 'bad-file', 'unsupported', and for the sample as `fit`
   * does for a corpus.
   */
  static async importReference(
    at: string | URL | ReadableStorage,
    options: ReferenceOptions = {},
  ): Promise<Lemur> {
    checkOptions(options, REFERENCE_OPTIONS, 'Lemur.importReference');
    const storage = storageToRead(at);
    const device = learningDevice(await resolveDevice(options), 'Lemur.importReference');
    const { fitted, learnOptions } = await loadReference(device, storage, options);
    return Lemur.#complete(device, fitted, learnOptions, options);
  }

  /**
   * Opens a LEMUR artefact of txtai (`config.json`, `model.safetensors`; 9.13): a path, or a
   * storage. It brings its own solve sample and no documents: give them in `options.documents`, or
   * use `computeWeights` and `computeFeatures` alone (`candidates` then finds nothing). An artefact
   * with a centre was learned from centred token vectors and needs `centerTokens` and `{ centered:
   * true }`. Rejects with 'not-found', 'bad-file', 'unsupported', 'invalid-argument', and for the
   * documents as `fit` does for a corpus.
   */
  static async importTxtai(
    at: string | URL | ReadableStorage,
    options: TxtaiOptions = {},
  ): Promise<Lemur> {
    checkOptions(options, TXTAI_OPTIONS, 'Lemur.importTxtai');
    const storage = storageToRead(at);
    const device = learningDevice(await resolveDevice(options), 'Lemur.importTxtai');
    const { fitted, learnOptions } = await loadTxtai(device, storage, options);
    return Lemur.#complete(device, fitted, learnOptions, options);
  }

  /** Document weights, documents x d' (a copy). */
  get W(): Promise<Float32Array> {
    return this.#device.read(this.#fitted.w);
  }

  /**
   * Queries as single vectors, queries x d': the sum (not the mean) of psi over each query's
   * tokens, |x| psi(x / |x|) for tokens that are not of length 1. Ragged or dense queries alike.
   */
  async computeFeatures(queries: TokenInput, options: RunOptions = {}): Promise<Float32Array> {
    checkOptions(options, RUN_OPTIONS, 'computeFeatures');
    const sets = await tokenSetsOfDim(queries, this.dim, 'queries', options.signal);
    return this.#withQueries(sets, options, (asked) => asked.features());
  }

  /**
   * Weights of new documents, documents x d': the bytes they would have had in the corpus, from the
   * stored factor.
   */
  async computeWeights(documents: TokenInput, options: RunOptions = {}): Promise<Float32Array> {
    checkOptions(options, RUN_OPTIONS, 'computeWeights');
    const sets = await tokenSetsOfDim(documents, this.dim, 'documents', options.signal);
    return withTensors(this.#device, async (scope) => {
      const tokens = await uploadDocuments(scope, sets, this.#open().codec, options.signal);
      const solved = solvedCorpus(this.#open(), 'computeWeights');
      const w = await documentWeights(this.#device, solved, tokens, options);
      return this.#device.read(scope.own(w));
    });
  }

  /**
   * The k documents with the highest estimated MaxSim for each query, best first, ties by document
   * number. Scores are estimates on the scale of MaxSim: std <w, q> + |Q| mean (|Q|: the lengths of
   * the query's token vectors in all), of full codes or, with `scan: 'full'`, of the weights
   * themselves. With fewer than k documents rows end in -1 and -Infinity.
   */
  async candidates(queries: TokenInput, k: number, options: CandidateOptions = {}): Promise<TopK> {
    checkOptions(options, CANDIDATE_OPTIONS, 'candidates');
    const prefixes = prefixScan(this.#firstStage, this.documents, k, options);
    const sets = await tokenSetsOfDim(queries, this.dim, 'queries', options.signal);
    const fitted = this.#open();
    const lengths = fitted.featureMap.unit ? await queryLengths(sets, options.signal) : sets.counts;
    return this.#withQueries(sets, options, (asked) =>
      estimateMaxSim(this.#device, fitted, prefixes, asked, lengths, k, options),
    );
  }

  /**
   * The k best documents of each query by exact MaxSim: what `candidates` and then `rerankSubset`
   * of these documents give, in one trip to the workers. `documents` are those that were learned,
   * in their order. Rejects as both do.
   *
   * @example
   * const { indices, scores } = await lemur.search(queries, 10, exact, { numCandidates: 100 });
   */
  async search(
    queries: TokenInput,
    k: number,
    documents: MaxSim,
    options: LemurSearchOptions = {},
  ): Promise<TopK> {
    const own = { device: this.#device, firstStage: this.#firstStage, open: () => this.#open() };
    return searchReranked(this, own, queries, k, documents, options);
  }

  /**
   * Bytes that `candidates` with the same arguments reads for one query: of all documents in the
   * first scan (prefixes, or float32 weights), then of the full codes of those that are rescored.
   * Raises 'invalid-argument' as `candidates` does.
   */
  candidateBytes(
    k: number,
    options: CandidateOptions = {},
  ): {
    /** Of all documents in the first scan. */
    scanned: number;
    /** Of the full codes of the documents that are looked at again. */
    rescored: number;
  } {
    checkOptions(options, CANDIDATE_OPTIONS, 'candidateBytes');
    const prefixes = prefixScan(this.#firstStage, this.documents, k, options);
    return bytesRead(this.documents, this.latentDim, prefixes);
  }

  /**
   * Writes model, weights, solve sample and factor to a folder (its path or `file:` URL, or a
   * storage). What was saved there before stays readable until it is done.
   */
  async save(at: string | URL | Storage): Promise<void> {
    const solved = solvedCorpus(this.#open(), 'save');
    const prefixMap = this.#firstStage?.prefixMap;
    await saveFolder(this.#device, storageOf(at), solved, prefixMap, this.options);
  }

  /** Frees what it keeps. Calls after it reject with 'closed'. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  #open(): FittedCorpus {
    if (this.#closed)
      throw new LemurError('closed', 'this Lemur has been closed', { where: 'Lemur' });
    return this.#fitted;
  }

  async #withQueries<T>(
    sets: TokenSets,
    { signal, onProgress }: RunOptions,
    use: (queries: DeviceQueries) => Promise<T>,
  ): Promise<T> {
    const { featureMap } = this.#open();
    const queries = new DeviceQueries(this.#device, sets, { featureMap, signal, onProgress });
    try {
      return await use(queries);
    } finally {
      await queries.close();
    }
  }
}
