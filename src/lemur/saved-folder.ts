import type { Device, DType, Tensor } from '../device/device.js';
import { isLemurError, LemurError } from '../errors.js';
import { eachChunk } from '../formats/byte-ranges.js';
import { crc32, crc32Paced } from '../formats/crc32.js';
import { type SafetensorsArray, writeSafetensors } from '../formats/safetensors.js';
import { openSafetensors, type SafetensorsFile } from '../formats/safetensors-file.js';
import { showJson } from '../formats/show-json.js';
import { restoreSolver } from '../model/solver.js';
import type { PrefixMap } from '../search/prefix-map.js';
import type { Storage } from '../storage/storage.js';
import { storedRanges } from '../storage/stored-safetensors.js';
import { sharedFloats } from '../tokens/gather.js';
import { describeFeatureMap, type FeatureMapDescription, isFeatureMapDescription, layoutOf } from './feature-map-description.js';
import type { Solved } from './fit.js';
import { type ResolvedLearnOptions, resolveLearnOptions } from './options.js';

const MANIFEST = 'lemur.json';
const VERSION = 1;
/** Names of data files; the number is that of the save. */
const DATA_FILE = /^(model|weights|solver|prefix)\.\d+\.safetensors$/;

/** Whether a file of this name belongs to a saved Lemur: the manifest, data files of any save, and what a crash may leave of them. */
export function isSavedFile(name: string): boolean {
  return name === MANIFEST || name === `${MANIFEST}.tmp` || DATA_FILE.test(name);
}

/** A data file as the manifest knows it. */
export interface FileEntry {
  name: string;
  bytes: number;
  crc32: number;
}

/** `lemur.json`. */
export interface Manifest {
  format: 'lemur';
  version: number;
  /** Counts the saves; data files carry it in their names, so that a new save never touches those of the last. */
  save: number;
  documents: number;
  mean: number;
  std: number;
  featureMap: FeatureMapDescription;
  options: ResolvedLearnOptions;
  /** Of the first stage; absent where there is none. */
  prefix?: { dim: number; step: number } | undefined;
  files: { model: FileEntry; weights: FileEntry; solver: FileEntry; prefix?: FileEntry | undefined };
}

