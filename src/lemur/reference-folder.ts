import { DEVICE_OPTIONS, type DeviceOptions } from '../device/default-device.js';
import type { Device } from '../device/device.js';
import { type FeatureLayout, mlpLayout, randomLayout } from '../device/feature-layout.js';
import { buildTensors } from '../device/with-tensors.js';
import { badFile, type LemurError, unsupported } from '../errors.js';
import type { TorchMap, TorchTensor, TorchValue } from '../formats/torch/torch-file.js';
import { ACTIVATIONS, type Activation } from '../kernels/kernels.js';
import type { OptionNames } from '../known-options.js';
import { paper, type ResolvedLearnOptions } from '../learn/learn-options.js';
import { resolveLearnOptions } from '../learn/resolve-learn-options.js';
import { UNSCALED } from '../learn/scaling.js';
import { createSolver } from '../learn/solver.js';
import { transposed } from '../linalg/transposed.js';
import { platform } from '../platform.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import type { ReadableStorage } from '../storage/storage.js';
import { unlearnedCodec } from '../tokens/encode-tokens.js';
import { type TokenInput, tokenSetsOfDim } from '../tokens/token-sets.js';
import { solveSample } from './fit-corpus.js';
import type { FittedCorpus } from './fitted-corpus.js';
import { featureTensors } from './torch-features.js';

const MODEL = 'mlp.pt';
const WEIGHTS = 'w.pt';
const HEAD = 'output_layer.weight';

/** How an index of the Python reference is opened. */
export interface ReferenceOptions extends DeviceOptions, RunOptions {
  /**
   * Token vectors to solve on, best those of the corpus or a sample of it; 16,384 are drawn from
   * more. Needed for `computeWeights` and `save`.
   */
  sample?: TokenInput | undefined;
}

export const REFERENCE_OPTIONS: OptionNames<ReferenceOptions> = {
  sample: true,
  ...DEVICE_OPTIONS,
  ...RUN_OPTIONS,
};

/** The contents of the folder's files, in our layout. */
interface Reference {
  layout: FeatureLayout;
  parameters: Float32Array;
  /** Documents x d'. */
  w: Float32Array;
  mean: number;
  std: number;
  options: ResolvedLearnOptions;
}

export async function loadReference(
  device: Device,
  storage: ReadableStorage,
  options: ReferenceOptions,
): Promise<{ fitted: FittedCorpus; learnOptions: ResolvedLearnOptions }> {
  options.signal?.throwIfAborted();
  const { layout, parameters, w, mean, std, options: learnOptions } = await readReference(storage);
  const sample =
    options.sample &&
    solveSample(
      await tokenSetsOfDim(options.sample, layout.inputDim, 'sample', options.signal),
      learnOptions,
    );
  return buildTensors(device, async (scope) => {
    const featureMap = { layout, parameters: await scope.upload('f32', parameters) };
    const fitted = {
      featureMap,
      w: await scope.upload('f32', w),
      mean,
      std,
      codec: unlearnedCodec(learnOptions.precision, layout.inputDim),
      scaling: UNSCALED,
      solver: null,
    };
    if (!sample) return { fitted, learnOptions };
    const x = await scope.upload('f32', sample);
    const rows = sample.length / layout.inputDim;
    const solver = await createSolver(device, featureMap, x, rows, false, options);
    return { fitted: { ...fitted, solver }, learnOptions };
  });
}

async function readReference(storage: ReadableStorage): Promise<Reference> {
  const { readTorchFile } = platform();
  const where = `${storage.name}/${MODEL}`;
  const payload = mapOf(await readTorchFile(await storage.read(MODEL), where), 'payload', where);
  const config = mapOf(payload.get('config'), 'config', where);
  const state = mapOf(payload.get('state_dict'), 'state_dict', where);
  const mean = payload.get('output_mean');
  const std = payload.get('output_std');
  if (
    typeof mean !== 'number' ||
    typeof std !== 'number' ||
    !Number.isFinite(mean) ||
    !Number.isFinite(std) ||
    std <= 0
  ) {
    const got = `output_mean ${shown(mean)} and output_std ${shown(std)}`;
    throw badReference(where, `${got}, expected a number and a positive number`);
  }
  const model = readModel(config, state, where);
  const { latentDim } = model.layout;
  const at = `${storage.name}/${WEIGHTS}`;
  const saved = await readTorchFile(await storage.read(WEIGHTS), at);
  const { shape, data } = tensorOf(saved instanceof Map ? saved.get('W') : saved, 'W', at);
  if (shape.length !== 2 || shape[0] < 1 || shape[1] !== latentDim)
    throw badReference(at, `W [${shape}], expected [documents, ${latentDim}]`);
  return { ...model, w: data, mean, std };
}

/** The network that a config describes. */
interface Network {
  type: 'mlp' | 'elm';
  activation: Activation;
  inputDim: number;
  outputs: number;
  hiddenDim: number;
  finalHiddenDim: number;
  numLayers: number;
}

