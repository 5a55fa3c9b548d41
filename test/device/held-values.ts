import type { CpuArray } from '../../dist/device/cpu/cpu-tensor.js';
import type { Device } from '../../dist/device/device.js';
import type { DeviceCodes } from '../../dist/device/device-codes.js';
import type { DeviceTokens } from '../../dist/device/device-tokens.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import type { Tensor } from '../../dist/device/memory.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import { numbers, randomTexts } from '../numbers.js';
import { checksOf } from './files.js';

export const DIM = 23;
export const LATENT = 40;
export const PREFIX = 12;
/** The last document is longer than a tile. */
const counts = Int32Array.from([
  1,
  2,
  3,
  50,
  ...Array.from({ length: 66 }, (_, i) => 1 + ((i * 7) % 40)),
  1100,
]);
export const offsets = rowOffsets(counts);
export const documents = counts.length;
export const vectors = {
  f32: numbers(1).unitRows(offsets[documents], DIM),
  i8: Int8Array.from(numbers(2).integers(offsets[documents] * DIM, 127)),
};
export type Vectors = keyof typeof vectors;
const scales = numbers(3)
  .floats(documents, 0.01)
  .map((factor) => Math.abs(factor) + 0.001);
const centre = numbers(4).floats(DIM, 0.2);
export const queries = randomTexts(5, [1, 5, 33, 140], DIM);
export const queryCounts = Int32Array.from(queries.counts);

export const ROWS = 300;
export const codes = {
  prefix: Int8Array.from(numbers(6).integers(ROWS * PREFIX, 127)),
  full: Int8Array.from(numbers(7).integers(ROWS * LATENT, 127)),
  scales: numbers(8)
    .floats(ROWS, 0.1)
    .map((factor) => Math.abs(factor) + 0.01),
};
export const rowStarts = Float64Array.from({ length: ROWS + 1 }, (_, i) => i);

export async function tokensOf(
  one: Device,
  dtype: Vectors,
  tensor: Tensor<'f32'> | Tensor<'i8'>,
): Promise<DeviceTokens> {
  return {
    vectors: tensor,
    counts: await one.upload('i32', counts),
    offsets: await one.upload('i32', Int32Array.from(offsets)),
    scales: dtype === 'i8' ? await one.upload('f32', scales) : null,
    encoding: dtype === 'i8' ? 'int8' : 'float32',
    parameters: dtype === 'i8' ? await one.upload('f32', centre) : null,
    checks: await one.upload('i32', checksOf(vectors[dtype], offsets, DIM)),
    documentCount: documents,
    dim: DIM,
    longest: 1100,
  };
}

/** All that is computed from documents' vectors. */
export async function everything(
  one: Device,
  tokens: DeviceTokens,
): Promise<Record<string, CpuArray>> {
  const asked = await uploadTokens(one, {
    ...queries,
    counts: queryCounts,
    offsets: rowOffsets(queryCounts),
  });
  const n = queryCounts.length;
  // plain kernels take many times as long: they get less than a block
  const rows = one.readsFiles ? 290 : 40;
  const x = await one.upload('f32', numbers(9).unitRows(rows, DIM));
  const z = await one.upload('f32', numbers(10).floats(rows * LATENT));
  const all = await one.allocate('f32', n * documents);
  await one.maxSim(asked, tokens, all);
  const list = Int32Array.from({ length: 90 }, (_, i) => (i * 29 + 70) % documents);
  const some = await one.allocate('f32', list.length);
  await one.maxSimSubset(
    asked,
    tokens,
    await one.upload('i32', list),
    Int32Array.of(0, 2, 2, 50, 90),
    some,
  );
  const targets = await one.allocate('f32', rows * documents);
  const sums = await one.targets(x, rows, tokens, null, targets);
  const chosen = await one.allocate('f32', rows * list.length);
  await one.targets(x, rows, tokens, await one.upload('i32', list), chosen);
  const factor = await one.gram(z, rows, LATENT);
  await factor.factorise();
  const out = await one.allocate('f32', documents * LATENT);
  await one.documentWeights({
    x,
    z,
    rows,
    factor,
    documents: tokens,
    mean: 0.4,
    std: 0.2,
    out,
  });
  return {
    maxSim: await one.read(all),
    maxSimSubset: await one.read(some),
    targets: await one.read(targets),
    'sums of targets': Float64Array.of(sums.sum, sums.sumSquares),
    'targets of some': await one.read(chosen),
    documentWeights: await one.read(out),
    'all values': await one.read<'f32' | 'i8'>(tokens.vectors),
    'some values': await one.read<'f32' | 'i8'>(tokens.vectors, 3, 700),
    'values past the end': await one.read<'f32' | 'i8'>(
      tokens.vectors,
      tokens.vectors.length - 5,
      tokens.vectors.length + 5,
    ),
  };
}

export async function codesOf(
  one: Device,
  prefix: Tensor<'i8'>,
  full: Tensor<'i8'>,
): Promise<DeviceCodes> {
  return {
    rows: ROWS,
    dim: LATENT,
    prefixDim: PREFIX,
    prefix,
    full,
    scales: await one.upload('f32', codes.scales),
    checks: await one.upload('i32', checksOf(codes.full, rowStarts, LATENT)),
  };
}
