import { LemurError } from '../../errors.js';
import { type DenseLayer, denseConfig } from '../architectures/dense.js';
import { tensorReader } from '../architectures/tensor-reader.js';
import { type CheckpointFiles, needJson } from '../files/checkpoint-files.js';
import { findWeights, openWeights, type WeightFiles } from '../files/weight-files.js';
import { inFolder, type Module } from './modules.js';

/** The layers of modules.json behind the body, in their order. */
export async function denseLayers(
  files: CheckpointFiles,
  modules: Module[] | undefined,
  hidden: number,
): Promise<DenseLayer[]> {
  const layers: DenseLayer[] = [];
  // a pooled model's layers take pooled vectors
  if (modules?.some(({ kind }) => kind === 'Pooling')) return layers;
  let width = hidden;
  for (const { path } of modules?.filter(({ kind }) => kind === 'Dense') ?? []) {
    const { json, where } = await needJson(files, inFolder(path, 'config.json'));
    const { inputs, outputs, bias, activation, residual } = denseConfig(json, where);
    if (inputs !== width)
      throw new LemurError(
        'dimension-mismatch',
        `${where}: in_features is ${inputs}, what comes before it gives ${width}`,
        {
          where,
          expected: width,
          got: inputs,
        },
      );
    const { check, read } = await denseTensors(files, await findWeights(files, path));
    check('linear.weight', outputs, inputs);
    if (bias) check('linear.bias', outputs);
    const mapped = residual && inputs !== outputs;
    if (mapped) check('residual.weight', outputs, inputs);
    layers.push({
      inputs,
      outputs,
      weight: await read('linear.weight'),
      bias: bias ? await read('linear.bias') : undefined,
      activation,
      residual: mapped ? await read('residual.weight') : residual ? 'input' : undefined,
    });
    width = outputs;
  }
  return layers;
}

/** Stanford's projection lies among the body's weights. */
export async function stanfordDense(
  files: CheckpointFiles,
  weights: WeightFiles,
  hidden: number,
): Promise<DenseLayer> {
  const { check, read } = await denseTensors(files, weights);
  check('linear.weight', undefined, hidden);
  const weight = await read('linear.weight');
  return {
    inputs: hidden,
    outputs: weight.length / hidden,
    weight,
    bias: undefined,
    activation: 'identity',
    residual: undefined,
  };
}

async function denseTensors({ open }: CheckpointFiles, weights: WeightFiles) {
  const { where } = weights;
  return tensorReader(await openWeights(open, weights), {
    prefixes: [''],
    probe: 'linear.weight',
    what: 'dense layer',
    where,
  });
}
