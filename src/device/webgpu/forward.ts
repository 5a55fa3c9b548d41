import { ACTIVATIONS } from '../../kernels/kernels.js';
import type { FeatureLayout, LayerLayout } from '../feature-layout.js';
import { float, type GpuQueue } from './gpu-queue.js';
import { byRows, product } from './product.js';
import type { Scratch } from './scratch.js';
import type { Span } from './transfer.js';

/** What the way back through a layer needs. */
export interface KeptLayer {
  /** rows x inputs. */
  readonly input: Span;
  /** rows x outputs: after LayerNorm, before its affine map. */
  readonly normal: GPUBuffer;
  /** rows: what LayerNorm has multiplied by. */
  readonly inverse: GPUBuffer;
}

/**
 * out (rows x d') = psi of x (rows x d). What the way back through each layer needs is put into
 * `kept`, where it is given.
 */
export async function forward(
  queue: GpuQueue,
  scratch: Scratch,
  layout: FeatureLayout,
  parameters: GPUBuffer,
  x: Span,
  rows: number,
  out: Span,
  { kept, signal }: { kept?: KeptLayer[]; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  let input = x;
  for (const [i, layer] of layout.layers.entries()) {
    const { inputs, outputs, weight } = layer;
    const isLast = i === layout.layers.length - 1;
    const result = isLast ? out : { buffer: scratch.take(rows * outputs * 4), at: 0 };
    const right = byRows({ buffer: parameters, at: weight }, inputs);
    const sizes = { rows, columns: outputs, depth: inputs, outRow: outputs };
    const left = byRows(input, inputs);
    await product(queue, { ...sizes, left, right, out: result }, signal);
    const back = kept && {
      input,
      normal: scratch.take(rows * outputs * 4),
      inverse: scratch.take(rows * 4),
    };
    if (back) kept.push(back);
    await queue.dispatch(
      'layer',
      layerNumbers(layout, layer, result.at, back !== undefined),
      [parameters, result.buffer, back?.normal ?? null, back?.inverse ?? null],
      [rows],
    );
    input = result;
  }
}

function layerNumbers(
  { kind, activation }: FeatureLayout,
  { outputs, bias, gamma, beta }: LayerLayout,
  at: number,
  keeps: boolean,
): number[] {
  const isRandom = kind === 'random';
  return [
    ...[outputs, at, ACTIVATIONS.indexOf(activation), Number(isRandom)],
    ...[Math.max(0, bias), Math.max(0, gamma), Math.max(0, beta), Number(keeps)],
    float(Math.sqrt(2 / outputs)),
  ];
}
