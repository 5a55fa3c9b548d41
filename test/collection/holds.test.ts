import { describe, expect, test } from 'vitest';
import { inLanes } from '../../src/collection/calls/in-lanes.js';
import { createIdTable, encodeId } from '../../src/collection/files/id-table.js';
import type { Snapshot } from '../../src/collection/files/snapshot.js';
import { buildColumns } from '../../src/collection/metadata/build-columns.js';
import { compileFilter } from '../../src/collection/metadata/compile-filter.js';
import { decodeRecord, encodeRecord } from '../../src/collection/metadata/document-record.js';
import { checkMetadata } from '../../src/collection/metadata/metadata.js';
import { bestSources, morePassages, sourceHits } from '../../src/collection/query/group-sources.js';
import { different } from '../../src/collection/query/look-up.js';
import { Index, type IndexDocument, memoryStorage } from '../../src/entry/node.js';
import { stepPacer } from '../../src/pacer.js';
import { sortPaced } from '../../src/sort-paced.js';
import { joinTexts } from '../../src/tokens/join.js';
import { turnsOf } from '../turns.js';
import { columnsOf } from './metadata/random-metadata.js';

const dim = 2;
const tokens = { data: Float32Array.of(1, 0), dims: [1, dim] };
const document = (i: number, more: Partial<IndexDocument> = {}): IndexDocument => ({
  id: `document ${i}`,
  tokens,
  ...more,
});
const many = (
  count: number,
  more: (i: number) => Partial<IndexDocument> = () => ({}),
): IndexDocument[] => Array.from({ length: count }, (_, i) => document(i, more(i)));
const create = (): Promise<Index> => Index.create(memoryStorage(), { dim, features: 'exact' });
const keys = (count: number, from = 0): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`key ${from + i}`, i]));

