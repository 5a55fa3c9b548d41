// float32 to codes, int16 ones each row or column by a scale of its own: its largest absolute value
// becomes `limit`.

// What is no larger than this (2^-110) is zero: limit / largest would be infinite, and products
// with it are below float32.
const NOTHING: f32 = 7.703719777548943e-34;

// Codes of rows x dim float32, times columnFactors[k] where that is not 0; rows of even(dim) codes,
// an odd last one padded by zero. factors[r] = what a code of the row is worth; a zero row gets
// factor 0.
export function quantizeRowsI16(
  x: usize,
  rows: i32,
  dim: i32,
  limit: f32,
  columnFactors: usize,
  out: usize,
  factors: usize,
): void {
  const end8 = (<usize>(dim & ~7)) << 2;
  const end = (<usize>dim) << 2;
  for (let r = 0; r < rows; r++) {
    let largest = columnFactors ? largestOf(x, columnFactors, end8) : largestOf(x, 0, end8);
    for (let at = end8; at < end; at += 4)
      largest = max(largest, abs(valueAt(x, columnFactors, at)));
    if (largest <= NOTHING) largest = 0;
    store<f32>(factors + ((<usize>r) << 2), largest / limit);
    const scale: f32 = largest > 0 ? limit / largest : 0;
    if (columnFactors) roundEights(x, columnFactors, end8, scale, out);
    else roundEights(x, 0, end8, scale, out);
    for (let at = end8; at < end; at += 4)
      store<i16>(out + (at >> 1), <i16>nearest<f32>(valueAt(x, columnFactors, at) * scale));
    if (dim & 1) store<i16>(out + (end >> 1), 0);
    x += end;
    out += (<usize>((dim + 1) & ~1)) << 1;
  }
}

// The largest absolute value of whole eights; inlined, so that without factors none is asked for.
// @ts-expect-error: decorator
@inline
function largestOf(x: usize, columnFactors: usize, end8: usize): f32 {
  let most = f32x4.splat(0);
  let more = most;
  for (let at: usize = 0; at < end8; at += 32) {
    most = f32x4.pmax(most, f32x4.abs(fourAt(x, columnFactors, at)));
    more = f32x4.pmax(more, f32x4.abs(fourAt(x, columnFactors, at + 16)));
  }
  return largestLane(f32x4.pmax(most, more));
}

// Codes of whole eights.
// @ts-expect-error: decorator
@inline
function roundEights(
  x: usize,
  columnFactors: usize,
  end8: usize,
  scale: f32,
  out: usize,
): void {
  const scales = f32x4.splat(scale);
  for (let at: usize = 0; at < end8; at += 32) {
    const a = rounded(fourAt(x, columnFactors, at), scales);
    const b = rounded(fourAt(x, columnFactors, at + 16), scales);
    v128.store(out + (at >> 1), i16x8.narrow_i32x4_s(a, b));
  }
}

