import { describe, expect, test } from 'vitest';
import {
  Index,
  type MirrorDocument,
  type MirrorSource,
  memoryStorage,
} from '../../dist/entry/node.js';
import { contentsOf, countingEncoder, FILES, filled, NOTHING, sourceOf } from './mirrored.js';
import { sentencesOf, wordEncoder } from './passage-encoder.js';
import { rejection } from './small-collection.js';

describe.each([
  ['that cuts', { size: 20 }],
  ['that does not cut', undefined],
])('an index %s', (_name, passages) => {
  const make = async () => {
    const encoder = countingEncoder();
    const index = await Index.create(memoryStorage(), { encoder, passages, threads: 1 });
    return { encoder, index };
  };

  test('has what the source has, and encodes nothing of what is unchanged', async () => {
    const { encoder, index } = await make();
    const first = await index.mirror(sourceOf(FILES));
    expect(first).toMatchObject({ ...NOTHING, added: 4, unchanged: 0 });
    expect(await contentsOf(index, Object.keys(FILES))).toEqual(
      Object.entries(FILES).map(([id, text]) => ({
        id,
        text,
        metadata: { size: text.length, path: id },
      })),
    );
    encoder.texts.length = 0;
    expect(await index.mirror(sourceOf(FILES))).toEqual({ ...NOTHING, unchanged: 4 });
    expect(encoder.texts).toEqual([]);
    await index.close();
  });

  test('encodes what has changed and nothing else, and removes what is gone', async () => {
    const { encoder, index } = await make();
    await index.mirror(sourceOf(FILES));
    encoder.texts.length = 0;
    const { 'd.txt': _gone, ...rest } = FILES;
    const now = { ...rest, 'b.md': `# B\n\n${sentencesOf('bat', 3)}`, 'e.md': 'An elk stands.' };
    const done = await index.mirror(sourceOf(now));
    expect(done).toMatchObject({ added: 1, updated: 1, renamed: 0, deleted: 1, unchanged: 2 });
    expect(encoder.texts.length).toBeGreaterThan(1);
    for (const text of encoder.texts) expect(text).toMatch(/bat|elk/);
    expect(await contentsOf(index, [...Object.keys(now), 'd.txt'])).toEqual([
      ...(await contentsOf(index, ['a.md', 'b.md', 'c.md'])),
      undefined,
      ...(await contentsOf(index, ['e.md'])),
    ]);
    expect((await index.get('b.md'))?.text).toBe(now['b.md']);
    const { hits } = await index.search('bee1', { groupBy: 'source', k: 9 });
    expect(hits.map(({ id }) => id).sort()).toEqual(Object.keys(now).sort());
    await index.close();
  });

  test('encodes nothing of what has another id or other metadata', async () => {
    const { encoder, index } = await make();
    await index.mirror(sourceOf(FILES));
    const before = await index.search('bee1 bee3', { k: 1, include: ['text', 'evidence'] });
    encoder.texts.length = 0;
    const { 'b.md': moved, ...rest } = FILES;
    const there = sourceOf({ ...rest, 'deep/b.md': moved });
    const told = {
      root: there.root,
      *[Symbol.iterator](): Iterator<MirrorDocument> {
        for (const document of there as Iterable<MirrorDocument>)
          yield document.id === 'a.md' ? { ...document, metadata: { seen: true } } : document;
      },
    };
    const done = await index.mirror(told);
    expect(done).toMatchObject({ ...NOTHING, updated: 1, renamed: 1, unchanged: 2 });
    expect(encoder.texts).toEqual([]);
    expect(await index.get('b.md')).toBeUndefined();
    expect(await index.get('deep/b.md')).toMatchObject({
      text: moved,
      metadata: { path: 'deep/b.md' },
    });
    expect((await index.get('a.md'))?.metadata).toEqual({ seen: true });
    expect((await index.get('a.md'))?.text).toBe(FILES['a.md']);
    const after = await index.search('bee1 bee3', { k: 1, include: ['text', 'evidence'] });
    expect(after.hits[0].id).toBe(before.hits[0].id.replace('b.md', 'deep/b.md'));
    expect(after.hits[0]).toMatchObject({
      score: before.hits[0].score,
      text: before.hits[0].text,
      evidence: before.hits[0].evidence,
    });
    expect(await index.mirror(told)).toEqual({ ...NOTHING, unchanged: 4 });
    await index.close();
  });

  test('deletes nothing of another root, nor of what was added otherwise', async () => {
    const { index } = await make();
    await index.add([{ id: 'own', text: 'A note of its own.' }]);
    await index.mirror(sourceOf(FILES));
    const more = { 'a.md': 'Another ape.', 'z.md': 'A zebra.' };
    expect(await index.mirror(sourceOf(more, { root: '/far/papers/' }))).toMatchObject({
      ...NOTHING,
      added: 2,
    });
    expect((await index.get('papers/a.md'))?.text).toBe('Another ape.');
    expect((await index.get('a.md'))?.text).toBe(FILES['a.md']);
    expect(await index.mirror(sourceOf(FILES))).toEqual({ ...NOTHING, unchanged: 4 });
    expect(index.stats().roots).toEqual([
      { root: 'pages', prefix: '' },
      { root: '/far/papers', prefix: 'papers/' },
    ]);
    expect(await index.get('own')).toBeDefined();
    await index.close();
  });

  test('remembers what it mirrors when it is compacted and opened again', async () => {
    const storage = memoryStorage();
    const encoder = countingEncoder();
    const index = await Index.create(storage, { encoder, passages, threads: 1 });
    await index.mirror(sourceOf(FILES));
    await index.mirror(sourceOf({ ...FILES, 'a.md': 'An ant.' }));
    await index.compact();
    await index.close();
    const reader = await Index.open(storage, { encoder: false });
    const dry = await reader.mirror(sourceOf({ 'b.md': FILES['b.md'], 'c.md': FILES['c.md'] }), {
      dryRun: true,
    });
    expect(dry).toEqual({ ...NOTHING, deleted: 2, unchanged: 2 });
    await reader.close();
  });

  test('is left as it was by a dry run', async () => {
    const { encoder, index } = await make();
    await index.mirror(sourceOf(FILES));
    const before = index.stats();
    encoder.texts.length = 0;
    const { 'd.txt': _gone, ...rest } = FILES;
    const done = await index.mirror(sourceOf({ ...rest, 'e.md': 'An elk.' }), { dryRun: true });
    expect(done).toEqual({ ...NOTHING, added: 1, deleted: 1, unchanged: 3 });
    expect(index.stats()).toEqual(before);
    expect(encoder.texts).toEqual([]);
    await index.close();
  });
});
test('a document that is not taken ends a call, or is skipped where the source hears of it', async () => {
  const { index } = await filled();
  const files = { ...FILES, 'bad\ud800': 'Bad.', 'e.md': 'An elk.' };
  expect((await rejection(index.mirror(sourceOf(files)))).code).toBe('invalid-argument');
  expect(await index.get('e.md')).toBeUndefined();
  const refused: string[] = [];
  const refuse = (id: string): void => void refused.push(id);
  const tooDeep = JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`);
  const source: MirrorSource = {
    root: 'pages',
    refuse,
    *[Symbol.iterator]() {
      for (const [id, text] of Object.entries(files)) yield { id, text };
      yield { id: 'deep', text: 'Deep.', metadata: tooDeep };
      yield { id: 'e.md', text: 'Twice.' };
    },
  };
  const done = await index.mirror(source);
  expect(done).toMatchObject({ added: 1, updated: 4, deleted: 0, skipped: 3 });
  expect(refused).toEqual(['bad\ud800', 'e.md', 'deep']);
  expect((await index.get('e.md'))?.text).toBe('An elk.');
  await index.close();
});

test('an interrupted call goes on where it was', async () => {
  const long = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`${i}.md`, sentencesOf(`${'long'.repeat(30)}${i}x`, 24)]),
  );
  const make = async () => {
    const encoder = countingEncoder();
    const options = { encoder, passages: { size: 20 }, threads: 1 };
    return { encoder, index: await Index.create(memoryStorage(), options) };
  };
  const whole = await make();
  await whole.index.mirror(sourceOf(long));
  const { encoder, index } = await make();
  const controller = new AbortController();
  const reason = new Error('enough');
  const stopped = index.mirror(sourceOf(long), {
    signal: controller.signal,
    onProgress: ({ stage, done }) => {
      if (stage === 'add' && done >= 8) controller.abort(reason);
    },
  });
  await expect(stopped).rejects.toBe(reason);
  const committed = (await contentsOf(index, Object.keys(long))).filter(Boolean).length;
  expect(committed).toBeGreaterThan(0);
  expect(committed).toBeLessThan(12);
  encoder.texts.length = 0;
  expect(await index.mirror(sourceOf(long))).toMatchObject({
    added: 12 - committed,
    unchanged: committed,
  });
  for (const one of [index, whole.index]) await one.compact();
  const { hits } = await index.search(`${'long'.repeat(30)}3x7 number`, { k: 20 });
  const other = await whole.index.search(`${'long'.repeat(30)}3x7 number`, { k: 20 });
  expect(hits.map(({ id, text }) => [id, text])).toEqual(
    other.hits.map(({ id, text }) => [id, text]),
  );
  for (const [i, { score }] of hits.entries())
    expect(Math.abs(score - other.hits[i].score)).toBeLessThan(1e-4);
  expect(index.stats()).toEqual(whole.index.stats());
  for (const one of [index, whole.index]) await one.close();
});

test('what is no source, an unknown option and a generator are refused', async () => {
  const { index } = await filled();
  const once = Object.assign(
    (function* (): Generator<MirrorDocument> {
      yield { id: 'x', text: 'x' };
    })(),
    { root: 'once' },
  );
  for (const [source, options, said] of [
    [[], {}, 'source.root'],
    [{ root: 'x' }, {}, 'expected an iterable'],
    [sourceOf(FILES), { deletes: true }, "'delete'"],
    [sourceOf(FILES), { force: 1 }, 'force'],
    [once, {}, 'a generator'],
    [{ root: 'x', [Symbol.iterator]: () => [{ id: 'x' }].values() }, {}, 'expected a text'],
  ] as [MirrorSource, object, string][]) {
    const error = await rejection(index.mirror(source, options));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toContain(said);
  }
  await index.close();
});

test('a reader mirrors nothing, but may find out what would be done', async () => {
  const storage = memoryStorage();
  await (await Index.create(storage, { encoder: wordEncoder() })).close();
  const reader = await Index.open(storage);
  expect((await rejection(reader.mirror(sourceOf(FILES)))).code).toBe('read-only');
  expect(await reader.mirror(sourceOf(FILES), { dryRun: true })).toMatchObject({ added: 4 });
  await reader.close();
});
