import {
  ABSENT,
  ARRAY,
  type Column,
  FALSE,
  NULL,
  NUMBER,
  type Scalar,
  STRING,
  TRUE,
  type Values,
} from './column.js';

/**
 * A filter's test of the values at a path: which pass. A document passes when any of its values
 * does.
 */
export interface ValueTest {
  /** Whether a document passes that has nothing at the path. */
  readonly absent: boolean;
  /** By kind, 1: passes whatever its value. */
  readonly kinds: Uint8Array;
  /** Numbers pass that lie between, without the ends, or are `including` (NaN: none is). */
  readonly above: number;
  readonly below: number;
  readonly including: number;
  /** Undefined: numbers pass by the bounds. */
  readonly numbers: ReadonlySet<number> | undefined;
  /** By entry of the dictionary, 1: the string passes. */
  readonly strings: (dictionary: readonly string[]) => Uint8Array;
}

/** The ends of a range. */
export type Order = '$gt' | '$gte' | '$lt' | '$lte';

const NO_KINDS = new Uint8Array(8);
const NO_NUMBERS = { above: Infinity, below: -Infinity, including: Number.NaN, numbers: undefined };
const NO_STRINGS = (dictionary: readonly string[]): Uint8Array => new Uint8Array(dictionary.length);

/** Anything at the path. */
export const ANYTHING: ValueTest = {
  absent: false,
  kinds: new Uint8Array(8).fill(1).fill(0, ABSENT, ABSENT + 1),
  ...NO_NUMBERS,
  strings: NO_STRINGS,
};

/** A value that is one of these; with null among them nothing at all, too. */
export function oneOf(values: readonly Scalar[]): ValueTest {
  const kinds = new Uint8Array(8);
  kinds[NULL] = values.includes(null) ? 1 : 0;
  kinds[FALSE] = values.includes(false) ? 1 : 0;
  kinds[TRUE] = values.includes(true) ? 1 : 0;
  const numbers = new Set(values.filter((value) => typeof value === 'number'));
  const compared =
    numbers.size > 1
      ? { ...NO_NUMBERS, numbers }
      : { ...NO_NUMBERS, including: [...numbers][0] ?? Number.NaN };
  const texts = new Set(values.filter((value) => typeof value === 'string'));
  const strings = (dictionary: readonly string[]): Uint8Array => {
    const passes = new Uint8Array(dictionary.length);
    if (texts.size < dictionary.length / 16) {
      for (const text of texts)
        passes.fill(1, lowerBound(dictionary, text), upperBound(dictionary, text));
    } else {
      for (let i = 0; i < passes.length; i++) passes[i] = texts.has(dictionary[i]) ? 1 : 0;
    }
    return passes;
  };
  return { absent: values.includes(null), kinds, ...compared, strings };
}

/** A number beyond a number, or a string beyond a string. */
export function inRange(order: Order, end: number | string): ValueTest {
  const upwards = order === '$gt' || order === '$gte';
  const inclusive = order === '$gte' || order === '$lte';
  if (typeof end === 'number') {
    const bounds = upwards ? { above: end, below: Infinity } : { above: -Infinity, below: end };
    return {
      absent: false,
      kinds: NO_KINDS,
      ...bounds,
      including: inclusive ? end : Number.NaN,
      numbers: undefined,
      strings: NO_STRINGS,
    };
  }
  const strings = (dictionary: readonly string[]): Uint8Array => {
    // $gt and $lte are cut behind the end itself, $gte and $lt before it
    const cut = upwards === inclusive ? lowerBound(dictionary, end) : upperBound(dictionary, end);
    const passes = new Uint8Array(dictionary.length);
    return upwards ? passes.fill(1, cut) : passes.fill(1, 0, cut);
  };
  return { absent: false, kinds: NO_KINDS, ...NO_NUMBERS, strings };
}

/** Rows that count as a step between two turns of the event loop: a few nanoseconds each. */
const STEP_ROWS = 64;
/** Steps that a condition counts as by itself. */
const STEPS_A_TEST = 64;

/**
 * For each of a segment's documents 1 where it passes, else 0. Without a column they have nothing
 * at the path. Gives way to other work.
 */
export async function testColumn(
  column: Column | undefined,
  rows: number,
  test: ValueTest,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<Uint8Array> {
  await step(STEPS_A_TEST + rows / STEP_ROWS);
  const absent = test.absent ? 1 : 0;
  if (column === undefined) return new Uint8Array(rows).fill(absent);
  const { values, elements, elementOffsets, dictionary } = column;
  const strings = test.strings(dictionary);
  await step(dictionary.length / STEP_ROWS);
  const passes = testValues(values, test, strings);
  if (elementOffsets.length > 0) {
    const elementPasses = testValues(elements, test, strings);
    for (let i = 0, array = 0; i < passes.length; i++) {
      if (values.kinds[i] !== ARRAY) continue;
      const end = elementOffsets[++array];
      for (let e = elementOffsets[array - 1]; e < end && passes[i] === 0; e++)
        passes[i] = elementPasses[e];
    }
    await step(elementPasses.length / STEP_ROWS);
  }
  if (column.rows === undefined) return passes;
  const all = new Uint8Array(rows).fill(absent);
  for (let i = 0; i < passes.length; i++) all[column.rows[i]] = passes[i];
  return all;
}

function testValues(
  { kinds, numbers, codes }: Values,
  test: ValueTest,
  strings: Uint8Array,
): Uint8Array {
  const { above, below, including } = test;
  const members = test.numbers;
  const byKind = test.kinds.slice();
  byKind[ABSENT] = test.absent ? 1 : 0;
  const out = new Uint8Array(kinds.length);
  let number = 0;
  let code = 0;
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i];
    let passes = byKind[kind];
    if (kind === NUMBER) {
      const x = numbers[number++];
      const inside =
        members === undefined ? (x > above && x < below) || x === including : members.has(x);
      passes |= inside ? 1 : 0;
    } else if (kind === STRING) {
      passes |= strings[codes[code++]];
    }
    out[i] = passes;
  }
  return out;
}

/** How many entries are less than the text, by UTF-16 code units. */
function lowerBound(dictionary: readonly string[], text: string): number {
  let [low, high] = [0, dictionary.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (dictionary[middle] < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many entries are less than the text or the text itself. */
function upperBound(dictionary: readonly string[], text: string): number {
  const at = lowerBound(dictionary, text);
  return dictionary[at] === text ? at + 1 : at;
}
