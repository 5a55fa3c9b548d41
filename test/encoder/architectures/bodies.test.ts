import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/bytes/byte-source.js';
import type { BertConfig } from '../../../src/encoder/architectures/bert-config.js';
import { bertOnnx } from '../../../src/encoder/architectures/bert-graph.js';
import { bertWeights } from '../../../src/encoder/architectures/bert-weights.js';
import type { DenseActivation, DenseLayer } from '../../../src/encoder/architectures/dense.js';
import type { ModernBertConfig } from '../../../src/encoder/architectures/modernbert-config.js';
import { modernBertOnnx } from '../../../src/encoder/architectures/modernbert-graph.js';
import { modernBertWeights } from '../../../src/encoder/architectures/modernbert-weights.js';
import type { ProductPrecision } from '../../../src/encoder/graph/graph-builder.js';
import type { Body, IdBatch } from '../../../src/encoder/runtime/body.js';
import { makeBody } from '../../../src/encoder/runtime/make-body.js';
import { type OnnxRuntime, onnxBody } from '../../../src/encoder/runtime/onnx-body.js';
import { openSafetensors } from '../../../src/formats/safetensors/safetensors-file.js';
import { smallBert } from '../small-bert.js';
import { gelu, plainBert } from './plain-bert.js';
import { plainModernBert, smallModernBert } from './plain-modernbert.js';

/** Largest difference of a state from float64, where states are of order 1. */
const TOLERANCE = 1e-5;

function texts(...lengths: number[]): IdBatch {
  const ids = lengths.flatMap((length, text) =>
    Array.from({ length }, (_, t) => (17 * t + 5 * text + t * t) % 50),
  );
  return {
    ids: Int32Array.from(ids),
    lengths: Int32Array.from(lengths),
    attended: Int32Array.from(lengths),
  };
}

interface Model<C extends BertConfig | ModernBertConfig> {
  config: C;
  file: Uint8Array;
}

const flat = (rows: readonly Float64Array[]): number[] => rows.flatMap((row) => [...row]);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a, (v, i) => Math.abs(v - b[i])).reduce((x, y) => Math.max(x, y), 0);
}

