import { anyAbort } from '../../abortable.js';
import { LemurError, unsupported } from '../../errors.js';
import { checkOptions } from '../../known-options.js';
import { pacer } from '../../pacer.js';
import { ENCODE_OPTIONS, type EncodedTexts, type EncodeOptions, type Encoder } from '../encoder.js';
import { RemoteCalls } from './remote-call.js';
import {
  type RemoteEncoderOptions,
  type ResolvedRemoteOptions,
  resolveRemoteOptions,
} from './remote-options.js';
import { FORMS } from './remote-styles.js';

type Kind = 'query' | 'document';

/** Vectors of some texts. */
interface Part {
  readonly counts: readonly number[];
  readonly vectors: Float32Array;
}

/** What is asked to find out the dimension. */
const PROBE = 'dimension';

/**
 * An encoder that a service runs: a hosted late-interaction model, whose weights need not be here.
 * Texts go to it in batches; what finds nobody or a limit is tried again, as `retry-after` says.
 * How long texts and which markers are read is the service's affair. The `id` is made of style,
 * model, dimension and prefixes, so an index knows the encoder again wherever the service moves.
 * Calls reject with 'offline', 'invalid-argument' (refused), 'unsupported' (another form, or
 * `maxTokens` and `skipPunctuation`, which services do not take), 'closed', or the signal's reason.
 *
 * @example
 * const encoder = await remoteEncoder({
 *   url: 'https://api.jina.ai', style: 'jina', model: 'jina-colbert-v2',
 *   apiKey: process.env.JINA_API_KEY, dim: 128,
 * });
 * const index = await Index.openOrCreate('papers.lemur', { encoder });
 */
export async function remoteEncoder(options: RemoteEncoderOptions): Promise<Encoder> {
  const resolved = resolveRemoteOptions(options);
  const service = new Service(resolved);
  const { signal = new AbortController().signal } = options;
  const dim = resolved.dim ?? (await service.dimension(signal));
  const { style, model, queryPrefix, documentPrefix, documentTokens } = resolved;
  const prefixes = queryPrefix + documentPrefix === '' ? [] : [queryPrefix, documentPrefix];
  return {
    id: ['remote', style, model, dim, ...prefixes.map((one) => JSON.stringify(one))].join(' '),
    dim,
    documentTokens,
    encodeQuery: (texts, run) => service.encode(texts, 'query', dim, run),
    encodeDocument: (texts, run) => service.encode(texts, 'document', dim, run),
    close: async () => service.close(),
  };
}

class Service {
  readonly #options: ResolvedRemoteOptions;
  readonly #calls: RemoteCalls;
  readonly #closing = new AbortController();

  constructor(options: ResolvedRemoteOptions) {
    this.#options = options;
    this.#calls = new RemoteCalls(options, FORMS[options.style].path);
  }

  async dimension(signal: AbortSignal): Promise<number> {
    const { vectors, counts } = await this.#part([PROBE], 'document', undefined, signal);
    return vectors.length / counts[0];
  }

