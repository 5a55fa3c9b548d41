import { describe, expect, test } from 'vitest';
import {
  bytes,
  dict,
  integer,
  ordered,
  pickle,
  stateDict,
  storage,
  tensor,
  text,
  torchFile,
  tuple,
} from './torch-bytes.js';
import { a, failure, open, plain, storages, transposed } from './torch-states.js';

describe('the state in a torch file', () => {
  const inner = stateDict(...plain);
  const other = stateDict(['c', tensor(storage('FloatStorage', '0', 600), 0, [600], [1])]);
  const step = tensor(storage('LongStorage', '2', 3), 0, [], []);

  test.each<[string, Uint8Array]>([
    ['the outermost dictionary', inner],
    ['a plain dictionary', dict(...plain)],
    ['that under state_dict', dict(['epoch', integer(3)], ['state_dict', inner], ['step', step])],
    [
      'that under model, beside others',
      dict(['ema', other], ['model', inner], ['optimizer', dict(['state', dict(['0', other])])]),
    ],
    [
      'that under model_state_dict',
      dict(['model', text('bert')], ['model_state_dict', inner], ['best', other]),
    ],
    [
      'the only one, whatever it is called',
      dict(['net', inner], ['empty', ordered], ['args', dict(['lr', integer(1)])]),
    ],
    [
      'the only one, under two names',
      dict(['net', bytes(inner, 'q', 9)], ['again', bytes('h', 9)]),
    ],
  ])('is %s', async (_what, value) => {
    const opened = await open(torchFile(pickle(value), storages));
    expect([...opened.tensors.keys()]).toEqual(['a', 'b', 'ids']);
    expect(await opened.readFloats('a')).toEqual(a);
    expect(await opened.readFloats('b')).toEqual(transposed);
  });

  test('has nothing but tensors, by their names', async () => {
    const first = bytes('K', 7, tensor(storage('FloatStorage', '0', 600), 0, [1], [1]));
    const mixed = bytes(
      stateDict(['version', integer(1)], ['none', bytes('N')], ['inner', inner], ...plain, [
        'list',
        bytes(']'),
      ]),
      first,
      's',
    );
    expect([...(await open(torchFile(pickle(mixed), storages))).tensors.keys()]).toEqual([
      'a',
      'b',
      'ids',
    ]);
  });

  test.each<[string, Uint8Array]>([
    ['a tensor', plain[0][1]],
    ['a list of tensors', tuple(plain[0][1], plain[1][1])],
    ['no tensors', stateDict(['n', integer(1)])],
    ['two of them, neither the likelier', dict(['generator', inner], ['discriminator', other])],
    ['none but two levels down', dict(['x', dict(['y', inner])])],
    ['tensors by number', dict(['x', bytes('}K', 0, plain[0][1], 's')])],
  ])('is not found in %s', async (_what, value) => {
    expect((await failure(open(torchFile(pickle(value), storages)))).message).toMatch(
      /^m\.bin: .*no dictionary of tensors, expected one, or one under state_dict/,
    );
  });
});
