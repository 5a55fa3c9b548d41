import type { InferenceSession } from 'onnxruntime-web';
import { EXACT_WEIGHT } from '../graph/graph-builder.js';
import { writeOnnx } from '../graph/onnx-writer.js';
import type { OnnxRuntime } from './onnx-body.js';

/** Largest code of int8. */
const LARGEST = 127;
/** Size of the square matrices that are tried, a multiple of every kernel's tile. */
const SIZE = 64;

/**
 * Largest code of a weight with which this processor's products of bytes are exact, whatever the
 * inputs: the largest there is, or `EXACT_WEIGHT` where sums of two products saturate. Found by a
 * product of the largest ones.
 */
export async function largestWeight(
  runtime: OnnxRuntime,
  options: InferenceSession.SessionOptions,
): Promise<number> {
  const dims = [SIZE, SIZE];
  const model = writeOnnx(
    {
      name: 'largest',
      nodes: [
        { op: 'Cast', inputs: ['ones'], outputs: ['bytes'], attributes: { to: 2 } }, // uint8
        { op: 'MatMulInteger', inputs: ['bytes', 'weights'], outputs: ['sums'] },
        { op: 'Cast', inputs: ['sums'], outputs: ['values'], attributes: { to: 1 } }, // float32
      ],
      inputs: [{ name: 'ones', type: 'float32', dims }],
      outputs: [{ name: 'values', type: 'float32', dims }],
      constants: [
        { name: 'weights', dims, type: 'int8', data: new Int8Array(SIZE * SIZE).fill(LARGEST) },
      ],
    },
    { '': 17 },
  );
  const session = await runtime.InferenceSession.create(model, { ...options, logSeverityLevel: 4 });
  const bytes = new Float32Array(SIZE * SIZE).fill(255);
  const { values } = await session.run({ ones: new runtime.Tensor('float32', bytes, dims) });
  await session.release();
  const exact = (values.data as Float32Array).every((sum) => sum === SIZE * 255 * LARGEST);
  return exact ? LARGEST : EXACT_WEIGHT;
}
