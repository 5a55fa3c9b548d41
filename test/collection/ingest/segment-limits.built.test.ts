import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../dist/bytes/crc32.js';
import { bytesOf } from '../../../dist/collection/files/checked-file.js';
import { openSegment, SEGMENT } from '../../../dist/collection/files/segment.js';
import { encodeSegment } from '../../../dist/collection/files/segment-file.js';
import { openStore } from '../../../dist/collection/files/store.js';
import { watchedStorage } from '../../../dist/collection/files/watched-storage.js';
import { mergeSegments } from '../../../dist/collection/ingest/merge-segments.js';
import { prepareSegments } from '../../../dist/collection/ingest/prepare-segments.js';
import { readDocuments } from '../../../dist/collection/ingest/read-documents.js';
import type { IndexDocument } from '../../../dist/collection/metadata/document.js';
import {
  endsOf,
  grouped,
  SEGMENT_LIMITS,
  type SegmentLimits,
  storedBytes,
  storedEnds,
} from '../../../dist/collection/metadata/segment-limits.js';
import type { StoredDocument } from '../../../dist/collection/metadata/stored-document.js';
import { createCpuDevice } from '../../../dist/device/cpu/cpu-device.js';
import { Index, memoryStorage, type Storage } from '../../../dist/entry/node.js';
import { nodePlatform } from '../../../dist/entry/node-platform.js';
import { layOut } from '../../../dist/formats/safetensors/safetensors-layout.js';
import { int8Encoding } from '../../../dist/tokens/int8-encoding.js';
import { metadata } from '../metadata/random-metadata.js';

const LAYOUT = { encoding: int8Encoding, dim: 2 };
const GATE = { dim: 2, encodes: false };
const GIB = 2 ** 30;
const limitsOf = (limits: Partial<SegmentLimits>): SegmentLimits => ({
  ...SEGMENT_LIMITS,
  ...limits,
});

const stored = (id: string, more: Partial<StoredDocument> = {}): StoredDocument => ({
  ...{
    id,
    text: undefined,
    metadata: undefined,
    rows: Int8Array.of(1, 2),
    scale: 1,
    spans: undefined,
  },
  ...more,
});

describe('offsets of int32', () => {
  test('end at their limit and never wrap', () => {
    expect(endsOf([1, 0, 2], 3, 'ids')).toEqual(Int32Array.of(1, 1, 3));
    expect(endsOf([GIB, GIB - 1], SEGMENT_LIMITS.section, 'ids')).toEqual(
      Int32Array.of(GIB, 2 * GIB - 1),
    );
    expect(() => endsOf([GIB, GIB], SEGMENT_LIMITS.section, 'ids')).toThrow(
      'ids: 2147483648 in one segment, expected at most 2147483647',
    );
    expect(() => endsOf([3 * GIB, 3 * GIB], SEGMENT_LIMITS.section, 'ids')).toThrow(
      'ids: 6442450944',
    );
  });

  test.each<[string, Partial<StoredDocument>]>([
    ['ids', {}],
    ['texts and metadata', { text: 'x'.repeat(60) }],
    ['spans', { rows: new Int8Array(20), spans: new Int32Array(20) }],
    ['metadata: a: values in arrays', { metadata: { a: new Array(60).fill(1) } }],
    ['metadata: a: bytes of different strings', { metadata: { a: 'x'.repeat(70) } }],
  ])('of %s are an error where they would be beyond it', async (what, more) => {
    const documents = [stored('first', more), stored('second', more)];
    const long = what === 'ids' ? 10 : 100;
    const error = encodeSegment(
      'segment.1.safetensors',
      documents,
      LAYOUT,
      limitsOf({ section: long }),
    );
    if (what.startsWith('metadata'))
      await expect(error).rejects.toMatchObject({ code: 'invalid-argument' });
    else
      await expect(error).rejects.toMatchObject({
        code: 'invalid-argument',
        fields: { where: what },
      });
  });

  test('that wrapped when they were written are understood, and those that make no sense are not', () => {
    expect(storedEnds(Int32Array.of(1, 1, 5), 5)).toEqual(Int32Array.of(1, 1, 5));
    const ends = [GIB, 2 * GIB + 7, 3 * GIB, 5 * GIB, 5 * GIB + 1];
    expect(
      storedEnds(
        Int32Array.from(ends, (end) => end | 0),
        5 * GIB + 1,
      ),
    ).toEqual(Float64Array.from(ends));
    for (const [wrong, length] of [
      [[1, 2], 3],
      [[2, 1], 1],
      [[-1], 5],
      [[5, -1], 5],
    ] as const)
      expect(storedEnds(Int32Array.from(wrong), length)).toBeUndefined();
  });
});

