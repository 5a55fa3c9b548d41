import { joinTensorFiles } from '../../../src/formats/safetensors/join-tensor-files.js';
import { mutateJson } from '../../mutations.js';
import { REFUSED } from '../harness.js';
import { hold, reader, WHERE } from './reader.js';

const shard = {
  tensors: new Map([['a', { type: 'F32', shape: [1] } as const]]),
  readFloats: async () => Float32Array.of(1),
};
const weightMap = {
  metadata: { total_size: 4 },
  weight_map: { a: 'model-00001-of-00002.safetensors' },
};

export const shards = reader(
  'shards',
  (random) => mutateJson(weightMap, random),
  async (input) => {
    let index: unknown;
    try {
      index = JSON.parse(new TextDecoder().decode(input));
    } catch {
      return REFUSED;
    }
    const { tensors } = await joinTensorFiles(index, WHERE, async (file) => {
      hold(!/[/\\]|\.\./.test(file), `${file} was asked for`);
      return shard;
    });
    hold(
      [...tensors.keys()].every((name) => name === 'a'),
      'a tensor that is in no file',
    );
  },
);
