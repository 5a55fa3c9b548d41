import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyUnmerged } from '../../src/cli/merging-choice.js';
import { writeNpy } from '../../src/formats/npy/npy.js';
import { randomTexts } from '../numbers.js';
import { succeed } from './run-cli.js';
import { writeTokenFolder } from './token-data.js';

const { versions, arch } = process;
const isWide =
  whyUnmerged({ v8: versions.v8, arch, isNode: true, knowsKernels: true }) === undefined;
const [DOCUMENTS, TOKENS, DIM, QUERIES] = [1500, 24, 64, 40];
/** Enough for every kernel of a fit to be compiled to its best code. */
const FIT = ['--epochs', '3', '--learn-subset-size', '8192', '--ols-sample-size', '4096'];
const SETTINGS = { merged: [], unmerged: ['--no-wide'] } as const;

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-merging-'));
  const documents = randomTexts(1, new Array(DOCUMENTS).fill(TOKENS), DIM);
  await writeTokenFolder(at('source'), { ...documents, counts: Int32Array.from(documents.counts) });
  const queries = randomTexts(2, new Array(QUERIES).fill(20), DIM);
  await writeFile(
    at('queries.npy'),
    writeNpy({ shape: [QUERIES, 20, DIM], data: queries.vectors }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** What a search answers, but for its time. */
async function answers(index: string, ...args: string[]): Promise<string[]> {
  const asked = ['search', at(index), '--vectors', at('queries.npy'), '--json', '-k', '50'];
  const { stdout } = await succeed([...asked, ...args]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/"ms":[^,}]+/, ''));
}

/** Hashes of all files but the manifest, whose names are drawn. */
async function contents(index: string): Promise<string[]> {
  const names = (await readdir(at(index))).filter((name) => name !== 'index.json');
  const files = names.map(async (name) =>
    createHash('sha256')
      .update(await readFile(join(at(index), name)))
      .digest('hex'),
  );
  return (await Promise.all(files)).sort();
}

describe.skipIf(!isWide).each(['int8', 'float32'])('of %s token vectors', (precision) => {
  test('what is added, learned and found has the same bytes with kernels merged to 256 bits and without', async () => {
    for (const [name, off] of Object.entries(SETTINGS)) {
      const options = ['--precision', precision, '--features', 'trained'];
      await succeed(['add', at(`${precision}-${name}`), at('source'), ...options, ...off]);
      await succeed(['fit', at(`${precision}-${name}`), ...FIT, ...off]);
    }
    expect(await contents(`${precision}-merged`)).toEqual(await contents(`${precision}-unmerged`));
    for (const args of [['--candidates', '100'], ['--candidates', '400'], ['--exact']]) {
      const expected = await answers(`${precision}-unmerged`, ...args, '--no-wide');
      expect(expected).toHaveLength(QUERIES);
      for (const index of ['merged', 'unmerged'])
        expect(await answers(`${precision}-${index}`, ...args)).toEqual(expected);
    }
  }, 300_000);
});

test('one of the two is merged where this Node may', async () => {
  const { stdout } = await succeed(['info', '--device', '--json']);
  expect(JSON.parse(stdout).merging.on).toBe(isWide);
});