test('records beyond 2 GiB of a segment that an earlier version wrote are read', async () => {
  // two records behind large ones that nobody reads, in a section of more than 4 GiB
  const [second, fourth] = ['{"text":"second","metadata":{"a":1}}', '{"text":"fourth"}'].map(
    (text) => new TextEncoder().encode(text),
  );
  const recordEnds = [3 * GIB, 3 * GIB + second.length, 5 * GIB, 5 * GIB + fourth.length];
  const ids = new TextEncoder().encode('abcd');
  const flat = {
    counts: Int32Array.of(1, 1, 1, 1),
    tokenChecks: new Int32Array(4),
    idEnds: Int32Array.of(1, 2, 3, 4),
  };
  const arrays: Record<string, Int32Array | Float32Array | Uint8Array> = {
    ...flat,
    recordEnds: Int32Array.from(recordEnds, (end) => end | 0),
    recordChecks: Int32Array.of(0, crc32(second), 0, crc32(fourth)),
    factors: new Float32Array(4),
    tokens: new Uint8Array(8),
    ids,
  };
  const typeOf = (name: string) =>
    name === 'tokens' ? 'I8' : name === 'factors' ? 'F32' : name === 'ids' ? 'U8' : 'I32';
  const shapes = Object.fromEntries(
    Object.entries(arrays).map(([name, { length }]) => [
      name,
      { type: typeOf(name), shape: name === 'tokens' ? [4, 2] : [length] },
    ]),
  ) as Parameters<typeof layOut>[0];
  const checks = Object.fromEntries(
    Object.entries(arrays).map(([name, data]) => [name, crc32(bytesOf(data))]),
  );
  const { start, tensors, size } = layOut(
    { ...shapes, records: { type: 'U8', shape: [recordEnds[3]] } },
    { format: SEGMENT, version: '1', crc32: JSON.stringify(checks) },
    'test',
  );
  const pieces: [number, Uint8Array][] = [[0, start]];
  for (const [name, data] of Object.entries(arrays))
    pieces.push([start.length + (tensors.get(name)?.begin ?? 0), bytesOf(data)]);
  const records = start.length + (tensors.get('records')?.begin ?? 0);
  pieces.push([records + recordEnds[0], second], [records + recordEnds[2], fourth]);
  const file = {
    size,
    descriptor: undefined,
    close: async () => {},
    async read(offset: number, length: number) {
      if (length > GIB / 2) throw new Error(`${length} bytes at once`);
      const out = new Uint8Array(length);
      for (const [at, bytes] of pieces)
        for (let i = Math.max(at, offset); i < Math.min(at + bytes.length, offset + length); i++)
          out[i - offset] = bytes[i - at];
      return out;
    },
  };
  const storage = { name: 'virtual', open: async () => file } as unknown as Storage;
  const device = await createCpuDevice(nodePlatform, 1);
  const entry = {
    ...{
      file: { name: 'segment.1.safetensors', bytes: size, crc32: 0, headerCrc32: crc32(start) },
      documents: 4,
      tokens: 4,
    },
    ...{ codes: null, deleted: null, quantizationError: 0, residual: null, fitted: 0 },
  };
  const segment = await openSegment(storage, device, entry, LAYOUT);
  expect(await segment.record(1)).toEqual({ text: 'second', metadata: { a: 1 } });
  expect(await segment.record(3)).toEqual({ text: 'fourth', metadata: undefined });
  await expect(segment.record(2)).rejects.toThrow(`${recordEnds[2] - recordEnds[1]} bytes at once`);
  await segment.close();
  await device.close();
});

describe('the size of a document', () => {
  test('is never less than what the file has of it', async () => {
    const document = fc.record({
      text: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
      metadata: fc.option(metadata, { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 12 }), async (given) => {
        const documents = given.map((one, i) => stored(`id${i}`, one));
        const { bytes } = await encodeSegment('segment.1.safetensors', documents, LAYOUT);
        const header =
          8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
        let sum = 0;
        for (const one of documents) sum += (await storedBytes(one)) + one.rows.byteLength;
        // element offsets have one more than there are arrays, dictionaries one more than strings:
        // in each of the few columns
        expect(bytes.length - header).toBeLessThanOrEqual(sum + 8 * 40);
      }),
      { numRuns: 100 },
    );
  });

  test('of text and metadata counts bytes of UTF-8', async () => {
    const of = (text: string, more?: Record<string, unknown>): Promise<number> =>
      storedBytes(stored('a', { text, metadata: more }));
    expect((await of('ä'.repeat(1000))) - (await of(''))).toBe(2000);
    expect((await of('', { a: 'x'.repeat(1000) })) - (await of('', { a: '' }))).toBe(2000);
    expect(
      (await of('', { a: new Array(1000).fill(1) })) - (await of('', { a: [] })),
    ).toBeGreaterThan(16_000);
  });
});

