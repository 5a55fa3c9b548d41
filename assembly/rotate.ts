// Rows times a random rotation, into rows outRow apart whose ends are zero. Each round turns the
// signs where those of the round are negative (`signs`: rounds x dim), and takes the Hadamard
// transform of the first 2^n values, in odd rounds of the last (2^n <= dim).
export function rotateRows(
  x: usize,
  rows: i32,
  dim: i32,
  signs: usize,
  rounds: i32,
  out: usize,
  outRow: i32,
): void {
  let size = 1;
  while (size * 2 <= dim) size *= 2;
  const factor: f32 = 1 / sqrt<f32>(<f32>size);
  const bytes = (<usize>dim) << 2;
  const outBytes = (<usize>outRow) << 2;
  for (let r = 0; r < rows; r++) {
    memory.copy(out, x, bytes);
    memory.fill(out + bytes, 0, outBytes - bytes);
    for (let round = 0; round < rounds; round++) {
      turnSigns(out, dim, signs + <usize>round * bytes);
      const from = round & 1 ? dim - size : 0;
      transform(out + ((<usize>from) << 2), size, factor);
    }
    x += bytes;
    out += outBytes;
  }
}

function turnSigns(x: usize, dim: i32, signs: usize): void {
  const zero = f32x4.splat(0);
  const sign = i32x4.splat(i32.MIN_VALUE);
  const end4 = x + ((<usize>(dim & ~3)) << 2);
  const end = x + ((<usize>dim) << 2);
  for (; x < end4; x += 16) {
    const turned = v128.and(f32x4.lt(v128.load(signs), zero), sign);
    v128.store(x, v128.xor(v128.load(x), turned));
    signs += 16;
  }
  for (; x < end; x += 4) {
    if (load<f32>(signs) < 0) store<f32>(x, -load<f32>(x));
    signs += 4;
  }
}

// The Hadamard transform of 2^n values, times the factor: pairs at distance 1, 2, 4, ... become
// their sum and their difference.
function transform(x: usize, size: i32, factor: f32): void {
  const end = x + ((<usize>size) << 2);
  if (size < 4) {
    if (size == 2) {
      const sum: f32 = load<f32>(x) + load<f32>(x, 4);
      store<f32>(x, (load<f32>(x) - load<f32>(x, 4)) * factor, 4);
      store<f32>(x, sum * factor);
    }
    return;
  }
  const odd = i32x4(0, i32.MIN_VALUE, 0, i32.MIN_VALUE);
  const upper = i32x4(0, 0, i32.MIN_VALUE, i32.MIN_VALUE);
  for (let at = x; at < end; at += 16) {
    let v = v128.load(at);
    v = f32x4.add(v128.shuffle<f32>(v, v, 1, 0, 3, 2), v128.xor(v, odd));
    v128.store(at, f32x4.add(v128.shuffle<f32>(v, v, 2, 3, 0, 1), v128.xor(v, upper)));
  }
  const bytes = (<usize>size) << 2;
  let half: usize = 16;
  for (; half << 2 <= bytes; half <<= 2) {
    for (let block = x; block < end; block += half << 2) {
      for (let at = block; at < block + half; at += 16) {
        const u0 = v128.load(at);
        const u1 = v128.load(at + half);
        const u2 = v128.load(at + half * 2);
        const u3 = v128.load(at + half * 3);
        const a = f32x4.add(u0, u1);
        const b = f32x4.sub(u0, u1);
        const c = f32x4.add(u2, u3);
        const d = f32x4.sub(u2, u3);
        v128.store(at, f32x4.add(a, c));
        v128.store(at + half, f32x4.add(b, d));
        v128.store(at + half * 2, f32x4.sub(a, c));
        v128.store(at + half * 3, f32x4.sub(b, d));
      }
    }
  }
  if (half < bytes) {
    for (let at = x; at < x + half; at += 16) {
      const u = v128.load(at);
      const v = v128.load(at + half);
      v128.store(at, f32x4.add(u, v));
      v128.store(at + half, f32x4.sub(u, v));
    }
  }
  const factors = f32x4.splat(factor);
  for (let at = x; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), factors));
}