/** Data files first, the manifest last and in one step, then the files of the save before are deleted. */
export async function saveFolder(
  device: Device,
  storage: Storage,
  fitted: Solved,
  prefixMap: PrefixMap | undefined,
  options: ResolvedLearnOptions,
): Promise<void> {
  const previous = await readManifest(storage).catch((error: unknown) => {
    // nothing there yet, or nothing that can be read; the work of a newer version is left alone
    if (isLemurError(error, 'not-found') || isLemurError(error, 'bad-file')) return undefined;
    throw error;
  });
  const save = (previous?.save ?? 0) + 1;
  const { map, solver, w, mean, std, tokenMean } = fitted;
  const { layout } = map;
  const { latentDim, inputDim } = layout;
  const write = async (kind: string, tensors: Record<string, { shape: readonly number[]; data: SafetensorsArray }>): Promise<FileEntry> => {
    const name = `${kind}.${save}.safetensors`;
    const bytes = writeSafetensors(tensors);
    await storage.write(name, bytes);
    return { name, bytes: bytes.length, crc32: await crc32Paced(bytes) };
  };
  const documents = w.length / latentDim;
  const files = {
    model: await write('model', { parameters: { shape: [layout.parameterCount], data: await device.read(map.parameters) } }),
    weights: await write('weights', { W: { shape: [documents, latentDim], data: await device.read(w) } }),
    solver: await write('solver', {
      sample: { shape: [solver.rows, inputDim], data: await device.read(solver.x) },
      factor: { shape: [latentDim, latentDim], data: await device.read(solver.factor) },
      tokenMean: { shape: [inputDim], data: tokenMean },
    }),
    prefix:
      prefixMap &&
      (await write('prefix', {
        mean: { shape: [latentDim], data: prefixMap.mean },
        documents: { shape: [prefixMap.dim, latentDim], data: prefixMap.documents },
        queries: { shape: [prefixMap.dim, latentDim], data: prefixMap.queries },
      })),
  };
  const prefix = prefixMap && { dim: prefixMap.dim, step: prefixMap.step };
  const featureMap = describeFeatureMap(layout);
  const manifest: Manifest = { format: 'lemur', version: VERSION, save, documents, mean, std, featureMap, options, prefix, files };
  // the manifest must not outlive what it names
  await storage.sync();
  await storage.replace(MANIFEST, new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  const current = new Set([MANIFEST, ...Object.values(files).map((file) => file?.name)]);
  for (const name of await storage.list()) {
    if (isSavedFile(name) && !current.has(name)) await storage.delete(name);
  }
}

export async function loadFolder(
  device: Device,
  storage: Storage,
): Promise<{ fitted: Solved; prefixMap: PrefixMap | undefined; learnOptions: ResolvedLearnOptions }> {
  const manifest = await readManifest(storage);
  const { featureMap, files, mean, std } = manifest;
  const layout = layoutOf(featureMap);
  const { latentDim, inputDim } = layout;
  const [model, weights, solve] = [
    await openDataFile(storage, files.model),
    await openDataFile(storage, files.weights),
    await openDataFile(storage, files.solver),
  ];
  // everything is checked before the device takes anything; then one tensor at a time is in memory
  const { rows } = checkTensor(solve, 'sample', 'F32', [null, inputDim]);
  checkTensor(solve, 'factor', 'F64', [latentDim, latentDim]);
  checkTensor(model, 'parameters', 'F32', [layout.parameterCount]);
  checkTensor(weights, 'W', 'F32', [manifest.documents, latentDim]);
  const prefixMap = await loadPrefixMap(storage, manifest, latentDim);
  checkTensor(solve, 'tokenMean', 'F32', [inputDim]);
  const tokenMean = await solve.file.readFloats('tokenMean');
  const kept: Tensor[] = [];
  const keep = <D extends DType>(tensor: Tensor<D>): Tensor<D> => {
    kept.push(tensor);
    return tensor;
  };
  try {
    const w = keep(await device.upload('f32', await readShared(weights, 'W', manifest.documents * latentDim)));
    const map = { layout, parameters: keep(await device.upload('f32', await readShared(model, 'parameters', layout.parameterCount))) };
    const x = keep(await device.upload('f32', await readShared(solve, 'sample', rows * inputDim)));
    const values = new Float64Array(latentDim * latentDim);
    await solve.file.readInto('factor', new Uint8Array(values.buffer));
    const factor = keep(await device.upload('f64', values));
    const solver = await restoreSolver(device, map, x, rows, factor);
    const fitted = { map, solver, w, mean, std, tokenMean };
    return { fitted, prefixMap, learnOptions: { ...resolveLearnOptions({}), ...manifest.options } };
  } catch (error) {
    device.free(...kept);
    throw error;
  }
}

async function loadPrefixMap(storage: Storage, { prefix, files }: Manifest, latentDim: number): Promise<PrefixMap | undefined> {
  if (!prefix || !files.prefix) return undefined;
  const data = await openDataFile(storage, files.prefix);
  const read = (name: string, ...shape: number[]): Promise<Float32Array> => {
    checkTensor(data, name, 'F32', shape);
    return data.file.readFloats(name);
  };
  const { dim, step } = prefix;
  return {
    dim,
    step,
    mean: await read('mean', latentDim),
    documents: await read('documents', dim, latentDim),
    queries: await read('queries', dim, latentDim),
  };
}

/** Reads and checks `lemur.json` alone. Rejects with 'not-found', 'bad-file' or 'unsupported'. */
export async function readManifest(storage: Storage): Promise<Manifest> {
  const where = `${storage.name}/${MANIFEST}`;
  const bytes = await storage.read(MANIFEST).catch((cause: unknown) => {
    if (!isLemurError(cause, 'not-found')) throw cause;
    throw new LemurError('not-found', `${storage.name}: no saved model here (${MANIFEST} is missing)`, { where }, { cause });
  });
  let manifest: Manifest;
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
  } catch (cause) {
    throw new LemurError('bad-file', `${where}: not JSON, the file is damaged or truncated`, { where }, { cause });
  }
  if (manifest?.format !== 'lemur') throw new LemurError('bad-file', `${where}: not the manifest of a saved Lemur`, { where });
  if (manifest.version !== VERSION) {
    throw new LemurError(
      'unsupported',
      `${where}: format version ${showJson(manifest.version)}, this version of the package reads ${VERSION}`,
      {
        where,
      },
    );
  }
  if (!isWhole(manifest)) throw new LemurError('bad-file', `${where}: fields are missing or make no sense, the file is damaged`, { where });
  return manifest;
}

