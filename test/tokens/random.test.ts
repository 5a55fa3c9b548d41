import { expect, test } from 'vitest';
import { createRandom, permutation, sampleWithoutReplacement } from '../../src/tokens/random.js';
import { sum } from '../numbers.js';

const draw = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next);

test.each([
  {
    seed: 0,
    stream: 0,
    uniforms: [0.8868539502021594, 0.012474988946590604, 0.032522145755498943],
    integers: [812, 886, 951, 585, 208],
    normals: [1.6145421573680026, 0.1542196417034956, -0.6736233266168534, -0.6296539660846671],
    order: [0, 2, 6, 3, 7, 4, 5, 1],
    sample: [686167, 485543, 71048],
  },
  {
    seed: 1,
    stream: 0,
    uniforms: [0.5686059948349658, 0.8893939367683266, 0.4705824180198359],
    integers: [730, 649, 595, 618, 214],
    normals: [1.5108428762274104, -0.2555963949528543, 1.5180570091199779, 0.6448042670317101],
    order: [2, 5, 4, 6, 0, 3, 1, 7],
    sample: [856753, 256160, 258564],
  },
  {
    seed: 0,
    stream: 1,
    uniforms: [0.30100156589637106, 0.46876142071435356, 0.8639267994076062],
    integers: [187, 20, 570, 447, 66],
    normals: [0.5573579395936872, 0.6804291325517879, -0.5061429937568853, -0.00026860609360643284],
    order: [7, 1, 5, 4, 2, 0, 6, 3],
    sample: [259173, 561053, 754115],
  },
  {
    seed: 2 ** 53 - 1,
    stream: 6,
    uniforms: [0.7971798061122456, 0.8926308763402461, 0.4147622675206458],
    integers: [680, 924, 267, 101, 575],
    normals: [-1.2167698133886777, -0.11652217663413558, 0.6665664115464057, 1.562804660750395],
    order: [7, 2, 1, 5, 4, 0, 6, 3],
    sample: [177465, 492751, 597950],
  },
])(
  'seed $seed and stream $stream give the same numbers on every machine, for good',
  ({ seed, stream, ...stored }) => {
    const random = createRandom(seed, stream);
    expect({
      uniforms: draw(3, () => random.uniform()),
      integers: draw(5, () => random.integer(1000)),
      normals: draw(4, () => random.normal()),
      order: [...permutation(random, 8)],
      sample: [...sampleWithoutReplacement(random, 1e6, 3)],
    }).toEqual(stored);
  },
);

test('other seeds and other streams give other numbers', () => {
  const seen = new Set<number>();
  for (const seed of [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 40]) {
    for (let stream = 0; stream < 8; stream++) seen.add(createRandom(seed, stream).uniform());
  }
  expect(seen.size).toBe(48);
});

test('streams of one seed have nothing to do with each other', () => {
  const centred = Array.from({ length: 7 }, (_, stream) => {
    const random = createRandom(0, stream);
    return draw(4000, () => random.uniform() - 0.5);
  });
  for (const [i, a] of centred.entries()) {
    for (const b of centred.slice(i + 1)) {
      for (const shift of [0, 1, 2]) {
        const correlation = (12 * sum(b.slice(shift).map((value, at) => value * a[at]))) / 4000;
        expect(Math.abs(correlation)).toBeLessThan(0.08);
      }
    }
  }
});

test('uniform numbers fill [0, 1) evenly', () => {
  const random = createRandom(7);
  const bins = new Array<number>(20).fill(0);
  for (const value of draw(100_000, () => random.uniform())) {
    expect(value >= 0 && value < 1).toBe(true);
    bins[Math.floor(value * 20)]++;
  }
  // chi-square of 19 degrees of freedom: above 43.8 once in a thousand seeds
  expect(sum(bins.map((count) => (count - 5000) ** 2 / 5000))).toBeLessThan(43.8);
});

test.each([1, 2, 3, 10, 255, 3 * 2 ** 30, 2 ** 32])(
  'integers below %d stay below it and are evenly spread',
  (bound) => {
    const random = createRandom(11);
    const values = draw(20_000, () => random.integer(bound));
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value < bound)).toBe(
      true,
    );
    const mean = sum(values) / values.length;
    // five standard errors of the mean of a uniform distribution
    expect(Math.abs(mean - (bound - 1) / 2)).toBeLessThanOrEqual(
      (5 * bound) / Math.sqrt(12 * values.length),
    );
  },
);

test('normal numbers have mean 0, variance 1, no skew and the right tails', () => {
  const random = createRandom(3);
  const values = draw(100_000, () => random.normal());
  const moment = (power: number): number =>
    sum(values.map((value) => value ** power)) / values.length;
  expect(Math.abs(moment(1))).toBeLessThan(0.016);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(0.025);
  expect(Math.abs(moment(3))).toBeLessThan(0.06);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.16);
  const beyond = (limit: number): number =>
    values.filter((value) => Math.abs(value) > limit).length / values.length;
  expect(beyond(1)).toBeCloseTo(0.3173, 2);
  expect(beyond(2)).toBeCloseTo(0.0455, 2);
});

test('a permutation has every number once, and every number comes first as often', () => {
  for (const n of [0, 1, 2, 100]) {
    const order = permutation(createRandom(5), n);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
  }
  const random = createRandom(6);
  const first = new Array<number>(5).fill(0);
  for (let i = 0; i < 10_000; i++) first[permutation(random, 5)[0]]++;
  for (const count of first) expect(Math.abs(count - 2000)).toBeLessThan(200);
});

test('a sample has no number twice, and every number as often as the others', () => {
  const random = createRandom(8);
  const often = new Array<number>(20).fill(0);
  for (let i = 0; i < 5000; i++) {
    const sample = sampleWithoutReplacement(random, 20, 7);
    expect(sample.length).toBe(7);
    expect(new Set(sample).size).toBe(7);
    for (const number of sample) often[number]++;
  }
  for (const count of often) expect(Math.abs(count - 1750)).toBeLessThan(170);
});

test('a sample of all or more is all, in order', () => {
  for (const count of [5, 9])
    expect([...sampleWithoutReplacement(createRandom(1), 5, count)]).toEqual([0, 1, 2, 3, 4]);
});
