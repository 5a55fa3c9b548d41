import { LemurError } from '../errors.js';
import type { SafetensorsFile } from '../formats/safetensors-file.js';
import { bertWeights } from './bert-weights.js';
import type { Body } from './body.js';
import { type OnnxRuntime, onnxBody } from './onnx-body.js';
import { bertOnnx } from './onnx-graph.js';
import type { OnnxPackage, StartMessage } from './worker-protocol.js';

/** What the worker does first, with the opened weights. Raises `missing-package` where the runtime is not installed. */
export async function makeBody(
  { package: name, threads, config, where, projection }: Omit<StartMessage, 'folder' | 'weights'>,
  weights: SafetensorsFile,
): Promise<Body> {
  const runtime = await importRuntime(name, threads);
  const model = await bertOnnx(config, bertWeights(weights, config, where), projection);
  const options = { executionProviders: [name === 'onnxruntime-web' ? 'wasm' : 'cpu'], intraOpNumThreads: threads };
  return onnxBody(runtime, model, config.hidden, projection?.dim, options);
}

async function importRuntime(name: OnnxPackage, threads: number): Promise<OnnxRuntime> {
  try {
    if (name === 'onnxruntime-web') {
      const runtime = await import('onnxruntime-web');
      runtime.env.wasm.numThreads = threads;
      return runtime;
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
