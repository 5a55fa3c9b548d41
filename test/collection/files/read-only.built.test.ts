import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  folderStorage,
  Index,
  type IndexDocument,
  memoryStorage,
  openSafetensors,
  type ReadableStorage,
} from '../../../dist/entry/node.js';
import { createRandom } from '../../../dist/tokens/random.js';
import { httpStorage, serveFolder } from '../../storage/http-storage.js';
import { rangesStorage } from '../../storage/ranges-storage.js';

const DIM = 64;
const DOCUMENTS = 2000;
const TOKENS = 36;
const random = createRandom(5, 1);
const unit = (): number[] => {
  const vector = Array.from({ length: DIM }, () => random.normal());
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
};

/** Documents about a few topics each, so that some are near a query and most are not. */
const topics = Array.from({ length: 60 }, unit);
const near = (topic: number[]): number[] => topic.map((value) => value + 0.2 * random.normal());
const documents: IndexDocument[] = Array.from({ length: DOCUMENTS }, (_, i) => ({
  id: `d${i}`,
  text: `text of ${i}`,
  metadata: { kind: i % 3 === 0 ? 'third' : 'other', year: 2000 + (i % 20) },
  tokens: Array.from({ length: 12 + (i % TOKENS) }, () => near(topics[(i * 7 + (i % 5)) % 60])),
}));
const queries = Array.from({ length: 7 }, (_, q) =>
  Array.from({ length: 5 }, () => near(topics[q * 8])),
);

const root = await mkdtemp(join(tmpdir(), 'lemur-read-only-'));
const servers: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const server of servers) await server.close();
  await rm(root, { recursive: true });
});

/** A collection of two segments, with deleted documents and features. */
async function written(folder: string, precision: 'int8' | 'float32'): Promise<string> {
  const index = await Index.create(folder, { dim: DIM, precision, features: 'random', threads: 2 });
  await index.add(documents.slice(0, 1200), { fit: false });
  await index.add(documents.slice(1200), { fit: false });
  await index.delete(['d3', 'd1300', 'd1999']);
  await index.fit({
    ...{ seed: 1, finalHiddenDim: 128, olsSampleSize: 512 },
    learnSubsetSize: 2000,
  });
  await index.close();
  return folder;
}

const folders = {
  int8: await written(join(root, 'int8'), 'int8'),
  float32: await written(join(root, 'float32'), 'float32'),
};

async function inMemory(folder: string): Promise<ReadableStorage> {
  const memory = memoryStorage();
  for (const name of await readdir(folder))
    await memory.write(name, await readFile(join(folder, name)));
  return memory;
}

const storages: Record<string, (folder: string) => Promise<ReadableStorage>> = {
  'a folder': async (folder) => folderStorage(folder),
  memory: inMemory,
  'ranges of bytes': async (folder) => rangesStorage(folderStorage(folder)),
  'a server': async (folder) => {
    const server = await serveFolder(folder);
    servers.push(server);
    return httpStorage(server.address);
  },
};

/** Everything that reads. */
async function answers(index: Index): Promise<Record<string, unknown>> {
  const include = ['evidence', 'text', 'metadata'] as const;
  const filter = { kind: 'third', year: { $gte: 2010 } };
  const stats = index.stats();
  return {
    size: index.size,
    exact: await index.search(queries[0], { k: 20, exact: true }),
    features: await index.search(queries[1], { k: 10, numCandidates: 40 }),
    many: await index.searchBatch(queries, { k: 10, numCandidates: 30 }),
    manyExact: await index.searchBatch(queries, { k: 30, exact: true }),
    filtered: await index.search(queries[2], { k: 10, filter }),
    evidence: await index.search(queries[3], { k: 5, numCandidates: 60, include }),
    keywords: await index.search('text of 7', { mode: 'keywords', filter }),
    got: await index.get(['d0', 'd1299', 'd3', 'none', 'd1998']),
    reranked: await index.rerank(queries[4], ['d900', 'd5', 'd1998', 'd3', 'none', 'd6'], {
      include,
    }),
    documents: stats.documents,
    learned: [stats.features, stats.fittedDocuments, stats.curve],
    verified: await index.verify(),
    refreshed: await index.refresh(),
  };
}

