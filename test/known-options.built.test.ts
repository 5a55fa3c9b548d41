import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PoolingEncoder } from '../dist/encoder/encoder.js';
import { type EncoderParts, poolingEncoder } from '../dist/encoder/pooling-encoder.js';
import { loadEncoder as loadInBrowser } from '../dist/entry/browser-encoder.js';
import * as lemur from '../dist/entry/node.js';
import { loadEncoder, remoteEncoder } from '../dist/entry/node-encoder.js';
import { readFolder } from '../dist/entry/node-files.js';
import { createHandler, serve } from '../dist/entry/node-server.js';
import { checkOptions, closestName } from '../dist/known-options.js';
import { showValue } from '../dist/value-kind.js';

const { Index, Lemur, MaxSim, memoryStorage } = lemur;
const documents = [[[1, 0]], [[0, 1]]];
const query = [[1, 0.5]];

let index: lemur.Index;
let model: lemur.Lemur;
let exact: lemur.MaxSim;
let file: lemur.SafetensorsFile;
let encoder: PoolingEncoder;
beforeAll(async () => {
  index = await Index.create(memoryStorage(), { dim: 2, threads: 1 });
  await index.add({ id: 'a', tokens: [[1, 0]] });
  model = await Lemur.fit(documents, { finalHiddenDim: 8, epochs: 0, threads: 1 });
  exact = await MaxSim.create(documents, { threads: 1 });
  const bytes = lemur.writeSafetensors({ x: { data: Float32Array.of(1, 2), shape: [2] } });
  file = await lemur.openSafetensors({
    size: bytes.length,
    read: async (at, length) => bytes.slice(at, at + length),
  });
  // options are checked before anything else is asked for
  const stopped = () => Promise.reject(new Error('should not run'));
  encoder = poolingEncoder({
    id: 'e',
    dim: 2,
    hidden: 2,
    runner: { batchTokens: 8, run: stopped, close: stopped },
  } as unknown as EncoderParts);
});
afterAll(async () => {
  await index.close();
  model.close();
  exact.close();
});

/** An options object of any kind. */
// biome-ignore lint/suspicious/noExplicitAny: it goes where many types are expected
type Any = any;
type Call = { call: (options: Any) => unknown; known: string };

