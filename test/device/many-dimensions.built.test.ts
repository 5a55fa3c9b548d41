import { describe, expect, test } from 'vitest';
import { withTensors } from '../../dist/device/with-tensors.js';
import { MaxSim, type TokenMatrix } from '../../dist/entry/node.js';
import { encodings, type Precision } from '../../dist/tokens/encodings.js';
import { numbers } from '../numbers.js';
import { type CpuDeviceName, cpuDevicesFor } from './devices.js';

/** Codes of 12 bits times codes of 8 would not sum to an int32. */
const DIM = 8200;
const ROWS = 20;
const DOCUMENTS = 6;

/** Unit vectors whose values are all as large, as those that were cut to a bit a value. */
function signs(seed: number, rows: number): Float32Array {
  const size = 1 / Math.sqrt(DIM);
  return numbers(seed)
    .floats(rows * DIM)
    .map((value) => (value < 0 ? -size : size));
}

test.each([...encodings.keys()] as Precision[])(
  '%s finds vectors of many dimensions that are all as large',
  async (precision) => {
    const vectors = signs(1, 64);
    const documents = Array.from({ length: 64 }, (_, i): TokenMatrix => {
      return { data: vectors.subarray(i * DIM, (i + 1) * DIM), dims: [1, DIM] };
    });
    const exact = await MaxSim.create(documents, { precision });
    const { indices, scores } = await exact.search(documents.slice(0, 5), 1);
    exact.close();
    expect([...indices]).toEqual([0, 1, 2, 3, 4]);
    // two bits give their length back to 2 %, and a cosine of .94
    for (const score of scores) expect(Math.abs(score - 1)).toBeLessThan(0.1);
  },
);

const names: readonly CpuDeviceName[] = ['plain', 'one thread'];
const device = cpuDevicesFor(names);

describe.each(names)('%s', (name) => {
  test.each([true, false])(
    'weights of such int8 documents are least squares (grouped: %s)',
    async (grouped) => {
      const x = signs(2, ROWS);
      const one = device(name);
      const weights = await withTensors(one, async (scope) => {
        // Z = 1, one latent dimension: the weight is the mean of the targets
        const z = await scope.upload('f32', new Float32Array(ROWS).fill(1));
        const factor = scope.own(await one.gram(z, ROWS, 1));
        await factor.factorise();
        const counts = new Int32Array(DOCUMENTS).fill(1);
        const out = await scope.allocate('f32', DOCUMENTS);
        await one.documentWeights({
          ...{
            x: await scope.upload('f32', x),
            z,
            rows: ROWS,
            factor,
            grouped,
            mean: 0,
            std: 1,
            out,
          },
          documents: {
            encoding: 'int8',
            dim: DIM,
            documentCount: DOCUMENTS,
            longest: 1,
            vectors: await scope.upload(
              'i8',
              Int8Array.from(x.subarray(0, DOCUMENTS * DIM), (value) => 127 * Math.sign(value)),
            ),
            counts: await scope.upload('i32', counts),
            offsets: await scope.upload(
              'i32',
              Int32Array.from({ length: DOCUMENTS + 1 }, (_, i) => i),
            ),
            scales: await scope.upload(
              'f32',
              new Float32Array(DOCUMENTS).fill(1 / (127 * Math.sqrt(DIM))),
            ),
            parameters: await scope.upload('f32', new Float32Array(DIM)),
            checks: null,
          },
        });
        return one.read(out);
      });
      for (const [d, weight] of weights.entries()) {
        let sum = 0;
        for (let i = 0; i < ROWS * DIM; i++) sum += x[i] * x[d * DIM + (i % DIM)];
        expect(weight).toBeCloseTo(sum / ROWS, 4);
      }
    },
  );
});
