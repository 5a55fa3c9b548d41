import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PoolingEncoder } from '../../dist/encoder/encoder.js';
import { type EncoderParts, poolingEncoder } from '../../dist/encoder/pooling-encoder.js';
import { loadEncoder as loadInBrowser } from '../../dist/entry/browser-encoder.js';
import * as lemur from '../../dist/entry/node.js';
import { loadEncoder } from '../../dist/entry/node-encoder.js';

const { Index, Lemur, MaxSim, memoryStorage } = lemur;

// biome-ignore lint/suspicious/noExplicitAny: anything goes anywhere here
type Any = any;

const cyclic: unknown[] = [];
cyclic.push(cyclic);
const transferred = new Float32Array(4);
structuredClone(transferred.buffer, { transfer: [transferred.buffer] });
const resizable = new Float32Array(new (ArrayBuffer as Any)(8, { maxByteLength: 16 }));
const growable = new Float32Array(new (SharedArrayBuffer as Any)(8, { maxByteLength: 16 }));

const HOSTILE: readonly unknown[] = [
  ...[
    undefined,
    null,
    true,
    false,
    0,
    -0,
    -1,
    1.5,
    Number.NaN,
    Infinity,
    2 ** 53,
    1e9,
    1n,
    Symbol('s'),
    () => {},
  ],
  ...['', 'x', '\0', '\ufeff', '\ud800', 'file:', 'x'.repeat(100_000)],
  ...[
    [],
    [null],
    [undefined],
    new Array(3),
    [[]],
    [[[]]],
    [['1', null]],
    [[[null, true]]],
    [[1n]],
    [1, 'a'],
    cyclic,
    Object.assign(['a', 'b'], { length: 3 }),
    [[[1, 0]], 'text'],
  ],
  ...[
    {},
    Object.create(null),
    { length: 1e9 },
    { length: -1 },
    { length: 2, 0: 1, 1: 0 },
    { next: 5 },
    { toString: null, valueOf: null },
  ],
  ...[
    new Map([['k', 1]]),
    new Set([1]),
    new Date(Number.NaN),
    new Error('e'),
    /x/,
    new AbortController(),
    new URL('https://example.org/'),
  ],
  ...[
    new Float32Array(0),
    new Float64Array(2),
    new BigInt64Array(2),
    new Uint8Array(3),
    new DataView(new ArrayBuffer(8)),
    new ArrayBuffer(8),
  ],
  ...[new SharedArrayBuffer(8), transferred, resizable, growable, Float32Array.of(Number.NaN, 1)],
  ...[
    { data: null, dims: null },
    { data: Float32Array.of(1, 0), dims: 5 },
    { data: Float32Array.of(1, 0), dims: [2 ** 40, 2 ** 40] },
  ],
  ...[
    { data: new Float32Array(0), dims: [1e9, 0, 2] },
    { data: [1, 0], dims: [1, 2] },
    { data: transferred, dims: [2, 2] },
  ],
  ...[
    { vectors: 5, counts: 5, dim: 5 },
    { vectors: Float32Array.of(1, 0), counts: { length: 1e9 }, dim: 2 },
  ],
  ...[
    { vectors: Float32Array.of(1, 0), counts: ['1'], dim: 2 },
    { vectors: Float32Array.of(1, 0), counts: [1], dim: 2 ** 53 },
  ],
  ...[
    { vectors: null },
    { indices: null, k: 1 },
    { indices: [0], k: 1n },
    { filter: null },
    { id: 5 },
    { id: 'a', text: 5 },
    { id: 'a', tokens: 5 },
  ],
  ...[
    { size: 2 ** 60, read: async () => 5 },
    { size: 8, read: async () => null },
    { size: 1n, read: 5 },
  ],
  ...[
    { x: null },
    { x: { data: [1], shape: [1] } },
    { x: { data: Float32Array.of(1), shape: 1 } },
    { x: { type: 'F32', shape: [-1] } },
  ],
  ...[
    { x: { data: new Uint16Array(2), shape: [2] } },
    { shape: null, data: Float32Array.of(1) },
    { shape: [1.5], data: new Float32Array(1) },
  ],
];

