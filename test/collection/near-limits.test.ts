import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { encodeCheckedFile, openCheckedFile } from '../../src/collection/files/checked-file.js';
import { Index, type IndexDocument, memoryStorage } from '../../src/entry/node.js';
import { decodedParts, decodedVectors, storedVectors } from '../../src/tokens/encode-long.js';
import { encodeVectors } from '../../src/tokens/encode-tokens.js';
import { encodings } from '../../src/tokens/encodings.js';
import { tokenSets } from '../../src/tokens/token-sets.js';
import { numbers } from '../numbers.js';
import { turnsOf } from '../turns.js';

// What is near the limits, and beyond them: test/collection/holds.test.ts has the rest.
const dim = 2;
const tokens = { data: Float32Array.of(1, 0), dims: [1, dim] };
const document = (i: number, more: Partial<IndexDocument> = {}): IndexDocument => ({
  id: `document ${i}`,
  tokens,
  ...more,
});
const create = (): Promise<Index> => Index.create(memoryStorage(), { dim, features: 'exact' });

// toEqual of millions of values takes many seconds
const sameBytes = (a: ArrayBufferView, b: ArrayBufferView): boolean =>
  Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

describe('a long text', () => {
  const rows = 50_001;
  const wide = 64;
  const vectors = numbers(3).floats(rows * wide, 1);
  vectors[rows * wide - 1] = 9; // the largest value is in the last part

  test.each([...encodings.values()])(
    'is stored in parts as in one go by $name',
    async (encoding) => {
      const sample = await tokenSets({ vectors, counts: [rows], dim: wide }, 'sample');
      const parameters = await encoding.learn(sample, 1);
      const codec = { encoding, dim: wide, parameters };
      const whole = encodeVectors(vectors, codec);
      const { value, turns } = await turnsOf(() => storedVectors(vectors, codec));
      expect(value.scale).toBe(whole.scale);
      expect(sameBytes(value.rows, whole.rows)).toBe(true);
      // of 131,072 values each
      expect(turns).toBeGreaterThanOrEqual(24);
      const loss = encoding.loss(vectors, whole, codec);
      expect(value.error).toBeCloseTo(loss.error, 6);
      expect(Math.abs(value.energy - loss.energy)).toBeLessThanOrEqual(1e-12 * loss.energy);

      const expected = new Float32Array(rows * wide);
      encoding.decode(whole, codec, expected);
      encoding.restore?.(expected, codec);
      const decoded = await turnsOf(() => decodedVectors(whole, codec));
      expect(sameBytes(decoded.value, expected)).toBe(true);
      expect(decoded.turns).toBeGreaterThanOrEqual(24);

      let at = 0;
      for (const part of decodedParts(whole, codec)) {
        expect(part.length).toBeLessThanOrEqual(2 ** 17);
        expect(sameBytes(part, expected.subarray(at, at + part.length))).toBe(true);
        at += part.length;
      }
      expect(at).toBe(expected.length);
    },
  );
});

test('large metadata gives the thread away for every four megabytes that are written', async () => {
  await using index = await create();
  const given = Array.from({ length: 24 }, (_, i) =>
    document(i, { metadata: { body: String(i % 10).repeat(1_000_000) } }),
  );
  // measured once when it comes, written once
  expect((await turnsOf(() => index.add(given))).turns).toBeGreaterThanOrEqual(12);
});

test('a file of ours opens whatever the length of its header', async () => {
  const sections = Object.fromEntries(
    Array.from({ length: 24_000 }, (_, i) => [
      `${i} ${'x'.repeat(200)}`,
      { shape: [1], data: Uint8Array.of(i) },
    ]),
  );
  const storage = memoryStorage();
  const { entry, bytes } = await encodeCheckedFile('file', 'kind', sections);
  // more than is written today: 32 MiB of spaces, which the format allows behind the JSON
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const padded = Buffer.alloc(bytes.length + 2 ** 25, ' ');
  padded.writeBigUInt64LE(BigInt(length + 2 ** 25));
  padded.set(bytes.subarray(8, 8 + length), 8);
  padded.set(bytes.subarray(8 + length), 8 + length + 2 ** 25);
  await storage.write('file', padded);
  const headerCrc32 = crc32(padded.subarray(0, 8 + length + 2 ** 25));
  const facts = { ...entry, bytes: padded.length, headerCrc32 };
  const opened = await openCheckedFile(storage, facts, 'kind');
  expect(opened.sections.size).toBe(24_000);
  await opened.stored.close();
});

describe('beyond the limits there is an error that names them', () => {
  const invalid = (...parts: string[]): unknown =>
    expect.objectContaining({
      code: 'invalid-argument',
      message: expect.stringMatching(new RegExp(parts.join('.*'), 's')),
    });

  test('for documents of one answer', async () => {
    await using index = await create();
    await index.add(document(0));
    const ids = new Array<string>(2 ** 18 + 1).fill('document 0');
    await expect(index.get(ids)).rejects.toEqual(invalid('ids: 262145 ids', 'at most 262144'));
  });

  test('for long paths of metadata, which a segment names many times', async () => {
    await using index = await create();
    const long = (count: number, unit = 'x'): Record<string, number> =>
      Object.fromEntries(Array.from({ length: 2 }, (_, i) => [`${i}${unit.repeat(count)}`, i]));
    await index.add(document(0, { metadata: long(2 ** 18 - 100) }));
    await expect(index.add(document(1, { metadata: long(100) }))).rejects.toEqual(
      invalid('metadata: it brings the collection to', 'bytes of paths', '524288'),
    );
    await index.add(document(1, { metadata: long(2 ** 18 - 100) }));
    await index.compact();
    expect(index.size).toBe(2);
    await using other = await create();
    // three times as many bytes as it has characters, and a control character 8 times
    await expect(other.add(document(0, { metadata: long(100_000, '漢') }))).rejects.toEqual(
      invalid('bytes of paths', '524288'),
    );
    await expect(other.add(document(0, { metadata: long(40_000, '\u0001') }))).rejects.toEqual(
      invalid('bytes of paths', '524288'),
    );
  });
});
