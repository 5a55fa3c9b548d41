import {
  readSafetensors,
  type SafetensorsArray,
  toTypedArray,
  writeSafetensors,
} from '../../../src/formats/safetensors/safetensors.js';
import { concat, mutateBytes, mutateJson } from '../../mutations.js';
import { hold, reader, sameBytes, sizeOf, WHERE } from './reader.js';

const encoder = new TextEncoder();
const header = {
  __metadata__: { format: 'pt', made: 'by hand' },
  weight: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  'layer.0.bias': { dtype: 'F16', shape: [4], data_offsets: [24, 32] },
  ids: { dtype: 'I64', shape: [1, 1], data_offsets: [32, 40] },
  empty: { dtype: 'U8', shape: [0, 5], data_offsets: [40, 40] },
};
const body = Uint8Array.from({ length: 40 }, (_, i) => i * 7);
const safetensorsFile = (json: Uint8Array): Uint8Array => {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return concat(length, json, body);
};
const safetensorsSeed = safetensorsFile(encoder.encode(JSON.stringify(header)));

export const safetensors = reader(
  'safetensors',
  (random) =>
    random.oneIn(3)
      ? mutateBytes({ seeds: [safetensorsSeed] }, random)
      : safetensorsFile(mutateJson(header, random)),
  (input) => {
    const { tensors, metadata } = readSafetensors(input, WHERE);
    hold(
      Object.values(metadata).every((value) => typeof value === 'string'),
      'metadata that is no text',
    );
    let sum = 0;
    const arrays: [string, { shape: readonly number[]; data: SafetensorsArray }][] = [];
    for (const [name, entry] of tensors) {
      sum += entry.bytes.length;
      if (['F16', 'BF16', 'U64', 'U16', 'BOOL'].includes(entry.type)) continue;
      const data = toTypedArray(entry, WHERE);
      hold(sizeOf(entry.shape) === data.length, `${data.length} values for [${entry.shape}]`);
      arrays.push([name, { shape: entry.shape, data }]);
    }
    hold(sum <= input.length, `tensors of ${sum} bytes`);
    const again = readSafetensors(writeSafetensors(Object.fromEntries(arrays)), WHERE).tensors;
    hold(
      again.size === arrays.length,
      `${again.size} tensors when written and read, ${arrays.length} before`,
    );
    for (const [name, { data }] of arrays)
      hold(sameBytes(again.get(name)!.bytes, data), `tensor ${name} is not the same again`);
  },
);
