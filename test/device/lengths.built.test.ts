import { describe, expect, test } from 'vitest';
import type { Device } from '../../dist/device/device.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import { mlpLayout, randomLayout } from '../../dist/device/feature-layout.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import { dot, naiveMaxSim, numbers, randomTexts, relativeError, rowsOfTexts } from '../numbers.js';
import { type CpuDeviceName, cpuDevicesFor } from './devices.js';

const names: readonly CpuDeviceName[] = ['plain', 'one thread', 'two threads'];
const device = cpuDevicesFor(names);

const [ROWS, DIM, PREFIX, QUERIES] = [2500, 20, 12, 3];
const base = numbers(1).floats(DIM);
const mean = numbers(2).floats(DIM, 0.3);
const projection = numbers(3).floats(PREFIX * DIM);
/** Rows alike in size, and how many times as far from the base those of W are. */
const alike = numbers(4).floats(ROWS * DIM);
const lengths = numbers(5)
  .floats(ROWS)
  .map((draw, i) => (i % 3 === 0 ? 1 : i % 50 === 1 ? 0 : 10 ** (2 * draw)));
const w = alike.map(
  (value, i) => base[i % DIM] + lengths[Math.floor(i / DIM)] * (value - base[i % DIM]),
);
const q = numbers(6).floats(QUERIES * DIM);
const rowOf = (values: Float32Array, row: number, width = DIM): Float32Array =>
  values.subarray(row * width, (row + 1) * width);

