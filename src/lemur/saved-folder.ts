import { eachChunk } from '../bytes/byte-source.js';
import { crc32, crc32Paced } from '../bytes/crc32.js';
import type { Device } from '../device/device.js';
import { buildTensors } from '../device/with-tensors.js';
import { isLemurError, LemurError } from '../errors.js';
import { type SafetensorsArray, writeSafetensors } from '../formats/safetensors/safetensors.js';
import { openSafetensors, type SafetensorsFile } from '../formats/safetensors/safetensors-file.js';
import { describeFeatureMap, layoutOf } from '../learn/feature-map-description.js';
import type { ResolvedLearnOptions } from '../learn/learn-options.js';
import { resolveLearnOptions } from '../learn/resolve-learn-options.js';
import type { Scaling } from '../learn/scaling.js';
import { restoreSolver } from '../learn/solver.js';
import type { PrefixMap } from '../search/prefix/prefix-map.js';
import { guardedReplace, readIfThere } from '../storage/guarded-replace.js';
import { beginsAs, isOfFormat, isTemporaryOf } from '../storage/own-files.js';
import type { ReadableStorage, Storage, StorageLock } from '../storage/storage.js';
import { storedSize } from '../storage/stored-source.js';
import { unlearnedCodec } from '../tokens/encode-tokens.js';
import { sharedFloats } from '../tokens/gather.js';
import type { SolvedCorpus } from './fitted-corpus.js';
import {
  decodeManifest,
  encodeManifest,
  type FileEntry,
  LOCK,
  MANIFEST,
  type Manifest,
  newManifest,
  readManifest,
} from './saved-manifest.js';

/**
 * Data files first, the manifest last and in one step, then the files of the save before are
 * deleted. One save at a time: rejects with 'locked', and with 'already-exists' where `lemur.json`
 * is something else's.
 */
export async function saveFolder(
  device: Device,
  storage: Storage,
  fitted: SolvedCorpus,
  prefixMap: PrefixMap | undefined,
  options: ResolvedLearnOptions,
): Promise<void> {
  const lock = await storage.lock(LOCK);
  /** Data files of this save. */
  const written: string[] = [];
  try {
    await saveLocked(device, storage, lock, written, fitted, prefixMap, options);
  } catch (error) {
    // in place of this folder there may be another, with files of these names
    const ours = await Promise.resolve(lock.confirm?.()).then(
      () => true,
      () => false,
    );
    if (ours) for (const name of written) await storage.delete(name).catch(() => undefined);
    throw error;
  } finally {
    // a lock that cannot be deleted now is known as given back
    await lock.release().catch(() => undefined);
  }
}

async function saveLocked(
  device: Device,
  storage: Storage,
  lock: StorageLock,
  written: string[],
  { map, solver, w, mean, std, codec, scaling }: SolvedCorpus,
  prefixMap: PrefixMap | undefined,
  options: ResolvedLearnOptions,
): Promise<void> {
  const before = await readIfThere(storage, MANIFEST);
  const previous = before && (await previousSave(storage, before));
  const save = (previous?.save ?? 0) + 1;
  const { layout } = map;
  const { latentDim, inputDim } = layout;
  const { encoding, parameters } = codec;
  const write = async (
    kind: string,
    tensors: Record<string, { shape: readonly number[]; data: SafetensorsArray }>,
  ): Promise<FileEntry> => {
    const bytes = writeSafetensors(tensors, { format: formatOf(kind), version: '1' });
    for (let number = save; ; number++) {
      const name = `lemur-${kind}.${number}.safetensors`;
      await lock.confirm?.();
      written.push(name);
      try {
        await storage.write(name, bytes, { create: true });
        return { name, bytes: bytes.length, crc32: await crc32Paced(bytes) };
      } catch (error) {
        if (!isLemurError(error, 'already-exists')) throw error;
        // what another left, or a crash
        written.pop();
      }
    }
  };
  const documents = w.length / latentDim;
  const files = {
    model: await write('model', {
      parameters: { shape: [layout.parameterCount], data: await device.read(map.parameters) },
    }),
    weights: await write('weights', {
      W: { shape: [documents, latentDim], data: await device.read(w) },
      ...(scaling.scales ? { scales: { shape: [documents], data: scaling.scales } } : {}),
      ...(scaling.base ? { base: { shape: [latentDim], data: scaling.base } } : {}),
    }),
    solver: await write('solver', {
      sample: { shape: [solver.rows, inputDim], data: await device.read(solver.x) },
      factor: { shape: [latentDim, latentDim], data: await solver.factor.read() },
      // which readers of earlier versions expect, whatever the encoding
      tokenMean: { shape: [inputDim], data: new Float32Array(inputDim) },
      ...(parameters.length > 0
        ? { [encoding.parametersName]: { shape: [parameters.length], data: parameters } }
        : {}),
    }),
    prefix:
      prefixMap &&
      (await write('prefix', {
        mean: { shape: [latentDim], data: prefixMap.mean },
        documents: { shape: [prefixMap.dim, latentDim], data: prefixMap.documentProjection },
        queries: { shape: [prefixMap.dim, latentDim], data: prefixMap.queryProjection },
      })),
  };
  const prefix = prefixMap && { dim: prefixMap.dim, step: prefixMap.step };
  const featureMap = describeFeatureMap(layout);
  const manifest = newManifest({
    save,
    documents,
    mean,
    std,
    featureMap,
    options,
    prefix,
    unit: map.unit,
    files,
  });
  // the manifest must not outlive what it names
  await storage.sync();
  const done = await guardedReplace(storage, lock, MANIFEST, before, encodeManifest(manifest));
  // it may be in place after all
  if (done.now !== 'old' || done.unsettled) written.splice(0);
  if (done.failure !== undefined) throw done.failure;
  await sweep(storage, manifest, previous).catch(() => undefined);
}

