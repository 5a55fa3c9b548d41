// Rows of a scale (the upper half of a float32) and `bytes` bytes of codes of `bits` bits to int16
// rows of bytes * 8 / bits levels, and float32 scales. Byte b holds values b, b + bytes, ..., the
// first in its lowest bits; `levels`: 16 int8.
export function unpackLevels(
  rows: usize,
  tokens: i32,
  bytes: i32,
  bits: i32,
  levels: usize,
  out: usize,
  scales: usize,
): void {
  const part = (<usize>bytes) << 1;
  for (let t = 0; t < tokens; t++) {
    store<u32>(scales, (<u32>load<u16>(rows)) << 16);
    scales += 4;
    rows += 2;
    if (bytes < 16) unpackBytes(rows, bytes, bits, levels, out);
    else if (bits == 4) unpack4(rows, bytes, levels, out);
    else unpack2(rows, bytes, levels, out);
    rows += <usize>bytes;
    out += part * <usize>(8 / bits);
  }
}

// Sixteen bytes at a time; some of the last sixteen may have been among those before.
// @ts-expect-error: decorator
@inline
function unpack4(row: usize, bytes: i32, levels: usize, out: usize): void {
  const table = v128.load(levels);
  const mask = i8x16.splat(15);
  const part = (<usize>bytes) << 1;
  for (let b = 0; ; b = min(b + 16, bytes - 16)) {
    const packed = v128.load(row + <usize>b);
    const to = out + ((<usize>b) << 1);
    widen(i8x16.swizzle(table, v128.and(packed, mask)), to);
    widen(i8x16.swizzle(table, i8x16.shr_u(packed, 4)), to + part);
    if (b + 16 == bytes) return;
  }
}

// @ts-expect-error: decorator
@inline
function unpack2(row: usize, bytes: i32, levels: usize, out: usize): void {
  const table = v128.load(levels);
  const mask = i8x16.splat(3);
  const part = (<usize>bytes) << 1;
  for (let b = 0; ; b = min(b + 16, bytes - 16)) {
    const packed = v128.load(row + <usize>b);
    const to = out + ((<usize>b) << 1);
    widen(i8x16.swizzle(table, v128.and(packed, mask)), to);
    widen(i8x16.swizzle(table, v128.and(i16x8.shr_u(packed, 2), mask)), to + part);
    widen(i8x16.swizzle(table, v128.and(i16x8.shr_u(packed, 4), mask)), to + part * 2);
    widen(i8x16.swizzle(table, i8x16.shr_u(packed, 6)), to + part * 3);
    if (b + 16 == bytes) return;
  }
}

// @ts-expect-error: decorator
@inline
function widen(values: v128, to: usize): void {
  v128.store(to, i16x8.extend_low_i8x16_s(values));
  v128.store(to, i16x8.extend_high_i8x16_s(values), 16);
}

function unpackBytes(row: usize, bytes: i32, bits: i32, levels: usize, out: usize): void {
  const mask = (1 << bits) - 1;
  const part = (<usize>bytes) << 1;
  for (let b = 0; b < bytes; b++) {
    const byte = <i32>load<u8>(row + <usize>b);
    let to = out + ((<usize>b) << 1);
    for (let shift = 0; shift < 8; shift += bits) {
      store<i16>(to, <i16>load<i8>(levels + <usize>((byte >> shift) & mask)));
      to += part;
    }
  }
}
