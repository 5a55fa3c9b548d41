import { scoresAreFloat, tile2x16, tile4x4, tile4x8 } from './max-dots-tiles';
import { panelWidth } from './pack';

// Largest inner product of each of many vectors ("lanes") with the tokens of each document: out[x *
// outStride + d] = max over tokens t of document d of <lane x, t>. No score matrix is written.
//
// Lanes come packed in panels of 16, 8 or 4 (see pack.ts). 2 tokens x 16 lanes, 4 x 8 or 4 x 4 stay
// in registers; a panel stays in the first-level cache while the tokens stream by. A product is
// summed in the order of the dimensions in all of them, so it does not depend on the other lanes.
// Maxima go through `best`, 64 bytes of scratch, by adjacent stores, from which V8 can merge pairs
// of registers to 256 bits.

export function maxDotsF32(
  panels: usize,
  lanes: i32,
  dim: i32,
  tokens: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
  best: usize,
): void {
  maxDots<f32>(
    panels, lanes, (<usize>dim) << 2, tokens, 0, counts, documents, out, outStride, best,
  );
}

// The same for int8 tokens, widened to int16 rows of `dim` values, dim even. Lanes are int16 pairs
// (see packLanesI16); one dot_i16x8_s multiplies a pair of dimensions of four lanes. Sums are exact
// in int32, then float32.
export function maxDotsI16(
  panels: usize,
  lanes: i32,
  dim: i32,
  tokens: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
  best: usize,
): void {
  maxDots<i16>(
    panels, lanes, (<usize>dim) << 1, tokens, 0, counts, documents, out, outStride, best,
  );
}

// `scales`: of the tokens, where T is `Scaled`.
// @ts-expect-error: decorator
@inline
export function maxDots<T>(
  panels: usize,
  lanes: i32,
  rowBytes: usize,
  tokens: usize,
  scales: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
  best: usize,
): void {
  const step = (<usize>outStride) << 2;
  const none = scoresAreFloat<T>() ? f32x4.splat(-Infinity) : i32x4.splat(i32.MIN_VALUE);
  while (lanes > 0) {
    const width = panelWidth(lanes);
    let token = tokens;
    let scale = scales;
    for (let d = 0; d < documents; d++) {
      const count = <usize>load<i32>(counts + ((<usize>d) << 2));
      const end = token + count * rowBytes;
      const last = end - rowBytes;
      const lastScale = scale + (count << 2) - 4;
      v128.store(best, none);
      v128.store(best, none, 16);
      v128.store(best, none, 32);
      v128.store(best, none, 48);
      // in place of a missing token the last one again, which changes no maximum
      while (token < end) {
        const second = min(token + rowBytes, last);
        if (width == 16) {
          tile2x16<T>(token, second, panels, rowBytes, scale, lastScale, best);
          token += rowBytes << 1;
          scale += 8;
        } else {
          const third = min(second + rowBytes, last);
          const fourth = min(third + rowBytes, last);
          if (width == 8)
            tile4x8<T>(token, second, third, fourth, panels, rowBytes, scale, lastScale, best);
          else tile4x4<T>(token, second, third, fourth, panels, rowBytes, scale, lastScale, best);
          token += rowBytes << 2;
          scale += 16;
        }
      }
      token = end;
      scale = lastScale + 4;
      storeLanes<T>(best, min(lanes, width), out + ((<usize>d) << 2), step);
    }
    panels += <usize>width * rowBytes;
    out += <usize>width * step;
    lanes -= width;
  }
}

// Writes `used` lanes down a column of the output.
// @ts-expect-error: decorator
@inline
function storeLanes<T>(best: usize, used: i32, out: usize, step: usize): void {
  for (const end = best + ((<usize>used) << 2); best < end; best += 4) {
    store<f32>(out, scoresAreFloat<T>() ? load<f32>(best) : <f32>load<i32>(best));
    out += step;
  }
}
