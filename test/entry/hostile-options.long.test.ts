import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as lemur from '../../dist/entry/node.js';
import { loadEncoder } from '../../dist/entry/node-encoder.js';
import { type CalledObjects, documents, makeObjects, query, small } from './called-objects.js';
import { foreignErrors } from './foreign-errors.js';
import { type Any, HOSTILE } from './hostile-values.js';

const { Index, Lemur, MaxSim, memoryStorage } = lemur;

/** For single options, of which there are many: a value of each kind. */
const FOR_OPTIONS = HOSTILE.filter((_, i) => i < 22 || i % 4 === 0);

let objects: CalledObjects;
let index: CalledObjects['index'];
let fitted: CalledObjects['fitted'];
let encoder: CalledObjects['encoder'];
beforeAll(async () => {
  objects = await makeObjects();
  ({ index, fitted, encoder } = objects);
});
afterAll(() => objects.close());

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
    'Index.openOrCreate': [
      ['encoder', 'dim', 'precision', 'pooling', 'features', 'threads', 'device', 'signal'],
      (o) => Index.openOrCreate(memoryStorage(), { dim: 2, threads: 1, ...o }),
    ],
    'Index.open': [
      ['write', 'encoder', 'follow', 'threads', 'device', 'signal'],
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
    // what is called with progress is the caller's, and may do as it likes
    // the defaults are known to work, and take their time
    const values = FOR_OPTIONS.filter((value) => value !== undefined);
    expect(await foreignErrors(values, (value) => call({ [option]: value }))).toEqual([]);
  });
});