function readConfig(config: TorchMap, where: string): Network {
  const size = (name: string): number => {
    const value = config.get(name);
    if (Number.isInteger(value) && (value as number) > 0) return value as number;
    throw badReference(where, `config: ${name} ${shown(value)}, expected a positive integer`);
  };
  const activation = config.get('activation') as Activation;
  if (!ACTIVATIONS.includes(activation)) {
    const expected = `expected one of ${ACTIVATIONS.join(', ')}`;
    throw unsupportedReference(where, `activation ${shown(activation)}, ${expected}`);
  }
  const type = config.get('model_type');
  if (type !== 'mlp' && type !== 'elm')
    throw unsupportedReference(where, `model type ${shown(type)}, expected 'mlp' or 'elm'`);
  const inputDim = size('input_dim');
  const outputs = size('output_dim');
  const hiddenDim = size(type === 'elm' ? 'final_hidden_dim' : 'hidden_dim');
  const finalHiddenDim =
    config.get('final_hidden_dim') === null ? hiddenDim : size('final_hidden_dim');
  const numLayers = type === 'elm' ? 1 : size('num_layers');
  return { type, activation, inputDim, outputs, hiddenDim, finalHiddenDim, numLayers };
}

/** Layout and parameters by the config, which must name all that the state has and no more. */
function readModel(
  config: TorchMap,
  state: TorchMap,
  where: string,
): Pick<Reference, 'layout' | 'parameters' | 'options'> {
  const network = readConfig(config, where);
  const { type, activation, outputs, hiddenDim, finalHiddenDim, numLayers } = network;
  const tensors = type === 'elm' ? 2 : 4 * numLayers + 1;
  if (state.size !== tensors) {
    const expected = `expected ${tensors} for ${numLayers} layers of type ${type}`;
    throw badReference(where, `state_dict: ${state.size} tensors, ${expected}`);
  }
  const values: Values = (name, ...shape) => {
    const tensor = tensorOf(state.get(name), name, where);
    if (tensor.shape.join() !== shape.join())
      throw badReference(where, `${name} [${tensor.shape}], expected [${shape}]`);
    return tensor.data;
  };
  values(HEAD, outputs, finalHiddenDim);
  const options = resolveLearnOptions({
    ...paper,
    epochs: type === 'elm' ? 0 : paper.epochs,
    trainSubsetSize: outputs,
    numLayers,
    hiddenDim,
    finalHiddenDim,
    activation,
  });
  const read = type === 'elm' ? readRandomFeatures : readPerceptron;
  return { ...read(network, values), options };
}

/** The values of a tensor of the state, which must have that shape. */
type Values = (name: string, ...shape: number[]) => Float32Array;

function readRandomFeatures(
  { inputDim, finalHiddenDim, activation }: Network,
  values: Values,
): Pick<Reference, 'layout' | 'parameters'> {
  const weight = values('feature_extractor.0.weight', inputDim, finalHiddenDim);
  return {
    layout: randomLayout(inputDim, finalHiddenDim, activation),
    parameters: transposed(weight, inputDim, finalHiddenDim),
  };
}

function readPerceptron(
  { inputDim, hiddenDim, finalHiddenDim, numLayers, activation }: Network,
  values: Values,
): Pick<Reference, 'layout' | 'parameters'> {
  const widths = [...new Array<number>(numLayers - 1).fill(hiddenDim), finalHiddenDim];
  const layout = mlpLayout(inputDim, widths, activation);
  // everything is checked before anything is allocated
  const parts = featureTensors(layout, 'feature_extractor').map(({ name, shape, at }) => ({
    at,
    data: values(name, ...shape),
  }));
  const parameters = new Float32Array(layout.parameterCount);
  for (const { at, data } of parts) parameters.set(data, at);
  return { layout, parameters };
}

function mapOf(value: TorchValue | undefined, name: string, where: string): TorchMap {
  if (value instanceof Map) return value;
  throw badReference(where, `${name}: ${shown(value)}, expected a dictionary`);
}

function tensorOf(value: TorchValue | undefined, name: string, where: string): TorchTensor {
  if (typeof value !== 'object' || value === null || !('data' in value))
    throw badReference(where, `${name}: ${shown(value)}, expected a tensor`);
  if (!value.data.every(Number.isFinite))
    throw badReference(where, `${name} has values that are not finite`);
  return value;
}

/** A value as messages have it, whatever it is. */
function shown(value: TorchValue | undefined): string {
  if (value === undefined) return 'is missing';
  if (value === null) return 'None';
  return typeof value === 'object' ? 'of another kind' : `'${String(value).slice(0, 50)}'`;
}

function badReference(where: string, problem: string): LemurError {
  return badFile(where, `not the index of the reference: ${problem}`);
}

function unsupportedReference(where: string, problem: string): LemurError {
  return unsupported(where, `not read here: ${problem}`);
}