/** Every call of the public API that takes an options object, each with one of its options. */
const TAKES: Record<string, Call> = {
  'Index.create': { call: (o) => Index.create(memoryStorage(), o), known: 'precision' },
  'Index.openOrCreate': {
    call: (o) => Index.openOrCreate(memoryStorage(), o),
    known: 'precision',
  },
  'Index.open': { call: (o) => Index.open(memoryStorage(), o), known: 'write' },
  'index.add': { call: (o) => index.add({ id: 'b', tokens: [[0, 1]] }, o), known: 'onExisting' },
  'index.mirror': {
    call: (o) => index.mirror({ root: 'x', [Symbol.iterator]: () => [].values() }, o),
    known: 'dryRun',
  },
  'index.delete': { call: (o) => index.delete('none', o), known: 'signal' },
  'index.search': { call: (o) => index.search(query, o), known: 'filter' },
  'index.searchBatch': { call: (o) => index.searchBatch([query], o), known: 'numCandidates' },
  'index.rerank': { call: (o) => index.rerank(query, ['a'], o), known: 'include' },
  'index.fit': { call: (o) => index.fit(o), known: 'trainSubsetSize' },
  'index.tune': { call: (o) => index.tune(o), known: 'recall' },
  'index.verify': { call: (o) => index.verify(o), known: 'signal' },
  'index.compact': { call: (o) => index.compact(o), known: 'onProgress' },
  'index.refresh': { call: (o) => index.refresh(o), known: 'signal' },
  'Lemur.fit': { call: (o) => Lemur.fit(documents, o), known: 'hiddenDim' },
  'Lemur.load': { call: (o) => Lemur.load(memoryStorage(), o), known: 'threads' },
  'Lemur.importReference': {
    call: (o) => Lemur.importReference(memoryStorage(), o),
    known: 'sample',
  },
  'Lemur.importTxtai': { call: (o) => Lemur.importTxtai(memoryStorage(), o), known: 'centered' },
  'lemur.computeFeatures': { call: (o) => model.computeFeatures([query], o), known: 'signal' },
  'lemur.computeWeights': { call: (o) => model.computeWeights([query], o), known: 'signal' },
  'lemur.candidates': { call: (o) => model.candidates([query], 1, o), known: 'rescored' },
  'lemur.search': { call: (o) => model.search([query], 1, exact, o), known: 'numCandidates' },
  'lemur.candidateBytes': { call: async (o) => model.candidateBytes(1, o), known: 'scan' },
  'MaxSim.create': { call: (o) => MaxSim.create(documents, o), known: 'precision' },
  'maxSim.score': { call: (o) => exact.score([query], o), known: 'signal' },
  'maxSim.search': { call: (o) => exact.search([query], 1, o), known: 'signal' },
  'maxSim.rerankSubset': { call: (o) => exact.rerankSubset([query], 1, [[0]], o), known: 'signal' },
  'maxSim.rerankSubsetFixed': {
    call: (o) =>
      exact.rerankSubsetFixed({ data: Float32Array.of(1, 0), dims: [1, 1, 2] }, 1, [[0]], o),
    known: 'onProgress',
  },
  init: { call: (o) => lemur.init(o), known: 'wasm' },
  centerTokens: {
    call: (o) => lemur.centerTokens([query], Float32Array.of(0, 0), o),
    known: 'signal',
  },
  highlight: { call: (o) => lemur.highlight({ text: 'a' }, o), known: 'length' },
  openSafetensors: {
    call: (o) => lemur.openSafetensors({ size: 0, read: async () => new Uint8Array() }, 'x', o),
    known: 'signal',
  },
  readBeir: {
    call: (o) => lemur.readBeir(fileURLToPath(new URL('.', import.meta.url)), o),
    known: 'queries',
  },
};
/** And those of objects that calls give, and of the encoder. */
const ALSO: Record<string, Call> = {
  'file.read': { call: (o) => file.read('x', o), known: 'rows' },
  'file.readFloats': { call: (o) => file.readFloats('x', o), known: 'rows' },
  'file.readInto': { call: (o) => file.readInto('x', new Uint8Array(8), o), known: 'signal' },
  readFolder: { call: async (o) => readFolder('nowhere', o), known: 'maxBytes' },
  loadEncoder: { call: (o) => loadEncoder('nowhere', o), known: 'cacheFolder' },
  'loadEncoder in pages': { call: (o) => loadInBrowser('/nowhere/', o), known: 'projection' },
  remoteEncoder: { call: (o) => remoteEncoder(o), known: 'requestsPerMinute' },
  createHandler: { call: async (o) => createHandler({}, o), known: 'apiKey' },
  serve: { call: (o) => serve(createHandler({}), o), known: 'port' },
  'encoder.encodeQuery': { call: (o) => encoder.encodeQuery(['a'], o), known: 'maxTokens' },
  'encoder.encodeDocument': {
    call: (o) => encoder.encodeDocument(['a'], o),
    known: 'skipPunctuation',
  },
  'encoder.encodePooled': { call: (o) => encoder.encodePooled(['a'], o), known: 'maxTokens' },
  'encoder.encode': { call: (o) => encoder.encode(['a'], o), known: 'kind' },
  'delete by a filter': { call: (o) => index.delete(o), known: 'filter' },
};
const TAKES_NONE = [
  ...['index.close', 'index.dim', 'index.get', 'index.size', 'index.stats'],
  ...['lemur.W', 'lemur.close', 'lemur.save', 'maxSim.close'],
  ...[
    'LemurError',
    'isLemurError',
    'maxSim',
    'memoryStorage',
    'folderStorage',
    'paper',
    'readTxtaiCenter',
  ],
  ...['readNpy', 'writeNpy', 'readSafetensors', 'writeSafetensors', 'streamSafetensors'],
];

test('every public function either takes an options object that is tried here, or none', () => {
  const found: string[] = [];
  for (const [name, value] of Object.entries(lemur)) {
    const own = { Index: 'index', Lemur: 'lemur', MaxSim: 'maxSim' }[name];
    if (own === undefined) found.push(name);
    else {
      for (const member of Object.getOwnPropertyNames(value))
        if (!['length', 'name', 'prototype'].includes(member)) found.push(`${name}.${member}`);
      for (const member of Object.getOwnPropertyNames((value as { prototype: object }).prototype))
        if (member !== 'constructor') found.push(`${own}.${member}`);
    }
  }
  expect(found.sort()).toEqual([...Object.keys(TAKES), ...TAKES_NONE].sort());
});

test('those that are said to take no options have no parameter of that name', () => {
  const classes: Record<string, { prototype: object }> = {
    index: Index,
    lemur: Lemur,
    maxSim: MaxSim,
  };
  const wrong = TAKES_NONE.filter((name) => {
    const [first, member] = name.split('.');
    const holder = member === undefined ? lemur : classes[first].prototype;
    const { value } = Object.getOwnPropertyDescriptor(holder, member ?? first) ?? {};
    // to the end of the parameters
    return (
      typeof value === 'function' &&
      !/^class/.test(String(value)) &&
      /\b(\w*[oO]ptions|run)\b/.test(String(value).split(') {')[0])
    );
  });
  expect(wrong).toEqual([]);
});

