import { crc32Paced } from '../bytes/crc32.js';
import type { Device } from '../device/device.js';
import { isLemurError } from '../errors.js';
import { type SafetensorsArray, writeSafetensors } from '../formats/safetensors/safetensors.js';
import { GROUPED } from '../learn/solver.js';
import type { PrefixMap } from '../search/prefix/prefix-map.js';
import type { Storage, StorageLock } from '../storage/storage.js';
import type { SolvedCorpus } from './fitted-corpus.js';
import type { FileEntry, Manifest } from './saved-manifest.js';

type Tensors = Record<string, { shape: readonly number[]; data: SafetensorsArray }>;

/** The format that a data file of this kind names in its header. */
export const formatOf = (kind: string): string => `lemur-saved-${kind}`;

/** Data files of a save that is under way. */
export class SavedFiles {
  readonly #storage: Storage;
  readonly #lock: StorageLock;
  readonly #written: string[] = [];

  constructor(storage: Storage, lock: StorageLock) {
    this.#storage = storage;
    this.#lock = lock;
  }

  /** Writes all files of a save, one after the other. */
  async writeAll(
    save: number,
    device: Device,
    fitted: SolvedCorpus,
    prefixMap: PrefixMap | undefined,
  ): Promise<Manifest['files']> {
    return {
      model: await this.#write(save, 'model', await modelTensors(device, fitted)),
      weights: await this.#write(save, 'weights', await weightTensors(device, fitted)),
      solver: await this.#write(save, 'solver', await solverTensors(device, fitted)),
      prefix: prefixMap && (await this.#write(save, 'prefix', prefixTensors(prefixMap))),
    };
  }

  /** Deletes what was written, for a save that failed. */
  async delete(): Promise<void> {
    for (const name of this.#written) await this.#storage.delete(name).catch(() => undefined);
  }

  /** From now on `delete` deletes nothing: a manifest may name the files. */
  keep(): void {
    this.#written.splice(0);
  }

  async #write(save: number, kind: string, tensors: Tensors): Promise<FileEntry> {
    const bytes = writeSafetensors(tensors, { format: formatOf(kind), version: '1' });
    for (let number = save; ; number++) {
      const name = `lemur-${kind}.${number}.safetensors`;
      await this.#lock.confirm?.();
      this.#written.push(name);
      try {
        await this.#storage.write(name, bytes, { create: true });
        return { name, bytes: bytes.length, crc32: await crc32Paced(bytes) };
      } catch (error) {
        if (!isLemurError(error, 'already-exists')) throw error;
        // what another left, or a crash
        this.#written.pop();
      }
    }
  }
}

async function modelTensors(device: Device, { featureMap }: SolvedCorpus): Promise<Tensors> {
  const data = await device.read(featureMap.parameters);
  return { parameters: { shape: [featureMap.layout.parameterCount], data } };
}

async function weightTensors(
  device: Device,
  { featureMap, w, scaling: { lengths, base } }: SolvedCorpus,
): Promise<Tensors> {
  const { latentDim } = featureMap.layout;
  const documents = w.length / latentDim;
  return {
    W: { shape: [documents, latentDim], data: await device.read(w) },
    ...(lengths ? { scales: { shape: [documents], data: lengths } } : {}),
    ...(base ? { base: { shape: [latentDim], data: base } } : {}),
  };
}

async function solverTensors(
  device: Device,
  { featureMap, solver, codec: { encoding, parameters } }: SolvedCorpus,
): Promise<Tensors> {
  const { latentDim, inputDim } = featureMap.layout;
  return {
    sample: { shape: [solver.rows, inputDim], data: await device.read(solver.x) },
    factor: { shape: [latentDim, latentDim], data: await solver.factor.read() },
    ...(solver.grouped ? { [GROUPED]: { shape: [1], data: Float32Array.of(1) } } : {}),
    // which readers of earlier versions expect, whatever the encoding
    tokenMean: { shape: [inputDim], data: new Float32Array(inputDim) },
    ...(parameters.length > 0
      ? { [encoding.parametersName]: { shape: [parameters.length], data: parameters } }
      : {}),
  };
}

function prefixTensors({ dim, mean, documentProjection, queryProjection }: PrefixMap): Tensors {
  const latentDim = mean.length;
  return {
    mean: { shape: [latentDim], data: mean },
    documents: { shape: [dim, latentDim], data: documentProjection },
    queries: { shape: [dim, latentDim], data: queryProjection },
  };
}
