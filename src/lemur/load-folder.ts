import type { Device } from '../device/device.js';
import { buildTensors } from '../device/with-tensors.js';
import { layoutOf } from '../learn/feature-map-description.js';
import type { ResolvedLearnOptions } from '../learn/learn-options.js';
import { resolveLearnOptions } from '../learn/resolve-learn-options.js';
import type { Scaling } from '../learn/scaling.js';
import { GROUPED, restoreSolver } from '../learn/solver.js';
import type { PrefixMap } from '../search/prefix/prefix-map.js';
import type { ReadableStorage, Storage } from '../storage/storage.js';
import { unlearnedCodec } from '../tokens/encode-tokens.js';
import type { SolvedCorpus } from './fitted-corpus.js';
import { checkTensor, type DataFile, openDataFile, readShared } from './saved-data-file.js';
import { type Manifest, readManifest } from './saved-manifest.js';

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
  const grouped = solve.file.tensors.has(GROUPED);
  checkTensor(model, 'parameters', 'F32', [layout.parameterCount]);
  checkTensor(weights, 'W', 'F32', [manifest.documents, latentDim]);
  const optional = async (name: string, length: number): Promise<Float32Array | null> => {
    if (!weights.file.tensors.has(name)) return null;
    checkTensor(weights, name, 'F32', [length]);
    return weights.file.readFloats(name);
  };
  const scaling: Scaling = {
    lengths: await optional('scales', manifest.documents),
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
    const featureMap = { layout, parameters, unit };
    const x = await upload(solve, 'sample', rows * inputDim);
    const values = new Float64Array(latentDim * latentDim);
    await solve.file.readInto('factor', new Uint8Array(values.buffer));
    const solver = await restoreSolver(device, featureMap, x, rows, grouped, values);
    const fitted = { featureMap, solver, w, mean, std, codec, scaling };
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
