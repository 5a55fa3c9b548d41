import { unpickle } from '../../../src/formats/torch/pickle.js';
import type { PickleValue } from '../../../src/formats/torch/pickle-values.js';
import {
  bytes,
  global,
  long,
  ordered,
  pickle,
  storage,
  tensor,
  text,
  tuple,
} from '../../formats/torch/torch-bytes.js';
import { mutateBytes } from '../../mutations.js';
import { hold, reader, WHERE } from './reader.js';

const encoder = new TextEncoder();
const eight = storage('FloatStorage', '0', 8);
export const state = pickle(
  bytes(
    '}q',
    0,
    '(',
    text('W'),
    tensor(eight, 1, [3, 2], [2, 1]),
    text('V'),
    tensor(storage('HalfStorage', '1', 16), 0, [2, 8], [1, 2]),
  ),
  bytes(
    text('state'),
    ordered,
    'q',
    1,
    '(',
    text('version'),
    'K',
    1,
    text('list'),
    ']q',
    2,
    '(',
    'K',
    1,
    'M',
    2,
    3,
    'e',
    'u',
  ),
  bytes(
    text('mean'),
    'G',
    0x3f,
    0xf8,
    0,
    0,
    0,
    0,
    0,
    0,
    text('none'),
    'N',
    text('t'),
    'K',
    1,
    0x85,
    'h',
    1,
    0x88,
    0x86,
    0x86,
    'u',
  ),
);
/** Opcodes, alone and in phrases. */
const pickleWords = [
  ...[
    '(',
    ')',
    ']',
    '}',
    'a',
    'e',
    's',
    'u',
    't',
    'b',
    'Q',
    'R',
    'N',
    '.',
    '0',
    '2',
    'h\0',
    'q\0',
    'h\x01',
    'q\x01',
  ].map((word) => encoder.encode(word)),
  ...[0x85, 0x86, 0x87, 0x88, 0x89].map((opcode) => Uint8Array.of(opcode)),
  ...[
    eight,
    ordered,
    long(2 ** 50),
    text('__proto__'),
    tuple(text('storage')),
    global('os', 'system'),
    global('torch', 'FloatStorage'),
  ],
  ...[
    tensor(eight, 0, [0, 2 ** 50], [0, 0]),
    tensor(eight, 0, [2 ** 26, 2 ** 26], [0, 0]),
    bytes('j', 255, 255, 255, 255),
  ],
];
export const pickles = {
  seeds: [state, pickle(tensor(eight, 0, [8], [1])), pickle(ordered)],
  words: pickleWords,
};

export const pickled = reader(
  'pickle',
  (random) => mutateBytes(pickles, random),
  (input) => {
    let tensors = 0;
    const value = unpickle(input, WHERE, (_storage, offset, shape, strides) => {
      hold(
        [offset, ...shape, ...strides].every((n) => Number.isSafeInteger(n) && n >= 0),
        'a tensor of sizes that make no sense',
      );
      hold(shape.length === strides.length, 'a tensor without a stride for each length');
      tensors++;
      return { shape, data: new Float32Array(1) };
    });
    hold(tensors <= input.length, `${tensors} tensors`);
    hold(isPlain(value), 'a value of another kind');
  },
);

function isPlain(value: PickleValue): boolean {
  return (
    value === null ||
    ['boolean', 'number', 'string'].includes(typeof value) ||
    typeof value === 'object'
  );
}
