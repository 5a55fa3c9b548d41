import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { EncodedTexts, Encoder } from '../../dist/encoder/encoder.js';
import * as lemur from '../../dist/entry/node.js';
import { readLines } from '../../dist/formats/json/jsonl.js';

const { Index, Lemur, MaxSim, memoryStorage } = lemur;

// What jest, frames and node:vm give: arrays, buffers and objects whose classes are not those of
// the library.
// biome-ignore lint/suspicious/noExplicitAny: as callers see it
const other = (expression: string): any => runInNewContext(`(${expression})`);
const here = (expression: string): unknown => new Function(`return (${expression})`)();

const TOKENS = [
  '[[[1, 0], [0.5, 0.5]], [[0, 1]]]',
  '[[new Float32Array([1, 0]), new Float32Array([0.5, 0.5])], [new Float32Array([0, 1])]]',
  '[{ data: new Float32Array([1, 0, 0.5, 0.5]), dims: [2, 2] }, { data: new Float32Array([0, ' +
    '1]), dims: [1, 2] }]',
  '{ vectors: new Float32Array([1, 0, 0.5, 0.5, 0, 1]), counts: new Int32Array([2, 1]), dim: 2 }',
  '{ vectors: new Float32Array(new SharedArrayBuffer(24)).fill(0.5), counts: [2, 1], dim: 2 }',
  '{ data: new Float32Array([1, 0, 0.5, 0.5]), dims: [2, 1, 2] }',
];

test('arrays are foreign ones', () => {
  expect(other('new Float32Array(1)')).not.toBeInstanceOf(Float32Array);
  expect(other('{}')).not.toBeInstanceOf(Object);
});

test.each(TOKENS)(
  'token vectors of another realm are those of this one: %s',
  async (expression) => {
    const scores = async (
      documents: lemur.TokenInput,
      query: lemur.TokenInput,
      options: object,
    ) => {
      const exact = await MaxSim.create(documents, { ...options, threads: 1 });
      const found = [...(await exact.score(query)), ...(await exact.search(query, 1)).scores];
      exact.close();
      const learned = await Lemur.fit(documents, { finalHiddenDim: 8, epochs: 1, threads: 1 });
      found.push(
        ...(await learned.candidates(query, 2)).scores,
        ...(await learned.computeWeights(documents)),
      );
      learned.close();
      return found;
    };
    const expected = await scores(here(expression) as lemur.TokenInput, [[[1, 2]]], {});
    expect(await scores(other(expression), other('[[[1, 2]]]'), other('{}'))).toEqual(expected);
  },
);