/** For single options, of which there are many: a value of each kind. */
const FOR_OPTIONS = HOSTILE.filter((_, i) => i < 22 || i % 4 === 0);

let index: lemur.Index;
let fitted: lemur.Lemur;
let exact: lemur.MaxSim;
let file: lemur.SafetensorsFile;
let stream: lemur.SafetensorsStream;
let encoder: PoolingEncoder;
const documents = [[[1, 0]], [[0, 1]]];
const query = [[1, 0.5]];

beforeAll(async () => {
  index = await Index.create(memoryStorage(), { dim: 2, features: 'random', threads: 1 });
  await index.add({ id: 'a', tokens: [[1, 0]], text: 'b' });
  fitted = await Lemur.fit(documents, { finalHiddenDim: 8, epochs: 0, threads: 1 });
  exact = await MaxSim.create(documents, { threads: 1 });
  const bytes = lemur.writeSafetensors({ x: { data: Float32Array.of(1, 2), shape: [2] } });
  file = await lemur.openSafetensors({
    size: bytes.length,
    read: async (at, length) => bytes.slice(at, at + length),
  });
  stream = await lemur.streamSafetensors({ x: { type: 'F32', shape: [1e6] } }, () => {});
  const stopped = () =>
    Promise.reject(new lemur.LemurError('closed', 'got through', { where: 'encoder' }));
  const tokenizer = { around: 0, tokenize: () => ({ ids: [1], truncated: false }), id: () => 1 };
  const recipe = {
    prefix: [],
    length: undefined,
    expansion: undefined,
    skip: new Set(),
    special: false,
  };
  const recipes = { query: recipe, document: recipe };
  const runner = { batchTokens: 8, run: stopped, close: stopped };
  encoder = poolingEncoder({
    id: 'e',
    dim: 2,
    hidden: 2,
    positions: 8,
    tokenizer,
    recipes,
    runner,
  } as unknown as EncoderParts);
});
afterAll(async () => {
  await index.close();
  fitted.close();
  exact.close();
});

const small = { hiddenDim: 8, finalHiddenDim: 8, epochs: 1, threads: 1 };
/** A text is the path of a folder, which would be made: those of here lie in none. */
const place = (value: unknown): Any =>
  typeof value === 'string' && !/^file:/.test(value)
    ? join(tmpdir(), 'lemur-none', 'none\0')
    : value;

