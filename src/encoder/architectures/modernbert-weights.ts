import type { TensorFile } from '../../formats/safetensors/tensor-file.js';
import type { Matrix } from '../graph/graph-builder.js';
import type { ModernBertConfig } from './modernbert-config.js';
import { tensorReader } from './tensor-reader.js';

/** One layer; no product has a bias, no norm a shift. */
export interface ModernBertLayer {
  /** Absent in the first layer. */
  readonly attentionNorm: Float32Array | undefined;
  /** The three projections one after the other. */
  readonly queryKeyValue: Matrix;
  readonly attentionOutput: Matrix;
  readonly innerNorm: Float32Array;
  /** What is activated, then what it is multiplied with: 2 intermediate outputs. */
  readonly inner: Matrix;
  readonly output: Matrix;
}

/** Reads a body's weights from their file part by part, as float32. */
export interface ModernBertWeights {
  embeddings(): Promise<{ words: Float32Array; norm: Float32Array }>;
  layer(index: number): Promise<ModernBertLayer>;
  finalNorm(): Promise<Float32Array>;
}

/**
 * The weights of a ModernBERT body in a safetensors file; names may have the prefix `model.`.
 * Raises 'bad-file' as `bertWeights` does.
 */
export function modernBertWeights(
  file: TensorFile,
  config: ModernBertConfig,
  where: string,
): ModernBertWeights {
  const { hidden, intermediate, vocabulary, layers } = config;
  const words = 'embeddings.tok_embeddings.weight';
  const { check, read, has } = tensorReader(file, {
    prefixes: ['', 'model.'],
    probe: words,
    what: 'ModernBERT',
    where,
  });
  check(words, vocabulary, hidden);
  check('embeddings.norm.weight', hidden);
  check('final_norm.weight', hidden);
  const at = (i: number, name: string): string => `layers.${i}.${name}.weight`;
  for (let i = 0; i < layers; i++) {
    if (i > 0 || has(at(i, 'attn_norm'))) check(at(i, 'attn_norm'), hidden);
    check(at(i, 'attn.Wqkv'), 3 * hidden, hidden);
    check(at(i, 'attn.Wo'), hidden, hidden);
    check(at(i, 'mlp_norm'), hidden);
    check(at(i, 'mlp.Wi'), 2 * intermediate, hidden);
    check(at(i, 'mlp.Wo'), hidden, intermediate);
  }
  const matrix = async (name: string, outputs: number, inputs: number): Promise<Matrix> => ({
    weight: await read(name),
    outputs,
    inputs,
  });
  return {
    embeddings: async () => ({
      words: await read(words),
      norm: await read('embeddings.norm.weight'),
    }),
    finalNorm: () => read('final_norm.weight'),
    layer: async (i) => ({
      attentionNorm: has(at(i, 'attn_norm')) ? await read(at(i, 'attn_norm')) : undefined,
      queryKeyValue: await matrix(at(i, 'attn.Wqkv'), 3 * hidden, hidden),
      attentionOutput: await matrix(at(i, 'attn.Wo'), hidden, hidden),
      innerNorm: await read(at(i, 'mlp_norm')),
      inner: await matrix(at(i, 'mlp.Wi'), 2 * intermediate, hidden),
      output: await matrix(at(i, 'mlp.Wo'), hidden, intermediate),
    }),
  };
}
