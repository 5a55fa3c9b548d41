import { maxDots } from './max-dots';
import { Scaled } from './max-dots-tiles';

// maxDotsI16 for tokens with a scale each: out[x * outStride + d] = max over tokens t of document d
// of scale t * <lane x, t>. Products are exact in int32, then float32, then scaled.
export function maxDotsScaledI16(
  panels: usize,
  lanes: i32,
  dim: i32,
  tokens: usize,
  scales: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
  best: usize,
): void {
  maxDots<Scaled>(
    panels, lanes, (<usize>dim) << 1, tokens, scales, counts, documents, out, outStride, best,
  );
}