/** Public calls, each argument in turn taking the hostile value. */
const CALLS: Record<string, (value: Any) => unknown> = {
  'Index.create(at)': (v) => Index.create(place(v), { dim: 2, threads: 1 }),
  'Index.create(options)': (v) => Index.create(memoryStorage(), v),
  'Index.open(at)': (v) => Index.open(place(v)),
  'Index.open(options)': (v) => Index.open(memoryStorage(), v),
  'add(documents)': (v) => index.add(v),
  'add([document])': (v) => index.add([v]),
  'add({ id })': (v) => index.add({ id: v, tokens: [[1, 0]] }, { onExisting: 'skip' }),
  'add({ text })': (v) => index.add({ id: 'b', text: v, tokens: [[1, 0]] }, { onExisting: 'skip' }),
  'add({ tokens })': (v) => index.add({ id: 'c', tokens: v }, { onExisting: 'replace' }),
  'add({ metadata })': (v) =>
    index.add({ id: 'd', tokens: [[1, 0]], metadata: v }, { onExisting: 'replace' }),
  'add(_, options)': (v) => index.add({ id: 'e', tokens: [[1, 0]] }, v),
  'delete(which)': (v) => index.delete(v),
  'delete({ filter })': (v) =>
    index.delete({ filter: v === undefined || (v && Object.keys(v).length === 0) ? 5 : v }),
  'delete(_, options)': (v) => index.delete('none', v),
  'get(ids)': (v) => index.get(v),
  'get([id])': (v) => index.get([v]),
  'search(query)': (v) => index.search(v),
  'search(_, options)': (v) => index.search(query, v),
  'searchBatch(queries)': (v) => index.searchBatch(v),
  'searchBatch(_, options)': (v) => index.searchBatch([query], v),
  'rerank(query)': (v) => index.rerank(v, ['a']),
  'rerank(_, ids)': (v) => index.rerank(query, v),
  'rerank(_, _, options)': (v) => index.rerank(query, ['a'], v),
  'fit(options)': (v) => index.fit(v ?? 5),
  'tune(options)': (v) => index.tune(v),
  'verify(options)': (v) => index.verify(v),
  'compact(options)': (v) => index.compact(v),
  'Lemur.fit(documents)': (v) => Lemur.fit(v, small),
  'Lemur.fit(_, options)': (v) => Lemur.fit(documents, v ?? 5),
  'Lemur.load(at)': (v) => Lemur.load(place(v)),
  'Lemur.load(_, options)': (v) => Lemur.load(memoryStorage(), v),
  'Lemur.importReference(at)': (v) => Lemur.importReference(place(v)),
  'Lemur.importReference(_, options)': (v) => Lemur.importReference(memoryStorage(), v),
  'Lemur.importTxtai(at)': (v) => Lemur.importTxtai(place(v)),
  'Lemur.importTxtai(_, options)': (v) => Lemur.importTxtai(memoryStorage(), v),
  'lemur.save(at)': (v) => fitted.save(place(v)),
  'lemur.computeFeatures(queries)': (v) => fitted.computeFeatures(v),
  'lemur.computeWeights(documents)': (v) => fitted.computeWeights(v),
  'lemur.candidates(queries)': (v) => fitted.candidates(v, 1),
  'lemur.candidates(_, k)': (v) => fitted.candidates([query], v),
  'lemur.candidates(_, _, options)': (v) => fitted.candidates([query], 1, v),
  'lemur.candidateBytes(k)': (v) => fitted.candidateBytes(v),
  'lemur.candidateBytes(_, options)': (v) => fitted.candidateBytes(1, v),
  'MaxSim.create(documents)': (v) => MaxSim.create(v, { threads: 1 }),
  'MaxSim.create(_, options)': (v) => MaxSim.create(documents, v ?? 5),
  'maxSim.score(queries)': (v) => exact.score(v),
  'maxSim.search(queries)': (v) => exact.search(v, 1),
  'maxSim.search(_, k)': (v) => exact.search([query], v),
  'maxSim.rerankSubset(queries)': (v) => exact.rerankSubset(v, 1, [[0]]),
  'maxSim.rerankSubset(_, k)': (v) => exact.rerankSubset([query], v, [[0]]),
  'maxSim.rerankSubset(_, _, candidates)': (v) => exact.rerankSubset([query], 1, v),
  'maxSim.rerankSubset(_, _, [list])': (v) => exact.rerankSubset([query], 1, [v]),
  'maxSim.rerankSubsetFixed(queries)': (v) => exact.rerankSubsetFixed(v, 1, [[0]]),
  'maxSim(query)': (v) => lemur.maxSim(v, query),
  'maxSim(_, document)': (v) => lemur.maxSim(query, v),
  'centerTokens(tokens)': (v) => lemur.centerTokens(v, Float32Array.of(0, 0)),
  'centerTokens(_, mean)': (v) => lemur.centerTokens([query], v),
  'init(options)': (v) => lemur.init(v),
  'init({ wasm })': (v) => lemur.init({ wasm: place(v) }),
  'memoryStorage(name)': (v) => lemur.memoryStorage(v),
  'memoryStorage().write': (v) => lemur.memoryStorage().write('x', v),
  'folderStorage(at)': (v) => lemur.folderStorage(place(v)),
  'readBeir(folder)': (v) => lemur.readBeir(place(v)),
  'readBeir(_, options)': (v) => lemur.readBeir(tmpdir(), v),
  'readTxtaiCenter(at)': (v) => lemur.readTxtaiCenter(place(v)),
  'readNpy(bytes)': (v) => lemur.readNpy(v),
  'readNpy(_, where)': (v) => lemur.readNpy(new Uint8Array(3), short(v)),
  'writeNpy(array)': (v) => lemur.writeNpy(v),
  'readSafetensors(bytes)': (v) => lemur.readSafetensors(v),
  'readSafetensors(_, where)': (v) => lemur.readSafetensors(new Uint8Array(3), short(v)),
  'writeSafetensors(tensors)': (v) => lemur.writeSafetensors(v),
  'writeSafetensors(_, metadata)': (v) => lemur.writeSafetensors({}, v),
  'openSafetensors(source)': (v) => lemur.openSafetensors(v),
  'openSafetensors(_, where)': (v) =>
    lemur.openSafetensors({ size: 0, read: async () => new Uint8Array() }, short(v)),
  'file.read(name)': (v) => file.read(v),
  'file.read(_, { rows })': (v) => file.read('x', { rows: v }),
  'file.readInto(_, target)': (v) => file.readInto('x', v),
  'streamSafetensors(tensors)': (v) => lemur.streamSafetensors(v, () => {}),
  'streamSafetensors(_, sink)': (v) => lemur.streamSafetensors({}, v),
  'streamSafetensors(_, _, metadata)': (v) => lemur.streamSafetensors({}, () => {}, v),
  'stream.write(name)': (v) => stream.write(v, new Uint8Array(4)),
  'stream.write(_, chunk)': (v) => stream.write('x', v),
  'loadEncoder(model)': (v) => loadEncoder(typeof v === 'string' ? `/none/${v.slice(0, 9)}` : v),
  'loadEncoder(_, options)': (v) => loadEncoder('/none', v),
  'loadEncoder(model) in pages': (v) =>
    loadInBrowser(typeof v === 'string' ? 'file:///none' : kindless(v)),
  'encoder.encodeQuery(texts)': (v) => encoder.encodeQuery(v),
  'encoder.encodeDocument(_, options)': (v) => encoder.encodeDocument(['a'], v),
  'encoder.encode(_, options)': (v) => encoder.encode(['a'], v),
  'isLemurError(error)': (v) => lemur.isLemurError(v),
};

