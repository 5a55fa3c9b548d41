import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type * as EncoderModule from '../../../dist/entry/node-encoder.js';
import { isLemurError } from '../../../dist/errors.js';
import {
  readSafetensors,
  toFloat32,
  writeSafetensors,
} from '../../../dist/formats/safetensors/safetensors.js';
import { pickle, stateDict, storage, tensor, torchFile } from '../../formats/torch/torch-bytes.js';
import { smallBert } from '../small-bert.js';
import { denseModule, tokenizerJson, writeFiles } from '../small-checkpoint.js';

const { loadEncoder } = (await import(
  new URL('../../../dist/entry/node-encoder.js', import.meta.url).href
)) as typeof EncoderModule;
const root = await mkdtemp(join(tmpdir(), 'lemur-weights-'));
afterAll(() => rm(root, { recursive: true }));

const bert = smallBert();
const tensors = [...readSafetensors(bert.file).tensors].map(
  ([name, entry]) => [name, { shape: entry.shape, data: toFloat32(entry, name) }] as const,
);
const half = Math.floor(tensors.length / 2);
const parts = [tensors.slice(0, half), tensors.slice(half)];
const other = { 'config.json': bert.json, 'tokenizer.json': tokenizerJson };
let folders = 0;
const folderOf = (files: Record<string, unknown>): Promise<string> =>
  writeFiles(join(root, String(folders++)), { ...other, ...files });

const safetensors = (list: typeof tensors): Uint8Array =>
  writeSafetensors(Object.fromEntries(list));
/** As torch.save writes a state dict: a storage for each tensor. */
function torch(
  list: readonly (readonly [string, { shape: readonly number[]; data: Float32Array }])[],
): Uint8Array {
  const items = list.map(([name, { shape, data }], key) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    return [
      name,
      tensor(storage('FloatStorage', String(key), data.length), 0, shape, strides),
    ] as const;
  });
  const storages = list.map(
    ([, { data }], key) =>
      [String(key), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)] as const,
  );
  return torchFile(pickle(stateDict(...items)), Object.fromEntries(storages));
}
const indexOf = (names: readonly string[]) => ({
  metadata: {},
  weight_map: Object.fromEntries(
    parts.flatMap((part, i) => part.map(([name]) => [name, names[i]])),
  ),
});

async function vectorsOf(folder: string): Promise<Float32Array> {
  const encoder = await loadEncoder(folder, { threads: 1 });
  try {
    return (await encoder.encodeDocument(['red owls fly', 'a bee'])).vectors;
  } finally {
    await encoder.close();
  }
}

async function failure(folder: string): Promise<{ code: string; message: string }> {
  const error: unknown = await loadEncoder(folder).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!isLemurError(error)) throw error ?? new Error('expected a failure');
  return { code: error.code, message: error.message };
}

describe('weights give the same vectors', async () => {
  const expected = await vectorsOf(await folderOf({ 'model.safetensors': bert.file }));
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const binaries = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'];

  test.each([
    ['a single safetensors file of another name', { 'weights.safetensors': bert.file }],
    [
      'the 16-bit file of two',
      { 'model.fp16.safetensors': bert.file, 'other.safetensors': new Uint8Array(3) },
    ],
    ['pytorch_model.bin', { 'pytorch_model.bin': torch(tensors) }],
    [
      'several safetensors files and their index',
      {
        'model.safetensors.index.json': indexOf(shards),
        [shards[0]]: safetensors(parts[0]),
        [shards[1]]: safetensors(parts[1]),
      },
    ],
    [
      "several of torch's files and their index",
      {
        'pytorch_model.bin.index.json': indexOf(binaries),
        [binaries[0]]: torch(parts[0]),
        [binaries[1]]: torch(parts[1]),
      },
    ],
  ])('in %s', async (_, files) => {
    expect(await vectorsOf(await folderOf(files))).toEqual(expected);
  });

  test("safetensors are preferred to torch's", async () => {
    expect(
      await vectorsOf(
        await folderOf({ 'model.safetensors': bert.file, 'pytorch_model.bin': new Uint8Array(9) }),
      ),
    ).toEqual(expected);
  });

  test("in a dense layer's pytorch_model.bin", async () => {
    const { files, weight } = denseModule('1_Dense', 48, 6);
    const modules = {
      'model.safetensors': bert.file,
      'modules.json': [
        { type: 'sentence_transformers.models.Transformer', path: '' },
        { type: 'pylate.models.Dense.Dense', path: '1_Dense' },
      ],
      'config_sentence_transformers.json': { query_prefix: '[Q] ', document_prefix: '[D] ' },
    };
    const { '1_Dense/model.safetensors': _, ...without } = files as Record<string, unknown>;
    const layer = {
      '1_Dense/pytorch_model.bin': torch([['linear.weight', { shape: [6, 48], data: weight }]]),
    };
    expect(await vectorsOf(await folderOf({ ...modules, ...without, ...layer }))).toEqual(
      await vectorsOf(await folderOf({ ...modules, ...files })),
    );
  });

  test('and what is missing or damaged is named', async () => {
    const index = { 'model.safetensors.index.json': indexOf(shards) };
    const absent = await failure(await folderOf({ ...index, [shards[0]]: safetensors(parts[0]) }));
    expect(absent).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`no ${shards[1]}; found`),
    });
    const elsewhere = await failure(
      await folderOf({ 'model.safetensors.index.json': { weight_map: { a: '../secret' } } }),
    );
    expect(elsewhere).toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining("expected a file's name"),
    });
    const swapped = {
      ...index,
      [shards[0]]: safetensors(parts[1]),
      [shards[1]]: safetensors(parts[0]),
    };
    expect(await failure(await folderOf(swapped))).toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining(`is not in ${shards[0]}`),
    });
    const old = await failure(
      await folderOf({ 'pytorch_model.bin': new Uint8Array([0x80, 2, 0x8a, 10]) }),
    );
    expect(old).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('before torch 1.6'),
    });
    const cut = torch(tensors);
    expect(
      await failure(await folderOf({ 'pytorch_model.bin': cut.subarray(0, cut.length / 2) })),
    ).toMatchObject({ code: 'bad-file' });
  });
});