const messageOf = async (call: () => unknown): Promise<string> => {
  try {
    await call();
  } catch (error) {
    expect(lemur.isLemurError(error, 'invalid-argument'), String(error)).toBe(true);
    return (error as Error).message;
  }
  throw new Error('it was taken');
};

for (const [name, { call, known }] of Object.entries({ ...TAKES, ...ALSO })) {
  test(`${name} refuses an option that it does not know, and names the closest`, async () => {
    const misspelt = `${known.slice(0, -2)}${known.at(-1)}`;
    for (const value of [1, undefined]) {
      const message = await messageOf(() => call({ [misspelt]: value }));
      expect(message).toContain(`unknown option '${misspelt}'`);
      expect(message).toContain(`did you mean '${known}'?`);
    }
    expect(await messageOf(() => call(Object.create({ [misspelt]: 1 })))).toContain(misspelt);
  });

  test(`${name} refuses what is no options object`, async () => {
    const others = [
      null,
      5,
      1n,
      'filter',
      [],
      [{}],
      new Map([['k', 1]]),
      new Float32Array(2),
      new Date(),
      new AbortController().signal,
    ];
    // an id, or several, may be deleted
    for (const options of name === 'delete by a filter' ? [new Map(), new Date()] : others)
      expect(await messageOf(() => call(options))).toMatch(/expected an (object|array|id|encoder)/);
  });
}

test('what a fit cannot take is refused also where there is nothing to learn', async () => {
  for (const options of [
    { epochs: -1 },
    { finalHiddenDim: 1e9 },
    { activation: 'tanh' },
    { onEpoch: 5 },
  ] as object[])
    expect(await messageOf(() => index.fit(options))).toMatch(/: expected /);
});

test('a signal and onProgress are of their kinds', async () => {
  for (const signal of [5, {}, new AbortController()])
    expect(await messageOf(() => index.search(query, { signal: signal as Any }))).toContain(
      'signal: expected an AbortSignal',
    );
  expect(await messageOf(() => index.verify({ onProgress: 'yes' as Any }))).toContain(
    'onProgress: expected a function',
  );
});

test('the closest name is by letters; what is like none has none', () => {
  const names = [
    'k',
    'numCandidates',
    'recall',
    'filter',
    'include',
    'exact',
    'signal',
    'onProgress',
  ];
  expect(closestName('filters', names)).toBe('filter');
  expect(closestName('topK', names)).toBe('k');
  expect(closestName('num_candidates', names)).toBe('numCandidates');
  expect(closestName('fliter', names)).toBe('filter');
  expect(closestName('RECALL', names)).toBe('recall');
  expect(closestName('zzzzzzzz', names)).toBeUndefined();
  expect(closestName('x'.repeat(1e6), names)).toBeUndefined();
});

test('options without a prototype, frozen ones and names of objects are names like others', () => {
  checkOptions(Object.assign(Object.create(null), { k: 1 }), { k: true }, 'here');
  checkOptions(Object.freeze({ k: 1 }), { k: true }, 'here');
  expect(() => checkOptions({ toString: 1 }, { k: true }, 'here')).toThrow(
    "unknown option 'toString'",
  );
  expect(() => checkOptions({ constructor: 1 }, { k: true }, 'here')).toThrow(
    "unknown option 'constructor'",
  );
  expect(() => checkOptions({ k: 1 }, {}, 'here')).toThrow('it takes none');
});

test.each([
  ['topK', 'k'],
  ['limit', 'k'],
  ['top_n', 'k'],
  ['where', 'filter'],
  ['filters', 'filter'],
  ['numCandidate', 'numCandidates'],
  ['searchType', 'mode'],
  ['fields', 'include'],
])('an option called %s elsewhere is known to be %s', async (name, known) => {
  await expect(index.search(query, { [name]: 5 } as Any)).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining(`did you mean '${known}'?`),
  });
});

test('a text that reads like a number, a flag or nothing is called a string', async () => {
  for (const text of ['3', ' 1e3 ', '0x10', '', ' ', 'true', 'null', 'undefined', 'NaN'])
    expect(showValue(text)).toBe(`the string ${JSON.stringify(text)}`);
  for (const text of ['euclid', 'int5', '3 of them']) expect(showValue(text)).toBe(text);
  const wrong = async (call: Promise<unknown>, got: string): Promise<void> =>
    expect(call).rejects.toMatchObject({
      message: expect.stringContaining(`got the string ${got}`),
    });
  await wrong(index.search(query, { k: '3' } as Any), '"3"');
  await wrong(index.search(query, { exact: 'true' } as Any), '"true"');
  await wrong(Index.create(memoryStorage(), { dim: '8' } as Any), '"8"');
  await wrong(Lemur.fit(documents, { threads: '2' } as Any), '"2"');
});
