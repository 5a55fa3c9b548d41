import { describe, expect, test } from 'vitest';
import type { SegmentEntry } from '../../../src/collection/files/manifest.js';
import { segmentsToMerge } from '../../../src/collection/ingest/merge-small.js';
import { SEGMENT_LIMITS } from '../../../src/collection/metadata/segment-limits.js';

const { bytes: SEGMENT_BYTES, documents: SEGMENT_DOCUMENTS } = SEGMENT_LIMITS;

interface Size {
  documents: number;
  file: SegmentEntry['file'];
}
const size = (documents: number, bytes: number): Size => ({
  documents,
  file: { name: '', bytes, crc32: 0, headerCrc32: 0 },
});
const bytesOf = (sizes: readonly Size[]): number =>
  sizes.reduce((sum, { file }) => sum + file.bytes, 0);

/**
 * Segments after adds of these, each followed by its merges, and how many bytes these have
 * rewritten.
 */
function afterAdds(adds: readonly Size[]): { segments: Size[]; rewritten: number; most: number } {
  const segments: Size[] = [];
  let rewritten = 0;
  let most = 0;
  for (const add of adds) {
    segments.push(add);
    for (let range = segmentsToMerge(segments); range; range = segmentsToMerge(segments)) {
      const [from, to] = range;
      const part = segments.slice(from, to);
      expect(part.length).toBeGreaterThan(1);
      const documents = part.reduce((sum, it) => sum + it.documents, 0);
      expect(documents).toBeLessThanOrEqual(SEGMENT_DOCUMENTS);
      expect(bytesOf(part)).toBeLessThanOrEqual(SEGMENT_BYTES);
      segments.splice(from, to - from, size(documents, bytesOf(part)));
      rewritten += bytesOf(part);
    }
    most = Math.max(most, segments.length);
  }
  return { segments, rewritten, most };
}

describe('adds of any size leave segments that are at least half full, and few others', () => {
  test.each([
    ['one document of 60 vectors', 3000, 1, 8_000],
    ['a hundred such', 2000, 100, 800_000],
    ['a thousand texts, as the command line adds them', 1000, 1024, 11_000_000],
    ['documents of a page each', 1500, 1, 130_000],
    ['a third of a segment', 300, 900, SEGMENT_BYTES / 3],
    ['nearly half of a segment', 100, 8000, SEGMENT_BYTES / 2 - 1],
    ['a segment', 100, 4000, SEGMENT_BYTES],
  ])('%s', (_, count, documents, bytes) => {
    const adds = Array.from({ length: count }, () => size(documents, bytes));
    const { segments, rewritten, most } = afterAdds(adds);
    const full = Math.ceil(
      Math.max(bytesOf(adds) / (SEGMENT_BYTES / 2), (count * documents) / (SEGMENT_DOCUMENTS / 2)),
    );
    expect(most).toBeLessThanOrEqual(full + 4 * 8);
    expect(segments.length).toBeLessThanOrEqual(full + 4 * 8);
    // a document is copied once for each size that its segment grows to
    expect(rewritten).toBeLessThanOrEqual(6 * bytesOf(adds));
  });

  test('of sizes drawn at random', () => {
    let state = 7;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    for (let run = 0; run < 20; run++) {
      const adds = Array.from({ length: 400 }, () => {
        const documents = Math.ceil(4000 * random() ** 4);
        return size(documents, Math.min(SEGMENT_BYTES, documents * 7_000));
      });
      const { most, rewritten } = afterAdds(adds);
      expect(most).toBeLessThanOrEqual(bytesOf(adds) / (SEGMENT_BYTES / 2) + 4 * 8);
      expect(rewritten).toBeLessThanOrEqual(6 * bytesOf(adds));
    }
  });
});
