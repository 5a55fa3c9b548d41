import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { Index, memoryStorage, type Storage } from '../../../dist/entry/node.js';
import { rangesStorage } from '../../storage/ranges-storage.js';
import { rejection } from '../small-collection.js';

const threads = 1;
const tokens = { data: Float32Array.of(1, 0), dims: [1, 2] };
const search = { mode: 'keywords', include: [] } as const;

async function filled(storage: Storage, texts: readonly string[]): Promise<string> {
  const index = await Index.create(storage, { dim: 2, threads });
  await index.add(texts.map((text, i) => ({ id: `d${i}`, text, tokens })));
  await index.close();
  const [name] = (await storage.list()).filter((file) => file.startsWith('keywords.'));
  return name;
}

describe('the file of keywords', () => {
  test('is the same bytes for the same texts', async () => {
    const texts = ['one two two', 'two Three, ERR_NONE', '東京'];
    const [a, b] = [memoryStorage(), memoryStorage()];
    const [name, other] = [await filled(a, texts), await filled(b, texts)];
    expect(await a.read(name)).toEqual(await b.read(other));
  });

  test('is opened by a reader, which reads of it what a question needs, and only then', async () => {
    const storage = memoryStorage();
    const texts = Array.from(
      { length: 4000 },
      (_, i) =>
        `all ${Array.from({ length: 20 }, (__, j) => `w${(i * 31 + j * 977) % 30_000}`).join(' ')}`,
    );
    const name = await filled(storage, texts);
    const { length } = await storage.read(name);
    const ranges = rangesStorage(storage);
    const own = (): number[] =>
      ranges.reads.filter(({ file }) => file === name).map((read) => read.length);
    const index = await Index.open(ranges, { threads });
    await index.search(tokens, { k: 1, include: [] });
    expect(own()).toEqual([]);
    const ask = async (question: string): Promise<{ calls: number; bytes: number }> => {
      const before = own().length;
      expect((await index.search(question, search)).hits.length).toBeGreaterThan(0);
      const read = own().slice(before);
      return { calls: read.length, bytes: read.reduce((sum, bytes) => sum + bytes, 0) };
    };
    // lengths, and a word of each block
    const first = await ask('w31');
    expect(first.bytes).toBeLessThan(length / 6);
    // a block of the dictionary and a chunk or two of postings
    const second = await ask('w977');
    expect(second.calls).toBe(2);
    expect(second.bytes).toBeLessThanOrEqual(3 * 4096);
    expect((await ask('w62 w1954 w5')).calls).toBeLessThanOrEqual(6);
    await index.close();
  });

  test('stays for a reader when the writer has rewritten it', async () => {
    const storage = memoryStorage();
    const writer = await Index.create(storage, { dim: 2, threads });
    await writer.add(['moon', 'sun', 'moon'].map((text, i) => ({ id: `d${i}`, text, tokens })));
    const reader = await Index.open(storage, { threads });
    await writer.delete('d0');
    await writer.compact();
    const ids = async (index: Index): Promise<string[]> =>
      (await index.search('moon', search)).hits.map(({ id }) => id);
    expect(await ids(reader)).toEqual(['d0', 'd2']);
    await reader.refresh();
    expect(await ids(reader)).toEqual(['d2']);
    await reader.close();
    await writer.close();
  });
});

describe('an index of an earlier version', () => {
  const root = fileURLToPath(new URL('../../fixtures/indexes/version-1', import.meta.url));
  const temporary = mkdtempSync(join(tmpdir(), 'lemur-keywords-'));
  afterAll(() => rmSync(temporary, { recursive: true }));

  test.each(
    readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    ),
  )('gets keywords by compact, and when it is written to (%s)', async (name) => {
    const folder = join(temporary, name);
    cpSync(join(root, name), folder, { recursive: true });
    await using index = await Index.open(folder, { write: true, encoder: false, threads });
    const before = index.stats();
    expect(before.keywords).toEqual({ bytes: 0, missing: before.documents + before.deleted });
    const error = await rejection(index.search('ridge', search));
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(error.message).toContain('compact() makes them');
    const vectors = { data: new Float32Array(index.dim).fill(0.5), dims: [1, index.dim] };
    await index.add([{ id: 'new', text: 'a ridge', tokens: vectors }], { fit: false });
    expect((await rejection(index.search('ridge', search))).message).toContain(' documents were');
    await index.compact();
    expect(index.stats().keywords).toMatchObject({ missing: 0 });
    const { hits } = await index.search('ridge', { ...search, k: index.size });
    expect(hits.map(({ id }) => id)).toContain('new');
    for (const { id } of hits)
      expect((await index.get(id))?.text?.toLowerCase()).toContain('ridge');
    expect((await index.verify()).problems).toEqual([]);
  });
});
