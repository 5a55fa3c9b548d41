import { type FeatureLayout, mlpLayout, randomLayout } from '../device/feature-layout.js';
import { badFile, LemurError, unsupported } from '../errors.js';
import { showJson } from '../formats/json/show-json.js';
import type { SafetensorsFile } from '../formats/safetensors/safetensors-file.js';
import { ACTIVATIONS, type Activation } from '../kernels/kernels.js';
import { paper, type ResolvedLearnOptions } from '../learn/learn-options.js';
import { resolveLearnOptions } from '../learn/resolve-learn-options.js';
import { transposed } from '../linalg/transposed.js';
import type { ReadableStorage } from '../storage/storage.js';
import { openStoredSafetensors } from '../storage/stored-safetensors.js';
import { storedSize } from '../storage/stored-source.js';
import { storageToRead } from '../storage-of.js';
import { type FeatureTensor, featureTensors } from './torch-features.js';

// The artefact as txtai 9.13.0 saves it, by its sources: models/pooling/lemur.py (20f818f) and
// late.py (00ec81a), pipeline/train/lemur.py.
const CONFIG = 'config.json';
const TENSORS = 'model.safetensors';
const FEATURES = 'featureextractor';
const CENTER = 'lemur.center';
const KEYS = [
  'modeltype',
  'inputdim',
  'hiddendim',
  'finalhiddendim',
  'layers',
  'activation',
  'queryscale',
  'seed',
  'training',
];
const FLOATS = ['F32', 'F16', 'BF16', 'F64'];
/** A config is a few hundred bytes. */
const CONFIG_LIMIT = 1 << 20;

/** Whether these can be the tensors of an artefact: the names are txtai's own. */
export function hasTxtaiTensors({ tensors }: Pick<SafetensorsFile, 'tensors'>): boolean {
  return ['lemur.mean', 'lemur.std', 'lemur.sample'].every((name) => tensors.has(name));
}

/**
 * Dimension of the token vectors that an artefact was learned from. Rejects with 'not-found',
 * 'bad-file' or 'unsupported'.
 */
export async function readTxtaiDim(storage: ReadableStorage): Promise<number> {
  return (await readConfig(storage)).inputDim;
}

/**
 * The mean that txtai takes off token vectors before this artefact sees them; null when it takes
 * off none.
 */
export async function readTxtaiCenter(
  at: string | URL | ReadableStorage,
): Promise<Float32Array | null> {
  const storage = storageToRead(at);
  const config = await readConfig(storage);
  const { file, where } = await openTensors(storage);
  if (!file.tensors.has(CENTER)) return null;
  checkTensor(file, where, CENTER, [config.inputDim]);
  return readFinite(file, where, CENTER);
}

interface Config {
  type: 'mlp' | 'elm';
  inputDim: number;
  hiddenDim: number;
  latentDim: number;
  layers: number;
  activation: Activation;
}

/** The contents of an artefact's files, in our layout. */
export interface Artefact {
  layout: FeatureLayout;
  parameters: Float32Array;
  /** Token vectors to solve on, n' x d. */
  sample: Float32Array;
  mean: number;
  std: number;
  hasCenter: boolean;
  learnOptions: ResolvedLearnOptions;
}

/** Reads and checks an artefact. Rejects with 'not-found', 'bad-file' or 'unsupported'. */
export async function readArtefact(storage: ReadableStorage): Promise<Artefact> {
  const { type, inputDim, hiddenDim, latentDim, layers, activation } = await readConfig(storage);
  const { file, where } = await openTensors(storage);
  const hasCenter = file.tensors.has(CENTER);
  // the number of tensors bounds that of layers before anything is made for them
  const expected = 3 + Number(hasCenter) + (type === 'elm' ? 1 : 4 * layers);
  if (file.tensors.size !== expected)
    throw badArtefact(
      where,
      `${file.tensors.size} tensors, expected ${expected} for ${layers} layers of type ${type}`,
    );

  const random = type === 'elm';
  const widths = random
    ? [latentDim]
    : [...new Array<number>(layers - 1).fill(hiddenDim), latentDim];
  const layout = random
    ? randomLayout(inputDim, latentDim, activation)
    : mlpLayout(inputDim, widths, activation);
  const features: FeatureTensor[] = random
    ? [{ name: `${FEATURES}.0.weight`, shape: [inputDim, latentDim], at: 0 }]
    : featureTensors(layout, FEATURES);
  for (const { name, shape } of features) checkTensor(file, where, name, shape);
  for (const name of ['lemur.mean', 'lemur.std']) checkTensor(file, where, name, [1]);
  checkTensor(file, where, 'lemur.sample', [null, inputDim]);
  if (hasCenter) checkTensor(file, where, CENTER, [inputDim]);

  const [mean] = await readFinite(file, where, 'lemur.mean');
  const [std] = await readFinite(file, where, 'lemur.std');
  if (std <= 0) throw badArtefact(where, `lemur.std is ${std}, expected a positive number`);
  const parameters = new Float32Array(layout.parameterCount);
  for (const { name, at } of features) {
    const values = await readFinite(file, where, name);
    parameters.set(random ? transposed(values, inputDim, latentDim) : values, at);
  }
  const sample = await readFinite(file, where, 'lemur.sample');
  const epochs = random ? 0 : paper.epochs;
  const numLayers = random ? 1 : layers;
  const olsSampleSize = sample.length / inputDim;
  const learnOptions = resolveLearnOptions({
    ...paper,
    ...{ epochs, numLayers, hiddenDim, finalHiddenDim: latentDim, activation, olsSampleSize },
  });
  return { layout, parameters, sample, mean, std, hasCenter, learnOptions };
}

