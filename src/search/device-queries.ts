import type { SearchDevice } from '../device/device.js';
import type { DeviceFeatureMap } from '../device/device-feature-map.js';
import { type DeviceTokens, uploadTokens } from '../device/device-tokens.js';
import type { Tensor } from '../device/memory.js';
import { TensorScope } from '../device/with-tensors.js';
import { LemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';
import { sliceTexts } from '../tokens/slice-texts.js';
import type { TokenSets } from '../tokens/token-sets.js';
import type { ScanQueries } from './scan-source.js';
import { emptyTopK, type TopK } from './top-documents.js';

export interface DeviceQueriesOptions extends RunOptions {
  /** Turns queries into features; null: nothing has been learned. Default null. */
  featureMap?: DeviceFeatureMap | null | undefined;
  text?: readonly string[] | undefined;
}

/**
 * Queries that are uploaded once and turned into features once, each when it is first needed,
 * whoever asks for it: the source of candidates and what scores these. Ends with `close`.
 */
export class DeviceQueries implements ScanQueries {
  readonly tokens: TokenSets;
  readonly text: readonly string[] | undefined;
  readonly #device: SearchDevice;
  readonly #featureMap: DeviceFeatureMap | null;
  readonly #options: RunOptions;
  readonly #scope: TensorScope;
  #uploaded: Promise<DeviceTokens> | undefined;
  #featureTensor: Promise<Tensor<'f32'>> | undefined;
  #features: Promise<Float32Array> | undefined;
  #closed = false;

  constructor(
    device: SearchDevice,
    tokens: TokenSets,
    { featureMap = null, text, ...options }: DeviceQueriesOptions = {},
  ) {
    this.tokens = tokens;
    this.text = text;
    this.#device = device;
    this.#scope = new TensorScope(device);
    this.#featureMap = featureMap;
    this.#options = options;
  }

  /** Number of queries. */
  get count(): number {
    return this.tokens.counts.length;
  }

  /** Their token vectors on the device, which are freed by `close`. */
  uploaded(): Promise<DeviceTokens> {
    if (this.#closed) return Promise.reject(hasEnded());
    this.#uploaded ??= uploadTokens(this.#scope, this.tokens);
    return this.#uploaded;
  }

  /**
   * Sums of the features of each query's tokens, queries x d'. Rejects with 'unsupported' where
   * nothing has been learned.
   */
  features(): Promise<Float32Array> {
    this.#features ??= this.featureTensor().then((tensor) => this.#device.read(tensor));
    return this.#features;
  }

  /** The same values on the device, which are freed by `close`. */
  featureTensor(): Promise<Tensor<'f32'>> {
    if (this.#closed) return Promise.reject(hasEnded());
    this.#featureTensor ??= this.#computeFeatures();
    return this.#featureTensor;
  }

  /** Raises 'unsupported' where nothing has been learned. */
  featureMap(): DeviceFeatureMap {
    if (this.#featureMap) return this.#featureMap;
    throw new LemurError('unsupported', 'features: nothing has been learned; call fit() first', {
      where: 'features',
    });
  }

  /** Frees what was uploaded, once nothing computes with it any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#featureTensor?.catch(() => undefined);
    await this.#features?.catch(() => undefined);
    this.#scope.free();
  }

  async #computeFeatures(): Promise<Tensor<'f32'>> {
    const featureMap = this.featureMap();
    const tokens = await this.uploaded();
    const out = await this.#scope.allocate('f32', this.count * featureMap.layout.latentDim);
    await this.#device.queryFeatures(featureMap, tokens, out, this.#options);
    return out;
  }
}

/**
 * The best k documents of many queries, which are answered `atOnce` of them at a time: `answer`
 * gets each part and the number of its first query.
 */
export async function answerInParts(
  device: SearchDevice,
  queries: TokenSets,
  k: number,
  atOnce: number,
  { text, ...options }: DeviceQueriesOptions,
  answer: (part: DeviceQueries, from: number) => Promise<TopK>,
): Promise<TopK> {
  const count = queries.counts.length;
  const top = emptyTopK(count, k);
  for (let from = 0; from < count; from += atOnce) {
    const to = Math.min(count, from + atOnce);
    const some = { ...options, text: text?.slice(from, to) };
    const part = new DeviceQueries(device, sliceTexts(queries, from, to), some);
    try {
      const { indices, scores } = await answer(part, from);
      top.indices.set(indices, from * k);
      top.scores.set(scores, from * k);
    } finally {
      await part.close();
    }
  }
  return top;
}

function hasEnded(): LemurError {
  return new LemurError('closed', 'the search that these queries belong to has ended', {
    where: 'queries',
  });
}
