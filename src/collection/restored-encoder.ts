import type { EncodedTexts, EncodeOptions, Encoder } from '../encoder/encoder.js';
import { isLemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';

/**
 * The encoder that a collection was made with: loaded when it is asked for a text's vectors first,
 * once for all calls, and again where that failed.
 */
export class RestoredEncoder implements Encoder {
  readonly id: string;
  readonly dim: number;
  readonly #load: (run: RunOptions) => Promise<Encoder>;
  readonly #ending = new AbortController();
  #loading: Promise<Encoder> | undefined;

  constructor(
    { id, dim }: Pick<Encoder, 'id' | 'dim'>,
    load: (run: RunOptions) => Promise<Encoder>,
  ) {
    this.id = id;
    this.dim = dim;
    this.#load = load;
  }

  async encodeQuery(texts: readonly string[], options?: EncodeOptions): Promise<EncodedTexts> {
    return (await this.loaded(options)).encodeQuery(texts, options);
  }

  async encodeDocument(texts: readonly string[], options?: EncodeOptions): Promise<EncodedTexts> {
    return (await this.loaded(options)).encodeDocument(texts, options);
  }

  /** By the encoder's own count; 0 of one that may only ask, which encodes no documents. */
  async countTokens(texts: readonly string[], options?: RunOptions): Promise<ArrayLike<number>> {
    const { countTokens } = await this.loaded(options);
    return countTokens ? countTokens(texts, options) : texts.map(() => 0);
  }

  /** Calls wait for the same loading, which the end of one of them does not end. */
  loaded({ onProgress }: RunOptions = {}): Promise<Encoder> {
    this.#loading ??= this.#load({ signal: this.#ending.signal, onProgress }).catch((error) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** Whether it is to be had: not where a package, a file or the network is missing. */
  async isAvailable(): Promise<boolean> {
    try {
      await this.loaded();
      return true;
    } catch (error) {
      if (isLemurError(error)) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    const loading = this.#loading;
    this.#ending.abort();
    const encoder = await loading?.catch(() => undefined);
    await encoder?.close();
  }
}
