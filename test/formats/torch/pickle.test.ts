import { describe, expect, test } from 'vitest';
import { unpickle } from '../../../src/formats/torch/pickle.js';
import type {
  PickleTensor,
  PickleValue,
  RebuildTensor,
} from '../../../src/formats/torch/pickle-values.js';
import {
  bytes,
  global,
  integer,
  long,
  ordered,
  pickle,
  storage,
  tensor,
  text,
  tuple,
} from './torch-bytes.js';

const none: RebuildTensor = (_storage, offset, shape, strides) => ({
  shape,
  data: Float32Array.of(offset, ...strides),
});
const read = (program: Uint8Array): PickleValue => unpickle(program, 'x/data.pkl', none);

const state = pickle(
  bytes(
    '}q',
    0,
    '(',
    text('state'),
    ordered,
    'q',
    1,
    '(',
    text('weight'),
    tensor(storage('FloatStorage', '0', 6), 1, [2, 2], [1, 2]),
    'u',
  ),
  bytes(
    '}',
    text('_metadata'),
    ordered,
    '(',
    text('version'),
    'K',
    1,
    'us',
    'b',
    text('n'),
    'M',
    1,
    2,
    text('list'),
    ']q',
    2,
    '(',
    'K',
    1,
    'K',
    2,
    'e',
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
    text('tuples'),
    'K',
    1,
    0x85,
    'K',
    2,
    0x88,
    0x86,
    0x86,
    'u',
  ),
);