/** What a file is called stands in messages as it is. */
const short = (value: unknown): Any => (typeof value === 'string' ? value.slice(0, 50) : value);

/** An address would be asked for. */
function kindless(value: unknown): Any {
  return value instanceof URL ? 5 : value;
}

function shown(value: unknown): string {
  try {
    return typeof value === 'string'
      ? JSON.stringify(value.slice(0, 20))
      : (JSON.stringify(value) ?? String(value)).slice(0, 60);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/**
 * The call's error where it is none of ours; undefined: it succeeded or was refused in our words.
 */
async function foreign(call: () => unknown): Promise<unknown> {
  let guard: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    guard = setTimeout(() => reject(new Error('it neither succeeds nor fails')), 20_000);
  });
  try {
    await Promise.race([call(), late]);
  } catch (error) {
    if (!lemur.isLemurError(error)) return error;
    // one line, of a length that can be read
    if (
      error.message.length > 2000 ||
      error.message.includes('\n') ||
      error.message.includes('[object ')
    )
      return error;
  } finally {
    clearTimeout(guard);
  }
  return undefined;
}

test.each(Object.entries(CALLS))(
  '%s takes any value or refuses it with a LemurError',
  async (_, call) => {
    const wrong: string[] = [];
    for (const value of HOSTILE) {
      const error = await foreign(() => call(value));
      if (error !== undefined)
        wrong.push(`${shown(value)}: ${String((error as Error)?.stack ?? error).slice(0, 400)}`);
    }
    expect(wrong).toEqual([]);
  },
);

