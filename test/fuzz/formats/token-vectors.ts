import { withoutZeroRows } from '../../../src/cli/zero-rows.js';
import { writeNpy } from '../../../src/formats/npy/npy.js';
import { writeSafetensors } from '../../../src/formats/safetensors/safetensors.js';
import { parseTokenVectors } from '../../../src/formats/token-vectors.js';
import { zip } from '../../formats/torch/torch-bytes.js';
import { mutateBytes } from '../../mutations.js';
import { hold, reader, WHERE } from './reader.js';

const vectors = Float32Array.of(1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 7, 8);
const vectorSeeds = [
  writeNpy({ shape: [2, 3, 2], data: vectors }),
  writeSafetensors({
    tokens: { shape: [6, 2], data: vectors },
    counts: { shape: [3], data: Int32Array.of(1, 2, 3) },
  }),
  writeSafetensors({ vectors: { shape: [2, 3, 2], data: vectors } }),
  zip([['arr_0.npy', writeNpy({ shape: [1], data: Float32Array.of(1) })]]),
];

export const tokenVectors = reader(
  'token-vectors',
  (random) => mutateBytes({ seeds: vectorSeeds }, random),
  async (input, random) => {
    const found = await parseTokenVectors(input, WHERE, { single: random.oneIn(2) });
    const before = found.vectors.length / found.dim;
    const notes: string[] = [];
    const reporter = {
      note: (line: string) => void notes.push(line),
      step: () => Promise.reject(new Error('a step')),
    };
    const {
      vectors: left,
      counts,
      offsets,
      dim,
    } = await withoutZeroRows(found, WHERE, { signal: new AbortController().signal, reporter });
    hold(
      left.length === offsets[counts.length] * dim && counts.every((count) => count > 0),
      'counts that do not add up',
    );
    hold(notes.length === (left.length / dim < before ? 1 : 0), `${notes.length} notes`);
    for (let row = 0; row < left.length; row += dim)
      hold(
        left.subarray(row, row + dim).some((value) => value !== 0),
        'a zero row',
      );
  },
);