describe('the thread is given away', () => {
  // a storage in memory gives it away nowhere
  const DOCUMENTS = 3000;

  test('at least once for every 300 documents that are added, merged, read, ranked or deleted', async () => {
    await using index = await create();
    const least = DOCUMENTS / 300;
    const given = many(DOCUMENTS, (i) => ({
      text: `text ${i}`,
      metadata: { group: i % 3, name: `name ${i}` },
    }));
    expect((await turnsOf(() => index.add(given))).turns).toBeGreaterThan(least);
    const ids = given.map(({ id }) => id);
    expect((await turnsOf(() => index.get(ids))).turns).toBeGreaterThan(least);
    expect((await turnsOf(() => index.verify())).turns).toBeGreaterThan(least / 6);
    expect((await turnsOf(() => index.search(tokens, { k: DOCUMENTS }))).turns).toBeGreaterThan(
      least,
    );
    expect(
      (await turnsOf(() => index.search(tokens, { k: DOCUMENTS, include: ['evidence'] }))).turns,
    ).toBeGreaterThan(least);
    expect((await turnsOf(() => index.delete({ filter: { group: 1 } }))).value).toBe(1000);
    expect((await turnsOf(() => index.compact())).turns).toBeGreaterThan(least / 2);
  });

  test('at least once for every 1,024 passages that are grouped by their source', async () => {
    const snapshot = { id: (i: number) => `s${i >> 1}`, manifest: {} } as unknown as Snapshot;
    const documents = Int32Array.from({ length: 20_000 }, (_, i) => i);
    const ranking = { documents, scores: new Float32Array(20_000) };
    const best = await turnsOf(() => bestSources(snapshot, ranking, 10_000));
    expect(best.turns).toBeGreaterThanOrEqual(18);
    expect(best.value.counts).toEqual(new Array(10_000).fill(2));
    const more = await turnsOf(() => morePassages(snapshot, ranking, 20_000, 20_000, 30_000));
    expect(more.turns).toBeGreaterThanOrEqual(18);
    expect(more.value).toBe(30_000);
    const hits = Array.from(documents, (i) => ({ id: `s${i >> 1}`, score: 0, similarity: 0 }));
    const grouped = await turnsOf(() => sourceHits(hits, best.value.counts));
    expect(grouped.turns).toBeGreaterThanOrEqual(8);
    expect(grouped.value.map(({ id }) => id)).toEqual(
      Array.from({ length: 10_000 }, (_, i) => `s${i}`),
    );
  });

  test('at least once for every 1,000 ids that are asked for, ranked and deleted, whether they are there or not', async () => {
    await using index = await create();
    await index.add(many(10));
    const ids = Array.from({ length: 20_000 }, (_, i) => `document ${i}`);
    const got = await turnsOf(() => index.get(ids));
    expect(got.value.filter((found) => found !== undefined)).toHaveLength(10);
    expect(got.turns).toBeGreaterThan(20);
    const ranked = await turnsOf(() => index.rerank(tokens, ids));
    expect(ranked.value.hits).toHaveLength(10);
    expect(ranked.turns).toBeGreaterThan(20);
    const deleted = await turnsOf(() => index.delete(ids));
    expect(deleted.value).toBe(10);
    expect(deleted.turns).toBeGreaterThan(20);
  });

  test('at least once for every 65,536 documents that are told apart', async () => {
    const documents = Int32Array.from({ length: 300_000 }, (_, i) => ((i * 7919) % 90_001) - 1);
    const expected = [...new Set(documents)].filter((row) => row >= 0).sort((a, b) => a - b);
    const { value, turns } = await turnsOf(() => different(documents, 90_001));
    expect([...value]).toEqual(expected);
    expect(turns).toBeGreaterThanOrEqual(4);
    expect([...(await different(Int32Array.of(3, -1, 0, 3, 2), 9))]).toEqual([0, 2, 3]);
  });

  test('at least once for every 4,096 ids of a table, and texts that are joined', async () => {
    const ids = Array.from({ length: 24_000 }, (_, i) => new TextEncoder().encode(`id ${i}`));
    let end = 0;
    const ends = Int32Array.from(ids, ({ length }) => {
      end += length;
      return end;
    });
    const table = await turnsOf(() => createIdTable(Buffer.concat(ids), ends));
    expect(table.turns).toBeGreaterThanOrEqual(4);
    expect(table.value.find(encodeId('id 23999'))).toBe(23_999);
    const texts = Array.from({ length: 24_000 }, (_, i) =>
      new Float32Array(2 + 2 * (i % 2)).fill(i),
    );
    const joined = await turnsOf(() => joinTexts(texts, 2));
    expect(joined.turns).toBeGreaterThanOrEqual(4);
    expect(joined.value.vectors.length).toBe(72_000);
    expect([...joined.value.vectors.subarray(2, 6)]).toEqual([1, 1, 1, 1]);
    expect([...joined.value.offsets.subarray(0, 4)]).toEqual([0, 1, 3, 4]);
  });

  test('at least once for every 4,096 values of metadata and 128 paths of it', async () => {
    const values = Array.from({ length: 60_000 }, (_, i) => `value ${i}`);
    expect((await turnsOf(() => buildColumns([{ values }]))).turns).toBeGreaterThanOrEqual(13);
    expect((await turnsOf(() => buildColumns([keys(2000)]))).turns).toBeGreaterThanOrEqual(14);
    const columns = await columnsOf([{ values }]);
    const { turns } = await turnsOf(() =>
      compileFilter({ values: { $gt: 'value 9' } }).evaluate(columns),
    );
    expect(turns).toBeGreaterThanOrEqual(13);
  });

  test('at least once for every 64 conditions of a filter', async () => {
    const columns = await columnsOf(Array.from({ length: 100 }, (_, i) => ({ name: `name ${i}` })));
    const filter = compileFilter({
      $or: Array.from({ length: 4000 }, (_, i) => ({ name: `name ${i}` })),
    });
    const { value, turns } = await turnsOf(() => filter.evaluate(columns));
    expect([...value]).toEqual(new Array(100).fill(1));
    expect(turns).toBeGreaterThan(4000 / 66);
  });

  test('at least once for every megabyte of a text that is written or read', async () => {
    const text = '漢字'.repeat(2_000_000);
    const written = await turnsOf(() => encodeRecord({ id: 'a', text, metadata: { a: 1 } }));
    expect(written.turns).toBeGreaterThanOrEqual(4);
    const read = await turnsOf(() => decodeRecord(written.value));
    expect(read.turns).toBeGreaterThanOrEqual(11);
    expect(read.value.text === text).toBe(true);
    expect(read.value.metadata).toEqual({ a: 1 });
  });

  test('and the signal is heard meanwhile', async () => {
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    const work = buildColumns(
      [{ values: Array.from({ length: 60_000 }, (_, i) => i) }],
      undefined,
      stop.signal,
    );
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('in parts', () => {
  test('a long record has the bytes of its JSON, pairs and halves of pairs and all', async () => {
    const pieces = ['a', '"', '\n', '\\', '漢', '\u{1f600}', '\ud83d', '\ude00', '\u2028'];
    const text = Array.from(
      { length: 1_500_000 },
      (_, i) => pieces[(i * 7919 + (i >> 5)) % pieces.length],
    ).join('');
    for (const record of [
      { text, metadata: undefined },
      { text, metadata: { a: '"', b: [1] } },
      { text: `${'x'.repeat(2 ** 20 - 1)}\u{1f600}y`, metadata: undefined },
    ]) {
      const bytes = await encodeRecord({ id: 'a', ...record });
      const expected = new TextEncoder().encode(JSON.stringify(record));
      expect(Buffer.compare(bytes, expected)).toBe(0);
      expect(
        (await decodeRecord(bytes)).text ===
          (JSON.parse(JSON.stringify(record)) as { text: string }).text,
      ).toBe(true);
    }
  });

  test('strings are sorted as in one go', async () => {
    for (const count of [0, 1, 2048, 2049, 10_001]) {
      const strings = Array.from(
        { length: count },
        (_, i) => `${(i * 7919) % 1009} ${i % 3 === 0 ? '\uff5e' : '\u{1f600}'}${i % 50}`,
      );
      expect(await sortPaced(strings, stepPacer())).toEqual([...strings].sort());
    }
  });

  test('items come in their order, a few at a time, and the first failure ends them', async () => {
    let [running, most, begun] = [0, 0, 0];
    const make = async (i: number): Promise<number> => {
      begun++;
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (i === 500) throw new RangeError('no more');
      return 2 * i;
    };
    expect(await inLanes(300, make)).toEqual(Array.from({ length: 300 }, (_, i) => 2 * i));
    expect(most).toBe(64);
    begun = 0;
    await expect(inLanes(100_000, make)).rejects.toThrow(new RangeError('no more'));
    expect(begun).toBeLessThan(700);
  });
});

describe('beyond the limits there is an error that names them', () => {
  const invalid = (...parts: string[]): unknown =>
    expect.objectContaining({
      code: 'invalid-argument',
      message: expect.stringMatching(new RegExp(parts.join('.*'), 's')),
    });

  test('for metadata of many values or characters', () => {
    expect(checkMetadata({ a: new Array(65_535).fill(1) }, 'it').a).toHaveLength(65_535);
    expect(() => checkMetadata({ a: new Array(65_536).fill(1) }, 'it')).toThrow(
      invalid('it\\.a: 65536 items here', '65536 values in all'),
    );
    expect(() => checkMetadata(keys(100_000), 'it')).toThrow(
      invalid('it: 100000 properties here', '65536'),
    );
    const half = 'x'.repeat(2 ** 21);
    expect(Object.keys(checkMetadata({ a: half, b: half.slice(2) }, 'it'))).toEqual(['a', 'b']);
    expect(() => checkMetadata({ a: half, b: [half] }, 'it')).toThrow(
      invalid('it\\.b\\[0\\]: 2097152 characters here', '4194304'),
    );
  });

  test('for texts and token vectors of a document', async () => {
    await using index = await create();
    const long = document(0, { text: 'x'.repeat(2 ** 23 + 1) });
    await expect(index.add(long)).rejects.toEqual(
      invalid('\\.text: 8388609 characters, expected at most 8388608'),
    );
    const rows = { data: new Float32Array(2 ** 23 + 2), dims: [2 ** 22 + 1, dim] };
    await expect(index.add(document(0, { tokens: rows }))).rejects.toEqual(
      invalid('8388610 values, expected at most 8388608'),
    );
    expect(index.size).toBe(0);
  });

  test('for paths of metadata that differ from document to document, before anything is written', async () => {
    const storage = memoryStorage();
    await using index = await Index.create(storage, { dim, features: 'exact' });
    await index.add(document(0, { metadata: keys(1000) }));
    const before = await storage.list();
    const more = [
      document(1, { metadata: keys(1000, 1000) }),
      document(2, { metadata: keys(50, 2000) }),
    ];
    await expect(index.add(more)).rejects.toEqual(
      invalid('documents\\[1\\]\\.metadata', '2049 different paths of keys, expected at most 2048'),
    );
    expect(await storage.list()).toEqual(before);
    const pair = (function* () {
      yield* more;
    })();
    await expect(index.add(pair)).rejects.toEqual(invalid('2049 different paths', '2048'));
    expect(index.size).toBe(1);
    await index.add(more[0]);
    await expect(
      index.add(document(3, { metadata: { nested: { deeply: keys(50, 2000) } } })),
    ).rejects.toEqual(invalid('2049'));
    // those that are known go on, and so do new values
    await index.add(
      many(20, (i) => ({ id: `more ${i}`, metadata: { 'key 1': i, 'key 1999': `${i}` } })),
    );
    expect(
      (await index.search(tokens, { k: 50, filter: { 'key 1999': { $exists: true } } })).hits,
    ).toHaveLength(21);
  });

  test('for filters of many conditions or values', async () => {
    const branches = (count: number): object[] =>
      Array.from({ length: count }, (_, i) => ({ a: i }));
    expect(compileFilter({ $or: branches(4000) }).paths).toEqual(['a']);
    expect(() => compileFilter({ $or: branches(20_000) })).toThrow(
      invalid('filter\\.\\$or: 20000 conditions here', '4096', '\\$in'),
    );
    expect(() =>
      compileFilter({ $and: [{ $or: branches(2100) }, { $not: { $or: branches(2100) } }] }),
    ).toThrow(invalid('4096'));
    expect(() => compileFilter(keys(5000))).toThrow(invalid('filter: 4999 conditions here'));
    const values = new Array(25_001).fill('x');
    expect(() => compileFilter({ a: { $in: [...values, ...values] } })).toThrow(
      invalid('filter\\.a\\.\\$in: 50002 values here', '50000'),
    );
    expect(() => compileFilter({ a: { $in: values }, b: { $nin: values } })).toThrow(
      invalid('filter\\.b\\.\\$nin', '50000'),
    );
  });
});