// Codes of the columns of rows x n float32 (rows xRow apart), times rowFactors[r]: out n x
// even(rows), an odd last one padded by zero.
export function quantizeColumnsI16(
  x: usize,
  rows: i32,
  n: i32,
  xRow: i32,
  rowFactors: usize,
  limit: f32,
  out: usize,
  factors: usize,
): void {
  const rowBytes = (<usize>xRow) << 2;
  const outBytes = (<usize>((rows + 1) & ~1)) << 1;
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    let most = f32x4.splat(0);
    let from = x;
    for (let r = 0; r < rows; r++) {
      const v = f32x4.mul(v128.load(from), v128.load32_splat(rowFactors + ((<usize>r) << 2)));
      most = f32x4.pmax(most, f32x4.abs(v));
      from += rowBytes;
    }
    // limit / 0 would be infinite, and 0 times it NaN: zero columns have scale 0
    most = v128.and(most, f32x4.gt(most, f32x4.splat(NOTHING)));
    v128.store(factors, f32x4.div(most, f32x4.splat(limit)));
    const scales = v128.and(f32x4.div(f32x4.splat(limit), most), f32x4.gt(most, f32x4.splat(0)));
    from = x;
    for (let r = 0; r < rows; r += 2) {
      const a = codesOf(from, rowFactors + ((<usize>r) << 2), scales);
      const b =
        r + 1 < rows
          ? codesOf(from + rowBytes, rowFactors + ((<usize>(r + 1)) << 2), scales)
          : i32x4.splat(0);
      const codes = i16x8.narrow_i32x4_s(a, b);
      const pairs = v128.shuffle<i16>(codes, codes, 0, 4, 1, 5, 2, 6, 3, 7);
      const to = out + ((<usize>r) << 1);
      v128.store32_lane(to, pairs, 0);
      v128.store32_lane(to + outBytes, pairs, 1);
      v128.store32_lane(to + outBytes * 2, pairs, 2);
      v128.store32_lane(to + outBytes * 3, pairs, 3);
      from += rowBytes << 1;
    }
    x += 16;
    out += outBytes << 2;
    factors += 16;
  }
  for (; j < n; j++) {
    let largest: f32 = 0;
    for (let r = 0; r < rows; r++)
      largest = max(
        largest,
        abs(load<f32>(x + <usize>r * rowBytes) * load<f32>(rowFactors + ((<usize>r) << 2))),
      );
    if (largest <= NOTHING) largest = 0;
    store<f32>(factors, largest / limit);
    const scale: f32 = largest > 0 ? limit / largest : 0;
    for (let r = 0; r < rows; r++) {
      const v: f32 = load<f32>(x + <usize>r * rowBytes) * load<f32>(rowFactors + ((<usize>r) << 2));
      store<i16>(out + ((<usize>r) << 1), <i16>nearest<f32>(v * scale));
    }
    if (rows & 1) store<i16>(out + ((<usize>rows) << 1), 0);
    x += 4;
    out += outBytes;
    factors += 4;
  }
}

// Codes round(x scale) within -127 .. 127, ties to even.
export function quantizeI8(x: usize, n: i32, scale: f32, out: usize): void {
  const scales = f32x4.splat(scale);
  const least = i8x16.splat(-127);
  const end16 = x + ((<usize>(n & ~15)) << 2);
  const end = x + ((<usize>n) << 2);
  for (; x < end16; x += 64) {
    const low = i16x8.narrow_i32x4_s(
      saturated(v128.load(x), scales),
      saturated(v128.load(x, 16), scales),
    );
    const high = i16x8.narrow_i32x4_s(
      saturated(v128.load(x, 32), scales),
      saturated(v128.load(x, 48), scales),
    );
    v128.store(out, i8x16.max_s(i8x16.narrow_i16x8_s(low, high), least));
    out += 16;
  }
  for (; x < end; x += 4) {
    store<i8>(out, <i8>max<f32>(-127, min<f32>(127, nearest<f32>(load<f32>(x) * scale))));
    out += 1;
  }
}

// The largest absolute value.
export function largestAbs(x: usize, n: i32): f32 {
  let most = f32x4.splat(0);
  const end4 = x + ((<usize>(n & ~3)) << 2);
  const end = x + ((<usize>n) << 2);
  for (; x < end4; x += 16) most = f32x4.pmax(most, f32x4.abs(v128.load(x)));
  let largest = largestLane(most);
  for (; x < end; x += 4) largest = max(largest, abs(load<f32>(x)));
  return largest;
}

// @ts-expect-error: decorator
@inline
function saturated(v: v128, scales: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v, scales)));
}

// The nearest whole numbers, ties to even, of products below 2^22 in size: adding 1.5 x 2^23 rounds
// to one and leaves it in the low bits.
// @ts-expect-error: decorator
@inline
function rounded(v: v128, scales: v128): v128 {
  const shifted = f32x4.add(f32x4.mul(v, scales), f32x4.splat(12582912));
  return i32x4.sub(shifted, i32x4.splat(0x4b400000));
}

// @ts-expect-error: decorator
@inline
function codesOf(x: usize, factor: usize, scales: v128): v128 {
  return rounded(f32x4.mul(v128.load(x), v128.load32_splat(factor)), scales);
}

// @ts-expect-error: decorator
@inline
function fourAt(x: usize, columnFactors: usize, at: usize): v128 {
  const v = v128.load(x + at);
  return columnFactors ? f32x4.mul(v, v128.load(columnFactors + at)) : v;
}

// @ts-expect-error: decorator
@inline
function valueAt(x: usize, columnFactors: usize, at: usize): f32 {
  return columnFactors ? load<f32>(x + at) * load<f32>(columnFactors + at) : load<f32>(x + at);
}

// @ts-expect-error: decorator
@inline
function largestLane(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}
