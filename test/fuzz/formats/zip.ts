import { readZip } from '../../../src/formats/zip/zip.js';
import { bytes, zip } from '../../formats/torch/torch-bytes.js';
import { mutateBytes } from '../../mutations.js';
import { state } from './pickle.js';
import { hold, reader, WHERE } from './reader.js';

const encoder = new TextEncoder();
export const floats = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7).buffer);
const zipEntries = [
  ['x/data.pkl', state],
  ['x/data/0', floats],
  ['x/version', bytes('3\n')],
] as const;
export const zips = {
  seeds: [zip(zipEntries), zip(zipEntries, { zip64: true }), zip([])],
  words: ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07', 'x/data/0'].map(
    (word) => encoder.encode(word),
  ),
};

export const zipped = reader(
  'zip',
  (random) => mutateBytes(zips, random),
  async (input) => {
    const entries = await readZip(input, WHERE);
    let sum = 0;
    for (const data of entries.values()) sum += data.length;
    hold(sum <= input.length, `${sum} bytes of entries in a file of ${input.length}`);
  },
);