  async encode(
    texts: readonly string[],
    kind: Kind,
    dim: number,
    options: EncodeOptions = {},
  ): Promise<EncodedTexts> {
    checkOptions(options, ENCODE_OPTIONS, 'encode');
    const { maxTokens, skipPunctuation, onProgress } = options;
    for (const [name, value] of Object.entries({ maxTokens, skipPunctuation }))
      if (value !== undefined) throw unsupported(name, 'a service reads texts in its own way');
    const { signal, end } = anyAbort([options.signal, this.#closing.signal]);
    try {
      const given = Array.from(texts);
      const report = (done: number): void =>
        onProgress?.({ stage: 'encode', done, total: given.length });
      return joined(await this.#inBatches(given, kind, dim, signal, report), dim, signal);
    } finally {
      end();
    }
  }

  close(): void {
    const message = 'this encoder has been closed';
    this.#closing.abort(new LemurError('closed', message, { where: 'encoder' }));
  }

  /** A few batches at the same time, which fail together. */
  async #inBatches(
    texts: readonly string[],
    kind: Kind,
    dim: number,
    signal: AbortSignal,
    report: (done: number) => void,
  ): Promise<Part[]> {
    signal.throwIfAborted();
    const { batchSize, concurrency } = this.#options;
    const batches = Math.ceil(texts.length / batchSize);
    const parts = new Array<Part>(batches);
    const failing = new AbortController();
    const run = anyAbort([signal, failing.signal]);
    let [next, done] = [0, 0];
    report(0);
    const lane = async (): Promise<void> => {
      while (next < batches) {
        const batch = next++;
        const some = texts.slice(batch * batchSize, (batch + 1) * batchSize);
        parts[batch] = await this.#part(some, kind, dim, run.signal);
        done += some.length;
        report(done);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(concurrency, batches) }, lane));
    } catch (error) {
      failing.abort(error);
      throw error;
    } finally {
      run.end();
    }
    return parts;
  }

  async #part(
    texts: readonly string[],
    kind: Kind,
    dim: number | undefined,
    signal: AbortSignal,
  ): Promise<Part> {
    const { style, model, url, queryPrefix, documentPrefix } = this.#options;
    const prefix = kind === 'query' ? queryPrefix : documentPrefix;
    const form = FORMS[style];
    const asked = { texts: texts.map((text) => prefix + text), kind, model, dim };
    const answer = await this.#calls.post(form.body(asked), signal);
    return partOf(form.read(answer), texts.length, dim, `${url}${form.path}`);
  }
}

/** Rows of numbers as one array. Raises 'unsupported' and 'dimension-mismatch'. */
function partOf(answer: unknown, texts: number, dim: number | undefined, where: string): Part {
  const wrong = (problem: string): LemurError => unsupported(where, `its answer has ${problem}`);
  if (!Array.isArray(answer)) throw wrong('another form than this style');
  if (answer.length !== texts) throw wrong(`${answer.length} texts, expected ${texts}`);
  const wanted = dim ?? widthOf(answer);
  const counts: number[] = [];
  for (const rows of answer) {
    if (!Array.isArray(rows) || rows.length === 0) throw wrong('a text without token vectors');
    counts.push(rows.length);
  }
  const vectors = new Float32Array(counts.reduce((sum, count) => sum + count, 0) * wanted);
  let at = 0;
  for (const row of (answer as unknown[][]).flat()) {
    if (!Array.isArray(row)) throw wrong('a vector that is none: has it one for each token?');
    if (row.length !== wanted) {
      const message = `${where}: token vectors of ${row.length} dimensions, expected ${wanted}`;
      throw new LemurError('dimension-mismatch', message, {
        where,
        expected: wanted,
        got: row.length,
      });
    }
    for (const value of row) {
      if (typeof value !== 'number') throw wrong('a vector with something that is no number');
      vectors[at] = value;
      if (!Number.isFinite(vectors[at++])) throw wrong('a number beyond the range of float32');
    }
  }
  return { counts, vectors };
}

function widthOf([rows]: readonly unknown[]): number {
  const [row] = Array.isArray(rows) ? rows : [];
  return Array.isArray(row) && row.length > 0 ? row.length : 1;
}

async function joined(
  parts: readonly Part[],
  dim: number,
  signal: AbortSignal,
): Promise<EncodedTexts> {
  const pace = pacer(signal);
  const counts = Int32Array.from(parts.flatMap((part) => part.counts));
  const offsets = new Float64Array(counts.length + 1);
  for (const [i, count] of counts.entries()) offsets[i + 1] = offsets[i] + count;
  const vectors = new Float32Array(offsets[counts.length] * dim);
  let at = 0;
  for (const part of parts) {
    vectors.set(part.vectors, at);
    at += part.vectors.length;
    await pace();
  }
  return { vectors, counts, offsets, dim };
}