test('a collection takes documents, options, filters and iterables of another realm', async () => {
  const index = await Index.create(
    memoryStorage(),
    other('{ dim: 2, precision: "float32", threads: 1 }'),
  );
  await index.add(other('[{ id: "a", tokens: [[1, 0]], metadata: { year: 1, tags: ["x"] } }]'));
  await index.add(
    other(
      '(function* () { yield { id: "b", tokens: { data: new Float32Array([0, 1]), dims: [1, ' +
        '2] } }; })()',
    ),
  );
  await index.add(
    other('(async function* () { yield { id: "c", tokens: [new Float32Array([1, 1])] }; })()'),
  );
  const { hits } = await index.search(
    other('[[1, 0.5]]'),
    other('{ k: 3, include: ["metadata"] }'),
  );
  expect(hits.map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  const filtered = await index.search(
    [[1, 0]],
    other('{ filter: { year: { $gte: 1 }, tags: { $in: ["x"] } } }'),
  );
  expect(filtered.hits.map(({ id }) => id)).toEqual(['a']);
  expect(await index.get(other('["b"]') as string[])).toMatchObject([{ id: 'b' }]);
  expect(await index.delete(other('["b"]'))).toBe(1);
  expect(await index.delete(other('{ filter: { year: 1 } }'))).toBe(1);
  await index.close();
});

test('an encoder may give what another realm has made', async () => {
  const encode = other(
    '(texts) => ({ vectors: new Float32Array(texts.length * 2).fill(1), counts: ' +
      'new Int32Array(texts.length).fill(1), offsets: Float64Array.from({ length: ' +
      'texts.length + 1 }, (_, i) => i), dim: 2, spans: new Int32Array(texts.length * 2) })',
  );
  const encoder: Encoder = {
    id: 'e',
    dim: 2,
    encodeDocument: async (texts): Promise<EncodedTexts> => encode(texts),
    encodeQuery: async (texts): Promise<EncodedTexts> => encode(texts),
    close: async () => {},
  };
  const index = await Index.create(memoryStorage(), { encoder, threads: 1 });
  await index.add({ id: 'a', text: 'b' });
  expect((await index.search('b', { include: ['evidence'] })).hits).toMatchObject([
    { id: 'a', evidence: [{ span: [0, 0] }] },
  ]);
  await index.close();
});

test('a signal that is no instance of this realm stops calls all the same', async () => {
  const own = new AbortController();
  const foreign = {
    get aborted() {
      return own.signal.aborted;
    },
    get reason(): unknown {
      return own.signal.reason;
    },
    addEventListener: own.signal.addEventListener.bind(own.signal),
    removeEventListener: own.signal.removeEventListener.bind(own.signal),
    throwIfAborted: () => own.signal.throwIfAborted(),
  } as unknown as AbortSignal;
  const index = await Index.create(memoryStorage(), { dim: 2, threads: 1 });
  const reason = new Error('enough');
  async function* endless() {
    for (let i = 0; ; i++) {
      if (i === 3) own.abort(reason);
      yield { id: String(i), tokens: [[1, 0]] };
    }
  }
  await expect(index.add(endless(), { signal: foreign })).rejects.toBe(reason);
  await expect(index.search([[1, 0]], { signal: foreign })).rejects.toBe(reason);
  await expect(MaxSim.create([[[1, 0]]], { signal: foreign })).rejects.toBe(reason);
  await index.close();
});

test('readers and writers of files take bytes and arrays of another realm', async () => {
  const npy = lemur.writeNpy(other('{ shape: [2, 1], data: new Float32Array([1, 2]) }'));
  expect(npy).toEqual(lemur.writeNpy({ shape: [2, 1], data: Float32Array.of(1, 2) }));
  const bytes = (of: Uint8Array, make: string) => other(`(list) => ${make}`)([...of]);
  for (const make of [
    'new Uint8Array(list)',
    'new Uint8Array(list).buffer',
    'new DataView(new Uint8Array(list).buffer)',
  ])
    expect([...lemur.readNpy(bytes(npy, make)).data]).toEqual([1, 2]);

  const tensors = lemur.writeSafetensors(
    other('{ x: { shape: [2], data: new Int16Array([1, 2]) } }'),
    other('{ a: "b" }'),
  );
  expect(tensors).toEqual(
    lemur.writeSafetensors({ x: { shape: [2], data: Int16Array.of(1, 2) } }, { a: 'b' }),
  );
  expect(lemur.readSafetensors(bytes(tensors, 'new Uint8Array(list)')).metadata).toEqual({
    a: 'b',
  });
  const file = await lemur.openSafetensors({
    size: tensors.length,
    read: async (at, length) => bytes(tensors.subarray(at, at + length), 'new Uint8Array(list)'),
  });
  expect([...(await file.read('x')).bytes]).toEqual([1, 0, 2, 0]);
  const lines: string[] = [];
  const source = (async function* () {
    yield bytes(new TextEncoder().encode('a\nb'), 'new Uint8Array(list)');
  })();
  for await (const { text } of readLines(source, 'lines')) lines.push(text);
  expect(lines).toEqual(['a', 'b']);
  const storage = memoryStorage();
  await storage.write('x', other('new Uint8Array([1, 2])'));
  expect([...(await storage.read('x'))]).toEqual([1, 2]);
});

test('an array whose buffer can grow is copied, and one whose buffer was transferred away is named', async () => {
  const made = new Float32Array(
    new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer)(16, {
      maxByteLength: 64,
    }),
  );
  made.set([1, 0, 0, 1]);
  const exact = await MaxSim.create({ vectors: made, counts: [1, 1], dim: 2 }, { threads: 1 });
  (made.buffer as unknown as { resize(bytes: number): void }).resize(0);
  expect([...(await exact.score([[[1, 0.5]]]))]).toEqual([1, 0.5]);
  exact.close();

  const gone = Float32Array.of(1, 0);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  for (const tokens of [
    { vectors: gone, counts: [1], dim: 2 },
    { data: gone, dims: [1, 2] },
    [{ data: gone, dims: [1, 2] }],
  ])
    await expect(MaxSim.create(tokens)).rejects.toThrow('transferred away');
  const bytes = new Uint8Array(16);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  expect(() => lemur.readNpy(bytes)).toThrow('transferred away');
  expect(() => lemur.readSafetensors(bytes)).toThrow('transferred away');
});
