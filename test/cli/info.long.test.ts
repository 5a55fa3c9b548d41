import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeNpy } from '../../src/formats/npy/npy.js';
import { writeSafetensors } from '../../src/formats/safetensors/safetensors.js';
import { runCli, succeed } from './run-cli.js';
import { tokensOf, writeTokenFolder } from './token-data.js';
import { LATENT, writeTxtai } from './txtai-artefact.js';

const index = fileURLToPath(new URL('../fixtures/parity/reference_index', import.meta.url));
const tokens = tokensOf(12, 6, 1);

let folder: string;
let at: (name: string) => string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-info-'));
  at = (name) => join(folder, name);
  await writeTokenFolder(at('tokens'), tokens, { 'ids.txt': 'x\n' });
  await writeFile(at('cube.npy'), writeNpy({ shape: [2, 3, 4], data: new Float32Array(24) }));
  await writeFile(
    at('some.safetensors'),
    writeSafetensors({ tokens: { shape: [2, 3], data: new Float32Array(6) } }, { from: 'a test' }),
  );
  await mkdir(at('beir/qrels'), { recursive: true });
  await writeFile(
    at('beir/corpus.jsonl.gz'),
    gzipSync('{"_id":"d1","title":"T","text":"one"}\n{"_id":"d2","text":"two"}\n'),
  );
  await writeFile(at('beir/queries.jsonl'), '{"_id":"q1","text":"which"}\n');
  await writeFile(at('beir/qrels/test.tsv'), 'q1\td1\t1\nq1\td2\t1\n');
  await writeFile(at('lines.jsonl'), '{"id":1,"text":"one"}\n\n{"id":2,"text":"two"}\n');
  await mkdir(at('notes/deep/.hidden'), { recursive: true });
  for (const name of ['b.md', 'deep/a.TXT', 'deep/.hidden/c.txt', 'picture.png'])
    await writeFile(at(`notes/${name}`), 'text');
  await mkdir(at('bert'));
  await writeFile(at('bert/config.json'), '{"model_type":"bert","hidden_size":48}');
  await writeFile(at('bert/tokenizer.json'), '{}');
  await mkdir(at('empty'));
});
afterAll(() => rm(folder, { recursive: true }));

const describePath = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse((await succeed(['info', path, '--json'])).stdout);

