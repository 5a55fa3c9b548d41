import type { PoolingEncoder } from '../../dist/encoder/encoder.js';
import { type EncoderParts, poolingEncoder } from '../../dist/encoder/pooling-encoder.js';
import * as lemur from '../../dist/entry/node.js';

const { Index, Lemur, MaxSim, memoryStorage } = lemur;

export const documents = [[[1, 0]], [[0, 1]]];
export const query = [[1, 0.5]];
export const small = { hiddenDim: 8, finalHiddenDim: 8, epochs: 1, threads: 1 };

/** One of each class, whose methods are called. */
export interface CalledObjects {
  readonly index: lemur.Index;
  readonly fitted: lemur.Lemur;
  readonly exact: lemur.MaxSim;
  readonly file: lemur.SafetensorsFile;
  readonly stream: lemur.SafetensorsStream;
  readonly encoder: PoolingEncoder;
  close(): Promise<void>;
}

export async function makeObjects(): Promise<CalledObjects> {
  const index = await Index.create(memoryStorage(), { dim: 2, features: 'random', threads: 1 });
  await index.add({ id: 'a', tokens: [[1, 0]], text: 'b' });
  const fitted = await Lemur.fit(documents, { finalHiddenDim: 8, epochs: 0, threads: 1 });
  const exact = await MaxSim.create(documents, { threads: 1 });
  const bytes = lemur.writeSafetensors({ x: { data: Float32Array.of(1, 2), shape: [2] } });
  const file = await lemur.openSafetensors({
    size: bytes.length,
    read: async (at, length) => bytes.slice(at, at + length),
  });
  const stream = await lemur.streamSafetensors({ x: { type: 'F32', shape: [1e6] } }, () => {});
  const stopped = () =>
    Promise.reject(new lemur.LemurError('closed', 'got through', { where: 'encoder' }));
  const tokenizer = { around: 0, tokenize: () => ({ ids: [1], truncated: false }), id: () => 1 };
  const recipe = {
    prefix: [],
    length: undefined,
    expansion: undefined,
    skip: new Set(),
    special: false,
  };
  const recipes = { query: recipe, document: recipe };
  const runner = { batchTokens: 8, run: stopped, close: stopped };
  const encoder = poolingEncoder({
    id: 'e',
    dim: 2,
    hidden: 2,
    positions: 8,
    tokenizer,
    recipes,
    runner,
  } as unknown as EncoderParts);
  return {
    index,
    fitted,
    exact,
    file,
    stream,
    encoder,
    async close() {
      await index.close();
      fitted.close();
      exact.close();
    },
  };
}
