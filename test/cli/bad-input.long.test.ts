import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeNpy } from '../../src/formats/npy/npy.js';
import { writeSafetensors } from '../../src/formats/safetensors/safetensors.js';
import { runCli, succeed } from './run-cli.js';
import { tokensOf, writeTokenFolder } from './token-data.js';

const cube = (shape: number[], value = 0.5): Uint8Array =>
  writeNpy({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(value) });
const counts = (...values: number[]): Uint8Array =>
  writeNpy({ shape: [values.length], data: Int32Array.from(values) });

/** Files of each bad source, and what is said about it. */
const BAD: Record<
  string,
  { files: Record<string, string | Uint8Array>; message: RegExp; source?: string }
> = {
  'nothing at all': { files: {}, message: /: no such file or folder/, source: 'nowhere' },
  'a folder without texts': {
    files: { 'picture.png': 'x' },
    message: /nothing to read here; expected texts .* or token vectors/,
  },
  'an encoder': {
    files: { 'config.json': '{}', 'tokenizer.json': '{}' },
    message: /holds: encoder; expected texts/,
  },
  'NaN among the vectors': {
    files: { 'x.npy': cube([2, 2, 2], Number.NaN) },
    message: /value NaN in row 0, column 0/,
    source: 'x.npy',
  },
  'an array of two dimensions': {
    files: { 'x.npy': cube([4, 2]) },
    message: /\[4, 2\], expected \[texts, tokens, dim\].* counts\.npy/,
    source: 'x.npy',
  },
  integers: {
    files: { 'x.npy': writeNpy({ shape: [1, 1, 2], data: Int32Array.of(1, 2) }) },
    message: /x\.npy: values of type i4, expected floating-point/,
    source: 'x.npy',
  },
  'a truncated array': {
    files: { 'x.npy': cube([2, 2, 2]).subarray(0, -8) },
    message: /24 bytes of data, expected 32: .* truncated/,
    source: 'x.npy',
  },
  'no texts': {
    files: { 'x.npy': cube([0, 2, 2]) },
    message: /expected at least one text, got none/,
    source: 'x.npy',
  },
  'counts that do not add up': {
    files: { 'tokens.npy': cube([5, 2]), 'counts.npy': counts(2, 2) },
    message: /counts add up to 4 rows of 2 = 8 values, but vectors has 10/,
  },
  'a text without vectors': {
    files: { 'tokens.npy': cube([4, 2]), 'counts.npy': counts(2, 0, 2) },
    message: /text 1 has no token vectors/,
  },
  'counts below 0': {
    files: { 'tokens.npy': cube([4, 2]), 'counts.npy': counts(5, -1) },
    message: /counts\[1\]: expected a non-negative integer, got -1/,
  },
  'counts of two dimensions': {
    files: { 'tokens.npy': cube([4, 2]), 'counts.npy': cube([2, 2]) },
    message: /counts\.npy: an array of shape \[2, 2\]/,
  },
  'an id that comes twice': {
    files: { 'tokens.npy': cube([3, 2]), 'counts.npy': counts(1, 1, 1), 'ids.txt': 'a\nb\na\n' },
    message: /ids\.txt: line 3: id "a" was already used in line 1/,
  },
  'too few ids': {
    files: { 'tokens.npy': cube([3, 2]), 'counts.npy': counts(1, 1, 1), 'ids.txt': 'a\nb\n' },
    message: /ids\.txt: 2 documents, expected 3/,
  },
  'safetensors of other things': {
    files: {
      'x.safetensors': writeSafetensors({ weight: { shape: [2], data: new Float32Array(2) } }),
    },
    message: /tensors weight, expected one named tokens or vectors/,
    source: 'x.safetensors',
  },
  'truncated safetensors': {
    files: {
      'x.safetensors': writeSafetensors({
        tokens: { shape: [2, 1, 1], data: new Float32Array(2) },
      }).subarray(0, -4),
    },
    message: /the file is truncated/,
    source: 'x.safetensors',
  },
  'a line that is not JSON': {
    files: { 'x.jsonl': '{"_id":"1","text":"a"}\nb\n' },
    message: /x\.jsonl: line 2: not JSON: b/,
    source: 'x.jsonl',
  },
  'an array of documents': {
    files: { 'x.jsonl': '[{"_id":"1","text":"a"}]' },
    message:
      /line 1: .*, expected an object .*; JSON lines are one object on each line, no array around them/,
    source: 'x.jsonl',
  },
  'a document on several lines': {
    files: { 'x.jsonl': '{\n  "_id": "1",\n  "text": "a"\n}\n' },
    message: /line 1: not JSON: \{; JSON lines are one object on each line/,
    source: 'x.jsonl',
  },
  'a line without text': {
    files: { 'x.jsonl': '{"_id":"1"}\n' },
    message: /line 1: "text" of nothing, expected a string/,
    source: 'x.jsonl',
  },
  'a document id that comes twice': {
    files: { 'x.jsonl': '{"id":"1","text":"a"}\n{"_id":1,"text":"b"}\n' },
    message: /line 2: id "1" was already used in line 1/,
    source: 'x.jsonl',
  },
  'an empty document': {
    files: { 'x.jsonl': '{"_id":"7","text":" "}\n' },
    message: /document "7" has no text; --skip-empty/,
    source: 'x.jsonl',
  },
  'an empty file': {
    files: { 'x.jsonl': '' },
    message: /expected at least one document, got none/,
    source: 'x.jsonl',
  },
  'a text that is not UTF-8': {
    files: { 'a.txt': Uint8Array.of(0x61, 0xff) },
    message: /a\.txt: not UTF-8/,
  },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-bad-'));
});
afterAll(() => rm(folder, { recursive: true }));

