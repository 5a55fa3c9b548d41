import type { Device } from '../device/device.js';
import { type FeatureLayout, mlpLayout, randomLayout } from '../device/feature-layout.js';
import { isLemurError, LemurError } from '../errors.js';
import { crc32Paced } from '../formats/crc32.js';
import { readSafetensors, type SafetensorsArray, type SafetensorsType, toTypedArray, writeSafetensors } from '../formats/safetensors.js';
import { showJson } from '../formats/show-json.js';
import { ACTIVATIONS } from '../kernels/kernels.js';
import { restoreSolver } from '../model/solver.js';
import type { Storage } from '../storage/storage.js';
import type { Solved } from './fit.js';
import { type ResolvedLearnOptions, resolveLearnOptions } from './options.js';

const MANIFEST = 'lemur.json';
const VERSION = 1;
/** Names of data files; the number is that of the save. */
const DATA_FILE = /^(model|weights|solver)\.\d+\.safetensors$/;

/** A data file as the manifest knows it. */
interface FileEntry {
  name: string;
  bytes: number;
  crc32: number;
}

interface Manifest {
  format: 'lemur';
  version: number;
  /** Counts the saves; data files carry it in their names, so that a new save never touches those of the last. */
  save: number;
  documents: number;
  mean: number;
  std: number;
  featureMap: Pick<FeatureLayout, 'kind' | 'inputDim' | 'activation'> & { widths: number[] };
  options: ResolvedLearnOptions;
  files: { model: FileEntry; weights: FileEntry; solver: FileEntry };
}

/** Data files first, the manifest last and in one step, then the files of the save before are deleted. */
export async function saveFolder(device: Device, storage: Storage, fitted: Solved, options: ResolvedLearnOptions): Promise<void> {
  const previous = await readManifest(storage).catch((error: unknown) => {
    // nothing there yet, or nothing that can be read; the work of a newer version is left alone
    if (isLemurError(error, 'not-found') || isLemurError(error, 'bad-file')) return undefined;
    throw error;
  });
  const save = (previous?.save ?? 0) + 1;
  const { map, solver, w, mean, std } = fitted;
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
    }),
  };
  const featureMap = { kind: layout.kind, inputDim, activation: layout.activation, widths: layout.layers.map((layer) => layer.outputs) };
  const manifest: Manifest = { format: 'lemur', version: VERSION, save, documents, mean, std, featureMap, options, files };
  await storage.replace(MANIFEST, new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  const current = new Set(Object.values(files).map((file) => file.name));
  for (const name of await storage.list()) {
    if (DATA_FILE.test(name) && !current.has(name)) await storage.delete(name);
  }
}

export async function loadFolder(device: Device, storage: Storage): Promise<{ fitted: Solved; learnOptions: ResolvedLearnOptions }> {
  const manifest = await readManifest(storage);
  const { featureMap, files, mean, std } = manifest;
  const { kind, inputDim, activation, widths } = featureMap;
  const layout = kind === 'random' ? randomLayout(inputDim, widths[0], activation) : mlpLayout(inputDim, widths, activation);
  const { latentDim } = layout;
  const model = await readTensors(storage, files.model);
  const weights = await readTensors(storage, files.weights);
  const solve = await readTensors(storage, files.solver);
  // everything is read and checked before the device takes anything
  const values = {
    w: weights('W', 'F32', manifest.documents * latentDim) as Float32Array,
    parameters: model('parameters', 'F32', layout.parameterCount) as Float32Array,
    sample: solve('sample', 'F32') as Float32Array,
    factor: solve('factor', 'F64', latentDim * latentDim) as Float64Array,
  };
  const rows = values.sample.length / inputDim;
  if (!Number.isInteger(rows) || rows === 0) {
    const where = `${storage.name}/${files.solver.name}`;
    throw new LemurError('bad-file', `${where}: a sample of ${values.sample.length} values, expected rows of ${inputDim}`, { where });
  }
  const w = await device.upload('f32', values.w);
  const map = { layout, parameters: await device.upload('f32', values.parameters) };
  const x = await device.upload('f32', values.sample);
  const factor = await device.upload('f64', values.factor);
  const solver = await restoreSolver(device, map, x, rows, factor);
  return { fitted: { map, solver, w, mean, std }, learnOptions: manifest.options };
}

async function readManifest(storage: Storage): Promise<Manifest> {
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
function isWhole({ save, documents, mean, std, featureMap, options, files }: Manifest): boolean {
  const { kind, inputDim, activation, widths } = featureMap ?? {};
  return (
    Array.isArray(widths) &&
    [save, documents, inputDim, widths.length, ...widths].every((size) => Number.isSafeInteger(size) && size > 0) &&
    Number.isFinite(mean) &&
    Number.isFinite(std) &&
    std > 0 &&
    (kind === 'mlp' || (kind === 'random' && widths.length === 1)) &&
    ACTIVATIONS.includes(activation) &&
    areOptions(options) &&
    [files?.model, files?.weights, files?.solver].every(isFileEntry)
  );
}

function isFileEntry(file: FileEntry | null | undefined): boolean {
  return (
    typeof file?.name === 'string' && DATA_FILE.test(file.name) && Number.isSafeInteger(file.bytes) && Number.isSafeInteger(file.crc32)
  );
}

/** Whether these are all the options of a fit, each with a value that it takes. */
function areOptions(options: ResolvedLearnOptions): boolean {
  try {
    return Object.keys(resolveLearnOptions(options)).every((name) => Object.hasOwn(options, name));
  } catch {
    return false;
  }
}

/** The tensors of a data file by name, after its length and checksum have been found right. */
async function readTensors(
  storage: Storage,
  entry: FileEntry,
): Promise<(name: string, type: SafetensorsType, length?: number) => SafetensorsArray> {
  const where = `${storage.name}/${entry.name}`;
  const bytes = await storage.read(entry.name);
  if (bytes.length !== entry.bytes) {
    throw new LemurError(
      'bad-file',
      `${where}: ${bytes.length} bytes, expected ${entry.bytes}: the file is truncated or from another save`,
      { where },
    );
  }
  if ((await crc32Paced(bytes)) !== entry.crc32)
    throw new LemurError('bad-file', `${where}: the checksum is wrong, the file is damaged`, { where });
  const { tensors } = readSafetensors(bytes, where);
  return (name, type, length) => {
    const tensor = tensors.get(name);
    if (tensor?.type !== type) {
      throw new LemurError('bad-file', `${where}: ${tensor?.type ?? 'no'} tensor '${name}', expected one of type ${type}`, { where });
    }
    const values = toTypedArray(tensor, where);
    if (length !== undefined && values.length !== length) {
      throw new LemurError('bad-file', `${where}: tensor '${name}' has ${values.length} values, expected ${length}`, { where });
    }
    return values;
  };
}