describe('every option takes any value or refuses it with a LemurError', () => {
  const run = ['onProgress', 'signal'];
  const learn = [
    ...[
      'trainSubsetSize',
      'learnSubsetSize',
      'olsSampleSize',
      'numLayers',
      'hiddenDim',
      'finalHiddenDim',
      'activation',
      'epochs',
      'lr',
    ],
    ...[
      'schedule',
      'batchSize',
      'gradClip',
      'precision',
      'prefixDim',
      'seed',
      'learn',
      'test',
      'onEpoch',
      'verbose',
    ],
  ];
  const OPTIONS: Record<string, [names: string[], call: (options: Any) => unknown]> = {
    'Index.create': [
      ['encoder', 'dim', 'precision', 'pooling', 'features', 'threads', 'device', 'signal'],
      (o) => Index.create(memoryStorage(), { dim: 2, threads: 1, ...o }),
    ],
    'Index.open': [
      ['write', 'encoder', 'threads', 'device', 'signal'],
      (o) => Index.open(memoryStorage(), o),
    ],
    add: [
      ['onExisting', 'total', 'fit', ...run],
      (o) => index.add({ id: 'f', tokens: [[1, 0]] }, { onExisting: 'replace', ...o }),
    ],
    search: [
      ['k', 'numCandidates', 'recall', 'filter', 'include', 'exact', ...run],
      (o) => index.search(query, o),
    ],
    rerank: [['k', 'include', 'signal'], (o) => index.rerank(query, ['a'], o)],
    tune: [['recall', 'k', 'queries', 'sample', 'seed', ...run], (o) => index.tune(o)],
    'Lemur.fit': [
      [...learn, 'threads', 'device', ...run],
      (o) => Lemur.fit(documents, { ...small, ...o }),
    ],
    'index.fit': [
      [...learn, ...run],
      (o) => index.fit({ hiddenDim: 8, finalHiddenDim: 8, epochs: 1, ...o }),
    ],
    candidates: [['scan', 'rescored', ...run], (o) => fitted.candidates([query], 1, o)],
    'MaxSim.create': [
      ['precision', 'threads', 'device', ...run],
      (o) => MaxSim.create(documents, { threads: 1, ...o }),
    ],
    importReference: [
      ['sample', 'threads', 'device', ...run],
      (o) => Lemur.importReference(memoryStorage(), o),
    ],
    importTxtai: [
      ['documents', 'centered', 'threads', 'device', ...run],
      (o) => Lemur.importTxtai(memoryStorage(), o),
    ],
    readBeir: [['split', 'queries'], (o) => lemur.readBeir(tmpdir(), o)],
    loadEncoder: [
      [
        'threads',
        'projection',
        'id',
        'wasmPaths',
        'runtime',
        'providers',
        'precision',
        'revision',
        'endpoint',
        'token',
        'fetch',
        'cacheFolder',
      ],
      (o) => loadEncoder('/none', o),
    ],
    'encoder.encode': [
      ['kind', 'maxTokens', 'skipPunctuation', ...run],
      (o) => encoder.encode(['a'], { kind: 'query', ...o }),
    ],
  };
  const cases = Object.entries(OPTIONS).flatMap(([name, [names, call]]) =>
    names.map((option) => [name, option, call] as const),
  );
  test.each(cases)('%s({ %s })', async (_, option, call) => {
    const wrong: string[] = [];
    for (const value of FOR_OPTIONS) {
      // what is called with progress is the caller's, and may do as it likes
      // the defaults are known to work, and take their time
      if (value === undefined) continue;
      const error = await foreign(() => call({ [option]: value }));
      if (error !== undefined)
        wrong.push(`${shown(value)}: ${String((error as Error)?.stack ?? error).slice(0, 400)}`);
    }
    expect(wrong).toEqual([]);
  });
});
