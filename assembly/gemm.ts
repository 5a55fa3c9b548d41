import { packPanel } from './pack';
import { storeSums, sums2x16 } from './product-tiles';

// Depth of one block of the inner dimension. Sums within a block stay in registers, blocks are
// added in order: the order of additions depends on the inner dimension alone, never on tiling or
// threads.
const DEPTH: i32 = 256;

// C (+)= A B in float32; element (i, k) of A at a[i * aRow + k * aCol], likewise B (k, j) and C (i,
// j at c[i * cRow + j]). Strides count elements. `scratch`: (m + 18) * 256 floats.
//
// A tile ends in nothing but adjacent stores, from which V8 can merge pairs of registers to 256
// bits: to C where they are all of its values, to `sums` where there is more to do.
export function gemmF32(
  m: i32, n: i32, k: i32,
  a: usize, aRow: i32, aCol: i32,
  b: usize, bRow: i32, bCol: i32,
  c: usize, cRow: i32,
  accumulate: i32,
  scratch: usize,
): void {
  const sums = scratch + ((<usize>DEPTH) << 6);
  const packedA = sums + 128;
  const cBytes = (<usize>cRow) << 2;
  for (let from = 0; from < k || from == 0; from += DEPTH) {
    const depth = min(DEPTH, k - from);
    const add = accumulate != 0 || from > 0;
    packRowPairs(a + (<usize>from * aCol << 2), aRow, aCol, m, depth, packedA);
    for (let j = 0; j < n; j += 16) {
      const used = min(16, n - j);
      packPanel(
        b + ((<usize>from * bRow + <usize>j * bCol) << 2),
        bRow,
        bCol,
        depth,
        used,
        scratch,
      );
      let strip = packedA;
      let tile = c + ((<usize>j) << 2);
      for (let i = 0; i < m; i += 2) {
        const both = i + 1 < m;
        const stripEnd = strip + ((<usize>depth) << 3);
        // to C where they are all of its values
        const whole = used == 16 && !add;
        const first = whole ? tile : sums;
        const second = whole && both ? tile + cBytes : sums + 64;
        sums2x16<f32>(strip, strip + 4, stripEnd, 8, scratch, first, second);
        if (!whole) {
          storeSums(sums, tile, used, add);
          if (both) storeSums(sums + 64, tile + cBytes, used, add);
        }
        strip = stripEnd;
        tile += cBytes << 1;
      }
    }
  }
}

// Pairs of rows interleaved: out[pair][k][2], a missing last row zero.
function packRowPairs(a: usize, aRow: i32, aCol: i32, m: i32, depth: i32, out: usize): void {
  const row = (<usize>aRow) << 2;
  const step = (<usize>aCol) << 2;
  let first = 0;
  if (aRow == 1) {
    // a transposed matrix: 16 rows at a time, so that each of its cache lines is read once
    const strip = (<usize>depth) << 3;
    for (; first + 16 <= m; first += 16) {
      packTransposed(a + ((<usize>first) << 2), step, strip, out);
      out += strip << 3;
    }
  }
  for (let i = first; i < m; i += 2) {
    let from = a + <usize>i * row;
    if (i + 1 < m) {
      for (let k = 0; k < depth; k++) {
        store<f32>(out, load<f32>(from));
        store<f32>(out, load<f32>(from + row), 4);
        from += step;
        out += 8;
      }
    } else {
      for (let k = 0; k < depth; k++) {
        store<f32>(out, load<f32>(from));
        store<f32>(out, 0, 4);
        from += step;
        out += 8;
      }
    }
  }
}

// Eight pairs of neighbouring values of each line, each pair into a strip of its own.
function packTransposed(from: usize, step: usize, strip: usize, out: usize): void {
  for (let to = out, end = out + strip; to < end; to += 8) {
    const v0 = v128.load(from);
    const v1 = v128.load(from, 16);
    const v2 = v128.load(from, 32);
    const v3 = v128.load(from, 48);
    let at = to;
    v128.store64_lane(at, v0, 0);
    v128.store64_lane((at += strip), v0, 1);
    v128.store64_lane((at += strip), v1, 0);
    v128.store64_lane((at += strip), v1, 1);
    v128.store64_lane((at += strip), v2, 0);
    v128.store64_lane((at += strip), v2, 1);
    v128.store64_lane((at += strip), v3, 0);
    v128.store64_lane(at + strip, v3, 1);
    from += step;
  }
}
