import type { Device, DeviceTokens, Tensor } from '../device/device.js';
import type { RunOptions } from '../run-options.js';
import { scalesOf, typicalLength } from '../tokens/lengths.js';

/** The documents whose targets a feature map is learned from, on the device. */
export interface TargetDocuments {
  readonly documents: DeviceTokens;
  /** Their numbers, m'. */
  readonly select: Tensor<'i32'>;
  /** What the targets of each are divided by; null: by 1. */
  readonly scales: Tensor<'f32'> | null;
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
  device: Device,
  documents: DeviceTokens,
  subset: Int32Array,
  lengths: Float64Array,
): Promise<TargetDocuments> {
  const own = Float64Array.from(subset, (document) => lengths[document]);
  const length = typicalLength(own);
  const scales = targetScales(own, length);
  const select = await device.upload('i32', subset);
  try {
    const uploaded = scales && (await device.upload('f32', scales));
    return { documents, select, scales: uploaded, length };
  } catch (error) {
    device.free(select);
    throw error;
  }
}

export function freeTargetDocuments(device: Device, { select, scales }: TargetDocuments): void {
  device.free(select, ...(scales ? [scales] : []));
}

/** Each document's own length; null where all are of length 1. */
function targetScales(lengths: Float64Array, typical: number): Float32Array | null {
  const relative =
    scalesOf(lengths, typical) ?? (typical === 1 ? null : new Float32Array(lengths.length).fill(1));
  // targets of documents that are zero are zero at any scale
  return relative?.map((scale) => (scale || 1) * typical) ?? null;
}

/** Targets of token vectors (rows x d); `options` tells of them. */
export async function computeTargets(
  device: Device,
  { documents, select, scales }: TargetDocuments,
  vectors: Float32Array,
  options: RunOptions,
): Promise<Targets> {
  const rows = vectors.length / documents.dim;
  const x = await device.upload('f32', vectors);
  try {
    const targets = await device.allocate('f32', rows * select.length);
    try {
      const run = { ...options, scales };
      return { targets, ...(await device.targets(x, rows, documents, select, targets, run)) };
    } catch (error) {
      device.free(targets);
      throw error;
    }
  } finally {
    device.free(x);
  }
}
