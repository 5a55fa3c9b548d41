import { isLemurError } from '../src/errors.js';
import { hostileJson } from './hostile-json.js';

/**
 * Draws, the same for the same seed and number: input `number` can be made again without those
 * before it.
 */
export interface Random {
  /** An integer from 0 up to, but without, `n`. */
  below(n: number): number;
  /** True in one of `n` cases. */
  oneIn(n: number): boolean;
  pick<T>(items: readonly T[]): T;
}

export function randomOf(seed: number, number: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b);
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
  };
  return { below, oneIn: (n) => below(n) === 0, pick: (items) => items[below(items.length)] };
}

/** What mutations are made from. */
export interface Material {
  /** Valid inputs. */
  readonly seeds: readonly Uint8Array[];
  /** Pieces that mean something in this format, to be put in anywhere. */
  readonly words?: readonly Uint8Array[];
}

/** Nothing grows beyond this, however often it is doubled. */
const MOST_BYTES = 1 << 16;
const BYTES = [
  0, 1, 9, 10, 13, 0x20, 0x22, 0x2c, 0x30, 0x5b, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xfe, 0xff,
] as const;
/** Where sizes, offsets and counts overflow, turn negative or stop being exact. */
const INTEGERS: readonly bigint[] = [
  ...[0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0x8000n, 0xffffn, 0x10000n, 100_000_000n],
  ...[31n, 32n, 53n, 62n, 63n].flatMap((power) => [
    2n ** power - 1n,
    2n ** power,
    2n ** power + 1n,
  ]),
  ...[-1n, -2n, -8n],
];

/**
 * A seed with one to four edits: bits, bytes, integers of every width, ranges removed, doubled,
 * moved or taken from another seed, words, a cut.
 */
export function mutateBytes({ seeds, words = [] }: Material, random: Random): Uint8Array {
  let out: Uint8Array = random.pick(seeds).slice();
  for (let edits = 1 + random.below(4); edits > 0; edits--) out = edited(out, seeds, words, random);
  return out.length > MOST_BYTES ? out.slice(0, MOST_BYTES) : out;
}

function edited(
  input: Uint8Array,
  seeds: readonly Uint8Array[],
  words: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  const place = random.below(input.length + 1);
  const [before, after] = [input.subarray(0, place), input.subarray(place)];
  // short ranges more often than long ones
  const range = (of: Uint8Array): Uint8Array => {
    const from = random.below(of.length + 1);
    const most = Math.min(of.length - from, 1 << random.below(12));
    return of.subarray(from, from + random.below(most + 1));
  };
  const over = (piece: Uint8Array): Uint8Array =>
    concat(before, piece, after.subarray(Math.min(piece.length, after.length)));
  switch (random.below(words.length > 0 ? 13 : 11)) {
    case 0:
      return over(Uint8Array.of((after[0] ?? 0) ^ (1 << random.below(8))));
    case 1:
      return over(Uint8Array.of(random.below(256)));
    case 2:
      return over(Uint8Array.of(random.pick(BYTES)));
    case 3:
      return over(Uint8Array.of((after[0] ?? 0) + random.pick([-1, 1, 16])));
    case 4:
      return over(integerBytes(random));
    case 5:
      return input.slice(0, place);
    case 6:
      return concat(before, after.subarray(range(after).length));
    case 7:
      return concat(before, Uint8Array.of(random.pick(BYTES)), after);
    case 8: {
      const piece = range(input);
      return concat(
        before,
        ...new Array<Uint8Array>(1 + random.below(random.oneIn(8) ? 200 : 3)).fill(piece),
        after,
      );
    }
    case 9:
      return over(range(random.pick(seeds)));
    case 10:
      return concat(
        before,
        random.pick(seeds).subarray(random.oneIn(2) ? place : random.below(input.length + 1)),
      );
    case 11:
      return concat(before, random.pick(words), after);
    default:
      return over(random.pick(words));
  }
}

function integerBytes(random: Random): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, random.pick(INTEGERS)), true);
  const width = random.pick([2, 4, 8]);
  return random.oneIn(4) ? bytes.subarray(0, width).reverse() : bytes.subarray(0, width);
}

/** A JSON text with hostile parts (`hostileJson`), and now and then with damaged bytes as well. */
export function mutateJson(value: unknown, random: Random): Uint8Array {
  const text = new TextEncoder().encode(hostileJson(value, random));
  return random.oneIn(6) ? mutateBytes({ seeds: [text] }, random) : text;
}

export function concat(...pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** `count` mutations of one input, the same every time. */
export function* mutations(seed: Uint8Array, count: number, number: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield mutateBytes({ seeds: [seed] }, randomOf(number, i));
}

/** Runs it on every mutation; whatever it raises must be of ours. How many were refused. */
export async function refusals(
  inputs: Iterable<Uint8Array>,
  read: (input: Uint8Array) => unknown,
): Promise<number> {
  let refused = 0;
  for (const input of inputs) {
    try {
      await read(input);
    } catch (error) {
      if (!isLemurError(error, 'bad-file') && !isLemurError(error, 'unsupported')) throw error;
      refused++;
    }
  }
  return refused;
}
