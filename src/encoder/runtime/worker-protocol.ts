import { LemurError, type LemurErrorCode, type LemurErrorFields } from '../../errors.js';
import type { BertConfig } from '../architectures/bert-config.js';
import type { DenseLayer } from '../architectures/dense.js';
import type { ModernBertConfig } from '../architectures/modernbert-config.js';
import type { CheckpointFile } from '../files/checkpoint-files.js';
import type { WeightFiles } from '../files/weight-files.js';
import type { ProductPrecision } from '../graph/graph-builder.js';
import type { BodyOutput, IdBatch } from './body.js';

/** The packages that run the model. */
export type OnnxPackage = 'onnxruntime-web' | 'onnxruntime-node';

/** Where a body comes from: weights that a graph is made of, or a graph that is ready. */
export type BodySource =
  | {
      readonly kind: 'weights';
      readonly config: BertConfig | ModernBertConfig;
      readonly weights: WeightFiles;
    }
  | {
      readonly kind: 'onnx';
      readonly file: CheckpointFile;
      /** Whether its output has been through the dense layers already. */
      readonly finished: boolean;
    };

/** The first message to the worker. */
export interface StartMessage {
  readonly kind: 'start';
  readonly package: OnnxPackage;
  /** Where it begins; undefined: the worker finds it by its name. */
  readonly address: string | undefined;
  readonly threads: number;
  /** Where onnxruntime-web's .wasm files are; undefined: where its script looks for them. */
  readonly wasmPaths: string | undefined;
  /** ONNX Runtime's execution providers, the preferred one first; undefined: its CPU. */
  readonly providers: readonly string[] | undefined;
  readonly precision: ProductPrecision;
  readonly body: BodySource;
  readonly dense: readonly DenseLayer[];
}

export interface RunMessage {
  readonly kind: 'run';
  readonly batch: IdBatch;
  readonly pooled: boolean;
}

/** The last message: what is under way ends, what waits is dropped, and the thread exits. */
export interface StopMessage {
  readonly kind: 'stop';
}

export type WorkerMessage = StartMessage | RunMessage | StopMessage;

/** The worker answers each message with one reply, in order; that to `start` has no output. */
export type WorkerReply = { output: BodyOutput | undefined } | { error: SentError };

/** An error as a message; classes do not survive the way between threads. */
export interface SentError {
  readonly message: string;
  readonly stack: string | undefined;
  readonly lemur: { code: LemurErrorCode; fields: LemurErrorFields[LemurErrorCode] } | undefined;
}

export function sendError(error: unknown): SentError {
  if (!(error instanceof Error))
    return { message: String(error), stack: undefined, lemur: undefined };
  const lemur =
    error instanceof LemurError
      ? {
          code: error.code as LemurErrorCode,
          fields: error.fields as LemurErrorFields[LemurErrorCode],
        }
      : undefined;
  return { message: error.message, stack: error.stack, lemur };
}

/** The same error again; one that is not a `LemurError` becomes the cause of a `worker-failed`. */
export function receiveError({ message, stack, lemur }: SentError): LemurError {
  if (lemur) return new LemurError(lemur.code, message, lemur.fields);
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return new LemurError(
    'worker-failed',
    `The encoder's worker failed: ${message}`,
    { where: 'encoder' },
    { cause },
  );
}
