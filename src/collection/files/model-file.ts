import type { Device, SearchDevice } from '../../device/device.js';
import type { DeviceFeatureMap } from '../../device/device-feature-map.js';
import type { Tensor } from '../../device/memory.js';
import { buildTensors } from '../../device/with-tensors.js';
import { layoutOf } from '../../learn/feature-map-description.js';
import { GROUPED, restoreSolver, type Solver } from '../../learn/solver.js';
import type { PrefixMap } from '../../search/prefix/prefix-map.js';
import type { ReadableStorage } from '../../storage/storage.js';
import {
  type CheckedFile,
  type EncodedFile,
  encodeCheckedFile,
  openCheckedFile,
} from './checked-file.js';
import type { ModelEntry } from './manifest.js';

export const MODEL = 'lemur-model';

/** The part of a collection's model that a query needs: feature map and prefix map. */
export interface QueryModel {
  readonly featureMap: DeviceFeatureMap;
  readonly prefixMap: PrefixMap;
  /** `prefixMap.queryProjection` on the device. */
  readonly queryProjection: Tensor<'f32'>;
}

export function freeModel(device: SearchDevice, { featureMap, queryProjection }: QueryModel): void {
  device.free(featureMap.parameters, queryProjection);
}

export async function encodeModel(
  name: string,
  device: SearchDevice,
  { featureMap, prefixMap }: QueryModel,
  solver: Solver,
): Promise<EncodedFile> {
  const { latentDim, inputDim, parameterCount } = featureMap.layout;
  const { dim, mean, documentProjection, queryProjection, base } = prefixMap;
  return encodeCheckedFile(name, MODEL, {
    factor: { shape: [latentDim, latentDim], data: await solver.factor.read() },
    sample: { shape: [solver.rows, inputDim], data: await device.read(solver.x) },
    ...(solver.grouped ? { [GROUPED]: { shape: [1], data: Float32Array.of(1) } } : {}),
    parameters: { shape: [parameterCount], data: await device.read(featureMap.parameters) },
    prefixMean: { shape: [latentDim], data: mean },
    prefixDocuments: { shape: [dim, latentDim], data: documentProjection },
    prefixQueries: { shape: [dim, latentDim], data: queryProjection },
    ...(base ? { base: { shape: [latentDim], data: base } } : {}),
  });
}

/** Rejects with 'not-found' and 'bad-file'. */
export async function openModel(
  storage: ReadableStorage,
  device: SearchDevice,
  entry: ModelEntry,
): Promise<QueryModel> {
  const { featureMap, prefix, length } = entry;
  const layout = layoutOf(featureMap);
  const { latentDim, parameterCount } = layout;
  return withModelFile(storage, entry, async (file) => {
    const floats = (section: string, ...shape: number[]): Promise<Float32Array> =>
      file.array(section, 'F32', shape);
    const parameters = await floats('parameters', parameterCount);
    const prefixMap: PrefixMap = {
      ...prefix,
      mean: await floats('prefixMean', latentDim),
      documentProjection: await floats('prefixDocuments', prefix.dim, latentDim),
      queryProjection: await floats('prefixQueries', prefix.dim, latentDim),
      base: length === undefined ? null : await floats('base', latentDim),
    };
    return buildTensors(device, async (scope) => ({
      featureMap: {
        layout,
        parameters: await scope.upload('f32', parameters),
        unit: length !== undefined,
      },
      prefixMap,
      queryProjection: await scope.upload('f32', prefixMap.queryProjection),
    }));
  });
}

/** The solver of further documents' weights. Rejects with 'not-found' and 'bad-file'. */
export async function openSolver(
  storage: ReadableStorage,
  device: Device,
  entry: ModelEntry,
  featureMap: DeviceFeatureMap,
): Promise<Solver> {
  const { latentDim, inputDim } = featureMap.layout;
  return withModelFile(storage, entry, async (file) => {
    const grouped = file.sections.has(GROUPED);
    const rows = file.sections.get('sample')?.shape[0] ?? 0;
    const sample = await file.array<Float32Array>('sample', 'F32', [rows, inputDim]);
    const values = await file.array<Float64Array>('factor', 'F64', [latentDim, latentDim]);
    return buildTensors(device, async (scope) =>
      restoreSolver(device, featureMap, await scope.upload('f32', sample), rows, grouped, values),
    );
  });
}

async function withModelFile<T>(
  storage: ReadableStorage,
  { file: entry }: ModelEntry,
  use: (file: CheckedFile) => Promise<T>,
): Promise<T> {
  const file = await openCheckedFile(storage, entry, MODEL);
  try {
    return await use(file);
  } finally {
    await file.stored.close();
  }
}
