import { describe, expect, test } from 'vitest';
import { Index, type IndexDocument, memoryStorage } from '../../dist/entry/node.js';
import { faultyStorage } from '../storage/faulty-storage.js';
import { sentencesOf, wordEncoder } from './passage-encoder.js';
import { rejection } from './small-collection.js';

const passages = { size: 20 };
const create = (options = {}): Promise<Index> =>
  Index.create(memoryStorage(), { encoder: wordEncoder(), passages, threads: 1, ...options });

const owls: IndexDocument = {
  id: 'owls.md',
  text: `# Owls\n\n${sentencesOf('owl', 9)}\n\n## Ears\n\n${sentencesOf('ear', 5)}\n`,
  metadata: { animal: 'owl' },
};
const ducks: IndexDocument = {
  id: 'ducks.txt',
  text: sentencesOf('duck', 7),
  metadata: { animal: 'duck' },
};

describe('an index that cuts documents', () => {
  test('finds what stands far behind what its encoder reads, and says where', async () => {
    const index = await create();
    expect(await index.add([owls, ducks])).toEqual({
      added: 2,
      replaced: 0,
      skipped: 0,
      passages: index.size,
    });
    const { hits } = await index.search('ear4', { k: 1 });
    const [{ id, text = '', passage, metadata }] = hits;
    expect(passage?.source).toBe('owls.md');
    expect(id).toBe(`owls.md#${passage?.number}`);
    expect(passage?.id).toBe(id);
    expect(metadata).toEqual({ animal: 'owl' });
    expect(text).toContain('ear4');
    expect(text.startsWith('Owls\n')).toBe(true);
    expect(text.slice(passage?.context)).toBe(owls.text?.slice(...(passage?.span ?? [])));
    expect(passage?.lines).toEqual([7, 7]);
    await index.close();
  });

  test('counts its documents beside their passages', async () => {
    const index = await create();
    const counts = (): number[] => [index.stats().sources, index.stats().documents];
    expect(counts()).toEqual([0, 0]);
    await index.add(owls);
    await index.add(ducks);
    const passages = index.size;
    expect(counts()).toEqual([2, passages]);
    await index.add({ ...owls, text: 'One owl.' }, { onExisting: 'replace' });
    await index.delete('ducks.txt#1');
    const now = index.size;
    expect(counts()).toEqual([2, now]);
    expect(now).toBeLessThan(passages);
    await index.delete('ducks.txt');
    expect(counts()).toEqual([1, 1]);
    await index.compact();
    expect(counts()).toEqual([1, 1]);
    await index.close();
  });

  test('gives a document by its id, put together again, and a passage by its own', async () => {
    const index = await create({ passages: { size: 20, overlap: 8 } });
    await index.add([owls, ducks]);
    const owl = await index.get('owls.md');
    expect(owl?.text).toBe(owls.text);
    expect(owl?.metadata).toEqual(owls.metadata);
    expect(owl?.passages?.map(({ number }) => number)).toEqual(owl?.passages?.map((_, i) => i + 1));
    const [first, second] = (await index.get(['owls.md#1', 'owls.md#2'])) ?? [];
    expect(first?.passage).toEqual(owl?.passages?.[0]);
    expect(second?.passage).toEqual(owl?.passages?.[1]);
    expect(await index.get(['owls.md#99', 'owls', '#1'])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await index.close();
  });

  test('replaces all passages of a document, and leaves none behind where there are fewer', async () => {
    const index = await create();
    await index.add([owls, ducks]);
    const before = index.size;
    const shorter = { ...owls, text: 'Owls are birds.' };
    expect(await index.add(shorter, { onExisting: 'replace' })).toEqual({
      added: 0,
      replaced: 1,
      skipped: 0,
      passages: 1,
    });
    expect(index.size).toBeLessThan(before);
    expect((await index.get('owls.md'))?.text).toBe('Owls are birds.');
    expect(await index.get('owls.md#2')).toBeUndefined();
    await index.compact();
    expect((await index.get('owls.md'))?.passages?.length).toBe(1);
    expect((await index.get('ducks.txt'))?.text).toBe(ducks.text);
    await index.close();
  });

  test('knows a document that is there by its own id, not by those of passages', async () => {
    const index = await create();
    await index.add([owls]);
    expect(await index.add([owls], { onExisting: 'skip' })).toEqual({
      added: 0,
      replaced: 0,
      skipped: 1,
    });
    expect((await rejection(index.add(owls))).code).toBe('duplicate-id');
    // a document may be called as a passage is
    await index.add({ id: 'owls.md#1', text: 'Another one.' });
    expect((await index.get('owls.md#1'))?.text).toBe('Another one.');
    expect((await index.get('owls.md'))?.text).toBe(owls.text);
    expect(await index.delete('owls.md#1')).toBe(1);
    expect((await index.get('owls.md'))?.text).toBe(owls.text);
    await index.close();
  });

  test('deletes documents, passages, and what passes a filter', async () => {
    const index = await create();
    await index.add([owls, ducks]);
    const of = async (id: string): Promise<number> => (await index.get(id))?.passages?.length ?? 0;
    const [owl, duck] = [await of('owls.md'), await of('ducks.txt')];
    expect(await index.delete('ducks.txt#2')).toBe(1);
    expect(await of('ducks.txt')).toBe(duck - 1);
    expect((await index.get('ducks.txt'))?.text).toBeUndefined();
    expect(await index.delete({ filter: { animal: 'duck' } })).toBe(duck - 1);
    expect(await index.delete(['owls.md', 'nobody'])).toBe(owl);
    expect(index.size).toBe(0);
    await index.close();
  });

  test('cuts alike when it is opened again, and filters and reranks passages', async () => {
    const storage = memoryStorage();
    const encoder = wordEncoder();
    const made = await Index.create(storage, { encoder, passages, threads: 1 });
    await made.add(owls);
    await made.close();
    const index = await Index.open(storage, { encoder, write: true, threads: 1 });
    expect(index.stats().passages).toEqual({ by: 'auto', size: 20, overlap: 0 });
    await index.add({ ...owls, id: 'copy.md', metadata: { animal: 'copy' } });
    const [one, two] = await index.get(['owls.md', 'copy.md']);
    expect(two?.passages?.map(({ span }) => span)).toEqual(one?.passages?.map(({ span }) => span));
    const found = await index.search('ear4', { filter: { animal: 'copy' }, k: 50 });
    expect(new Set(found.hits.map(({ passage }) => passage?.source))).toEqual(new Set(['copy.md']));
    const reranked = await index.rerank('ear4', ['copy.md', 'owls.md#1']);
    expect(reranked.hits.length).toBe((two?.passages?.length ?? 0) + 1);
    await index.close();
  });

  test('takes token vectors as they are', async () => {
    const index = await create();
    const { vectors } = await wordEncoder().encodeDocument(['one two']);
    await index.add({ id: 'v', text: 'one\ntwo\n', tokens: { data: vectors, dims: [2, 16] } });
    await index.add({ id: 'w', tokens: { data: vectors, dims: [2, 16] } });
    const [v, w] = await index.get(['v', 'w']);
    expect(v?.text).toBe('one\ntwo\n');
    expect(v?.passages).toEqual([
      { id: 'v#1', source: 'v', number: 1, span: [0, 8], lines: [1, 2], context: 0 },
    ]);
    expect(w?.text).toBeUndefined();
    expect(w?.passages?.length).toBe(1);
    await index.close();
  });

  test('cuts by a function, which is given again when it is opened', async () => {
    const storage = memoryStorage();
    const encoder = wordEncoder();
    function* lines(text: string): Generator<{ text: string; span: [number, number] }> {
      for (const { index, 0: line } of text.matchAll(/[^\n]+\n?/g))
        yield { text: `note: ${line}`, span: [index, index + line.length] };
    }
    const made = await Index.create(storage, { encoder, passages: lines, threads: 1 });
    await made.add({ id: 'a', text: 'one\ntwo\n' });
    expect((await made.get('a'))?.text).toBe('one\ntwo\n');
    expect((await made.search('two', { k: 1 })).hits[0].passage?.lines).toEqual([2, 2]);
    await made.close();
    const plain = await Index.open(storage, { encoder, write: true, threads: 1 });
    expect((await rejection(plain.add({ id: 'b', text: 'three' }))).message).toContain('function');
    await plain.close();
    const index = await Index.open(storage, { encoder, write: true, passages: lines, threads: 1 });
    await index.add({ id: 'b', text: 'three' });
    expect(index.size).toBe(3);
    await index.close();
  });

  test.each<[string, unknown]>([
    ['no passages', () => []],
    ['what is no passage', () => ['text']],
    ['an empty one', () => [{ text: ' ', span: [0, 1] }]],
    ['one beyond the text', () => [{ text: 'a', span: [0, 99] }]],
    [
      'one that begins before another',
      () => [
        { text: 'a', span: [2, 3] },
        { text: 'a', span: [1, 2] },
      ],
    ],
    ['nothing', () => undefined],
  ])('refuses a function that gives %s, and adds nothing', async (_, cut) => {
    const index = await create({ passages: cut });
    const error = await rejection(index.add({ id: 'a', text: 'some text' }));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toContain('"a"');
    expect(index.size).toBe(0);
    await index.close();
  });

  test.each<[string, unknown]>([
    ['passages.size', { size: 41 }],
    ['passages.size', { size: 2 }],
    ['passages.overlap', { size: 20, overlap: 11 }],
    ['passages.by', { by: 'page' }],
    ['overlapp', { overlapp: 1 }],
    ['passages', 'markdown'],
  ])('refuses %s before anything is made', async (where, wrong) => {
    const storage = memoryStorage();
    const made = Index.create(storage, { encoder: wordEncoder(), passages: wrong as object });
    const error = await rejection(made);
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toContain(where);
    expect(await storage.list()).toEqual([]);
  });

  test('cuts by an estimate where the encoder does not count', async () => {
    const { countTokens: _, ...encoder } = wordEncoder();
    const index = await create({ encoder });
    await index.add([owls, ducks]);
    expect((await index.get('owls.md'))?.text).toBe(owls.text);
    expect(index.size).toBeGreaterThan(4);
    await index.close();
  });
});

test('a failure in the middle of a replacement leaves the old document or the new one, whole', async () => {
  const encoder = wordEncoder();
  const made = faultyStorage();
  const first = await Index.create(made, { encoder, passages, threads: 1 });
  await first.add([owls, ducks]);
  await first.close();
  const fresh = { ...owls, text: `# New owls\n\n${sentencesOf('night', 6)}` };
  let old = 0;
  for (let n = 0; ; n++) {
    const storage = faultyStorage(made.files());
    const index = await Index.open(storage, { encoder, write: true, threads: 1 });
    storage.failAt(n, 'truncates', 'dead');
    const done = await index.add(fresh, { onExisting: 'replace' }).then(
      () => true,
      () => false,
    );
    await index.close().catch(() => {});
    const after = await Index.open(
      storage.afterCrash(() => 0),
      { encoder, threads: 1 },
    );
    const { text } = (await after.get('owls.md')) ?? {};
    expect([owls.text, fresh.text]).toContain(text);
    if (text === owls.text) old++;
    expect((await after.get('ducks.txt'))?.text).toBe(ducks.text);
    expect((await after.search('owl3', { k: 99 })).hits.length).toBe(after.size);
    await after.close();
    if (done) break;
  }
  expect(old).toBeGreaterThan(1);
});

test('a document that is larger than a segment is committed whole', async () => {
  const { prepareSegments } = await import('../../dist/collection/ingest/prepare-segments.js');
  const { cutDocuments } = await import('../../dist/collection/ingest/cut-documents.js');
  const encoder = wordEncoder();
  const limits = { bytes: 2 ** 30, documents: 8, section: 2 ** 31 - 1 };
  const target = { encoder, dim: 16, pooling: 1, precision: 'int8', codec: null, limits } as const;
  async function* documents() {
    for (const [i, sentences] of [3, 3, 999, 3, 2000, 3].entries())
      yield {
        id: `d${i}`,
        text: sentencesOf(`s${i}`, sentences),
        tokens: undefined,
        metadata: undefined,
      };
  }
  const rules = { by: 'text', size: 20, overlap: 0 } as const;
  const count = encoder.countTokens;
  const parts = cutDocuments(documents(), { rules, cut: undefined, count }, undefined);
  let before = false;
  const seen: string[] = [];
  const open = new Set<string>();
  for await (const segment of prepareSegments(parts, target, {})) {
    const sources = segment.documents.map(({ id }) => id.slice(0, id.lastIndexOf('#')));
    for (const source of sources) open.add(source);
    seen.push(...segment.documents.map(({ id }) => id));
    before = segment.goesOn;
    if (before) continue;
    // whatever is committed here is there with all its passages
    for (const source of open) {
      const own = segment.documents.filter(({ id }) => id.startsWith(`${source}#`));
      if (own.length > 0) expect(own.at(-1)?.passage?.length).toBeGreaterThan(0);
    }
    open.clear();
  }
  expect(before).toBe(false);
  expect(new Set(seen).size).toBe(seen.length);
});
