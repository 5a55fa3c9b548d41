import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createIdTable, encodeId } from '../../dist/collection/files/id-table.js';
import { Index, isLemurError, memoryStorage } from '../../dist/entry/node.js';
import { parseBeirDocuments, parseQrels } from '../../dist/formats/texts/beir.js';

/** What decoders, trimming and terminals treat in ways of their own. */
const PIECES = [
  '\ufeff',
  '\ufffe',
  '\u0000',
  '\u00a0',
  '\u2028',
  '\u202e',
  '\u001b',
  '\r',
  '\n',
  '\t',
  ' ',
  'a',
  'é',
  'e\u0301',
  '😀',
  '\ufffd',
  '"',
];
const HALVES = ['\ud800', '\udc00', '\udbff'];
const strings = (pieces: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 }).map((list) => list.join(''));

test('ids, texts and metadata come back as they were given, also after reopening, merging and compacting', async () => {
  const document = fc.record({
    id: strings(PIECES),
    text: strings([...PIECES, ...HALVES]),
    metadata: fc.dictionary(strings(PIECES), strings(PIECES), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(document, { selector: ({ id }) => id, minLength: 2, maxLength: 12 }),
      async (documents) => {
        const storage = memoryStorage();
        const index = await Index.create(storage, { dim: 1, threads: 1 });
        const ids = documents.map(({ id }) => id);
        // joined by surrogates that fit, a text may have become another one; compared as it is
        for (const one of documents) await index.add({ ...one, tokens: [[1]] });
        const check = async (opened: Index): Promise<void> => {
          expect(await opened.get(ids)).toEqual(documents);
          const { hits } = await opened.search([[1]], { k: 20, include: ['text'] });
          expect(new Map(hits.map(({ id, text }) => [id, text]))).toEqual(
            new Map(documents.map(({ id, text }) => [id, text])),
          );
          expect(
            (await opened.rerank([[1]], ids, { include: [] })).hits.map(({ id }) => id).sort(),
          ).toEqual([...ids].sort());
        };
        await check(index);
        await index.compact();
        await check(index);
        await index.close();
        const reader = await Index.open(storage, { threads: 1 });
        await check(reader);
        await reader.close();
      },
    ),
    { numRuns: 15, seed: 5 },
  );
});

test('an id that begins with U+FEFF is another than the one without it', async () => {
  const index = await Index.create(memoryStorage(), { dim: 1, threads: 1 });
  await index.add([
    { id: '\ufeffa', tokens: [[1]] },
    { id: 'a', tokens: [[2]] },
  ]);
  expect((await index.search([[1]])).hits.map(({ id }) => id)).toEqual(['a', '\ufeffa']);
  expect(await index.delete('\ufeffa')).toBe(1);
  expect(await index.get('a')).toMatchObject({ id: 'a' });
  await index.close();
});

test('a table of ids gives what was put in', async () => {
  const ids = ['\ufeff', '\ufeffa', 'a', '\ufeff\ufeff', '\u0000'];
  const parts = ids.map((id) => new TextEncoder().encode(id));
  let end = 0;
  const ends = Int32Array.from(parts, ({ length }) => (end += length));
  const table = await createIdTable(Uint8Array.from(parts.flatMap((part) => [...part])), ends);
  expect(ids.map((_, row) => table.id(row))).toEqual(ids);
  expect(ids.map((id) => table.find(encodeId(id)))).toEqual([0, 1, 2, 3, 4]);
});

test('half of a surrogate pair in an id is refused by every call that takes ids', async () => {
  const index = await Index.create(memoryStorage(), { dim: 1, threads: 1 });
  for (const id of HALVES.map((half) => `a${half}`)) {
    for (const call of [
      () => index.add({ id, tokens: [[1]] }),
      () => index.get(id),
      () => index.get([id]),
      () => index.delete(id),
      () => index.delete([id]),
      () => index.rerank([[1]], [id]),
    ]) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(isLemurError(error, 'invalid-argument')).toBe(true);
      expect((error as Error).message).toContain('surrogate');
    }
  }
  await index.close();
});

test('ids of files keep what a trimming function would take off, a byte order mark at the beginning of a file aside', async () => {
  async function* bytes(text: string) {
    yield new TextEncoder().encode(text);
  }
  const documents = parseBeirDocuments(
    bytes('\ufeff{"_id":"\ufeffa","text":"\ufeffb"}\n{"_id":"\u00a0","text":" "}\n'),
  );
  const read: unknown[] = [];
  for await (const document of documents) read.push(document);
  expect(read).toEqual([
    { id: '\ufeffa', title: '', text: '\ufeffb' },
    { id: '\u00a0', title: '', text: ' ' },
  ]);
  const judged = await parseQrels(bytes('\ufeff\ufeffq\t\u00a0\t1\r\n q2 \tb\t 2\n'));
  expect([...judged]).toEqual([
    ['\ufeffq', new Map([['\u00a0', 1]])],
    ['q2', new Map([['b', 2]])],
  ]);
});
