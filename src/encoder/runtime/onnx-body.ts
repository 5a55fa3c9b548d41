import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-web';
import { LemurError, unsupported } from '../../errors.js';
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
  const session = await loadSession(runtime, model, options);
  const dense = after && (await loadSession(runtime, { ...model, model: after }, options));
  checkInputs(session.inputNames, model.where);
  return new OnnxBody(runtime, session, dense);
}

/** Raises 'unsupported' for a model that wants other inputs than tokens. */
function checkInputs(names: readonly string[], where: string): void {
  const known = ['input_ids', 'attention_mask', 'token_type_ids'];
  if (names.every((name) => known.includes(name)) && names.includes('input_ids')) return;
  const problem =
    `a model with inputs ${names.join(', ')}, expected input_ids, ` +
    'attention_mask and perhaps token_type_ids';
  throw unsupported(where, problem);
}

async function loadSession(
  runtime: OnnxRuntime,
  { model, where }: OnnxModel,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const usual = { graphOptimizationLevel: 'all', logSeverityLevel: FATAL } as const;
  try {
    return await runtime.InferenceSession.create(model, { ...usual, ...options });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (/no available backend/.test(reason)) {
      const message = `ONNX Runtime does not start here: ${reason}`;
      throw new LemurError('unsupported', message, { where: 'onnxruntime' }, { cause });
    }
    const message = `${where}: ONNX Runtime cannot load the model: ${reason}`;
    throw new LemurError('bad-file', message, { where }, { cause });
  }
}

class OnnxBody implements Body {
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;
  /** Layers behind the body, as a model of their own. */
  readonly #dense: InferenceSession | undefined;
  /** Whether the body's model has the layers in it. */
  readonly #isProjected: boolean;
  readonly #states: string;

  constructor(
    runtime: OnnxRuntime,
    session: InferenceSession,
    dense: InferenceSession | undefined,
  ) {
    const { outputNames } = session;
    this.#runtime = runtime;
    this.#session = session;
    this.#dense = dense;
    this.#isProjected = outputNames.includes('projected');
    this.#states = STATES.find((name) => outputNames.includes(name)) ?? outputNames[0];
  }

  async run(batch: IdBatch, pooled: boolean): Promise<BodyOutput> {
    const { lengths } = batch;
    const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
    const main = this.#isProjected ? 'projected' : this.#states;
    const wanted = pooled && this.#isProjected ? [this.#states, main] : [main];
    const outputs = await this.#session.run(this.#feeds(batch, longest), wanted);
    const rows = (name: string): Float32Array => unpad(outputs[name], lengths, longest);
    const own = rows(main);
    const body = pooled ? (this.#isProjected ? rows(this.#states) : own) : undefined;
    const width = (): number => widthOf(outputs[this.#states]);
    return {
      states: this.#dense ? await this.#through(this.#dense, own, width()) : own,
      pooled: body ? meanPool(body, lengths, width()) : new Float32Array(0),
    };
  }

  #feeds(batch: IdBatch, longest: number): Record<string, Tensor> {
    const { ids, mask } = pad(batch, longest);
    const int64 = (data: BigInt64Array): Tensor =>
      new this.#runtime.Tensor('int64', data, [batch.lengths.length, longest]);
    const given: Record<string, () => Tensor> = {
      input_ids: () => int64(ids),
      attention_mask: () => int64(mask),
      token_type_ids: () => int64(new BigInt64Array(ids.length)),
    };
    return Object.fromEntries(this.#session.inputNames.map((name) => [name, given[name]()]));
  }

  async #through(layers: InferenceSession, x: Float32Array, width: number): Promise<Float32Array> {
    const states = new this.#runtime.Tensor('float32', x, [x.length / width, width]);
    const { projected } = await layers.run({ states });
    return new Float32Array(projected.data as Float32Array);
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
