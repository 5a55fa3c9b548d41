import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildColumns } from '../../../src/collection/metadata/build-columns.js';
import { compileFilter } from '../../../src/collection/metadata/compile-filter.js';
import { openColumns } from '../../../src/collection/metadata/open-columns.js';
import { readSafetensors } from '../../../src/formats/safetensors/safetensors.js';
import { columnFile } from './random-metadata.js';

const text = (...strings: string[]): Uint8Array => Uint8Array.from(Buffer.from(strings.join('')));

describe('columns', () => {
  test('are these arrays', async () => {
    const arrays = await buildColumns([
      { a: 'z', n: 5, 'x/y': true },
      { a: null, n: -0.5 },
      undefined,
      { a: ['é', 7, ['no'], 'z', { b: false }] },
      { a: { b: [1] }, n: 3 },
      { a: [] },
      { n: 1 },
    ]);
    expect(Object.fromEntries(arrays)).toEqual({
      'column/a/kinds': Uint8Array.of(5, 1, 0, 6, 7, 6, 0),
      'column/a/codes': Int32Array.of(0),
      'column/a/element-offsets': Int32Array.of(0, 3, 3),
      'column/a/element-kinds': Uint8Array.of(5, 4, 5),
      'column/a/element-numbers': Float64Array.of(7),
      'column/a/element-codes': Int32Array.of(1, 0),
      'column/a/dictionary': text('z', 'é'),
      'column/a/dictionary-offsets': Int32Array.of(0, 1, 3),
      'column/a.b/kinds': Uint8Array.of(0, 0, 0, 2, 6, 0, 0),
      'column/a.b/element-offsets': Int32Array.of(0, 1),
      'column/a.b/element-kinds': Uint8Array.of(4),
      'column/a.b/element-numbers': Float64Array.of(1),
      'column/n/kinds': Uint8Array.of(4, 4, 0, 0, 4, 0, 4),
      'column/n/numbers': Float64Array.of(5, -0.5, 3, 1),
      'column/x/y/rows': Int32Array.of(0),
      'column/x/y/kinds': Uint8Array.of(3),
    });
  });

  test('are none without metadata', async () => {
    expect(await buildColumns([])).toEqual(new Map());
    expect(await buildColumns([undefined, {}])).toEqual(new Map());
  });

  test('have the same bytes whatever the order of the keys', async () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).reverse();
      return Object.fromEntries(entries.map(([key, item]) => [key, reversed(item)]));
    };
    // keys without dots: what two of them lead to would be in their order
    const values = [
      fc.constantFrom('x', 'y', 'é'),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(null),
    ];
    const value = fc.object({ key: fc.constantFrom('a', 'b', 'c', 'd'), values, maxDepth: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 8 }), async (documents) => {
        expect(await columnFile(documents)).toEqual(
          await columnFile(reversed(documents) as typeof documents),
        );
      }),
    );
  });

  test('take bytes in proportion to what is there, not to documents times paths', async () => {
    const sizeOf = async (count: number): Promise<number> => {
      const arrays = await buildColumns(
        Array.from({ length: count }, (_, i) => ({ counts: { [`user${i}`]: i } })),
      );
      return [...arrays.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    };
    expect(await sizeOf(2000)).toBe(2000 * (1 + 4 + 1 + 8));
  });

  test('are read when they are first asked for, once', async () => {
    const { tensors } = readSafetensors(await columnFile([{ a: 'x', b: 1 }, { a: 'y' }]));
    const read: string[] = [];
    const columns = openColumns([...tensors.keys(), 'another', 'column/'], 2, async (name) => {
      read.push(name);
      return tensors.get(name)!;
    });
    expect(await columns.column('c')).toBe(undefined);
    expect(read).toEqual([]);
    const [first, second] = await Promise.all([columns.column('a'), columns.column('a')]);
    expect(first?.dictionary).toEqual(['x', 'y']);
    expect(second).toBe(first);
    expect(read.sort()).toEqual(
      ['codes', 'dictionary', 'dictionary-offsets', 'kinds'].map((part) => `column/a/${part}`),
    );
  });

  test('are read again after a read has failed, with the error of the read', async () => {
    const { tensors } = readSafetensors(await columnFile([{ a: 1 }]));
    let fail = true;
    const columns = openColumns(tensors.keys(), 1, async (name) => {
      if (fail) throw new RangeError('no connection');
      return tensors.get(name)!;
    });
    await expect(columns.column('a')).rejects.toThrow(new RangeError('no connection'));
    fail = false;
    expect((await columns.column('a'))?.values.numbers).toEqual(Float64Array.of(1));
  });

  test('are read again after a call gave up a read that never ends', async () => {
    const { tensors } = readSafetensors(await columnFile([{ a: 1 }, { a: 2 }]));
    let hang = true;
    const columns = openColumns(tensors.keys(), 2, (name) =>
      hang ? new Promise(() => {}) : Promise.resolve(tensors.get(name)!),
    );
    const filter = compileFilter({ a: 1 });
    const controller = new AbortController();
    const given = filter.evaluate(columns, controller.signal);
    controller.abort('enough');
    await expect(given).rejects.toBe('enough');
    hang = false;
    expect([...(await filter.evaluate(columns))]).toEqual([1, 0]);
  });

  test('do not depend on where their bytes lie', async () => {
    const { tensors } = readSafetensors(await columnFile([{ a: 1 }, { a: 'x' }]));
    const columns = openColumns(tensors.keys(), 2, async (name) => {
      const { type, shape, bytes } = tensors.get(name)!;
      const shifted = new Uint8Array(bytes.length + 3);
      shifted.set(bytes, 3);
      return { type, shape, bytes: shifted.subarray(3) };
    });
    expect([...(await compileFilter({ a: 1 }).evaluate(columns))]).toEqual([1, 0]);
  });
});
