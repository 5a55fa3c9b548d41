import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as node from '../../dist/entry/node.js';

// A change of these lists is a change of what users build on: it belongs into the release notes.

const EVERYWHERE = [
  'Index',
  'Lemur',
  'LemurError',
  'MaxSim',
  'centerTokens',
  'highlight',
  'init',
  'isLemurError',
  'maxSim',
  'memoryStorage',
  'openSafetensors',
  'paper',
  'readSafetensors',
  'readTxtaiCenter',
  'streamSafetensors',
  'writeSafetensors',
];
const NODE_ALONE = ['folderStorage', 'readBeir', 'readNpy', 'writeNpy'];
const TYPES = [
  'Activation',
  'AddOptions',
  'Added',
  'AllowedDocuments',
  'AnyFilter',
  'ByteSource',
  'CandidateAnswer',
  'CandidateOptions',
  'CandidateQueries',
  'CandidateRequest',
  'CandidateSource',
  'Candidates',
  'CompactOptions',
  'Condition',
  'CreateOptions',
  'Curve',
  'CutBy',
  'CutFunction',
  'CutPassage',
  'DefaultInclude',
  'DenseTokens',
  'DeviceName',
  'DeviceOptions',
  'DocumentLengths',
  'EncodeOptions',
  'EncodedTexts',
  'Encoder',
  'EncoderOrigin',
  'EpochReport',
  'Evidence',
  'Features',
  'Filter',
  'FilterOperators',
  'FitIndexOptions',
  'FitOptions',
  'Highlight',
  'HighlightOptions',
  'HighlightPart',
  'Hit',
  'HitParts',
  'Include',
  'IndexDocument',
  'IndexStats',
  'InitOptions',
  'LearnOptions',
  'LemurErrorCode',
  'LemurErrorFields',
  'LemurSearchOptions',
  'MaxSimOptions',
  'Metadata',
  'MirrorContent',
  'MirrorDocument',
  'MirrorFacts',
  'MirrorOptions',
  'MirrorSource',
  'Mirrored',
  'ModelReference',
  'OpenOptions',
  'Passage',
  'PassageOptions',
  'PassageRules',
  'ProductPrecision',
  'Progress',
  'Projection',
  'Query',
  'ReadableStorage',
  'ReferenceOptions',
  'RerankOptions',
  'Residual',
  'ResolvedLearnOptions',
  'RunOptions',
  'Safetensors',
  'SafetensorsArray',
  'SafetensorsEntry',
  'SafetensorsFile',
  'SafetensorsReadOptions',
  'SafetensorsStream',
  'SafetensorsTensor',
  'SafetensorsType',
  'ScheduleName',
  'SearchMethod',
  'SearchMode',
  'SearchOptions',
  'SearchResult',
  'Storage',
  'StorageLock',
  'StoredFile',
  'StoredText',
  'TextReading',
  'TokenInput',
  'TokenMatrix',
  'TokenReport',
  'TokenSets',
  'TopK',
  'TuneOptions',
  'Tuned',
  'TxtaiOptions',
  'Verification',
];
const CODES = [
  'already-exists',
  'bad-file',
  'closed',
  'deadlock',
  'device-lost',
  'dimension-mismatch',
  'duplicate-id',
  'empty-corpus',
  'empty-document',
  'encoder-mismatch',
  'invalid-argument',
  'locked',
  'missing-package',
  'not-finite',
  'not-found',
  'offline',
  'read-only',
  'source-failed',
  'storage-failed',
  'unsupported',
  'worker-failed',
];

const instanceMembers = (of: { prototype: object }): string[] =>
  Object.getOwnPropertyNames(of.prototype).sort();
const staticMembers = (of: object): string[] =>
  Object.getOwnPropertyNames(of)
    .filter((name) => !['length', 'name', 'prototype'].includes(name))
    .sort();

test('what `import ... from "lemur"` has in Node', () => {
  expect(Object.keys(node).sort()).toEqual([...EVERYWHERE, ...NODE_ALONE].sort());
});

test('what it has in browsers and on edge runtimes', async () => {
  const browser: object = await import('../../dist/entry/browser.js');
  const edge: object = await import('../../dist/entry/edge.js');
  expect(Object.keys(browser).sort()).toEqual(EVERYWHERE);
  expect(Object.keys(edge).sort()).toEqual(EVERYWHERE);
});

