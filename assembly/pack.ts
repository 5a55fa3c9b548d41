// Packing: the inner loops read 16 lanes of one dimension from one place.

// Panels of 16 rows: out[panel][k][lane] = x[16 panel + lane][k], missing lanes zero. x is rows x dim, out ceil(rows / 16) * 16 x dim.
export function packLanesF32(x: usize, rows: i32, dim: i32, out: usize): void {
  for (let first = 0; first < rows; first += 16) {
    packPanel(x + (<usize>first * dim << 2), 1, dim, dim, min(16, rows - first), out);
    out += (<usize>dim) << 6;
  }
}

// One panel of a matrix element (k, j) at b[k * kStride + j * jStride]: out[k][lane], `used` of 16 lanes, the rest zero.
export function packPanel(b: usize, kStride: i32, jStride: i32, depth: i32, used: i32, out: usize): void {
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
    const deep = depth & ~3;
    for (let lane = 0; lane < 16; lane += 4) {
      let from = b + <usize>lane * row;
      let to = out + ((<usize>lane) << 2);
      for (let k = 0; k < deep; k += 4) {
        transpose4(from, row, to);
        from += 16;
        to += 256;
      }
      for (let k = deep; k < depth; k++) {
        store<f32>(to, load<f32>(from));
        store<f32>(to, load<f32>(from + row), 4);
        store<f32>(to, load<f32>(from + row * 2), 8);
        store<f32>(to, load<f32>(from + row * 3), 12);
        from += 4;
        to += 64;
      }
    }
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

// Four rows `row` bytes apart become four columns 64 bytes apart.
// @ts-expect-error: decorator
@inline
function transpose4(from: usize, row: usize, to: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + row);
  const c = v128.load(from + row * 2);
  const d = v128.load(from + row * 3);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 64);
  v128.store(to, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5), 128);
  v128.store(to, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7), 192);
}

// Panels of 16 int16 rows as pairs: out[panel][k / 2][lane][k % 2], missing lanes and an odd last dimension zero.
// out: ceil(rows / 16) * 16 x even(dim) int16.
export function packLanesI16(x: usize, rows: i32, dim: i32, out: usize): void {
  for (let first = 0; first < rows; first += 16) {
    for (let k = 0; k < dim; k += 2) {
      for (let lane = 0; lane < 16; lane++) {
        const from = x + ((<usize>(first + lane) * dim + k) << 1);
        const used = first + lane < rows;
        store<i16>(out, used ? load<i16>(from) : 0);
        store<i16>(out, used && k + 1 < dim ? load<i16>(from, 2) : 0, 2);
        out += 4;
      }
    }
  }
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

// Rows of float32 to rows of int16, each by a scale of its own: its largest absolute value becomes 4095 (with int8 on the other side
// the sums of 4,000 dimensions fit int32). factors[r] = what a code is worth. A zero row gets factor 0.
export function quantizeRowsI16(x: usize, rows: i32, dim: i32, out: usize, factors: usize): void {
  for (let r = 0; r < rows; r++) {
    let largest: f32 = 0;
    for (let k = 0; k < dim; k++) largest = max(largest, abs(load<f32>(x + ((<usize>k) << 2))));
    store<f32>(factors + ((<usize>r) << 2), largest / 4095);
    const scale: f32 = largest > 0 ? 4095 / largest : 0;
    for (let k = 0; k < dim; k++) {
      store<i16>(out, <i16>nearest<f32>(load<f32>(x) * scale));
      x += 4;
      out += 2;
    }
  }
}
