import { expect, test } from 'vitest';
import { withTensors } from '../../dist/device/with-tensors.js';
import { dot, numbers } from '../numbers.js';
import { type CpuDeviceName, cpuDevicesFor } from './devices.js';

const names: readonly CpuDeviceName[] = ['one thread', 'two threads', 'unshared memory'];
const device = cpuDevicesFor(names);

const [ROWS, DIM, QUERIES, K] = [20_000, 6, 3, 40];
// small integers, so that ties abound and sums are exact
const codes = Int8Array.from(numbers(1).integers(ROWS * DIM, 3));
const asked = Float32Array.from(numbers(2).integers(QUERIES * DIM, 4095));
// codes of a query are its values then
for (let q = 0; q < QUERIES; q++) asked[q * DIM] = 4095;
const masks = [null, Int8Array.from({ length: ROWS }, (_, row) => Number(row % 7 > 2))];

function best(q: number, mask: Int8Array | null): { row: number; score: number }[] {
  const query = asked.subarray(q * DIM, (q + 1) * DIM);
  return Array.from({ length: ROWS }, (_, row) => ({
    row,
    score: dot(query, Float32Array.from(codes.subarray(row * DIM, (row + 1) * DIM))),
  }))
    .filter(({ row }) => mask?.[row] !== 0)
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, K);
}

test.each(names)(
  'blocks leave out no row that is among the best of all, ties by the lower row: %s',
  async (name) => {
    const one = device(name);
    for (const mask of masks)
      await withTensors(one, async (scope) => {
        const prefix = await scope.upload('i8', codes);
        const scales = await scope.upload('f32', new Float32Array(ROWS).fill(1));
        const documents = { rows: ROWS, dim: DIM, prefixDim: DIM, prefix, full: prefix, scales };
        const queries = await scope.upload('f32', asked);
        const allowed = mask && (await scope.upload('i8', mask));
        const { indices, scores } = await one.topCodes(
          { ...documents, checks: null },
          queries,
          queries,
          QUERIES,
          K,
          K,
          { allowed },
        );
        const expected = Array.from({ length: QUERIES }, (_, q) => best(q, mask)).flat();
        expect([...indices]).toEqual(expected.map(({ row }) => row));
        expect([...scores]).toEqual(expected.map(({ score }) => score));
      });
  },
);
