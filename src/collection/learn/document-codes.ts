import { learningDevice } from '../../device/default-device.js';
import type { Device, SearchDevice } from '../../device/device.js';
import { codeTensors } from '../../device/device-codes.js';
import { type DeviceTokens, uploadTokens } from '../../device/device-tokens.js';
import type { Tensor } from '../../device/memory.js';
import { withTensors } from '../../device/with-tensors.js';
import { documentWeights } from '../../learn/document-weights.js';
import type { Solver } from '../../learn/solver.js';
import type { RunOptions } from '../../run-options.js';
import { encodeWeights } from '../../search/prefix/first-stage.js';
import { type EncodedTokens, joinEncoded } from '../../tokens/encode-tokens.js';
import type { TokenCodec } from '../../tokens/encoding.js';
import { longestRows, scalesOf } from '../../tokens/lengths.js';
import { type CodeRows, readCodes } from '../files/codes-file.js';
import type { Residual } from '../files/manifest.js';
import type { Model } from '../files/model-file.js';
import type { StoredDocument } from '../metadata/stored-document.js';

/** Documents whose weights are in memory at a time. */
export const DOCUMENTS_AT_ONCE = 1024;
/** Documents of a chunk whose residuals are measured. */
const RESIDUALS = 16;

/** What gives documents weights and codes. */
export interface WeightsModel extends Model {
  readonly solver: Solver;
  readonly mean: number;
  readonly std: number;
  /**
   * Length of a typical document's longest token vector; undefined in models of earlier versions.
   */
  readonly length: number | undefined;
}

/** Codes of the documents' weights, and how well these explain the targets of some of them. */
export async function documentCodes(
  searching: SearchDevice,
  model: WeightsModel,
  documents: readonly StoredDocument[],
  codec: TokenCodec,
  options: RunOptions = {},
): Promise<CodeRows & { residual: Residual }> {
  const device = learningDevice(searching, 'add');
  const { layout } = model.map;
  const { latentDim } = layout;
  const count = documents.length;
  const prefixDim = model.prefixMap.dim;
  const out = {
    prefix: new Int8Array(count * prefixDim),
    full: new Int8Array(count * latentDim),
    factors: new Float32Array(count),
    scales: null as Float32Array | null,
    residual: { documents: 0, mean: 0 },
  };
  for (let from = 0; from < count; from += DOCUMENTS_AT_ONCE) {
    const some = documents.slice(from, from + DOCUMENTS_AT_ONCE);
    options.onProgress?.({ stage: 'document weights', done: from, total: count });
    const encoded = joinEncoded(some, codec);
    const scales = await scalesOfSome(model, encoded, options);
    await withTensors(device, async (scope) => {
      const tokens = await uploadTokens(scope, encoded);
      const { signal } = options;
      const w = scope.own(await documentWeights(device, model, tokens, { signal }));
      const rows = await codesOf(device, model, w, scales, options);
      out.prefix.set(rows.prefix, from * prefixDim);
      out.full.set(rows.full, from * latentDim);
      out.factors.set(rows.factors, from);
      if (scales) {
        out.scales ??= new Float32Array(count).fill(1);
        out.scales.set(scales, from);
      }
      out.residual = combined(
        out.residual,
        await residualOf(device, model, tokens, w, sampled(some)),
      );
    });
  }
  options.onProgress?.({ stage: 'document weights', done: count, total: count });
  return out;
}

/**
 * How many times as long as what the model holds for typical documents are; null: all are alike, or
 * the model knows nothing of that.
 */
export async function scalesOfSome(
  { length }: Pick<WeightsModel, 'length'>,
  tokens: EncodedTokens,
  { signal }: RunOptions,
): Promise<Float32Array | null> {
  return length === undefined ? null : scalesOf(await longestRows(tokens, signal), length);
}

/** Codes of weights that are on the device, by the documents' scales. */
export async function codesOf(
  device: Device,
  { prefixMap }: Model,
  w: Tensor<'f32'>,
  scales: Float32Array | null,
  { signal }: RunOptions = {},
): Promise<CodeRows> {
  return withTensors(device, async (scope) => {
    const codes = await encodeWeights(device, prefixMap, w, scales, { signal });
    scope.ownAll(codeTensors(codes));
    return { ...(await readCodes(device, codes)), scales };
  });
}

/**
 * How well weights explain the targets of some documents at the solve sample: squared residual over
 * the targets' variance (1 - R^2). Documents that were not there at the fit and have more of it
 * than those that were are unlike them: the features do not know what tells them apart.
 */
export async function residualOf(
  device: Device,
  { solver, mean, std }: Pick<WeightsModel, 'solver' | 'mean' | 'std'>,
  tokens: DeviceTokens,
  w: Tensor<'f32'>,
  chosen: readonly number[],
): Promise<Residual> {
  if (chosen.length === 0) return { documents: 0, mean: 0 };
  const { x, z, rows } = solver;
  const latentDim = z.length / rows;
  const columns = chosen.length;
  return withTensors(device, async (scope) => {
    const select = await scope.upload('i32', Int32Array.from(chosen));
    const targets = await scope.allocate('f32', rows * columns);
    await device.targets(x, rows, tokens, select, targets);
    const weights = new Float32Array(columns * latentDim);
    for (const [i, document] of chosen.entries())
      weights.set(
        await device.read(w, document * latentDim, (document + 1) * latentDim),
        i * latentDim,
      );
    const estimates = await scope.allocate('f32', rows * columns);
    await device.innerProducts(
      z,
      rows,
      await scope.upload('f32', weights),
      columns,
      latentDim,
      estimates,
    );
    const y = await device.read(targets);
    const found = await device.read(estimates);
    let total = 0;
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      let squares = 0;
      let missed = 0;
      for (let r = c; r < y.length; r += columns) {
        const target = (y[r] - mean) / std;
        sum += target;
        squares += target * target;
        missed += (target - found[r]) ** 2;
      }
      const variance = squares - (sum * sum) / rows;
      // targets that hardly vary would outweigh all others
      total += variance > 0 ? Math.min(1, missed / variance) : 0;
    }
    return { documents: columns, mean: total / columns };
  });
}

/** Means of two groups as that of both. */
export function combined(a: Residual, b: Residual): Residual {
  const documents = a.documents + b.documents;
  return {
    documents,
    mean: documents === 0 ? 0 : (a.mean * a.documents + b.mean * b.documents) / documents,
  };
}

/**
 * An eighth of the documents, the same ones wherever they are: measuring costs as much as the
 * weights.
 */
function sampled(documents: readonly StoredDocument[]): number[] {
  const chosen: number[] = [];
  for (let i = 0; i < documents.length && chosen.length < RESIDUALS; i++) {
    let hash = 0;
    for (const letter of documents[i].id)
      hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0;
    if ((hash & 7) === 0) chosen.push(i);
  }
  return chosen;
}
