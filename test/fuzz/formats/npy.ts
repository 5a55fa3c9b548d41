import { type NpyData, readNpy, writeNpy } from '../../../src/formats/npy/npy.js';
import { mutateBytes } from '../../mutations.js';
import { hostileNpy } from '../hostile-npy.js';
import { hold, reader, sameBytes, sizeOf, WHERE } from './reader.js';

const arrays: NpyData[] = [
  Float32Array.of(1, -2, Number.NaN, 4, 5, 6),
  Int32Array.of(1, 2, 3),
  new Float64Array(0),
  Uint8Array.of(9),
];
const npySeeds = arrays.map((data, i) => writeNpy({ shape: [[2, 3], [3], [0, 4], []][i], data }));

export const npy = reader(
  'npy',
  (random) => (random.oneIn(2) ? hostileNpy(random) : mutateBytes({ seeds: npySeeds }, random)),
  (input) => {
    const { shape, data, dtype } = readNpy(input, WHERE);
    hold(sizeOf(shape) === data.length, `${data.length} values for [${shape}]`);
    const again = readNpy(writeNpy({ shape, data }), WHERE);
    hold(
      sameBytes(again.data, data) && again.shape.join() === shape.join(),
      `${dtype} [${shape}] is not the same when written and read`,
    );
  },
);
