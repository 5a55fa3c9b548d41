import { expect, test } from 'vitest';
import { bytesSource } from '../../../src/bytes/byte-source.js';
import { isLemurError, LemurError } from '../../../src/errors.js';
import { joinTensorFiles } from '../../../src/formats/safetensors/join-tensor-files.js';
import { writeSafetensors } from '../../../src/formats/safetensors/safetensors.js';
import { openSafetensors } from '../../../src/formats/safetensors/safetensors-file.js';
import type { TensorFile } from '../../../src/formats/safetensors/tensor-file.js';
import { openTorchTensors } from '../../../src/formats/torch/torch-tensors.js';
import { pickle, stateDict, storage, tensor, torchFile } from '../torch/torch-bytes.js';

const row = (...values: number[]): { data: Float32Array; shape: number[] } => ({
  data: Float32Array.from(values),
  shape: [values.length],
});
const files: Record<string, TensorFile> = {
  'model-00001-of-00002.safetensors': await openSafetensors(
    bytesSource(writeSafetensors({ a: row(1, 2), unnamed: row(9), both: row(3) })),
    'one',
  ),
  'model-00002-of-00002.safetensors': await openSafetensors(
    bytesSource(writeSafetensors({ b: row(4, 5, 6), both: row(7) })),
    'two',
  ),
  'pytorch_model.bin': await openTorchTensors(
    bytesSource(
      torchFile(
        pickle(stateDict(['t', tensor(storage('FloatStorage', '0', 4), 0, [2, 2], [1, 2])])),
        {
          0: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer),
        },
      ),
    ),
    'three',
  ),
};
const map = {
  b: 'model-00002-of-00002.safetensors',
  a: 'model-00001-of-00002.safetensors',
  both: 'model-00001-of-00002.safetensors',
  t: 'pytorch_model.bin',
};

/** Joined, with the files that were opened. */
async function join(index: unknown): Promise<TensorFile & { opened: string[] }> {
  const opened: string[] = [];
  const joined = await joinTensorFiles(index, 'm.index.json', async (file) => {
    opened.push(file);
    if (!files[file]) throw new LemurError('not-found', `no ${file}`, { where: file });
    return files[file];
  });
  return { ...joined, opened };
}

test('tensors of several files are read as if they were of one', async () => {
  const { tensors, readFloats, opened } = await join({
    metadata: { total_size: 44 },
    weight_map: map,
  });
  expect([...tensors]).toMatchObject([
    ['b', { type: 'F32', shape: [3] }],
    ['a', { type: 'F32', shape: [2] }],
    ['both', { type: 'F32', shape: [1] }],
    ['t', { type: 'F32', shape: [2, 2] }],
  ]);
  expect([...(await readFloats('a'))]).toEqual([1, 2]);
  expect([...(await readFloats('both'))]).toEqual([3]);
  expect([...(await readFloats('b', { rows: [1, 3] }))]).toEqual([5, 6]);
  expect([...(await readFloats('t', { rows: [1, 2] }))]).toEqual([2, 4]);
  expect(opened.sort()).toEqual(Object.keys(files).sort());
  await expect(readFloats('a', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
    'enough',
  );
});

test('a tensor that the index does not name is not there', async () => {
  const { tensors, readFloats } = await join({ weight_map: map });
  for (const name of ['unnamed', '__proto__', 'toString', '']) {
    expect(tensors.has(name)).toBe(false);
    await expect(readFloats(name)).rejects.toMatchObject({
      code: 'bad-file',
      message: `m.index.json: no tensor '${name}'`,
    });
  }
  expect((await join({ weight_map: {} })).tensors.size).toBe(0);
});

test('an index that names a tensor which its file does not have is refused', async () => {
  await expect(join({ weight_map: { ...map, a: map.b } })).rejects.toMatchObject({
    code: 'bad-file',
    fields: { where: 'm.index.json' },
    message:
      'm.index.json: not a valid index of weights: "a" is not in model-00002-of-00002.safetensors',
  });
});

test.each([
  ...[
    '../model.safetensors',
    '..',
    '.',
    '',
    'a/b.safetensors',
    '/etc/passwd',
    'a\\b.safetensors',
    'C:model.bin',
    'a\0.bin',
    'a\n.bin',
  ],
  ...['https://example.org/x', 'a..b', 'x'.repeat(256)],
])('a file called %j is refused before any is opened', async (name) => {
  let opened = 0;
  const joining = joinTensorFiles(
    { weight_map: { ...map, z: name } },
    'm.index.json',
    async (file) => {
      opened++;
      return files[file];
    },
  );
  await expect(joining).rejects.toMatchObject({
    code: 'bad-file',
    message: expect.stringMatching(/^m\.index\.json: .*"z" in .*a file's name$/),
  });
  expect(opened).toBe(0);
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a text', 'weight_map'],
  ['a list', [map]],
  ['no weight_map', { metadata: {} }],
  ['a weight_map that is a list', { weight_map: ['a'] }],
  ['a weight_map that is null', { weight_map: null }],
  ['a file that is a number', { weight_map: { ...map, c: 3 } }],
  ['a file that is an object', { weight_map: { ...map, c: { file: 'x' } } }],
])('an index that is %s is refused', async (_what, index) => {
  const error: unknown = await join(index).catch((e: unknown) => e);
  expect(isLemurError(error, 'bad-file')).toBe(true);
});

test('a name such as __proto__ is a name', async () => {
  const index: unknown = JSON.parse(
    '{"weight_map":{"__proto__":"model-00001-of-00002.safetensors"}}',
  );
  await expect(join(index)).rejects.toThrow('"__proto__" is not in model-00001');
});

test('a file that cannot be opened is told as the one who opens it does', async () => {
  await expect(join({ weight_map: { a: 'other.safetensors' } })).rejects.toMatchObject({
    code: 'not-found',
  });
});