test('groups are as large as the limits allow, and one that is larger stands alone', () => {
  const group = (sizes: readonly number[], limits: Partial<SegmentLimits>): number[][] => [
    ...grouped(sizes, (size) => size, limitsOf(limits)),
  ];
  expect(group([4, 4, 4, 20, 1, 9, 1], { bytes: 10 })).toEqual([[4, 4], [4], [20], [1, 9], [1]]);
  expect(group([1, 1, 1], { documents: 2 })).toEqual([[1, 1], [1]]);
  expect(group([], {})).toEqual([]);
});

describe('documents that come one by one', () => {
  const target = (limits: SegmentLimits) => ({
    ...{
      dim: 2,
      precision: 'int8' as const,
      pooling: 1,
      codec: null,
      encoder: undefined,
      limits,
    },
  });

  test.each<[string, (i: number) => Partial<IndexDocument>]>([
    ['texts', (i) => ({ text: `${i}`.repeat(400) })],
    ['metadata', (i) => ({ metadata: { of: `${i}`.repeat(400) } })],
    [
      'arrays in metadata',
      (i) => ({ metadata: { of: Array.from({ length: 50 }, (_, j) => i + j) } }),
    ],
    ['vectors', () => ({ tokens: { data: new Float32Array(1000).fill(0.5), dims: [500, 2] } })],
  ])('are cut into segments by their %s', async (_, more) => {
    const limits = limitsOf({ bytes: 20_000 });
    let given = 0;
    let held = 0;
    function* source(): Generator<IndexDocument> {
      for (let i = 0; i < 400; i++) {
        given++;
        yield { id: `a${i}`, tokens: [[1, i]], ...more(i) };
      }
    }
    const ids: string[] = [];
    for await (const { documents } of prepareSegments(
      readDocuments(source(), GATE, {}),
      target(limits),
      {},
    )) {
      held = Math.max(held, given - ids.length);
      ids.push(...documents.map(({ id }) => id));
      const sizes = await Promise.all(
        documents.map(async (one) => (await storedBytes(one)) + one.rows.byteLength),
      );
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limits.bytes);
    }
    expect(ids).toEqual(Array.from({ length: 400 }, (_, i) => `a${i}`));
    expect(held).toBeLessThanOrEqual(400);
  });

  test('are held no longer than until a batch or half a segment of texts is full, however few their vectors are', async () => {
    const text = 'x'.repeat(1_000_000);
    let given = 0;
    let taken = 0;
    let held = 0;
    function* source(): Generator<IndexDocument> {
      for (let i = 0; i < 200; i++) {
        given++;
        held = Math.max(held, given - taken);
        yield { id: `a${i}`, tokens: [[1, i]], metadata: { text } };
      }
    }
    for await (const { documents } of prepareSegments(
      readDocuments(source(), GATE, {}),
      target(SEGMENT_LIMITS),
      {},
    ))
      taken += documents.length;
    expect(taken).toBe(200);
    // 64 MiB of segment and 16 MiB of batch, at 2 MB for each document: its JSON, and its column
    expect(held).toBeLessThanOrEqual(45);
  });
});

test('segments that are larger than they should be are cut when they are merged', async () => {
  const memory = memoryStorage();
  const index = await Index.create(memory, { dim: 2, threads: 1 });
  await index.add(
    Array.from({ length: 60 }, (_, i) => ({
      id: `a${i}`,
      text: `${i}`.repeat(100),
      tokens: [[1, i]],
    })),
  );
  await index.delete(['a3', 'a59']);
  await index.close();
  const device = await createCpuDevice(nodePlatform, 1);
  const store = await openStore(
    watchedStorage(memory, (call) => call),
    device,
    await memory.lock('writer.lock'),
  );
  const limits = limitsOf({ bytes: 3000 });
  const transaction = store.begin(new AbortController().signal);
  const merged = await mergeSegments(transaction, store.snapshot.segments, {}, limits);
  expect(merged.length).toBeGreaterThan(3);
  await transaction.commit((manifest) => ({ ...manifest, segments: merged }));
  for (const { entry } of store.snapshot.segments) expect(entry.documents).toBeLessThan(20);
  await store.close();
  await device.close();
  const again = await Index.open(memory, { threads: 1 });
  expect(again.size).toBe(58);
  expect((await again.verify()).problems).toEqual([]);
  for (const i of [0, 2, 4, 30, 58])
    expect(await again.get(`a${i}`)).toMatchObject({ text: `${i}`.repeat(100) });
  await again.close();
});
