import { readAll } from '../bytes/byte-source.js';
import type { PoolingEncoder } from '../encoder/encoder.js';
import { addressFiles, openBlob } from '../encoder/files/browser-files.js';
import { hubCacheStorage } from '../encoder/files/browser-hub-cache.js';
import { hubFiles } from '../encoder/files/hub.js';
import { isHubId } from '../encoder/files/hub-options.js';
import { loadCheckpoint } from '../encoder/load-checkpoint.js';
import { LOAD_OPTIONS, type LoadOptions } from '../encoder/load-options.js';
import type { EncoderPlatform } from '../encoder/platform.js';
import { LemurError } from '../errors.js';
import { checkOptions } from '../known-options.js';
import { describeKind, kindOf } from '../value-kind.js';
import { spawnBrowserWorker } from './browser-spawn-encoder-worker.js';

export type {
  EncodedTexts,
  EncodeOptions,
  Encoder,
  PooledVectors,
  PoolingEncoder,
} from '../encoder/encoder.js';
export type { ProductPrecision } from '../encoder/graph/graph-builder.js';
export type { LoadOptions as LoadEncoderOptions } from '../encoder/load-options.js';
export { remoteEncoder } from '../encoder/remote/remote-encoder.js';
export type { RemoteEncoderOptions, RemoteStyle } from '../encoder/remote/remote-options.js';
export type { Projection } from '../encoder/runtime/body.js';

/**
 * Loads an encoder in a page: from the address of a checkpoint's folder (`/models/minilm/`,
 * `https://...`), or from the hub for an id `owner/name`, whose files are kept in Cache Storage.
 * Layouts and errors are those of Node; it runs onnxruntime-web in a worker, on `providers:
 * ['webgpu']` where asked for.
 */
export async function loadEncoder(
  model: string | URL,
  options: LoadOptions = {},
): Promise<PoolingEncoder> {
  checkOptions(options, LOAD_OPTIONS, 'loadEncoder');
  if (typeof model !== 'string' && kindOf(model) !== 'URL') {
    const message =
      'loadEncoder: model: expected the address of a folder or an id, ' +
      `got ${describeKind(model)}`;
    throw new LemurError('invalid-argument', message, { where: 'model' });
  }
  const at = String(model);
  return loadCheckpoint(
    platform,
    async () =>
      isHubId(at) ? hubFiles(at, hubCacheStorage(at, options), options) : addressFiles(at, options),
    options,
  );
}

const platform: EncoderPlatform = {
  parallelism: globalThis.crossOriginIsolated
    ? (globalThis.navigator?.hardwareConcurrency ?? 1)
    : 1,
  spawnWorker: spawnBrowserWorker,
  choosePackage(runtime) {
    if (runtime !== 'node') return 'onnxruntime-web';
    throw new LemurError(
      'unsupported',
      "loadEncoder: runtime 'node' in a browser, expected 'web' or 'auto'",
      { where: 'loadEncoder' },
    );
  },
  addressOf: () => undefined,
  sha256: async (data) => hexOf(typeof data === 'string' ? new TextEncoder().encode(data) : data),
  sha256OfFile: async (file) => hexOf(await readAll(await openBlob(file))),
};

async function hexOf(bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    const problem =
      "the encoder's id cannot be computed: a page has hashes over https and on localhost " +
      'alone; name one as options.id';
    throw new LemurError('unsupported', `loadEncoder: ${problem}`, { where: 'loadEncoder' });
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as BufferSource));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
