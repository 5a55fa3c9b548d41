import fc from 'fast-check';
import { buildColumns } from '../../../src/collection/metadata/build-columns.js';
import type { Scalar } from '../../../src/collection/metadata/column.js';
import type { Metadata } from '../../../src/collection/metadata/metadata.js';
import { type Columns, openColumns } from '../../../src/collection/metadata/open-columns.js';
import { readSafetensors, writeSafetensors } from '../../../src/formats/safetensors/safetensors.js';

/** The columns of documents as a file. */
export async function columnFile(metadata: readonly (Metadata | undefined)[]): Promise<Uint8Array> {
  const tensors = [...(await buildColumns(metadata))].map(
    ([name, data]) => [name, { data, shape: [data.length] }] as const,
  );
  return writeSafetensors(Object.fromEntries(tensors));
}

/** The columns in a file. */
export function openFile(file: Uint8Array, rows: number): Columns {
  const { tensors } = readSafetensors(file);
  return openColumns(tensors.keys(), rows, async (name) => tensors.get(name)!);
}

/** Columns of documents that were written and opened again. */
export async function columnsOf(metadata: readonly (Metadata | undefined)[]): Promise<Columns> {
  return openFile(await columnFile(metadata), metadata.length);
}

/**
 * Few enough that filters meet what is there: keys with dots and slashes, strings whose order
 * differs between UTF-8 and UTF-16, an empty one.
 */
const KEYS = ['a', 'b', 'c', 'a.b', '', '__proto__', 'c/kinds', 'ключ'] as const;
export const SCALARS = [
  ...[0, -0, 1, -1, 2, 0.5, -0.5, 1e300, -1e300, 5e-324, 2 ** 31, 2 ** 53, 2020],
  ...[
    '',
    'a',
    'ab',
    'b',
    'A',
    '0',
    '1',
    '\u00e9',
    '\ufffd',
    '\uff5e',
    '\u{1f600}',
    '\ud7ff',
    '\u0000',
    '\ufeffa',
  ],
  ...[true, false, null],
] as const;

/** A few of them more often than others, so that documents and filters meet. */
export const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constantFrom(0, 1, 2, 'a', 'b', null, true),
  fc.constantFrom(...SCALARS),
);
export const key: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('a', 'b') },
  fc.constantFrom(...KEYS),
);

/** Metadata of a document, as JSON has it. */
export const metadata: fc.Arbitrary<Metadata> = fc.letrec<{ value: unknown; object: Metadata }>(
  (tie) => ({
    object: fc
      .uniqueArray(fc.tuple(key, tie('value')), {
        maxLength: 4,
        size: 'max',
        selector: ([name]) => name,
      })
      .map(Object.fromEntries),
    value: fc.oneof(
      { depthSize: 'small' },
      { weight: 2, arbitrary: scalar },
      fc.array(
        fc.oneof(
          { weight: 5, arbitrary: scalar },
          tie('object'),
          fc.array(scalar, { maxLength: 2 }),
        ),
        { maxLength: 3, size: 'max' },
      ),
      tie('object'),
    ),
  }),
).object;