describe('info', () => {
  test.each([
    [
      'tokens',
      'token vectors',
      { type: 'f4', shape: [54, 6], texts: 12, countsAddUp: true, ids: 'ids.txt' },
    ],
    ['cube.npy', '.npy', { type: 'f4', shape: [2, 3, 4] }],
    [
      'some.safetensors',
      'safetensors',
      { tensors: { tokens: { type: 'F32', shape: [2, 3] } }, metadata: { from: 'a test' } },
    ],
    [
      'beir',
      'BEIR folder',
      { documents: 2, queries: 1, qrels: { 'qrels/test.tsv': { queries: 1, judgements: 2 } } },
    ],
    ['lines.jsonl', 'text file', { lines: 2, fields: ['id', 'text'] }],
    ['notes', 'folder of texts', { documents: 2, first: ['b.md', 'deep/a.TXT'] }],
    ['bert', 'encoder', { model_type: 'bert', hidden_size: 48 }],
    ['empty', 'unknown', { bytes: 0 }],
  ])('of %s', async (name, kind, fields) => {
    expect(await describePath(at(name))).toMatchObject({ path: at(name), kind, ...fields });
  });

  test("of the Python reference's index and one of its files", async () => {
    const { kind, weights, model } = await describePath(index);
    expect(kind).toBe('index of the Python reference');
    expect(weights).toEqual({ W: { shape: [160, 256] } });
    expect(model).toMatchObject({
      config: { model_type: 'mlp', input_dim: 128 },
      state_dict: { 'output_layer.weight': { shape: [160, 256] } },
    });
    expect(await describePath(join(index, 'w.pt'))).toMatchObject({
      kind: 'torch file',
      content: { W: { shape: [160, 256] } },
    });
  });

  test("of txtai's artefact, which has files of the names that an encoder has", async () => {
    await writeTxtai(at('txtai'), 6, new Float32Array(6).fill(0.25));
    expect(await describePath(at('txtai'))).toMatchObject({
      kind: 'LEMUR artefact of txtai',
      config: { modeltype: 'elm', inputdim: 6, finalhiddendim: LATENT },
      centre: true,
      tensors: {
        'featureextractor.0.weight': { type: 'F32', shape: [6, LATENT] },
        'lemur.sample': { type: 'F32', shape: [90, 6] },
      },
    });
    await mkdir(at('weights-alone'));
    await writeFile(at('weights-alone/config.json'), '{"model_type":"bert"}');
    await writeFile(at('weights-alone/model.safetensors'), await readFile(at('some.safetensors')));
    expect((await describePath(at('weights-alone'))).kind).toBe('unknown');
    await writeFile(at('weights-alone/tokenizer.json'), '{}');
    expect((await describePath(at('weights-alone'))).kind).toBe('encoder');
    await writeFile(
      at('txtai/model.safetensors'),
      (await readFile(at('txtai/model.safetensors'))).subarray(0, -4),
    );
    const { code, stderr } = await runCli(['info', at('txtai')]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^lemur: [^\n]+model\.safetensors[^\n]+truncated\n$/),
    ]);
  });

  // a file that is mostly a hole, which Windows would fill
  test.skipIf(process.platform === 'win32')(
    'of files larger than memory reads their beginning, or says that it does not',
    async () => {
      const rows = 2 ** 32;
      const header = Buffer.from(
        JSON.stringify({
          tokens: { dtype: 'F32', shape: [rows, 64], data_offsets: [0, rows * 256] },
        }),
      );
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      const hole = async (name: string, start: Uint8Array, size: number): Promise<void> => {
        const file = await open(at(name), 'w');
        await file.write(start);
        await file.truncate(size);
        await file.close();
      };
      await hole(
        'huge.safetensors',
        Buffer.concat([length, header]),
        8 + header.length + rows * 256,
      );
      expect(await describePath(at('huge.safetensors'))).toMatchObject({
        bytes: 8 + header.length + 2 ** 40,
        tensors: { tokens: { type: 'F32', shape: [rows, 64] } },
      });
      await hole('huge.pt', Buffer.from('PK\x03\x04'), 2 ** 40);
      expect(await describePath(at('huge.pt'))).toMatchObject({
        kind: 'torch file',
        content:
          'not looked into: 1099511.6 MB, more than the 500.0 MB that are read to describe a ' +
          'torch file',
      });
    },
  );

  test('of an index, and of a folder with another index.json', async () => {
    await rm(at('tokens/ids.txt'));
    await succeed([
      'fit',
      at('tokens'),
      '--out',
      at('made'),
      '--random-features',
      '--final-hidden-dim',
      '8',
    ]);
    expect(await describePath(at('made'))).toMatchObject({
      ...{
        kind: 'index',
        documents: 12,
        deleted: 0,
        tokens: 54,
        dim: 6,
        precision: 'int8',
        features: 'random',
        fittedDocuments: 12,
      },
      ...{ encoder: null, encodedBy: null, refit: { due: false } },
    });
    await mkdir(at('site'));
    await writeFile(at('site/index.json'), '{"format":"other"}');
    await writeFile(at('site/a.md'), 'text');
    expect((await describePath(at('site'))).kind).toBe('folder of texts');
  });

  test('for people', async () => {
    const { stdout } = await succeed(['info', at('cube.npy')]);
    expect(stdout).toBe(`${at('cube.npy')}: .npy, 0.0 MB\n  type: f4\n  shape: 2 x 3 x 4\n`);
  });

  test('says what is damaged', async () => {
    await writeFile(
      at('cut.npy'),
      writeNpy({ shape: [2, 3], data: new Float32Array(6) }).subarray(0, -4),
    );
    await writeFile(
      at('cut.safetensors'),
      writeSafetensors({ x: { shape: [2], data: new Float32Array(2) } }).subarray(0, -4),
    );
    for (const [name, message] of [
      ['cut.npy', 'the file is truncated'],
      ['cut.safetensors', 'the file is truncated'],
      ['nowhere', 'no such file or folder'],
    ]) {
      const { code, stdout, stderr } = await runCli(['info', at(name)]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^lemur: [^\n]+\n$/);
      expect(stderr).toContain(message);
    }
  });
});

test('looks at no more than 5,000 files of a folder, however many there are', async () => {
  await mkdir(at('many'));
  await Promise.all(
    Array.from({ length: 5003 }, (_, i) => writeFile(at(`many/${10_000 + i}.txt`), '12')),
  );
  const description = JSON.parse((await succeed(['info', at('many'), '--json'])).stdout) as Record<
    string,
    unknown
  >;
  expect(description).toMatchObject({
    kind: 'folder of texts',
    bytes: 10_000,
    documents: '5000 of the first 5000 files',
  });
  expect(description.files).toMatch(/more than 5000/);
});
