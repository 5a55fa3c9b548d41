import type { Device } from '../device/device.js';
import type { DeviceTokens } from '../device/device-tokens.js';
import type { Tensor, TensorMaker } from '../device/memory.js';
import { buildTensors, withTensors } from '../device/with-tensors.js';
import type { RunOptions } from '../run-options.js';
import { relativeLengths, typicalLength } from '../tokens/lengths.js';

/** The documents whose targets a feature map is learned from, on the device. */
export interface TargetDocuments {
  readonly documents: DeviceTokens;
  /** Their numbers, m'. */
  readonly select: Tensor<'i32'>;
  /** Divisors of the targets of each; null: 1. */
  readonly divisors: Tensor<'f32'> | null;
  /** Length of a typical one's longest token vector. */
  readonly length: number;
}

/** Targets of token vectors, rows x m', and the sums of all. */
export interface Targets {
  readonly targets: Tensor<'f32'>;
  readonly sum: number;
  readonly sumSquares: number;
}

/** `lengths`: of each of all documents' longest token vector. */
export async function uploadTargetDocuments(
  device: TensorMaker,
  documents: DeviceTokens,
  subset: Int32Array,
  lengths: Float64Array,
): Promise<TargetDocuments> {
  const own = Float64Array.from(subset, (document) => lengths[document]);
  const length = typicalLength(own);
  const divisors = targetDivisors(own, length);
  return {
    documents,
    select: await device.upload('i32', subset),
    divisors: divisors && (await device.upload('f32', divisors)),
    length,
  };
}

/** Each document's own length; null where all are of length 1. */
function targetDivisors(lengths: Float64Array, typical: number): Float32Array | null {
  const relative =
    relativeLengths(lengths, typical) ??
    (typical === 1 ? null : new Float32Array(lengths.length).fill(1));
  // targets of documents that are zero are zero at any length
  return relative?.map((length) => (length || 1) * typical) ?? null;
}

/** Targets of token vectors (rows x d); `options` tells of them. */
export async function computeTargets(
  device: Device,
  { documents, select, divisors }: TargetDocuments,
  vectors: Float32Array,
  options: RunOptions,
): Promise<Targets> {
  const rows = vectors.length / documents.dim;
  return buildTensors(device, async (kept) => {
    const targets = await kept.allocate('f32', rows * select.length);
    const sums = await withTensors(device, async (scope) => {
      const x = await scope.upload('f32', vectors);
      return device.targets(x, rows, documents, select, targets, { ...options, divisors });
    });
    return { targets, ...sums };
  });
}