describe.each(['int8', 'float32'] as const)('a collection of %s that is only read', (precision) => {
  const folder = folders[precision];

  test.each(Object.keys(storages))(
    'answers from %s what it answers from its folder',
    async (name) => {
      const expected = await Index.open(folder, { threads: 2 });
      const index = await Index.open(await storages[name](folder), { threads: 2 });
      const found = await answers(index);
      expect(found).toEqual(await answers(expected));
      // it was no empty comparison
      expect((found.features as { how: { method: string } }).how.method).toBe('features');
      expect((found.filtered as { hits: unknown[] }).hits.length).toBe(10);
      expect((found.keywords as { hits: unknown[] }).hits.length).toBe(10);
      expect((found.verified as { problems: unknown[] }).problems).toEqual([]);
      await index.close();
      await expected.close();
    },
  );
});

const total = async (folder: string): Promise<number> => {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return bytes;
};

test('opening and one search read a small part of the files, in few calls', async () => {
  const storage = rangesStorage(folderStorage(folders.int8));
  const index = await Index.open(storage, { threads: 1 });
  const read = (): number => storage.reads.reduce((sum, { length }) => sum + length, 0);
  const all = await total(folders.int8);
  const opening = read();
  expect(opening).toBeLessThan(all / 4);
  const calls = storage.reads.length;
  const { how } = await index.search(queries[0], { k: 5, numCandidates: 10 });
  expect(how.method).toBe('features');
  expect(read() - opening).toBeLessThan(all / 8);
  // full codes of 40 documents and tokens of 10 in two segments
  expect(storage.reads.length - calls).toBeLessThanOrEqual(50);
  await index.close();
});

/** A byte of a section of the first file of a kind. */
async function byteOf(folder: string, kind: string, section: string): Promise<[string, number]> {
  const name = (await readdir(folder)).sort().find((file) => file.startsWith(kind)) as string;
  const bytes = await readFile(join(folder, name));
  const { tensors } = await openSafetensors({
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  });
  let at = 8 + Number(bytes.readBigUInt64LE(0));
  for (const [tensor, { shape, type }] of tensors) {
    if (tensor === section) return [name, at];
    at += shape.reduce((product, n) => product * n, 1) * (Number(/\d+/.exec(type)) / 8);
  }
  throw new Error(`${name} has no ${section}`);
}

test.each([
  ['segment', 'tokens', 'tokens of document 0'],
  ['codes', 'codes', 'codes of document'],
])(
  'a damaged byte of %s files in %s is reported by whoever reads it',
  async (kind, section, problem) => {
    const storage = rangesStorage(folderStorage(folders.int8));
    const index = await Index.open(storage, { threads: 1 });
    const [file, at] = await byteOf(folders.int8, kind, section);
    // of codes many rows, since which are looked at is not known
    for (let row = 0; row < (kind === 'codes' ? 1200 : 1); row++)
      storage.damage(file, at + row * 128);
    const search = kind === 'codes' ? { numCandidates: 20 } : { exact: true };
    await expect(index.search(queries[0], { k: 5, ...search })).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(new RegExp(`^ranges/${file}: ${problem}.*checksum`)),
    });
    expect((await index.verify()).problems).toEqual([
      expect.stringMatching(new RegExp(`^ranges/${file}: checksum`)),
    ]);
    await index.close();
  },
);

test('a search ends when its signal aborts while a read hangs', async () => {
  const storage = rangesStorage(folderStorage(folders.int8));
  const index = await Index.open(storage, { threads: 1 });
  storage.hang();
  for (const exact of [true, false]) {
    const controller = new AbortController();
    const before = storage.reads.length;
    const search = index.search(queries[0], {
      k: 5,
      numCandidates: 10,
      exact,
      signal: controller.signal,
    });
    const outcome = search.catch((error: unknown) => error);
    while (storage.reads.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort('enough');
    expect(await outcome).toBe('enough');
  }
  await index.close();
});
