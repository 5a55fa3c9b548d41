// Packing: the inner loops read 16 lanes of one dimension from one place.

// Lanes of the next panel when so many are left: 16, 8 or 4, so that none is padded beyond 4.
// @ts-expect-error: decorator
@inline
export function panelWidth(left: i32): i32 {
  return left > 12 ? 16 : left > 4 ? 8 : 4;
}

// Panels of rows x dim: out[panel][k][lane], missing lanes zero; panels follow each other, dim x
// their width.
export function packLanesF32(x: usize, rows: i32, dim: i32, out: usize): void {
  const row = (<usize>dim) << 2;
  while (rows > 0) {
    const width = panelWidth(rows);
    for (let lane = 0; lane < width; lane += 4) {
      packFour(
        x + <usize>lane * row,
        row,
        dim,
        rows - lane,
        out + ((<usize>lane) << 2),
        (<usize>width) << 2,
      );
    }
    x += <usize>width * row;
    out += <usize>width * row;
    rows -= width;
  }
}

// One panel of a matrix element (k, j) at b[k * kStride + j * jStride]: out[k][lane], `used` of 16
// lanes, the rest zero.
export function packPanel(
  b: usize,
  kStride: i32,
  jStride: i32,
  depth: i32,
  used: i32,
  out: usize,
): void {
  if (jStride == 1 && used == 16) {
    for (let k = 0; k < depth; k++) {
      v128.store(out, v128.load(b));
      v128.store(out, v128.load(b, 16), 16);
      v128.store(out, v128.load(b, 32), 32);
      v128.store(out, v128.load(b, 48), 48);
      b += (<usize>kStride) << 2;
      out += 64;
    }
    return;
  }
  if (kStride == 1 && used == 16) {
    const row = (<usize>jStride) << 2;
    for (let lane = 0; lane < 16; lane += 4)
      packFour(b + <usize>lane * row, row, depth, 4, out + ((<usize>lane) << 2), 64);
    return;
  }
  for (let k = 0; k < depth; k++) {
    let from = b;
    for (let lane = 0; lane < 16; lane++) {
      store<f32>(out + ((<usize>lane) << 2), lane < used ? load<f32>(from) : 0);
      from += (<usize>jStride) << 2;
    }
    b += (<usize>kStride) << 2;
    out += 64;
  }
}

// Four rows `row` bytes apart, missing ones zero, become four neighbours in each of `dim` lines,
// `line` bytes apart.
function packFour(from: usize, row: usize, dim: i32, used: i32, to: usize, line: usize): void {
  let k = 0;
  if (used >= 4) {
    for (; k + 4 <= dim; k += 4) {
      transpose4(from, row, to, line);
      from += 16;
      to += line << 2;
    }
  }
  for (; k < dim; k++) {
    store<f32>(to, used > 0 ? load<f32>(from) : 0);
    store<f32>(to, used > 1 ? load<f32>(from + row) : 0, 4);
    store<f32>(to, used > 2 ? load<f32>(from + row * 2) : 0, 8);
    store<f32>(to, used > 3 ? load<f32>(from + row * 3) : 0, 12);
    from += 4;
    to += line;
  }
}

// Four rows `row` bytes apart become four columns `line` bytes apart.
// @ts-expect-error: decorator
@inline
function transpose4(from: usize, row: usize, to: usize, line: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + row);
  const c = v128.load(from + row * 2);
  const d = v128.load(from + row * 3);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to + line, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
  v128.store(to + line * 2, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(to + line * 3, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}

// The same for int16 rows as pairs: out[panel][k / 2][lane][k % 2], dim even. A pair moves as one
// 32-bit value.
export function packLanesI16(x: usize, rows: i32, dim: i32, out: usize): void {
  packLanesF32(x, rows, dim >> 1, out);
}

// The same in panels of 16 throughout, missing lanes zero.
export function packPanelsI16(x: usize, rows: i32, dim: i32, out: usize): void {
  const pairs = dim >> 1;
  for (let first = 0; first < rows; first += 16) {
    packPanel(x + (<usize>first * pairs << 2), 1, pairs, pairs, min(16, rows - first), out);
    out += (<usize>pairs) << 6;
  }
}

// Panels of 16 columns of rows x n int16 (rows even(n) apart), two rows a pair: out[panel][r /
// 2][lane][r % 2], a missing last row and missing columns zero. Panels are outRows rows high.
export function packPairsI16(x: usize, rows: i32, n: i32, out: usize, outRows: i32): void {
  const rowBytes = (<usize>((n + 1) & ~1)) << 1;
  const panelBytes = (<usize>outRows) << 5;
  const whole = n & ~15;
  for (let r = 0; r < rows; r += 2) {
    const both = r + 1 < rows;
    let a = x;
    let to = out;
    for (let j = 0; j < whole; j += 16) {
      interleave(a, both ? a + rowBytes : 0, to);
      interleave(a + 16, both ? a + rowBytes + 16 : 0, to + 32);
      a += 32;
      to += panelBytes;
    }
    if (whole < n) {
      for (let lane = 0; lane < 16; lane++) {
        const used = whole + lane < n;
        store<i16>(to, used ? load<i16>(a) : 0);
        store<i16>(to, used && both ? load<i16>(a + rowBytes) : 0, 2);
        a += 2;
        to += 4;
      }
    }
    x += rowBytes << 1;
    out += 64;
  }
}

// Eight values of each of two rows to eight pairs; b = 0: a row of zeros.
// @ts-expect-error: decorator
@inline
function interleave(a: usize, b: usize, to: usize): void {
  const x = v128.load(a);
  const y = b ? v128.load(b) : i16x8.splat(0);
  v128.store(to, v128.shuffle<i16>(x, y, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(to, v128.shuffle<i16>(x, y, 4, 12, 5, 13, 6, 14, 7, 15), 16);
}

// int8 rows to int16 rows of even(dim) values, an odd last dimension padded by zero.
export function widenI8(x: usize, rows: i32, dim: i32, out: usize): void {
  if ((dim & 15) == 0) {
    const end = x + <usize>rows * dim;
    while (x < end) {
      const v = v128.load(x);
      v128.store(out, i16x8.extend_low_i8x16_s(v));
      v128.store(out, i16x8.extend_high_i8x16_s(v), 16);
      x += 16;
      out += 32;
    }
    return;
  }
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < dim; k++) {
      store<i16>(out, <i16>load<i8>(x));
      x += 1;
      out += 2;
    }
    if (dim & 1) {
      store<i16>(out, 0);
      out += 2;
    }
  }
}