test('the members of its classes', () => {
  expect(staticMembers(node.Lemur)).toEqual(['fit', 'importReference', 'importTxtai', 'load']);
  expect(instanceMembers(node.Lemur)).toEqual([
    'W',
    'candidateBytes',
    'candidates',
    'close',
    'computeFeatures',
    'computeWeights',
    'constructor',
    'save',
    'search',
  ]);
  expect(staticMembers(node.Index)).toEqual(['create', 'open', 'openOrCreate']);
  expect(instanceMembers(node.Index)).toEqual([
    'add',
    'close',
    'compact',
    'constructor',
    'delete',
    'dim',
    'fit',
    'get',
    'mirror',
    'refresh',
    'rerank',
    'search',
    'searchBatch',
    'size',
    'stats',
    'tune',
    'verify',
  ]);
  expect(staticMembers(node.MaxSim)).toEqual(['create']);
  expect(instanceMembers(node.MaxSim)).toEqual([
    'close',
    'constructor',
    'rerankSubset',
    'rerankSubsetFixed',
    'score',
    'search',
  ]);
});

test('its types', () => {
  const declarations = readFileSync(
    new URL('../../dist/entry/public.d.ts', import.meta.url),
    'utf8',
  );
  const names = [...declarations.matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(
    ([, onlyTypes, list]) =>
      list
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '' && (onlyTypes || name.startsWith('type ')))
        .map((name) => name.replace('type ', '')),
  );
  expect(names.sort()).toEqual(TYPES);
});

test('what `import ... from "lemur/server"` has, in Node and elsewhere', async () => {
  const [node, others] = [
    import('../../dist/entry/node-server.js'),
    import('../../dist/entry/server.js'),
  ];
  expect(Object.keys(await node).sort()).toEqual(['createHandler', 'serve']);
  expect(Object.keys(await others)).toEqual(['createHandler']);
});

test('what `import ... from "lemur/ai"` and "lemur/langchain" have, wherever it is', async () => {
  for (const platform of ['node', 'browser', 'edge']) {
    const ai: object = await import(`../../dist/entry/${platform}-ai.js`);
    expect(Object.keys(ai).sort()).toEqual(['rerankingModel', 'searchTool']);
    const langchain: object = await import(`../../dist/entry/${platform}-langchain.js`);
    expect(Object.keys(langchain).sort()).toEqual(['LemurRerank', 'LemurRetriever']);
  }
});

test('what `import ... from "lemur/advise"` has', async () => {
  expect(Object.keys(await import('../../dist/entry/advise.js'))).toEqual(['advise', 'plotAdvice']);
});

test('what `import ... from "lemur/encoder"` has', async () => {
  expect(Object.keys(await import('../../dist/entry/node-encoder.js')).sort()).toEqual([
    'loadEncoder',
    'remoteEncoder',
  ]);
  const declarations = readFileSync(
    new URL('../../dist/entry/node-encoder.d.ts', import.meta.url),
    'utf8',
  );
  const exported = [...declarations.matchAll(/export type \{([^}]*)\}|export interface (\w+)/g)];
  const names = exported.flatMap(
    ([, list, name]) =>
      list
        ?.split(',')
        .map((one) => one.trim())
        .filter(Boolean) ?? [name],
  );
  expect(names.sort()).toEqual([
    'EncodeOptions',
    'EncodedTexts',
    'Encoder',
    'LoadEncoderOptions',
    'PooledVectors',
    'PoolingEncoder',
    'ProductPrecision',
    'Projection',
    'RemoteEncoderOptions',
    'RemoteStyle',
  ]);
});

test('what `import ... from "lemur/files"` has', async () => {
  expect(Object.keys(await import('../../dist/entry/node-files.js'))).toEqual(['readFolder']);
  const declarations = readFileSync(
    new URL('../../dist/entry/node-files.d.ts', import.meta.url),
    'utf8',
  );
  const lists = [...declarations.matchAll(/export type \{([^}]*)\}/g)];
  const names = lists.flatMap(([, list]) => list.split(',').map((name) => name.trim()));
  expect(names.filter(Boolean).sort()).toEqual([
    'FileMetadata',
    'FolderFile',
    'FolderFiles',
    'FolderOptions',
    'ListedFile',
    'SkipReason',
    'SkippedFile',
  ]);
});

test('its error codes', () => {
  const declarations = readFileSync(new URL('../../dist/errors.d.ts', import.meta.url), 'utf8');
  const fields = declarations.slice(
    declarations.indexOf('interface LemurErrorFields'),
    declarations.indexOf('LemurErrorCode'),
  );
  const codes = [...fields.matchAll(/^ {4}(?:'([a-z-]+)'|([a-z]+)): \{/gm)].map(
    ([, quoted, plain]) => quoted ?? plain,
  );
  expect(codes.sort()).toEqual(CODES);
});
