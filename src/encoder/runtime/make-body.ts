import type { InferenceSession } from 'onnxruntime-web';
import { readAll } from '../../bytes/byte-source.js';
import { LemurError } from '../../errors.js';
import { bertOnnx } from '../architectures/bert-graph.js';
import { bertWeights } from '../architectures/bert-weights.js';
import { denseOnnx } from '../architectures/dense-graph.js';
import { modernBertOnnx } from '../architectures/modernbert-graph.js';
import { modernBertWeights } from '../architectures/modernbert-weights.js';
import type { OpenFile } from '../files/checkpoint-files.js';
import { openWeights } from '../files/weight-files.js';
import type { GraphOptions } from '../graph/graph-builder.js';
import type { Body } from './body.js';
import { type OnnxModel, type OnnxRuntime, onnxBody } from './onnx-body.js';
import type { OnnxPackage, StartMessage } from './worker-protocol.js';

/**
 * Milliseconds that onnxruntime-web may take to start, downloads included: it does not say that its
 * threads cannot be started.
 */
const START_TIMEOUT = 180_000;

/** What the worker's platform has. */
export interface BodyPlatform {
  readonly open: OpenFile;
  importRuntime(name: OnnxPackage, address: string | undefined): Promise<OnnxRuntime>;
}

/**
 * What the worker does first. Raises `missing-package` where the runtime is not installed, and
 * 'bad-file'.
 */
export async function makeBody(
  start: Omit<StartMessage, 'kind'>,
  platform: BodyPlatform,
): Promise<Body> {
  const { package: name, threads, providers, precision, body, dense } = start;
  const runtime = await loadRuntime(start, platform);
  const options: InferenceSession.SessionOptions = {
    executionProviders: [...(providers ?? [name === 'onnxruntime-web' ? 'wasm' : 'cpu'])],
    intraOpNumThreads: threads,
  };
  if (body.kind === 'weights') {
    const { config } = body;
    const { where } = body.weights;
    const graph: GraphOptions = {
      precision,
      attention: providers?.some((provider) => provider.startsWith('web')) ? 'plain' : 'fused',
    };
    const weights = await openWeights(platform.open, body.weights);
    const model =
      config.kind === 'bert'
        ? await bertOnnx(config, bertWeights(weights, config, where), dense, graph)
        : await modernBertOnnx(config, modernBertWeights(weights, config, where), dense, graph);
    // what is written here would be fused on a processor to operators that are slower
    const level = providers === undefined ? 'basic' : 'all';
    const own = { graphOptimizationLevel: level, ...options } as const;
    return onnxBody(runtime, { model, where }, undefined, own);
  }
  const { place, where } = body.file;
  // a path lets onnxruntime-node find weights that lie beside the graph
  const byPath = name === 'onnxruntime-node' && typeof place === 'string';
  const model: OnnxModel = {
    model: byPath ? place : await readAll(await platform.open(body.file)),
    where,
  };
  const after = body.finished || dense.length === 0 ? undefined : denseOnnx(dense);
  return onnxBody(runtime, model, after, options);
}

async function loadRuntime(
  { package: name, address, threads, wasmPaths }: Omit<StartMessage, 'kind'>,
  { importRuntime }: BodyPlatform,
): Promise<OnnxRuntime> {
  const runtime = await importRuntime(name, address).catch((cause: unknown) => {
    const { code, message } = cause as { code?: unknown; message?: unknown };
    if (typeof code === 'string' && /MODULE_NOT_FOUND$/.test(code)) {
      const problem = `the encoder needs the package ${name}: npm install ${name}`;
      throw new LemurError(
        'missing-package',
        problem,
        { where: 'loadEncoder', package: name },
        { cause },
      );
    }
    throw new LemurError(
      'unsupported',
      `the package ${name} does not start here: ${message}`,
      { where: 'loadEncoder' },
      { cause },
    );
  });
  if (name === 'onnxruntime-web') {
    runtime.env.wasm.numThreads = threads;
    runtime.env.wasm.initTimeout = START_TIMEOUT;
    if (wasmPaths !== undefined) runtime.env.wasm.wasmPaths = wasmPaths;
  }
  return runtime;
}
