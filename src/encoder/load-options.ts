import { ownFloats } from '../bytes/typed-array.js';
import { LemurError } from '../errors.js';
import type { OptionNames } from '../known-options.js';
import { describeKind } from '../value-kind.js';
import { HUB_OPTIONS, type HubOptions } from './files/hub-options.js';
import type { ProductPrecision } from './graph/graph-builder.js';
import type { Projection } from './runtime/body.js';

export const MOST_THREADS = 256;

/** With a hub's id also how its files are got. */
export interface LoadOptions extends HubOptions {
  /**
   * Threads to compute with; all that there are by default (in a page that is not cross-origin
   * isolated that is one).
   */
  threads?: number | undefined;
  /**
   * A linear map of the token vectors, behind the checkpoint's own layers: their dimension x dim,
   * row-major, no bias. Pooled vectors are not projected.
   */
  projection?: Projection | undefined;
  /** The encoder's `id` in place of one made from the files' contents. */
  id?: string | undefined;
  /**
   * Where onnxruntime-web's .wasm files are served from, where they do not lie beside its script;
   * ends with a slash.
   */
  wasmPaths?: string | undefined;
  /**
   * Which ONNX Runtime: `web` (onnxruntime-web: WASM, runs everywhere) or `node` (onnxruntime-node:
   * native code, about four times as fast). Default `auto`: onnxruntime-node where it is installed,
   * else onnxruntime-web. Vectors agree up to rounding.
   */
  runtime?: 'auto' | 'web' | 'node' | undefined;
  /**
   * ONNX Runtime's execution providers, the preferred one first (`['webgpu']`, `['cuda', 'cpu']`,
   * `['coreml']`). Default: its CPU.
   */
  providers?: readonly string[] | undefined;
  /**
   * `int8`: products with weights in int8, quantised as they run; or a checkpoint's own
   * `model_int8.onnx`. Faster with onnxruntime-node, and a little less exact. Default `float32`,
   * whatever type the weights are stored in.
   */
  precision?: ProductPrecision | undefined;
}

export const LOAD_OPTIONS: OptionNames<LoadOptions> = {
  threads: true,
  projection: true,
  id: true,
  wasmPaths: true,
  runtime: true,
  providers: true,
  precision: true,
  ...HUB_OPTIONS,
};

/** Raises 'invalid-argument' for a value that an option does not have. */
export function checkLoadOptions({ runtime, threads, precision, ...strings }: LoadOptions): void {
  if (runtime !== undefined && !['auto', 'web', 'node'].includes(runtime))
    throw invalid(`runtime is ${describeKind(runtime)}, expected 'auto', 'web' or 'node'`);
  const isCount = Number.isInteger(threads) && (threads as number) >= 1;
  if (threads !== undefined && !(isCount && threads <= MOST_THREADS)) {
    const expected = `an integer from 1 to ${MOST_THREADS}`;
    throw invalid(`threads is ${describeKind(threads)}, expected ${expected}`);
  }
  if (precision !== undefined && precision !== 'float32' && precision !== 'int8')
    throw invalid(`precision is ${describeKind(precision)}, expected 'float32' or 'int8'`);
  checkTypes(strings);
}

/** Types of the options that go elsewhere unread. */
function checkTypes(options: LoadOptions & { cacheFolder?: unknown }): void {
  for (const name of ['id', 'wasmPaths', 'revision', 'endpoint', 'token', 'cacheFolder'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'string')
      throw invalid(`${name} is ${describeKind(value)}, expected a string`);
  }
  const { providers, fetch } = options;
  if (
    providers !== undefined &&
    !(Array.isArray(providers) && providers.every((provider) => typeof provider === 'string'))
  )
    throw invalid(
      `providers: got ${describeKind(providers)}, expected an array of names such as 'webgpu'`,
    );
  if (fetch !== undefined && typeof fetch !== 'function')
    throw invalid(`fetch is ${describeKind(fetch)}, expected a function`);
}

/** Raises 'invalid-argument' for a projection of vectors that are not `width` wide. */
export function checkProjection(projection: Projection | undefined, width: number): void {
  if (projection === undefined) return;
  if (typeof projection !== 'object' || projection === null)
    throw invalid(`projection is ${describeKind(projection)}, expected { matrix, dim }`);
  const { dim } = projection;
  const matrix = ownFloats(projection.matrix, 'loadEncoder: projection.matrix');
  if (!Number.isInteger(dim) || dim < 1 || matrix.length !== width * dim) {
    throw invalid(
      `projection has ${matrix.length} values and dim ${describeKind(dim)}, ` +
        `expected a Float32Array of ${width} x dim`,
    );
  }
  if (!matrix.every(Number.isFinite)) throw invalid('projection has a value that is not finite');
}

function invalid(message: string): LemurError {
  return new LemurError('invalid-argument', `loadEncoder: ${message}`, { where: 'loadEncoder' });
}