async function readConfig(storage: ReadableStorage): Promise<Config> {
  const where = `${storage.name}/${CONFIG}`;
  const bytes = await storedSize(storage, CONFIG);
  if (bytes > CONFIG_LIMIT)
    throw badArtefact(where, `${bytes} bytes, expected at most ${CONFIG_LIMIT}`);
  let config: Record<string, unknown>;
  try {
    config = JSON.parse(new TextDecoder().decode(await storage.read(CONFIG)));
  } catch (cause) {
    if (cause instanceof LemurError) throw cause;
    throw badFile(where, 'not JSON, the file is damaged or truncated', cause);
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw badArtefact(where, 'expected an object of settings');
  const unknown = Object.keys(config).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    throw unsupportedArtefact(
      where,
      `setting '${unknown.slice(0, 50)}', expected ${KEYS.join(', ')}`,
    );
  const size = (key: string): number => {
    const value = config[key];
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    throw badArtefact(where, `${key} is ${shown(value)}, expected a positive integer`);
  };
  const { modeltype: type, activation, queryscale } = config;
  if (type !== 'mlp' && type !== 'elm')
    throw unsupportedArtefact(where, `modeltype is ${shown(type)}, expected "mlp" or "elm"`);
  if (!ACTIVATIONS.includes(activation as Activation))
    throw unsupportedArtefact(
      where,
      `activation is ${shown(activation)}, expected one of ${ACTIVATIONS.join(', ')}`,
    );
  // queries are summed here; dividing all of them by one number changes no ranking
  if (typeof queryscale !== 'number' || !(queryscale > 0))
    throw badArtefact(where, `queryscale is ${shown(queryscale)}, expected a positive number`);
  return {
    type,
    activation: activation as Activation,
    inputDim: size('inputdim'),
    hiddenDim: size('hiddendim'),
    latentDim: size('finalhiddendim'),
    layers: size('layers'),
  };
}

async function openTensors(
  storage: ReadableStorage,
): Promise<{ file: SafetensorsFile; where: string }> {
  return {
    file: await openStoredSafetensors(storage, TENSORS),
    where: `${storage.name}/${TENSORS}`,
  };
}

/**
 * Refuses a tensor that is missing, of another shape or of another kind of type; null stands for
 * any number of rows.
 */
function checkTensor(
  file: SafetensorsFile,
  where: string,
  name: string,
  shape: readonly (number | null)[],
): void {
  const tensor = file.tensors.get(name);
  if (!tensor) throw badArtefact(where, `no tensor ${name}`);
  const fits = (n: number | null, i: number): boolean =>
    n === null ? tensor.shape[i] > 0 : tensor.shape[i] === n;
  if (!FLOATS.includes(tensor.type) || tensor.shape.length !== shape.length || !shape.every(fits)) {
    const expected = `F32 [${shape.map((n) => n ?? 'rows')}]`;
    throw badArtefact(where, `${name} is ${tensor.type} [${tensor.shape}], expected ${expected}`);
  }
}

async function readFinite(
  file: SafetensorsFile,
  where: string,
  name: string,
): Promise<Float32Array> {
  const values = await file.readFloats(name);
  if (!values.every(Number.isFinite))
    throw badArtefact(where, `${name} has values that are not finite`);
  return values;
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : showJson(value);
}

function badArtefact(where: string, problem: string): LemurError {
  return badFile(where, `not a LEMUR artefact of txtai: ${problem}`);
}

function unsupportedArtefact(where: string, problem: string): LemurError {
  return unsupported(where, `not read here: ${problem}`);
}