/** Whether all that loading relies on is there and of its kind. */
function isWhole({ save, documents, mean, std, featureMap, options, prefix, files }: Manifest): boolean {
  return (
    isSize(save) &&
    isFeatureMapDescription(featureMap) &&
    Number.isSafeInteger(documents) &&
    documents >= 0 &&
    Number.isFinite(mean) &&
    Number.isFinite(std) &&
    std > 0 &&
    areOptions(options) &&
    (prefix === undefined || (isSize(prefix?.dim) && Number.isFinite(prefix.step) && prefix.step > 0)) &&
    [files?.model, files?.weights, files?.solver, ...(prefix ? [files?.prefix] : [])].every(isFileEntry)
  );
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isFileEntry(file: FileEntry | null | undefined): boolean {
  return (
    typeof file?.name === 'string' && DATA_FILE.test(file.name) && Number.isSafeInteger(file.bytes) && Number.isSafeInteger(file.crc32)
  );
}

/** Whether these are the options of a fit, each with a value that it takes; saves before the first stage lack its option. */
function areOptions(options: ResolvedLearnOptions): boolean {
  try {
    return Object.keys(resolveLearnOptions(options)).every((name) => name === 'prefixDim' || Object.hasOwn(options, name));
  } catch {
    return false;
  }
}

/** A data file and what to call it. */
interface DataFile {
  file: SafetensorsFile;
  where: string;
}

/** A data file whose length and checksum have been found right; only its header is kept. */
async function openDataFile(storage: Storage, entry: FileEntry): Promise<DataFile> {
  const where = `${storage.name}/${entry.name}`;
  const ranges = await storedRanges(storage, entry.name);
  if (ranges.size !== entry.bytes) {
    throw new LemurError(
      'bad-file',
      `${where}: ${ranges.size} bytes, expected ${entry.bytes}: the file is truncated or from another save`,
      { where },
    );
  }
  let sum = 0;
  await eachChunk(ranges, 0, ranges.size, where, undefined, (chunk) => {
    sum = crc32(chunk, sum);
  });
  if (sum !== entry.crc32) throw new LemurError('bad-file', `${where}: the checksum is wrong, the file is damaged`, { where });
  return { file: await openSafetensors(ranges, where), where };
}

/** Refuses a tensor that is missing, of another type or of another shape; null stands for any number of rows. */
function checkTensor({ file, where }: DataFile, name: string, type: string, shape: readonly (number | null)[]): { rows: number } {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new LemurError('bad-file', `${where}: no tensor '${name}'`, { where });
  const fits = (n: number | null, i: number): boolean => (n === null ? tensor.shape[i] > 0 : tensor.shape[i] === n);
  if (tensor.type !== type || tensor.shape.length !== shape.length || !shape.every(fits)) {
    const expected = `${type} [${shape.map((n) => n ?? 'rows')}]`;
    throw new LemurError('bad-file', `${where}: tensor '${name}' is ${tensor.type} [${tensor.shape}], expected ${expected}`, { where });
  }
  return { rows: tensor.shape[0] };
}

/** A tensor's values in shared memory where there is some: what is large the device then uses where it lies. */
async function readShared({ file }: DataFile, name: string, length: number): Promise<Float32Array> {
  const values = sharedFloats(length);
  await file.readInto(name, new Uint8Array(values.buffer));
  return values;
}
