import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../../src/collection/metadata/compile-filter.js';
import { type Columns, openColumns } from '../../../src/collection/metadata/open-columns.js';
import {
  readSafetensors,
  type SafetensorsEntry,
} from '../../../src/formats/safetensors/safetensors.js';
import { mutateBytes, mutations, type Random, randomOf, refusals } from '../../mutations.js';
import { columnFile, columnsOf, metadata, openFile } from './random-metadata.js';

const text = (string: string): Uint8Array => Uint8Array.from(Buffer.from(string));

describe('damaged columns', async () => {
  const documents = [
    { a: 'z' },
    { a: 5 },
    { a: ['x', 1, 'z'] },
    {},
    { a: [true] },
    ...new Array(13).fill({}),
    { b: 'é' },
    { b: [2] },
  ];
  const whole = readSafetensors(await columnFile(documents)).tensors;
  const filters = [
    { a: 'z' },
    { a: { $gt: 1 } },
    { a: { $exists: false } },
    { b: { $ne: 'é' } },
    { b: { $in: [2, 'x', null] } },
  ];

  /** What any filter may answer. */
  async function ask(columns: Columns): Promise<void> {
    for (const filter of filters) {
      const answer = await compileFilter(filter).evaluate(columns);
      expect(answer.length).toBe(documents.length);
      expect(answer.every((pass) => pass === 0 || pass === 1)).toBe(true);
    }
  }

  const damaged = (changed: Record<string, Partial<SafetensorsEntry> | undefined>): Columns => {
    const entries = new Map([...whole].map(([name, entry]) => [name, { ...entry }]));
    for (const [name, change] of Object.entries(changed)) {
      if (change === undefined) entries.delete(name);
      else
        entries.set(name, {
          ...(entries.get(name) ?? { type: 'U8', shape: [0], bytes: new Uint8Array() }),
          ...change,
        });
    }
    return openColumns(
      entries.keys(),
      documents.length,
      async (name) => entries.get(name)!,
      'segment',
    );
  };
  const int32 = (...values: number[]): Partial<SafetensorsEntry> => ({
    type: 'I32',
    shape: [values.length],
    bytes: new Uint8Array(Int32Array.from(values).buffer),
  });
  const bytes = (...values: number[]): Partial<SafetensorsEntry> => ({
    type: 'U8',
    shape: [values.length],
    bytes: Uint8Array.from(values),
  });
  const float64 = (...values: number[]): Partial<SafetensorsEntry> => ({
    type: 'F64',
    shape: [values.length],
    bytes: new Uint8Array(Float64Array.from(values).buffer),
  });
  const kinds = [5, 4, 6, 0, 6, ...new Array(15).fill(0)];

  test('are those that differ from these', async () => {
    const found = Object.fromEntries(
      [...whole].map(([name, { type, shape, bytes: held }]) => [
        name,
        { type, shape, bytes: held },
      ]),
    );
    expect(found).toEqual({
      'column/a/kinds': bytes(...kinds),
      'column/a/numbers': float64(5),
      'column/a/codes': int32(1),
      'column/a/element-offsets': int32(0, 3, 4),
      'column/a/element-kinds': bytes(5, 4, 5, 3),
      'column/a/element-numbers': float64(1),
      'column/a/element-codes': int32(0, 1),
      'column/a/dictionary': bytes(...text('xz')),
      'column/a/dictionary-offsets': int32(0, 1, 2),
      'column/b/rows': int32(18, 19),
      'column/b/kinds': bytes(5, 6),
      'column/b/codes': int32(0),
      'column/b/element-offsets': int32(0, 1),
      'column/b/element-kinds': bytes(4),
      'column/b/element-numbers': float64(2),
      'column/b/dictionary': bytes(...text('é')),
      'column/b/dictionary-offsets': int32(0, 2),
    });
    await ask(damaged({}));
  });

  test.each<[string, Record<string, Partial<SafetensorsEntry> | undefined>, string]>([
    ['of too few kinds', { 'column/a/kinds': bytes(5, 4, 6) }, '"a": 3 kinds, expected 20'],
    ['without kinds', { 'column/a/kinds': undefined }, '"a": 0 kinds, expected 20'],
    [
      'of an unknown kind',
      { 'column/a/kinds': bytes(...kinds.with(3, 8)) },
      '"a": kind 8, expected 0 to 7',
    ],
    ['of a nothing among rows', { 'column/b/kinds': bytes(5, 0) }, '"b": kind 0, expected 1 to 7'],
    [
      'of an array among elements',
      { 'column/b/element-kinds': bytes(6) },
      '"b": kind 6, expected 1 to 5',
    ],
    [
      'of more numbers than kinds say',
      { 'column/a/numbers': float64(5, 6) },
      '"a": 2 numbers, expected 1',
    ],
    ['without numbers', { 'column/a/numbers': undefined }, '"a": 0 numbers, expected 1'],
    ['of a NaN', { 'column/a/numbers': float64(Number.NaN) }, '"a": number NaN'],
    [
      'of an infinite element',
      { 'column/a/element-numbers': float64(-Infinity) },
      '"a": number -Infinity',
    ],
    ['of fewer codes', { 'column/a/codes': undefined }, '"a": 0 codes, expected 1'],
    ['of a code too large', { 'column/a/codes': int32(2) }, '"a": code 2 in a dictionary of 2'],
    [
      'of a code below 0',
      { 'column/a/element-codes': int32(0, -1) },
      '"a": code -1 in a dictionary of 2',
    ],
    [
      'of rows out of range',
      { 'column/b/rows': int32(18, 20) },
      '"b": row 20 behind 18, expected ascending rows of 20',
    ],
    [
      'of rows below 0',
      { 'column/b/rows': int32(-1, 3) },
      '"b": row -1 behind -1, expected ascending rows of 20',
    ],
    [
      'of a row twice',
      { 'column/b/rows': int32(3, 3) },
      '"b": row 3 behind 3, expected ascending rows of 20',
    ],
    ['without rows', { 'column/b/rows': undefined }, '"b": 2 kinds, expected 20'],
    [
      'of offsets that descend',
      { 'column/a/element-offsets': int32(0, 5, 4) },
      '"a": element-offsets 4 behind 5',
    ],
    [
      'of offsets too small',
      { 'column/a/element-offsets': int32(0, 3, 3) },
      '"a": element-offsets from 0 to 3, expected 0 to 4',
    ],
    [
      'of offsets that begin late',
      { 'column/a/element-offsets': int32(1, 3, 4) },
      '"a": element-offsets from 1 to 4, expected 0 to 4',
    ],
    [
      'of fewer offsets',
      { 'column/a/element-offsets': int32(0, 4) },
      '"a": 2 element-offsets, expected 3',
    ],
    [
      'without offsets',
      { 'column/a/element-offsets': undefined },
      '"a": 0 element-offsets, expected 3',
    ],
    [
      'of a dictionary too short',
      { 'column/a/dictionary': bytes(120) },
      '"a": dictionary-offsets from 0 to 2, expected 0 to 1',
    ],
    [
      'of a dictionary without offsets',
      { 'column/a/dictionary-offsets': undefined },
      '"a": dictionary-offsets from 0 to 0, expected 0 to 2',
    ],
    [
      'of offsets within a character',
      { 'column/b/dictionary-offsets': int32(0, 1, 2) },
      '"b": a dictionary that is not UTF-8',
    ],
    [
      'of a dictionary that is not UTF-8',
      { 'column/b/dictionary': bytes(0xc3, 0x28) },
      '"b": a dictionary that is not UTF-8',
    ],
    [
      'of a dictionary out of order',
      { 'column/a/dictionary': bytes(...text('zx')) },
      '"a": dictionary entry "x" behind "z"',
    ],
    [
      'of an entry twice',
      { 'column/a/dictionary': bytes(...text('xx')) },
      '"a": dictionary entry "x" behind "x"',
    ],
    [
      'of another type',
      { 'column/a/numbers': { type: 'F32' } },
      '"a": numbers of type "F32", expected F64',
    ],
    [
      'of two dimensions',
      { 'column/b/rows': { shape: [2, 1] } },
      '"b": rows of shape [2,1] with 8 bytes, expected one dimension of 4 bytes each',
    ],
    [
      'of fewer bytes than the shape says',
      { 'column/b/rows': { shape: [2e9] } },
      '"b": rows of shape [2000000000] with 8 bytes, expected one dimension of 4 bytes each',
    ],
  ])('are refused: %s', async (_what, changed, message) => {
    await expect(ask(damaged(changed))).rejects.toThrow(
      expect.objectContaining({
        name: 'LemurError',
        code: 'bad-file',
        message: `segment: column ${message}`,
        fields: { where: 'segment' },
      }),
    );
  });

  test('are refused by a part that there is not', () => {
    expect(() => damaged({ 'column/a/kindz': {} })).toThrow(
      expect.objectContaining({
        code: 'bad-file',
        message: 'segment: tensor "column/a/kindz" is no part of a column',
      }),
    );
  });

  test('are refused or answer, whichever bytes of a file are changed', async () => {
    const refused = await refusals(mutations(await columnFile(documents), 3000, 5), (file) =>
      ask(openFile(file, documents.length)),
    );
    expect(refused).toBeGreaterThan(1000);
  });

  test('are refused or answer, whatever the bytes of an array and its length', async () => {
    const names = [...whole.keys()];
    const change = (random: Random): Record<string, Partial<SafetensorsEntry>> => {
      const name = random.pick(names);
      const { type, bytes: held } = whole.get(name)!;
      const width = { U8: 1, I32: 4, F64: 8 }[type as 'U8'];
      const changed = mutateBytes(
        { seeds: [held, ...[...whole.values()].map((entry) => entry.bytes)] },
        random,
      );
      const fitting = changed.subarray(0, changed.length - (changed.length % width));
      return { [name]: { bytes: fitting, shape: [fitting.length / width] } };
    };
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const random = randomOf(3, i);
      const changed = random.oneIn(3) ? { ...change(random), ...change(random) } : change(random);
      refused += await refusals([new Uint8Array()], () => ask(damaged(changed)));
    }
    expect(refused).toBeGreaterThan(1000);
    expect(refused).toBeLessThan(3000); // some are columns of other values
  });

  test('that other documents have are refused or answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(metadata, { maxLength: 6 }), fc.nat(8), async (other, rows) => {
        const file = await columnFile(other);
        const { tensors } = readSafetensors(file);
        const columns = openColumns(tensors.keys(), rows, async (name) => tensors.get(name)!);
        await refusals([file], () =>
          compileFilter({ a: { $gt: 0 }, b: { $exists: true } }).evaluate(columns),
        );
      }),
    );
    expect([...(await compileFilter({ a: 1 }).evaluate(await columnsOf([{ a: 1 }])))]).toEqual([1]);
  });
});