/**
 * The save that a manifest is of; undefined where it is damaged. Raises 'unsupported' for that of a
 * newer version, which is left alone.
 */
async function previousSave(storage: Storage, bytes: Uint8Array): Promise<Manifest | undefined> {
  const where = `${storage.name}/${MANIFEST}`;
  try {
    return decodeManifest(bytes, where);
  } catch (error) {
    if (!isLemurError(error, 'bad-file')) throw error;
    const begins = await Promise.all(
      ['{"format":"lemur"', '{\n  "format": "lemur"'].map((text) =>
        beginsAs(storage, MANIFEST, 0, text),
      ),
    );
    if (begins.includes(true)) return undefined;
    throw new LemurError(
      'already-exists',
      `${where}: not the manifest of a saved Lemur: it stays; save to another folder`,
      { where },
    );
  }
}

/**
 * Deletes what saves have left here, and nothing else: the files of the one before, and what begins
 * as theirs do.
 */
async function sweep(
  storage: Storage,
  { files }: Manifest,
  previous: Manifest | null | undefined,
): Promise<void> {
  const current = new Set(Object.values(files).map((file) => file?.name));
  const before = new Map(
    Object.values(previous?.files ?? {}).map((file) => [file?.name, file?.bytes]),
  );
  for (const name of await storage.list()) {
    if (current.has(name)) continue;
    const kind = /^lemur-(model|weights|solver|prefix)\.\d+\.safetensors$/.exec(name)?.[1];
    const own = kind
      ? await isOfFormat(storage, name, formatOf(kind))
      : before.has(name)
        ? // a collection's model may have taken that name
          (await storedSize(storage, name)) === before.get(name) &&
          !(await isOfFormat(storage, name, 'lemur-model'))
        : isTemporaryOf(name, MANIFEST);
    if (own) await storage.delete(name);
  }
}

const formatOf = (kind: string): string => `lemur-saved-${kind}`;

/** The contents of a saved folder. */
interface Loaded {
  fitted: SolvedCorpus;
  prefixMap: PrefixMap | undefined;
  learnOptions: ResolvedLearnOptions;
}

/** Times that another save may come between. */
const ATTEMPTS = 20;

/** Loads one save, whole: one that is replaced meanwhile is left for the next. */
export async function loadFolder(device: Device, storage: Storage): Promise<Loaded> {
  for (let attempt = 1; ; attempt++) {
    const manifest = await readManifest(storage);
    const opened: DataFile[] = [];
    try {
      return await loadSave(device, storage, manifest, opened);
    } catch (error) {
      const now = await readManifest(storage).catch(() => undefined);
      if (!now || attempt === ATTEMPTS || JSON.stringify(now) === JSON.stringify(manifest))
        throw error;
    } finally {
      for (const { close } of opened) await close();
    }
  }
}

