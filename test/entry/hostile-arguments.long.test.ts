import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadEncoder as loadInBrowser } from '../../dist/entry/browser-encoder.js';
import * as lemur from '../../dist/entry/node.js';
import { loadEncoder } from '../../dist/entry/node-encoder.js';
import { type CalledObjects, documents, makeObjects, query, small } from './called-objects.js';
import { foreignErrors } from './foreign-errors.js';
import { type Any, HOSTILE } from './hostile-values.js';

const { Index, Lemur, MaxSim, memoryStorage } = lemur;

let objects: CalledObjects;
let index: CalledObjects['index'];
let fitted: CalledObjects['fitted'];
let exact: CalledObjects['exact'];
let file: CalledObjects['file'];
let stream: CalledObjects['stream'];
let encoder: CalledObjects['encoder'];
beforeAll(async () => {
  objects = await makeObjects();
  ({ index, fitted, exact, file, stream, encoder } = objects);
});
afterAll(() => objects.close());

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
  'lemur.search(queries)': (v) => fitted.search(v, 1, exact),
  'lemur.search(_, k)': (v) => fitted.search([query], v, exact),
  'lemur.search(_, _, documents)': (v) => fitted.search([query], 1, v),
  'lemur.search(_, _, _, options)': (v) => fitted.search([query], 1, exact, v),
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

test.each(Object.entries(CALLS))(
  '%s takes any value or refuses it with a LemurError',
  async (_, call) => {
    expect(await foreignErrors(HOSTILE, call)).toEqual([]);
  },
);