describe.each(names)('rows with lengths: %s', (name) => {
  const encoded = async (one: Device, rows: Float32Array, given: Float32Array | null) => {
    const stretch = given && {
      relative: await one.upload('f32', given),
      base: await one.upload('f32', base),
    };
    const negativeMean = await one.upload(
      'f32',
      mean.map((value) => -value),
    );
    const args = {
      w: await one.upload('f32', rows),
      negativeMean,
      projection: await one.upload('f32', projection),
      step: 0.05,
      lengths: stretch,
    };
    return one.encodeRows(args, ROWS, DIM, PREFIX);
  };

  test('have the codes of the rows that they are multiples of, those of length 0 none', async () => {
    const one = device(name);
    const expected = await encoded(one, alike, null);
    const found = await encoded(one, w, lengths);
    const [ours, theirs] = [await one.read(found.full), await one.read(expected.full)];
    const differences = { same: 0, scaled: 0, zero: 0 };
    for (let i = 0; i < ours.length; i++) {
      const length = lengths[Math.floor(i / DIM)];
      const kind = length === 1 ? 'same' : length === 0 ? 'zero' : 'scaled';
      differences[kind] = Math.max(
        differences[kind],
        Math.abs(ours[i] - (length === 0 ? 0 : theirs[i])),
      );
    }
    // what float32 has rounded may move a code by one
    expect(differences).toMatchObject({ same: 0, zero: 0 });
    expect(differences.scaled).toBeLessThanOrEqual(1);
  });

  test('rank by what W gives, in memory', async () => {
    const one = device(name);
    const codes = await encoded(one, w, lengths);
    const held = { ...codes, lengths: { relative: await one.upload('f32', lengths), step: 0.05 } };
    const shifts = Float32Array.from(
      { length: QUERIES },
      (_, i) => dot(mean, rowOf(q, i)) - dot(base, rowOf(q, i)),
    );
    const [queries, given] = [await one.upload('f32', q), await one.upload('f32', shifts)];
    // any prefix of the right sign will do where all rows are looked at
    const short = await one.upload('f32', new Float32Array(QUERIES * PREFIX).fill(1));
    const { indices, scores } = await one.topCodes(held, queries, short, QUERIES, ROWS, 50, {
      shifts: given,
    });
    for (let i = 0; i < QUERIES; i++) {
      const exact = Array.from(
        { length: ROWS },
        (_, row) => dot(rowOf(w, row), rowOf(q, i)) - dot(base, rowOf(q, i)),
      );
      for (let at = i * 50; at < (i + 1) * 50; at++) {
        const score = exact[indices[at]];
        expect(Math.abs(scores[at] - score)).toBeLessThan(0.02 * lengths[indices[at]] * DIM ** 0.5);
      }
      const best = exact.map((_, row) => row).sort((a, b) => exact[b] - exact[a]);
      expect([...indices.subarray(i * 50, (i + 1) * 50)]).toEqual(
        expect.arrayContaining(best.slice(0, 40)),
      );
    }
  });

  test('are listed by prefix, length and shift', async () => {
    const one = device(name);
    const codes = await encoded(one, w, lengths);
    const held = { ...codes, lengths: { relative: await one.upload('f32', lengths), step: 0.05 } };
    const prefixQuery = numbers(7).floats(QUERIES * PREFIX);
    const shifts = Float32Array.of(0.5, -0.25, 2);
    const [queries, given, short] = [
      await one.upload('f32', q),
      await one.upload('f32', shifts),
      await one.upload('f32', prefixQuery),
    ];
    const prefixes = await one.read(codes.prefix);
    const { indices } = await one.topCodes(held, queries, short, QUERIES, 30, 30, {
      shifts: given,
    });
    for (let i = 0; i < QUERIES; i++) {
      const listed = Array.from({ length: ROWS }, (_, row) => {
        const product = dot(
          prefixes.subarray(row * PREFIX, (row + 1) * PREFIX),
          rowOf(prefixQuery, i, PREFIX),
        );
        return lengths[row] * (0.05 * product + shifts[i]);
      });
      const best = listed.map((_, row) => row).sort((a, b) => listed[b] - listed[a]);
      // the query's codes have 12 bits
      expect([...indices.subarray(i * 30, (i + 1) * 30)]).toEqual(
        expect.arrayContaining(best.slice(0, 27)),
      );
    }
  });

  test('of targets are what these are divided by', async () => {
    const one = device(name);
    const texts = randomTexts(8, [3, 1, 5, 2], DIM);
    const x = numbers(9).unitRows(300, DIM);
    const counts = Int32Array.from(texts.counts);
    const tokens = await uploadTokens(one, {
      vectors: texts.vectors,
      counts,
      offsets: rowOffsets(counts),
      dim: DIM,
    });
    const select = await one.upload('i32', Int32Array.of(2, 0, 3));
    const out = await one.allocate('f32', 300 * 3);
    const divisors = [4, 1, 0.5];
    const { sum, sumSquares } = await one.targets(
      await one.upload('f32', x),
      300,
      tokens,
      select,
      out,
      {
        divisors: await one.upload('f32', Float32Array.from(divisors)),
      },
    );
    const rows = rowsOfTexts(texts);
    const expected = Array.from({ length: 300 }, (_, row) =>
      [2, 0, 3].map((text, i) => naiveMaxSim([rowOf(x, row)], rows[text]) / divisors[i]),
    ).flat();
    expect(relativeError(await one.read(out), expected)).toBeLessThan(1e-5);
    expect(sum).toBeCloseTo(
      expected.reduce((a, b) => a + b, 0),
      2,
    );
    expect(sumSquares).toBeCloseTo(
      expected.reduce((a, b) => a + b * b, 0),
      2,
    );
  });

  test.each(['mlp', 'random'] as const)(
    'of queries weigh the features of their directions: %s',
    async (kind) => {
      const one = device(name);
      const layout = kind === 'mlp' ? mlpLayout(DIM, [30], 'gelu') : randomLayout(DIM, 30, 'gelu');
      const parameters = await one.upload('f32', numbers(10).floats(layout.parameterCount, 0.5));
      const unit = numbers(11).unitRows(150, DIM);
      const lengths = numbers(12)
        .floats(150)
        .map((draw, i) => (i === 149 ? 0 : 10 ** (3 * draw)));
      const long = unit.map((value, i) => value * lengths[Math.floor(i / DIM)]);
      const each = await one.allocate('f32', 150 * 30);
      await one.features({ layout, parameters }, await one.upload('f32', unit), 150, each);
      const features = await one.read(each);
      const expected = Array.from({ length: 30 }, (_, j) =>
        dot(
          lengths,
          Array.from(lengths, (_, row) => features[row * 30 + j]),
        ),
      );
      const queries = await uploadTokens(one, {
        vectors: long,
        counts: Int32Array.of(150),
        offsets: Float64Array.of(0, 150),
        dim: DIM,
      });
      const out = await one.allocate('f32', 30);
      await one.queryFeatures({ layout, parameters, unit: true }, queries, out);
      expect(relativeError(await one.read(out), expected)).toBeLessThan(1e-4);
    },
  );
});