describe('a pickle', () => {
  test('gives maps, lists, tuples, numbers, texts and tensors', () => {
    const value = read(state) as Map<string, PickleValue>;
    expect([...value.keys()]).toEqual(['state', 'n', 'list', 'mean', 'none', 'tuples']);
    expect(value.get('n')).toBe(513);
    expect(value.get('mean')).toBe(1.5);
    expect(value.get('none')).toBe(null);
    expect(value.get('list')).toEqual([1, 2]);
    expect(value.get('tuples')).toEqual([[1], [2, true]]);
    const { shape, data } = (value.get('state') as Map<string, PickleValue>).get(
      'weight',
    ) as PickleTensor;
    expect(shape).toEqual([2, 2]);
    expect([...data]).toEqual([1, 1, 2]);
  });

  test('gives integers of every width, and values that were kept', () => {
    const kept = bytes('X', 1, 0, 0, 0, 'k', 'r', 0, 1, 0, 0, 'j', 0, 1, 0, 0);
    expect(
      read(
        pickle(tuple(integer(-7 >>> 0), long(2 ** 40), bytes(0x8a, 0), bytes(0x8a, 1, 0xfe), kept)),
      ),
    ).toEqual([-7, 2 ** 40, 0, -2, 'k', 'k']);
  });

  test.each([
    ['os.system', bytes(global('os', 'system'), tuple(text('id')), 'R')],
    ['posix.system', bytes(global('posix', 'system'), tuple(text('id')), 'R')],
    ['builtins.eval', bytes(global('builtins', 'eval'), tuple(text('1')), 'R')],
    ['__builtin__.getattr', bytes(global('__builtin__', 'getattr'))],
    ['torch.load', bytes(global('torch', 'load'))],
    ['torch._utils._rebuild_parameter', bytes(global('torch._utils', '_rebuild_parameter'))],
    ['collections.OrderedDict.fromkeys', bytes(global('collections', 'OrderedDict.fromkeys'))],
    ['.__proto__', bytes(global('', '__proto__'))],
  ])('that asks for %s is refused by that name', (name, program) => {
    expect(() => read(pickle(program))).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        message: expect.stringContaining(`asks for ${name},`),
      }),
    );
  });

  test.each([
    ['INST', 'i'],
    ['OBJ', 'o'],
    ['NEWOBJ', 0x81],
    ['STACK_GLOBAL', 0x93],
    ['EXT1', 0x82],
    ['PERSID', 'P'],
    ['INT', 'I'],
    ['STRING', 'S'],
    ['LONG4', 0x8b],
    ['FRAME', 0x95],
    ['DUP', '2'],
    ['POP', '0'],
  ])(
    'with the opcode %s, which torch does not write, is refused by its number',
    (_name, opcode) => {
      const number = typeof opcode === 'number' ? opcode : opcode.charCodeAt(0);
      expect(() => read(pickle('N', opcode, 'N'))).toThrow(
        `opcode 0x${number.toString(16)} at byte 3`,
      );
    },
  );

  test('of another protocol is refused', () => {
    for (const protocol of [0, 1, 3, 4, 5])
      expect(() => read(bytes(0x80, protocol, 'N.'))).toThrow(`protocol ${protocol}`);
    expect(() => read(bytes('N.'))).toThrow(/does not begin with its protocol/);
  });

  test('is refused at every length that is not its own', () => {
    for (let length = 0; length < state.length; length++) {
      expect(() => read(state.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'bad-file', fields: { where: 'x/data.pkl' } }),
      );
    }
    expect(() => read(bytes(state, 0))).toThrow(/1 bytes behind its end/);
  });

  test.each([
    ['nothing on the stack', pickle()],
    ['two values', pickle('NN')],
    ['a mark left', pickle('(N')],
    ['a mark missing', pickle('t')],
    ['a key without a value', pickle('}(N', 'u')],
    ['a key that is a list', pickle('}]N', 's')],
    ['an item for a tuple', pickle(')N', 'a')],
    ['attributes of a list', pickle(']}b')],
    ['a value never kept', pickle('h', 0)],
    ['a call of a text', pickle(text('f'), ')R')],
    ['a call without a tuple', pickle(global('collections', 'OrderedDict'), ']R')],
    ['a name without an end', pickle('c', 'x'.repeat(300))],
    ['text that is not UTF-8', pickle('X', 1, 0, 0, 0, 255)],
    ['text of 4 GiB', pickle('X', 255, 255, 255, 255)],
    ['a negative length', pickle(tensor(storage('FloatStorage', '0', 4), 0, [-1], [1]))],
    ['more strides than lengths', pickle(tensor(storage('FloatStorage', '0', 4), 0, [2], [1, 1]))],
    [
      'a tensor of 100 dimensions',
      pickle(
        tensor(storage('FloatStorage', '0', 4), 0, new Array(100).fill(1), new Array(100).fill(1)),
      ),
    ],
    [
      'a storage of a function',
      pickle(
        tuple(
          text('storage'),
          global('collections', 'OrderedDict'),
          text('0'),
          text('cpu'),
          integer(1),
        ),
        'Q',
      ),
    ],
    ['a storage that is a text', pickle(text('storage'), 'Q')],
  ])('with %s is refused', (_what, program) => {
    expect(() => read(program)).toThrow(expect.objectContaining({ code: 'bad-file' }));
  });

  test('may not call an ordered dictionary with arguments', () => {
    expect(() => read(pickle(global('collections', 'OrderedDict'), ']', 0x85, 'R'))).toThrow(
      /calls collections.OrderedDict with 1 values/,
    );
  });

  test('that nests without end is refused, and nesting that is read does not overflow the stack', () => {
    expect(() => read(pickle('('.repeat(100_000)))).toThrow(/more than 1000 levels/);
    expect(() => read(pickle('}'.repeat(100_000)))).toThrow(/more than 65536 values/);
    expect(() => read(new Uint8Array((3 << 18) + 1))).toThrow(/expected at most 786432/);
    expect(() => read(pickle(')', new Uint8Array(100_000).fill(0x85)))).toThrow(
      /more than 64 levels of values within values/,
    );
    expect(() => read(pickle(']'.repeat(60_000), 'a'.repeat(59_999)))).toThrow(
      /more than 64 levels/,
    );
  });

  test('of 64 levels is read, of one more refused, whichever way round they are met', () => {
    const nested = (levels: number): Uint8Array =>
      bytes(')', new Uint8Array(levels - 1).fill(0x85));
    expect(read(pickle(nested(64)))).toHaveLength(1);
    expect(() => read(pickle(nested(65)))).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
    // what is met first, on the first level, is 40 deep; then it lies on the thirtieth
    const shared = (around: number): Uint8Array =>
      bytes(nested(40), 'q', 0, 'h', 0, new Uint8Array(around).fill(0x85), 0x86);
    expect(read(pickle(shared(23)))).toHaveLength(2);
    expect(() => read(pickle(shared(24)))).toThrow(/more than 64 levels/);
  });

  test('that holds itself is refused, as a list, in a dictionary and by way of others', () => {
    const itself = expect.objectContaining({
      code: 'unsupported',
      message: expect.stringContaining('a value that contains itself'),
    });
    expect(() => read(pickle(']q', 0, 'h', 0, 'a'))).toThrow(itself);
    expect(() => read(pickle('}q', 0, text('me'), 'h', 0, 's'))).toThrow(itself);
    expect(() => read(pickle(']q', 0, '}q', 1, text('up'), 'h', 0, 's', 0x85, 'a'))).toThrow(
      itself,
    );
  });

  test('that doubles itself forty times is refused, and one whose parts are shared a few times is not', () => {
    const doubled = (times: number): Uint8Array =>
      pickle(']', ...Array.from({ length: times }, (_, i) => bytes('q', i, 'h', i, 0x86)));
    const shared = expect.objectContaining({
      code: 'unsupported',
      message: expect.stringContaining('more than 1048576'),
    });
    expect(() => read(doubled(40))).toThrow(shared);
    expect(read(doubled(18))).toHaveLength(2);
    const byKeys = Array.from({ length: 40 }, (_, i) =>
      bytes('q', i, '}', text('a'), 'h', i, 's', text('b'), 'h', i, 's', 0x86),
    );
    expect(() => read(pickle(']', ...byKeys))).toThrow(shared);
  });

  test('with keys such as __proto__ changes no object', () => {
    const value = read(
      pickle(
        '}(',
        text('__proto__'),
        '}',
        text('polluted'),
        'K',
        1,
        's',
        text('constructor'),
        'K',
        2,
        'u',
      ),
    );
    expect([...(value as Map<string, PickleValue>).keys()]).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
