import { sums2x16 } from './product-tiles';

// Halvings of the range of a centre's products: its limit is exact to a part in 4,096 of the range.
const HALVINGS: i32 = 12;

// Largest inner product of each lane with some tokens of each document: each panel of 16 lanes
// looks only at the tokens near its centre, those with the largest products with it. Panels and
// centres are packed as for maxDotsI16, at most 16 panels with one panel of their centres; tokens
// int16, dim even. nearest[d]: how many tokens of document d are near; more where the limit falls
// between equals. scratch: 128 + (count + 1) * 68 bytes for the longest document.
export function nearDotsI16(
  panels: usize,
  lanes: i32,
  centres: usize,
  dim: i32,
  tokens: usize,
  counts: usize,
  nearest: usize,
  documents: i32,
  out: usize,
  outStride: i32,
  scratch: usize,
): void {
  const rowBytes = (<usize>dim) << 1;
  const limits = scratch;
  const largest = scratch + 64;
  const products = scratch + 128;
  for (let d = 0; d < documents; d++) {
    const at = (<usize>d) << 2;
    const count = load<i32>(counts + at);
    const end = products + ((<usize>count) << 6);
    const list = end + 64;
    centreProducts(centres, rowBytes, tokens, count, products);
    chooseLimits(products, end, load<i32>(nearest + at), limits);
    for (let first = 0; first < lanes; first += 16) {
      const lane = (<usize>first) >> 2;
      const limit = load<i32>(limits + lane);
      const listEnd = listNear(products + lane, end, limit, tokens, rowBytes, list);
      largestDots(panels + <usize>first * rowBytes, rowBytes, list, listEnd, largest);
      const to = out + ((<usize>first * outStride + d) << 2);
      storeLanes(largest, min(16, lanes - first), to, outStride);
    }
    tokens += <usize>count * rowBytes;
  }
}

// products[token][centre] of all tokens, an odd last one twice.
function centreProducts(
  centres: usize,
  rowBytes: usize,
  token: usize,
  count: i32,
  products: usize,
): void {
  for (; count > 0; count -= 2) {
    const other = count > 1 ? token + rowBytes : token;
    sums2x16<i16>(token, other, token + rowBytes, 4, centres, products, products + 64);
    token += rowBytes << 1;
    products += 128;
  }
}

// limits[centre]: the least product of a near token, found by halving the range of the products.
function chooseLimits(products: usize, end: usize, wanted: i32, limits: usize): void {
  for (let four: usize = 0; four < 64; four += 16)
    v128.store(limits + four, limitsOfFour(products + four, end, wanted));
}

function limitsOfFour(products: usize, end: usize, wanted: i32): v128 {
  let low = v128.load(products);
  let high = low;
  for (let at = products; at < end; at += 64) {
    const product = v128.load(at);
    low = i32x4.min_s(low, product);
    high = i32x4.max_s(high, product);
  }
  const needed = i32x4.splat(wanted);
  let done = i32x4.splat(0);
  for (let i = 0; i < HALVINGS; i++) {
    // the mean rounded down, without overflow
    const middle = i32x4.add(v128.and(low, high), i32x4.shr_s(v128.xor(low, high), 1));
    let found = i32x4.splat(0);
    for (let at = products; at < end; at += 64)
      found = i32x4.sub(found, i32x4.ge_s(v128.load(at), middle));
    const enough = i32x4.ge_s(found, needed);
    low = v128.bitselect(middle, low, enough);
    high = v128.bitselect(high, middle, enough);
    // of exactly as many as wanted no further halving changes the choice
    done = v128.or(done, i32x4.eq(found, needed));
    if (i32x4.all_true(done)) break;
  }
  return low;
}

// Addresses of the tokens whose product is at least the limit, an odd last one twice; returns the
// end of the list.
function listNear(
  product: usize,
  end: usize,
  limit: i32,
  token: usize,
  rowBytes: usize,
  list: usize,
): usize {
  let to = list;
  for (; product < end; product += 64) {
    store<u32>(to, <u32>token);
    to += (<usize>(load<i32>(product) >= limit)) << 2;
    token += rowBytes;
  }
  if (((to - list) & 4) == 0) return to;
  store<u32>(to, load<u32>(to - 4));
  return to + 4;
}

// Largest products of 16 lanes with the listed tokens, as float32. Apart from the tile of MaxSim:
// to inline that here and there costs maxDotsF32 4 % on Node 24.
function largestDots(panel: usize, rowBytes: usize, list: usize, end: usize, out: usize): void {
  let m0 = i32x4.splat(i32.MIN_VALUE);
  let m1 = m0;
  let m2 = m0;
  let m3 = m0;
  for (; list < end; list += 8) {
    let a = <usize>load<u32>(list);
    let b = <usize>load<u32>(list, 4);
    let p = panel;
    const stop = a + rowBytes;
    let s00 = i32x4.splat(0);
    let s01 = s00;
    let s02 = s00;
    let s03 = s00;
    let s10 = s00;
    let s11 = s00;
    let s12 = s00;
    let s13 = s00;
    while (a < stop) {
      const x = v128.load32_splat(a);
      const y = v128.load32_splat(b);
      const p0 = v128.load(p);
      const p1 = v128.load(p, 16);
      const p2 = v128.load(p, 32);
      const p3 = v128.load(p, 48);
      s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, p0));
      s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, p1));
      s02 = i32x4.add(s02, i32x4.dot_i16x8_s(x, p2));
      s03 = i32x4.add(s03, i32x4.dot_i16x8_s(x, p3));
      s10 = i32x4.add(s10, i32x4.dot_i16x8_s(y, p0));
      s11 = i32x4.add(s11, i32x4.dot_i16x8_s(y, p1));
      s12 = i32x4.add(s12, i32x4.dot_i16x8_s(y, p2));
      s13 = i32x4.add(s13, i32x4.dot_i16x8_s(y, p3));
      a += 4;
      b += 4;
      p += 64;
    }
    m0 = i32x4.max_s(m0, i32x4.max_s(s00, s10));
    m1 = i32x4.max_s(m1, i32x4.max_s(s01, s11));
    m2 = i32x4.max_s(m2, i32x4.max_s(s02, s12));
    m3 = i32x4.max_s(m3, i32x4.max_s(s03, s13));
  }
  v128.store(out, f32x4.convert_i32x4_s(m0));
  v128.store(out, f32x4.convert_i32x4_s(m1), 16);
  v128.store(out, f32x4.convert_i32x4_s(m2), 32);
  v128.store(out, f32x4.convert_i32x4_s(m3), 48);
}

// The first `used` of 16 values down a column of the output.
function storeLanes(from: usize, used: i32, to: usize, stride: i32): void {
  for (let lane = 0; lane < used; lane++) {
    store<f32>(to, load<f32>(from));
    from += 4;
    to += (<usize>stride) << 2;
  }
}