const oneLine = async (args: readonly string[], input?: string): Promise<string> => {
  const { code, stdout, stderr } = await runCli(args, undefined, {}, input);
  expect(stderr).toMatch(/^lemur: [^\n]+\n$/);
  expect([code, stdout]).toEqual([1, '']);
  return stderr;
};

/** The last line, behind those of progress. */
const failureOf = async (args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCli(args);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/(^|\n)lemur: [^\n]+\n$/);
  return stderr;
};

describe('add says what is wrong with a source, before anything is written', () => {
  test.each(Object.entries(BAD))('%s', async (name, { files, message, source = '' }) => {
    const here = join(folder, name.replaceAll(' ', '-'));
    for (const [file, content] of Object.entries(files)) {
      await mkdir(dirname(join(here, file)), { recursive: true });
      await writeFile(join(here, file), content);
    }
    expect(await oneLine(['add', join(folder, 'out'), join(here, source)])).toMatch(message);
    expect(await readdir(folder)).not.toContain('out');
  });

  test('an empty standard input', async () => {
    expect(await oneLine(['add', join(folder, 'out'), '-'])).toContain(
      'standard input: expected at least one document, got none',
    );
    expect(await oneLine(['add', join(folder, 'out'), '-'], '{"id":"1"}\n')).toContain(
      'standard input: line 1: "text" of nothing',
    );
  });

  test('an encoder that is not there', async () => {
    const lines = join(folder, 'good.jsonl');
    await writeFile(lines, '{"_id":"1","text":"a"}\n');
    expect(
      await oneLine(['add', join(folder, 'out'), lines, '--model', join(folder, 'no-model')]),
    ).toContain('no-model: no such folder');
    expect(await readdir(folder)).not.toContain('out');
  });

  test('options that are about texts, with vectors', async () => {
    await writeTokenFolder(join(folder, 'vectors'), tokensOf(3, 4, 1));
    expect(
      await oneLine(['add', join(folder, 'out'), join(folder, 'vectors'), '--dim', '64']),
    ).toMatch(/--dim: .* holds vectors already/);
  });
});

describe('an index says what does not fit it', () => {
  let index: string;
  let wide: string;
  beforeAll(async () => {
    index = join(folder, 'index');
    wide = join(folder, 'wide.npy');
    await writeTokenFolder(join(folder, 'source'), tokensOf(8, 4, 1));
    await writeFile(wide, cube([2, 2, 6]));
    await succeed(['add', index, join(folder, 'source')]);
  });

  test('vectors of another dimension', async () => {
    const expected = 'wide.npy: token vectors have 6 dimensions, expected 4';
    for (const args of [
      ['search', index, '--vectors', wide],
      ['eval', index, '--queries', wide],
      ['tune', index, '--queries', wide],
    ])
      expect(await failureOf(args)).toContain(expected);
    expect(await failureOf(['add', index, wide])).toContain('vectors of 6 dimensions, expected 4');
  });

  test('a text where vectors are needed, and an empty one', async () => {
    expect(await oneLine(['search', index, 'what?'])).toContain(
      'was made from ready-made vectors: give vectors, not texts',
    );
    expect(await oneLine(['add', index, join(folder, 'good.jsonl')])).toContain(
      'give vectors, not texts',
    );
    expect(await oneLine(['search', index, '--vectors', join(folder, 'good.jsonl')])).toContain(
      'holds: text file; expected token vectors',
    );
  });

  test('a filter that is none, a recall that was not measured, an id that is there', async () => {
    expect(await oneLine(['delete', index, '--filter', '{"year":{"$near":5}}'])).toMatch(/\$near/);
    expect(await oneLine(['search', index, '--vectors', wide, '--filter', '[]'])).toMatch(
      /filter|dimensions/,
    );
    expect(
      await failureOf(['add', index, join(folder, 'source'), '--on-existing', 'error']),
    ).toMatch(/the id "0" is in the collection already/);
    expect(await failureOf(['tune', index])).toContain('searches are exact');
  });

  test('options that it was not made with', async () => {
    expect(await oneLine(['add', index, join(folder, 'source'), '--pooling', '2'])).toMatch(
      /--pooling 2: .* was made with 1/,
    );
    expect(await oneLine(['add', index, join(folder, 'source'), '--features', 'random'])).toMatch(
      /--features random: .* made with auto/,
    );
    await succeed([
      'add',
      index,
      join(folder, 'source'),
      '--features',
      'auto',
      '--precision',
      'int8',
    ]);
  });

  test('a folder with other things in it, a file, and the source itself', async () => {
    expect(await oneLine(['add', join(folder, 'source'), wide])).toContain(
      'the folder has other things in it (counts.npy)',
    );
    expect(await oneLine(['add', wide, join(folder, 'source')])).toContain(
      'expected the name of a folder',
    );
    expect(await oneLine(['add', index, index])).toContain('the source itself');
    expect(await oneLine(['add', join(folder, 'out'), index])).toContain(
      'is one; the index comes first: lemur add ',
    );
    expect(await oneLine(['fit', join(folder, 'source')])).toContain(
      'holds: token vectors; expected an index, or --out',
    );
  });
});
