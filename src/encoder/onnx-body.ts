import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-web';
import { type Body, type BodyOutput, type IdBatch, meanPool } from './body.js';

/** What is used of ONNX Runtime, whichever package it comes from. */
export interface OnnxRuntime {
  InferenceSession: { create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> };
  Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => TypedTensor<'int64'>;
}

/** A body that runs a model of `bertOnnx` in ONNX Runtime; `dim` is the projection's output, or undefined without one. */
export async function onnxBody(
  runtime: OnnxRuntime,
  model: Uint8Array,
  hidden: number,
  dim: number | undefined,
  options: InferenceSession.SessionOptions,
): Promise<Body> {
  const session = await runtime.InferenceSession.create(model, { graphOptimizationLevel: 'all', logSeverityLevel: 3, ...options });
  return { run };

  async function run(batch: IdBatch, pooled: boolean): Promise<BodyOutput> {
    const { lengths } = batch;
    const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
    const { ids, mask } = pad(batch, longest);
    const dims = [lengths.length, longest];
    const feeds = { input_ids: new runtime.Tensor('int64', ids, dims), attention_mask: new runtime.Tensor('int64', mask, dims) };
    const wanted = dim === undefined ? ['last_hidden_state'] : pooled ? ['last_hidden_state', 'projected'] : ['projected'];
    const outputs = await session.run(feeds, wanted);
    const rows = (name: string, width: number): Float32Array => unpad(outputs[name], lengths, longest, width);
    const states = dim === undefined ? rows('last_hidden_state', hidden) : rows('projected', dim);
    if (!pooled) return { states, pooled: new Float32Array(0) };
    return { states, pooled: meanPool(dim === undefined ? states : rows('last_hidden_state', hidden), lengths, hidden) };
  }
}

function pad({ ids, lengths }: IdBatch, longest: number): { ids: BigInt64Array; mask: BigInt64Array } {
  const padded = new BigInt64Array(lengths.length * longest);
  const mask = new BigInt64Array(padded.length);
  let from = 0;
  for (let text = 0; text < lengths.length; text++) {
    for (let t = 0; t < lengths[text]; t++) {
      padded[text * longest + t] = BigInt(ids[from++]);
      mask[text * longest + t] = 1n;
    }
  }
  return { ids: padded, mask };
}

function unpad(tensor: Tensor, lengths: Int32Array, longest: number, width: number): Float32Array {
  const data = tensor.data as Float32Array;
  const out = new Float32Array(lengths.reduce((a, b) => a + b, 0) * width);
  let at = 0;
  for (let text = 0; text < lengths.length; text++) {
    const from = text * longest * width;
    out.set(data.subarray(from, from + lengths[text] * width), at);
    at += lengths[text] * width;
  }
  return out;
}
