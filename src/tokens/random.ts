/** A stream of random numbers; the same seed gives the same stream on every machine and engine. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform integer in [0, bound), bound up to 2^32. */
  integer(bound: number): number;
  /** Standard normal. */
  normal(): number;
}

/** xoshiro128** (Blackman and Vigna), its state filled from `seed` and `stream` by splitmix32. */
export function createRandom(seed: number, stream = 0): Random {
  let mix = (seed ^ Math.imul(stream, 0x9e3779b9)) >>> 0;
  const next = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  // the high half of large seeds counts too
  mix = (mix ^ Math.imul(Math.floor(seed / 2 ** 32), 0x27d4eb2f)) >>> 0;
  let [a, b, c, d] = [next(), next(), next(), next() | 1];

  const bits = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
  const uniform = (): number => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;

  let spare: number | undefined;
  return {
    uniform,
    integer(bound) {
      // reject the last, incomplete multiple of the bound
      const limit = Math.floor(4294967296 / bound) * bound;
      let value = bits();
      while (value >= limit) value = bits();
      return value % bound;
    },
    normal() {
      // Marsaglia's polar method
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      for (;;) {
        const u = 2 * uniform() - 1;
        const v = 2 * uniform() - 1;
        const s = u * u + v * v;
        if (s > 0 && s < 1) {
          const factor = Math.sqrt((-2 * naturalLog(s)) / s);
          spare = v * factor;
          return u * factor;
        }
      }
    },
  };
}

/** The numbers 0 .. n - 1 in random order (Fisher and Yates). */
export function permutation(random: Random, n: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const value = order[i];
    order[i] = order[j];
    order[j] = value;
  }
  return order;
}

/** `count` distinct numbers below n in random order; all of them, in order, when count >= n. */
export function sampleWithoutReplacement(random: Random, n: number, count: number): Int32Array {
  if (count >= n) return Int32Array.from({ length: n }, (_, i) => i);
  // the first `count` places of a permutation, touching only what moves
  const moved = new Map<number, number>();
  const sample = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(n - i);
    sample[i] = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
  }
  return sample;
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

/** ln x for 0 < x < 1 from + - * / alone: engines differ in the last bit of Math.log. */
function naturalLog(x: number): number {
  let exponent = 0;
  while (x < Math.SQRT1_2) {
    x *= 2;
    exponent--;
  }
  // ln x = 2 atanh((x - 1) / (x + 1)), |z| < 0.18
  const z = (x - 1) / (x + 1);
  let sum = 0;
  for (let k = 21; k >= 1; k -= 2) sum = sum * z * z + 1 / k;
  return 2 * z * sum + exponent * Math.LN2;
}
