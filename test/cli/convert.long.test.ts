import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as lemur from '../../dist/entry/node.js';
import { readNpy } from '../../dist/formats/npy/npy.js';
import {
  readSafetensors,
  toTypedArray,
  writeSafetensors,
} from '../../dist/formats/safetensors/safetensors.js';
import { runCli, succeed } from './run-cli.js';
import { tokensOf, writeTokenFolder } from './token-data.js';
import { LATENT, writeTxtai } from './txtai-artefact.js';

const even = tokensOf(6, 5, 1, () => 4);
const ragged = tokensOf(6, 5, 2);
const parity = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/parity/${name}`, import.meta.url));

let folder: string;
let at: (name: string) => string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-convert-'));
  at = (name) => join(folder, name);
  await writeTokenFolder(at('even'), even);
  await writeTokenFolder(at('ragged'), ragged, { 'ids.txt': 'a\nb\nc\nd\ne\nf\n' });
});
afterAll(() => rm(folder, { recursive: true }));

const refused = async (args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCli(['convert', ...args]);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^lemur: [^\n]+\n$/);
  return stderr;
};

describe('convert of token vectors', () => {
  test('goes through every format and comes back as it was', async () => {
    const path = ['even', 'even.npy', 'even.safetensors', 'back'];
    for (let i = 1; i < path.length; i++) {
      expect((await succeed(['convert', at(path[i - 1]), at(path[i])])).stdout).toBe('');
    }
    expect(readNpy(await readFile(at('even.npy')))).toMatchObject({
      shape: [6, 4, 5],
      data: even.vectors,
    });
    const { tensors } = readSafetensors(await readFile(at('even.safetensors')), 'even.safetensors');
    expect(toTypedArray(tensors.get('tokens')!, 'tokens')).toEqual(even.vectors);
    expect(toTypedArray(tensors.get('counts')!, 'counts')).toEqual(even.counts);
    expect((await readdir(at('back'))).sort()).toEqual(['counts.npy', 'tokens.npy']);
    expect(readNpy(await readFile(at('back/tokens.npy')))).toMatchObject({
      shape: [24, 5],
      data: even.vectors,
    });
    expect(readNpy(await readFile(at('back/counts.npy'))).data).toEqual(even.counts);
  });

  test('reads standard input and writes standard output, bytes alone', async () => {
    const { bytes, stderr } = await succeed(['convert', at('even.npy'), '-']);
    expect(Buffer.from(bytes)).toEqual(await readFile(at('even.safetensors')));
    expect(stderr).toBe('');
    const back = await succeed(['convert', '-', '-', '--format', 'npy'], bytes);
    expect(Buffer.from(back.bytes)).toEqual(await readFile(at('even.npy')));
    await succeed(['convert', '-', at('piped')], bytes);
    expect(readNpy(await readFile(at('piped/tokens.npy'))).data).toEqual(even.vectors);
  });

  test('writes safetensors of many pieces as the bytes that one piece would be', async () => {
    const large = tokensOf(2700, 16, 3, (i) => 90 + (i % 21));
    const expected = writeSafetensors({
      tokens: { shape: [large.vectors.length / 16, 16], data: large.vectors },
      counts: { shape: [2700], data: large.counts },
    });
    expect(large.vectors.length).toBeGreaterThan(1 << 22);
    await writeTokenFolder(at('large'), large);
    await succeed(['convert', at('large'), at('large.safetensors')]);
    expect(Buffer.compare(await readFile(at('large.safetensors')), expected)).toBe(0);
    expect(Buffer.compare((await succeed(['convert', at('large'), '-'])).bytes, expected)).toBe(0);
  });

  test('keeps ids in a folder, and says so where there is no room for them', async () => {
    await succeed(['convert', at('ragged'), at('copy')]);
    expect(await readFile(at('copy/ids.txt'), 'utf8')).toBe('a\nb\nc\nd\ne\nf\n');
    const { stderr } = await succeed(['convert', at('ragged'), at('ragged.safetensors')]);
    expect(stderr).toContain('no room for the ids');
  });

  test('replaces with --force alone, and never what it did not make', async () => {
    expect(await refused([at('ragged'), at('back')])).toContain(
      'is there already; --force replaces',
    );
    expect(await refused([at('ragged'), at('even.safetensors')])).toContain(
      'is there already; --force replaces it',
    );
    await succeed(['convert', at('ragged'), at('back'), '--force']);
    expect(readNpy(await readFile(at('back/counts.npy'))).data).toEqual(ragged.counts);
    await succeed(['convert', at('back'), at('even.safetensors'), '--force']);
    await writeFile(at('back/diary.txt'), 'mine');
    expect(await refused([at('even'), at('back'), '--force'])).toContain(
      'has other things in it (diary.txt)',
    );
    expect(await refused([at('even'), at('even.npy'), '--format', 'folder', '--force'])).toContain(
      'a file, expected the name of a folder',
    );
    expect(await refused([at('even'), at('even'), '--force'])).toContain('the source itself');
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('says what cannot be converted', async () => {
    expect(await refused([at('ragged'), at('ragged.npy')])).toMatch(
      /text 1 has 4 token vectors, text 0 3: .* texts of equal length/,
    );
    expect(await refused([at('ragged'), '-', '--format', 'folder'])).toContain(
      'a folder cannot be written to standard output',
    );
    expect(await refused([at('ragged'), at('x'), '--sample', at('even')])).toContain('--sample');
    expect(await refused([at('ragged'), at('x'), '--documents', at('even')])).toContain(
      '--documents',
    );
    expect(await refused([at('ragged'), at('x'), '--max-tokens', '5'])).toContain('--max-tokens: ');
    expect(await readdir(folder)).not.toContain('x');
  });
});

describe("convert of the Python reference's index", () => {
  test('saves a Lemur with the weights of the index', async () => {
    const index = parity('reference_index');
    expect(await refused([index, at('index')])).toContain('with --sample');
    const train = readNpy(await readFile(parity('train.npy')));
    const counts = readNpy(await readFile(parity('train_counts.npy')));
    await writeTokenFolder(at('train'), {
      vectors: train.data as Float32Array,
      counts: Int32Array.from(counts.data),
      dim: train.shape[train.shape.length - 1],
    });
    await succeed(['convert', index, at('index'), '--sample', at('train')]);
    const { kind, documents, latentDim } = JSON.parse(
      (await succeed(['info', at('index'), '--json'])).stdout,
    );
    expect({ kind, documents, latentDim }).toEqual({
      kind: 'saved Lemur',
      documents: 160,
      latentDim: 256,
    });
    const saved = await lemur.Lemur.load(at('index'));
    const imported = await lemur.Lemur.importReference(index);
    expect(await saved.W).toEqual(await imported.W);
    expect(await refused([index, at('index'), '--sample', at('train')])).toContain('--force');

    // with what a save of more documents adds
    await writeFile(at('index/prefix.1.safetensors'), 'of the save before');
    await succeed(['convert', index, at('index'), '--sample', at('train'), '--force']);
    expect((await readdir(at('index'))).sort()).toEqual([
      'lemur-model.2.safetensors',
      'lemur-solver.2.safetensors',
      'lemur-weights.2.safetensors',
      'lemur.json',
      // not surely of a save
      'prefix.1.safetensors',
    ]);
    await writeFile(at('index/prefix.safetensors'), 'mine');
    expect(await refused([index, at('index'), '--sample', at('train'), '--force'])).toContain(
      'other things in it (prefix.safetensors)',
    );
  });
});

describe("convert of txtai's artefact", () => {
  const weightsOf = async (name: string): Promise<Float32Array> => {
    const saved = await lemur.Lemur.load(at(name));
    expect(saved.documents).toBe(6);
    return saved.W;
  };

  test('saves a Lemur of the documents', async () => {
    await writeTxtai(at('txtai'), 5);
    expect(await refused([at('txtai'), at('bare')])).toContain('with --documents');
    expect(
      await refused([at('txtai'), at('bare'), '--documents', at('even'), '--sample', at('even')]),
    ).toContain('takes --documents alone');
    await writeTokenFolder(at('wide'), tokensOf(3, 6, 1));
    expect(await refused([at('txtai'), at('bare'), '--documents', at('wide')])).toContain(
      'wide: token vectors have 6 dimensions, expected 5',
    );
    expect(await readdir(folder)).not.toContain('bare');
    const { stderr } = await succeed([
      'convert',
      at('txtai'),
      at('bare'),
      '--documents',
      at('ragged'),
    ]);
    expect(stderr).not.toContain('centre');
    const imported = await lemur.Lemur.importTxtai(at('txtai'), { documents: ragged });
    expect(await weightsOf('bare')).toEqual(await imported.W);
    const { kind, documents, latentDim } = JSON.parse(
      (await succeed(['info', at('bare'), '--json'])).stdout,
    );
    expect({ kind, documents, latentDim }).toEqual({
      kind: 'saved Lemur',
      documents: 6,
      latentDim: LATENT,
    });
  });

  test('centres the documents where the artefact has a centre, and says that queries must be too', async () => {
    const center = Float32Array.of(0.5, -0.25, 0.125, 0.5, 0.25);
    await writeTxtai(at('centred'), 5, center);
    const { stderr } = await succeed([
      'convert',
      at('centred'),
      at('around'),
      '--documents',
      at('ragged'),
    ]);
    expect(stderr).toMatch(/has a centre, .* those of queries must be centred alike/);
    const vectors = new Float32Array(ragged.vectors.length);
    for (let row = 0; row < vectors.length; row += 5) {
      const moved = Array.from(
        ragged.vectors.subarray(row, row + 5),
        (value, i) => value - center[i],
      );
      const norm = Math.hypot(...moved);
      vectors.set(
        moved.map((value) => (norm > 0 ? value / norm : 0)),
        row,
      );
    }
    const imported = await lemur.Lemur.importTxtai(at('centred'), {
      documents: { ...ragged, vectors },
      centered: true,
    });
    const [got, expected] = [await weightsOf('around'), await imported.W];
    got.forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThan(
        1e-2 * Math.hypot(...expected.subarray(i - (i % LATENT), i - (i % LATENT) + LATENT)),
      );
    });
    const plain = await weightsOf('bare');
    expect(Math.hypot(...plain.map((value, i) => value - got[i]))).toBeGreaterThan(
      0.1 * Math.hypot(...plain),
    );
  });
});
