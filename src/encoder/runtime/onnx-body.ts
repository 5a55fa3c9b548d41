import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-web';
import { LemurError } from '../../errors.js';
import { type Body, type BodyOutput, type IdBatch, meanPool } from './body.js';

/** What is used of ONNX Runtime, whichever package it comes from. */
export interface OnnxRuntime {
  readonly env: {
    readonly wasm: {
      numThreads?: number | undefined;
      initTimeout?: number | undefined;
      wasmPaths?: unknown;
    };
  };
  InferenceSession: {
    create(
      model: Uint8Array | string,
      options: InferenceSession.SessionOptions,
    ): Promise<InferenceSession>;
  };
  Tensor: {
    new (type: 'int64', data: BigInt64Array, dims: readonly number[]): TypedTensor<'int64'>;
    new (type: 'float32', data: Float32Array, dims: readonly number[]): TypedTensor<'float32'>;
  };
}

/** An ONNX file's bytes or path; `where` names it in errors. */
export interface OnnxModel {
  readonly model: Uint8Array | string;
  readonly where: string;
}

/**
 * What ONNX Runtime writes to standard error by itself: nothing that is an error of a call too,
 * since it quotes names of the model as they are.
 */
const FATAL = 4;

/**
 * Outputs that hold the tokens' states, the first of them that a model has; its first output where
 * it has none of these.
 */
const STATES = ['last_hidden_state', 'token_embeddings', 'output'];

/**
 * A body that runs a model in ONNX Runtime: one of ours, with `last_hidden_state` and perhaps
 * `projected`, or anybody's with inputs `input_ids` and `attention_mask` (and `token_type_ids`) and
 * an output batch x tokens x width. `after` is a model of dense layers (`denseOnnx`) behind it.
 * Raises 'bad-file' where ONNX Runtime cannot load a model, 'unsupported' where it cannot be
 * started.
 */
export async function onnxBody(
  runtime: OnnxRuntime,
  model: OnnxModel,
  after: Uint8Array | undefined,
  options: InferenceSession.SessionOptions,
): Promise<Body> {
  const session = await load(model);
  const dense = after && (await load({ model: after, where: model.where }));
  const { inputNames, outputNames } = session;
  const projected = outputNames.includes('projected');
  const states = STATES.find((name) => outputNames.includes(name)) ?? outputNames[0];
  const unknown = inputNames.find(
    (name) => !['input_ids', 'attention_mask', 'token_type_ids'].includes(name),
  );
  if (unknown !== undefined || !inputNames.includes('input_ids')) {
    const message = `${model.where}: a model with inputs ${inputNames.join(', ')}, expected input_ids, attention_mask and perhaps token_type_ids`;
    throw new LemurError('unsupported', message, { where: model.where });
  }
  return { run };

  async function load({ model: file, where }: OnnxModel): Promise<InferenceSession> {
    try {
      return await runtime.InferenceSession.create(file, {
        graphOptimizationLevel: 'all',
        logSeverityLevel: FATAL,
        ...options,
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (/no available backend/.test(reason))
        throw new LemurError(
          'unsupported',
          `ONNX Runtime does not start here: ${reason}`,
          { where: 'onnxruntime' },
          { cause },
        );
      throw new LemurError(
        'bad-file',
        `${where}: ONNX Runtime cannot load the model: ${reason}`,
        { where },
        { cause },
      );
    }
  }

  async function run(batch: IdBatch, pooled: boolean): Promise<BodyOutput> {
    const { lengths } = batch;
    const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
    const { ids, mask } = pad(batch, longest);
    const dims = [lengths.length, longest];
    const feeds: Record<string, Tensor> = {
      input_ids: new runtime.Tensor('int64', ids, dims),
      attention_mask: new runtime.Tensor('int64', mask, dims),
    };
    if (inputNames.includes('token_type_ids'))
      feeds.token_type_ids = new runtime.Tensor('int64', new BigInt64Array(ids.length), dims);
    if (!inputNames.includes('attention_mask')) delete feeds.attention_mask;
    const wanted = projected ? (pooled ? [states, 'projected'] : ['projected']) : [states];
    const outputs = await session.run(feeds, wanted);
    const rows = (name: string): Float32Array => unpad(outputs[name], lengths, longest);
    const own = rows(projected ? 'projected' : states);
    const body = pooled ? (projected ? rows(states) : own) : undefined;
    return {
      states: dense ? await through(dense, own) : own,
      pooled: body ? meanPool(body, lengths, widthOf(outputs[states])) : new Float32Array(0),
    };

    async function through(layers: InferenceSession, x: Float32Array): Promise<Float32Array> {
      const width = widthOf(outputs[states]);
      const { projected: y } = await layers.run({
        states: new runtime.Tensor('float32', x, [x.length / width, width]),
      });
      return new Float32Array(y.data as Float32Array);
    }
  }
}

function widthOf({ dims }: Tensor): number {
  return dims[dims.length - 1];
}

function pad(
  { ids, lengths, attended }: IdBatch,
  longest: number,
): { ids: BigInt64Array; mask: BigInt64Array } {
  const padded = new BigInt64Array(lengths.length * longest);
  const mask = new BigInt64Array(padded.length);
  let from = 0;
  for (let text = 0; text < lengths.length; text++) {
    for (let t = 0; t < lengths[text]; t++) {
      padded[text * longest + t] = BigInt(ids[from++]);
      if (t < attended[text]) mask[text * longest + t] = 1n;
    }
  }
  return { ids: padded, mask };
}

/** The rows of real tokens, one after the other. */
function unpad(tensor: Tensor, lengths: Int32Array, longest: number): Float32Array {
  const width = widthOf(tensor);
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