async function loadSave(
  device: Device,
  storage: ReadableStorage,
  manifest: Manifest,
  opened: DataFile[],
): Promise<Loaded> {
  const { featureMap, files, mean, std, unit = false } = manifest;
  const layout = layoutOf(featureMap);
  const { latentDim, inputDim } = layout;
  const [model, weights, solve] = [
    await openDataFile(storage, files.model, opened),
    await openDataFile(storage, files.weights, opened),
    await openDataFile(storage, files.solver, opened),
  ];
  // everything is checked before the device takes anything; then one tensor at a time is in memory
  const { rows } = checkTensor(solve, 'sample', 'F32', [null, inputDim]);
  checkTensor(solve, 'factor', 'F64', [latentDim, latentDim]);
  checkTensor(model, 'parameters', 'F32', [layout.parameterCount]);
  checkTensor(weights, 'W', 'F32', [manifest.documents, latentDim]);
  const optional = async (name: string, length: number): Promise<Float32Array | null> => {
    if (!weights.file.tensors.has(name)) return null;
    checkTensor(weights, name, 'F32', [length]);
    return weights.file.readFloats(name);
  };
  const scaling: Scaling = {
    scales: await optional('scales', manifest.documents),
    base: await optional('base', latentDim),
  };
  const prefixMap = await loadPrefixMap(storage, manifest, latentDim, scaling.base, opened);
  const learnOptions = { ...resolveLearnOptions({}), ...manifest.options };
  const codec = unlearnedCodec(learnOptions.precision, inputDim);
  const { encoding, parameters: learned } = codec;
  if (learned.length > 0) {
    checkTensor(solve, encoding.parametersName, 'F32', [learned.length]);
    learned.set(await solve.file.readFloats(encoding.parametersName));
  }
  return buildTensors(device, async (scope) => {
    const upload = async (file: DataFile, name: string, length: number) =>
      scope.upload('f32', await readShared(file, name, length));
    const w = await upload(weights, 'W', manifest.documents * latentDim);
    const parameters = await upload(model, 'parameters', layout.parameterCount);
    const map = { layout, parameters, unit };
    const x = await upload(solve, 'sample', rows * inputDim);
    const values = new Float64Array(latentDim * latentDim);
    await solve.file.readInto('factor', new Uint8Array(values.buffer));
    const solver = await restoreSolver(device, map, x, rows, values);
    const fitted = { map, solver, w, mean, std, codec, scaling };
    return { fitted, prefixMap, learnOptions };
  });
}

async function loadPrefixMap(
  storage: ReadableStorage,
  { prefix, files }: Manifest,
  latentDim: number,
  base: Float32Array | null,
  opened: DataFile[],
): Promise<PrefixMap | undefined> {
  if (!prefix || !files.prefix) return undefined;
  const data = await openDataFile(storage, files.prefix, opened);
  const read = (name: string, ...shape: number[]): Promise<Float32Array> => {
    checkTensor(data, name, 'F32', shape);
    return data.file.readFloats(name);
  };
  const { dim, step } = prefix;
  return {
    dim,
    step,
    mean: await read('mean', latentDim),
    documentProjection: await read('documents', dim, latentDim),
    queryProjection: await read('queries', dim, latentDim),
    base,
  };
}

/** A data file and what to call it. */
interface DataFile {
  file: SafetensorsFile;
  where: string;
  close(): Promise<void>;
}

/**
 * A data file whose length and checksum have been found right; only its header is kept. It stays
 * the one that was checked, whatever takes its name.
 */
async function openDataFile(
  storage: ReadableStorage,
  entry: FileEntry,
  opened: DataFile[],
): Promise<DataFile> {
  const where = `${storage.name}/${entry.name}`;
  const stored = await storage.open(entry.name);
  try {
    if (stored.size !== entry.bytes)
      throw new LemurError(
        'bad-file',
        `${where}: ${stored.size} bytes, expected ${entry.bytes}: ` +
          'the file is truncated or from another save',
        {
          where,
        },
      );
    let sum = 0;
    await eachChunk(stored, 0, stored.size, undefined, (chunk) => {
      sum = crc32(chunk, sum);
    });
    if (sum !== entry.crc32)
      throw new LemurError('bad-file', `${where}: the checksum is wrong, the file is damaged`, {
        where,
      });
    const data = { file: await openSafetensors(stored, where), where, close: () => stored.close() };
    opened.push(data);
    return data;
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/**
 * Refuses a tensor that is missing, of another type or of another shape; null stands for any number
 * of rows.
 */
function checkTensor(
  { file, where }: DataFile,
  name: string,
  type: string,
  shape: readonly (number | null)[],
): { rows: number } {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new LemurError('bad-file', `${where}: no tensor '${name}'`, { where });
  const fits = (n: number | null, i: number): boolean =>
    n === null ? tensor.shape[i] > 0 : tensor.shape[i] === n;
  if (tensor.type !== type || tensor.shape.length !== shape.length || !shape.every(fits)) {
    const expected = `${type} [${shape.map((n) => n ?? 'rows')}]`;
    throw new LemurError(
      'bad-file',
      `${where}: tensor '${name}' is ${tensor.type} [${tensor.shape}], expected ${expected}`,
      { where },
    );
  }
  return { rows: tensor.shape[0] };
}

/**
 * A tensor's values in shared memory where there is some: what is large the device then uses where
 * it lies.
 */
async function readShared({ file }: DataFile, name: string, length: number): Promise<Float32Array> {
  const values = sharedFloats(length);
  await file.readInto(name, new Uint8Array(values.buffer));
  return values;
}
