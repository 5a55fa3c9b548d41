import type { InferenceSession } from 'onnxruntime-web';
import { LemurError } from '../errors.js';
import type { SafetensorsFile } from '../formats/safetensors-file.js';
import { bertOnnx } from './bert-graph.js';
import { bertWeights } from './bert-weights.js';
import type { Body } from './body.js';
import { denseOnnx } from './dense-graph.js';
import { modernBertOnnx } from './modernbert-graph.js';
import { modernBertWeights } from './modernbert-weights.js';
import { type OnnxModel, type OnnxRuntime, onnxBody } from './onnx-body.js';
import type { OnnxPackage, StartMessage } from './worker-protocol.js';

/** How the worker opens files. */
export interface BodyFiles {
  weights(folder: string, file: string): Promise<SafetensorsFile>;
  bytes(path: string): Promise<Uint8Array>;
}

/** What the worker does first. Raises `missing-package` where the runtime is not installed, and 'bad-file'. */
export async function makeBody(start: Omit<StartMessage, 'kind'>, files: BodyFiles): Promise<Body> {
  const { package: name, threads, providers, precision, body, dense } = start;
  const runtime = await importRuntime(name, threads);
  const options: InferenceSession.SessionOptions = {
    executionProviders: [...(providers ?? [name === 'onnxruntime-web' ? 'wasm' : 'cpu'])],
    intraOpNumThreads: threads,
  };
  if (body.kind === 'weights') {
    const { config, folder, file, where } = body;
    const weights = await files.weights(folder, file);
    const model =
      config.kind === 'bert'
        ? await bertOnnx(config, bertWeights(weights, config, where), dense, precision)
        : await modernBertOnnx(config, modernBertWeights(weights, config, where), dense, precision);
    return onnxBody(runtime, { model, where }, undefined, options);
  }
  // a path lets onnxruntime-node find weights that lie beside the graph
  const model: OnnxModel = { model: name === 'onnxruntime-node' ? body.path : await files.bytes(body.path), where: body.path };
  const after = body.finished || dense.length === 0 ? undefined : denseOnnx(dense);
  return onnxBody(runtime, model, after, options);
}

async function importRuntime(name: OnnxPackage, threads: number): Promise<OnnxRuntime> {
  try {
    if (name === 'onnxruntime-web') {
      const runtime = await import('onnxruntime-web');
      runtime.env.wasm.numThreads = threads;
      return runtime as OnnxRuntime;
    }
    // by a variable: its types are the same as those of the other
    const runtime: OnnxRuntime & { default?: OnnxRuntime } = await import(name);
    return runtime.default ?? runtime;
  } catch (cause) {
    throw new LemurError(
      'missing-package',
      `the encoder needs the package ${name}: npm install ${name}`,
      { where: 'loadEncoder', package: name },
      { cause },
    );
  }
}