describe.each(['onnxruntime-web', 'onnxruntime-node'] as const)('the body in %s', (name) => {
  async function body(
    { config, file }: Model<BertConfig | ModernBertConfig>,
    dense: readonly DenseLayer[] = [],
    precision: ProductPrecision = 'float32',
  ): Promise<Body> {
    const files = [{ name: 'test.safetensors', where: 'test', place: 'test' }];
    const source = {
      kind: 'weights',
      config,
      weights: { where: 'test', files, index: undefined },
    } as const;
    return makeBody(
      {
        package: name,
        address: undefined,
        threads: 1,
        wasmPaths: undefined,
        providers: undefined,
        precision,
        body: source,
        dense,
      },
      { open: async () => bytesSource(file), importRuntime: (runtime) => import(runtime) },
    );
  }

  async function eachText(
    { ids, lengths, attended }: IdBatch,
    states: (ids: number[], attended: number) => Promise<Float64Array[]>,
  ) {
    let at = 0;
    const rows: Float64Array[] = [];
    for (const [i, length] of lengths.entries()) {
      rows.push(...(await states([...ids.slice(at, at + length)], attended[i])));
      at += length;
    }
    return rows;
  }

  async function reference(
    { config, file }: Model<BertConfig>,
    batch: IdBatch,
  ): Promise<Float64Array[]> {
    const weights = bertWeights(await openSafetensors(bytesSource(file)), config, 'test');
    return eachText(batch, (ids, attended) => plainBert(config, weights, ids, attended));
  }

  test.each([
    ['gelu', ''],
    ['relu', 'bert.'],
  ])('agrees with the plain formulas (%s, names with prefix "%s")', async (hidden_act, prefix) => {
    const model = smallBert({ hidden_act }, prefix);
    const batch = texts(9, 7, 3, 2, 1);
    const { states, pooled } = await (await body(model)).run(batch, true);
    const expected = await reference(model, batch);
    expect(
      largestDifference(
        states,
        expected.flatMap((row) => [...row]),
      ),
    ).toBeLessThan(TOLERANCE);
    const firstMean = Array.from(
      expected[0],
      (_, c) => expected.slice(0, 9).reduce((sum, row) => sum + row[c], 0) / 9,
    );
    expect(largestDifference(pooled.subarray(0, 48), firstMean)).toBeLessThan(TOLERANCE);
    expect(pooled.length).toBe(5 * 48);
  });

  test('agrees with them at every length up to the last position', async () => {
    const model = smallBert();
    const runner = await body(model);
    for (let length = 1; length <= model.config.positions; length += 6) {
      const batch = texts(length);
      const { states, pooled } = await runner.run(batch, false);
      expect(
        largestDifference(
          states,
          (await reference(model, batch)).flatMap((row) => [...row]),
        ),
      ).toBeLessThan(TOLERANCE);
      expect(pooled.length).toBe(0);
    }
  });

  test('takes the states through dense layers of every kind, and pools what has not been through them', async () => {
    const model = smallBert();
    const batch = texts(6, 4);
    const states = await reference(model, batch);
    const some = (length: number, seed: number): Float32Array =>
      Float32Array.from({ length }, (_, i) => Math.sin(i * seed + seed) / 6);
    const kinds: [DenseActivation, (x: number) => number][] = [
      ['identity', (x) => x],
      ['tanh', Math.tanh],
      ['relu', (x) => Math.max(0, x)],
      ['gelu', gelu],
      ['sigmoid', (x) => 1 / (1 + Math.exp(-x))],
      ['silu', (x) => x / (1 + Math.exp(-x))],
    ];
    for (const [activation, f] of kinds) {
      for (const residual of [undefined, 'mapped', 'input'] as const) {
        const outputs = residual === 'input' ? 48 : 7;
        const first = {
          inputs: 48,
          outputs,
          weight: some(48 * outputs, 3),
          bias: residual ? some(outputs, 5) : undefined,
          activation,
          residual: residual === 'mapped' ? some(48 * outputs, 7) : residual,
        };
        const second = {
          inputs: outputs,
          outputs: 5,
          weight: some(5 * outputs, 11),
          bias: undefined,
          activation: 'identity',
          residual: undefined,
        } as const;
        const through = (
          { inputs, outputs: n, weight, bias, residual: r }: DenseLayer,
          g: (x: number) => number,
          x: Float64Array,
        ) =>
          Float64Array.from({ length: n }, (_, o) => {
            const row = (w: Float32Array): number =>
              x.reduce((sum, v, i) => sum + v * w[o * inputs + i], 0);
            return g(row(weight) + (bias?.[o] ?? 0)) + (r === 'input' ? x[o] : r ? row(r) : 0);
          });
        const found = await (await body(model, [first, second])).run(batch, true);
        const expected = states.map((x) => through(second, (y) => y, through(first, f, x)));
        expect(largestDifference(found.states, flat(expected))).toBeLessThan(5 * TOLERANCE);
        expect(found.pooled.length).toBe(2 * 48);
      }
    }
  });

  test('tokens that nothing looks at look at the others, and change none of them', async () => {
    const model = smallBert();
    const batch = { ...texts(9, 12), attended: Int32Array.of(5, 12) };
    const { states } = await (await body(model)).run(batch, false);
    expect(largestDifference(states, flat(await reference(model, batch)))).toBeLessThan(TOLERANCE);
    const cut = texts(5);
    const alone = await (await body(model)).run({ ...cut, ids: batch.ids.slice(0, 5) }, false);
    expect(largestDifference(states.subarray(0, 5 * 48), alone.states)).toBeLessThan(TOLERANCE);
  });

  test("RoBERTa's positions begin behind the padding token's", async () => {
    const roberta = smallBert({ model_type: 'xlm-roberta', pad_token_id: 1 }, 'roberta.');
    expect(roberta.config).toMatchObject({ firstPosition: 2, positions: 35 });
    const batch = texts(9, 35);
    // the same weights with two position embeddings less are those of a BERT
    const tensors = await openSafetensors(bytesSource(roberta.file));
    const position = await tensors.readFloats('roberta.embeddings.position_embeddings.weight');
    const weights = bertWeights(tensors, roberta.config, 'test');
    const { positions: shifted } = await weights.embeddings();
    const type = await tensors.readFloats('roberta.embeddings.token_type_embeddings.weight');
    expect(shifted).toEqual(position.slice(2 * 48).map((value, i) => value + type[i % 48]));
    const { states } = await (await body(roberta)).run(batch, false);
    expect(largestDifference(states, flat(await reference(roberta, batch)))).toBeLessThan(
      TOLERANCE,
    );
  });

  test('a padding token in a text of RoBERTa has a position of its own, and those behind it count on', async () => {
    const roberta = smallBert({ model_type: 'roberta', pad_token_id: 1 }, 'roberta.');
    const batch = texts(9, 12);
    for (const at of [3, 4, 9 + 7]) batch.ids[at] = 1;
    const { states } = await (await body(roberta)).run(batch, false);
    expect(largestDifference(states, flat(await reference(roberta, batch)))).toBeLessThan(
      TOLERANCE,
    );
  });

  test('tokens of a ModernBERT that see none that is looked at attend to nothing', async () => {
    const model = smallModernBert();
    const batch = { ...texts(60, 13), attended: Int32Array.of(4, 13) };
    const weights = modernBertWeights(
      await openSafetensors(bytesSource(model.file)),
      model.config,
      'test',
    );
    const expected = await eachText(batch, (ids, attended) =>
      plainModernBert(model.config, weights, ids, attended),
    );
    const { states } = await (await body(model)).run(batch, false);
    expect(largestDifference(states, flat(expected))).toBeLessThan(5 * TOLERANCE);
  });

  test('ModernBERT agrees with the plain formulas, near and far', async () => {
    const model = smallModernBert();
    const batch = { ...texts(40, 13, 30), attended: Int32Array.of(40, 13, 27) };
    const weights = modernBertWeights(
      await openSafetensors(bytesSource(model.file)),
      model.config,
      'test',
    );
    const expected = await eachText(batch, (ids, attended) =>
      plainModernBert(model.config, weights, ids, attended),
    );
    const { states } = await (await body(model)).run(batch, false);
    expect(largestDifference(states, flat(expected))).toBeLessThan(5 * TOLERANCE);
  });

  test('attention in plain operators, as for WebGPU, agrees with the plain formulas', async () => {
    const runtime: OnnxRuntime & { default?: OnnxRuntime } = await import(name);
    const run = async (model: Uint8Array, batch: IdBatch): Promise<Float32Array> => {
      const made = await onnxBody(
        runtime.default ?? runtime,
        { model, where: 'test' },
        undefined,
        {},
      );
      return (await made.run(batch, false)).states;
    };
    const options = { precision: 'float32', attention: 'plain' } as const;
    const bert = smallBert();
    const batch = { ...texts(9, 12, 1), attended: Int32Array.of(5, 12, 1) };
    const bertGraph = await bertOnnx(
      bert.config,
      bertWeights(await openSafetensors(bytesSource(bert.file)), bert.config, 'test'),
      [],
      options,
    );
    expect(
      largestDifference(await run(bertGraph, batch), flat(await reference(bert, batch))),
    ).toBeLessThan(TOLERANCE);

    const modern = smallModernBert();
    const long = { ...texts(40, 13, 30), attended: Int32Array.of(40, 13, 27) };
    const weights = modernBertWeights(
      await openSafetensors(bytesSource(modern.file)),
      modern.config,
      'test',
    );
    const expected = await eachText(long, (ids, attended) =>
      plainModernBert(modern.config, weights, ids, attended),
    );
    const modernGraph = await modernBertOnnx(modern.config, weights, [], options);
    expect(largestDifference(await run(modernGraph, long), flat(expected))).toBeLessThan(
      5 * TOLERANCE,
    );
  });

  test('int8 products give nearly the same states', async () => {
    for (const model of [smallBert(), smallModernBert()]) {
      const batch = texts(20, 9);
      const exact = (await (await body(model)).run(batch, false)).states;
      const { states } = await (await body(model, [], 'int8')).run(batch, false);
      let [dot, a, b] = [0, 0, 0];
      for (const [i, x] of exact.entries()) {
        dot += x * states[i];
        a += x * x;
        b += states[i] * states[i];
      }
      expect(dot / Math.sqrt(a * b)).toBeGreaterThan(0.995);
      expect(largestDifference(exact, states)).toBeGreaterThan(1e-6);
    }
  });

  test('a text has the same states whatever else is in its batch', async () => {
    const runner = await body(smallBert());
    const together = (await runner.run(texts(11, 5, 2), false)).states;
    const alone = (await runner.run(texts(11), false)).states;
    expect(largestDifference(together.subarray(0, alone.length), alone)).toBeLessThan(1e-5);
  });
});
