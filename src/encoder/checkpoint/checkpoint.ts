import { LemurError } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';
import { bertConfig } from '../architectures/bert-config.js';
import { type DenseLayer, denseConfig } from '../architectures/dense.js';
import { modernBertConfig } from '../architectures/modernbert-config.js';
import { tensorReader } from '../architectures/tensor-reader.js';
import {
  type CheckpointFile,
  type CheckpointFiles,
  missing,
  needJson,
  type ParsedFile,
  readJson,
} from '../files/checkpoint-files.js';
import { findWeights, openWeights, type WeightFiles } from '../files/weight-files.js';
import type { Precision } from '../graph/graph-builder.js';
import type { BodySource } from '../runtime/worker-protocol.js';
import {
  isPyLate,
  nativeSettings,
  pyLateSettings,
  type Settings,
  stanfordSettings,
} from './settings.js';

/** How a checkpoint's files are laid out, and whose conventions they follow. */
export type Layout = 'bert' | 'pylate' | 'sentence-transformers' | 'stanford' | 'onnx';

/** What a checkpoint's files say. */
export interface Checkpoint {
  readonly layout: Layout;
  /** undefined: a body alone, whose tokens are read as they come. */
  readonly settings: Settings | undefined;
  readonly body: BodySource;
  readonly dense: readonly DenseLayer[];
  readonly vocabulary: number;
  readonly positions: number;
  /** undefined for an ONNX file that gives finished vectors alone. */
  readonly hidden: number | undefined;
  readonly dim: number;
}

interface Module {
  readonly kind: string;
  readonly path: string;
}

/** Architectures whose graphs are made here. */
const BODIES = ['bert', 'roberta', 'xlm-roberta', 'modernbert'];
/** Names of ONNX files, the preferred one first. */
const GRAPHS: Readonly<Record<Precision, readonly string[]>> = {
  float32: ['model.onnx'],
  int8: ['model_int8.onnx', 'model_quantized.onnx'],
};
/** Modules that are understood. */
const MODULES = [
  'Transformer',
  'Pooling',
  'Dense',
  'Normalize',
  'MultiVectorMask',
  'HierarchicalTokenPooling',
];

/**
 * Reads what kind of checkpoint it is and how it wants its texts, from its own configuration:
 * PyLate and Sentence Transformers 6 (modules.json), Stanford ColBERT (HF_ColBERT in config.json),
 * an ONNX export (onnx_config.json), or a body alone. Rejects with 'not-found', 'bad-file' and
 * 'unsupported'.
 */
export async function openCheckpoint(
  files: CheckpointFiles,
  precision: Precision,
): Promise<Checkpoint> {
  const rootConfig = await readJson(files, 'config.json');
  const modules = await readModules(files);
  const exported =
    (await readJson(files, 'onnx_config.json')) ??
    (modules ? undefined : await exporterSettings(files));
  const at = modules?.find(({ kind }) => kind === 'Transformer')?.path ?? '';
  const config = at === '' ? rootConfig : await readJson(files, inFolder(at, 'config.json'));
  const { layout, settings } = await settingsOf(files, modules, at, config, exported);

  const isOurs = config !== undefined && isKnown(config);
  // the hub's files are downloaded as they are asked for
  const graph = exported || !isOurs ? await findOnnx(files, at, precision) : undefined;
  if (exported && graph) {
    const lengths = [settings?.query.length ?? 0, settings?.document.length ?? 0];
    const dim = sizeOf(exported, 'embedding_dim');
    return {
      layout,
      settings,
      body: { kind: 'onnx', file: graph, finished: true },
      dense: [],
      vocabulary: Infinity,
      positions: Math.max(
        ...lengths,
        typeof config?.json.max_position_embeddings === 'number'
          ? config.json.max_position_embeddings
          : 0,
      ),
      hidden: undefined,
      dim,
    };
  }
  if (!config)
    throw await missing(files, exported ? GRAPHS[precision][0] : inFolder(at, 'config.json'));
  if (!isOurs && graph) {
    const width =
      config.json.hidden_size === undefined && config.json.dim !== undefined
        ? 'dim'
        : 'hidden_size';
    const [hidden, vocabulary, positions] = [width, 'vocab_size', 'max_position_embeddings'].map(
      (key) => sizeOf(config, key),
    );
    const dense = await denseLayers(files, modules, hidden);
    const dim = dense.at(-1)?.outputs ?? hidden;
    return {
      layout,
      settings,
      body: { kind: 'onnx', file: graph, finished: false },
      dense,
      vocabulary,
      positions,
      hidden,
      dim,
    };
  }
  if (!isOurs) {
    const problem = `model_type is ${showJson(config.json.model_type)}, supported: ${BODIES.join(', ')}, and any other with its ONNX file`;
    throw new LemurError(
      'unsupported',
      `${config.where}: ${problem} (${GRAPHS[precision].join(' or ')})`,
      { where: config.where },
    );
  }
  const body =
    config.json.model_type === 'modernbert'
      ? modernBertConfig(config.json, config.where)
      : bertConfig(config.json, config.where);
  const { hidden, vocabulary, positions } = body;
  const weights = await findWeights(files, at);
  const source: BodySource = { kind: 'weights', config: body, weights };
  const dense =
    layout === 'stanford'
      ? [await stanfordDense(files, weights, hidden)]
      : await denseLayers(files, modules, hidden);
  return {
    layout,
    settings,
    body: source,
    dense,
    vocabulary,
    positions,
    hidden,
    dim: dense.at(-1)?.outputs ?? hidden,
  };
}

/**
 * What the exporter wrote of an ONNX file where it wrote it beside Sentence Transformers' own
 * settings.
 */
async function exporterSettings(files: CheckpointFiles): Promise<ParsedFile | undefined> {
  const found = await readJson(files, 'config_sentence_transformers.json');
  return found && found.json.embedding_dim !== undefined ? found : undefined;
}

/**
 * Whether vectors of tokens are brought to unit length: a Normalize may be one of pooled vectors.
 */
async function normalizesTokens(
  files: CheckpointFiles,
  modules: readonly Module[],
): Promise<boolean> {
  for (const { kind, path } of modules) {
    if (
      kind === 'HierarchicalTokenPooling' &&
      (await readJson(files, inFolder(path, 'config.json')))?.json.normalize_embeddings === true
    )
      return true;
    if (kind !== 'Normalize') continue;
    const config = path === '' ? undefined : await readJson(files, inFolder(path, 'config.json'));
    // older versions wrote no configuration, and normalised whatever there was
    if (!config || (config.json.module_input_name ?? 'sentence_embedding') === 'token_embeddings')
      return true;
  }
  return false;
}

/**
 * Raises 'unsupported' for a module that merges tokens by another distance than an index's
 * `pooling`.
 */
async function checkPooling(files: CheckpointFiles, modules: readonly Module[]): Promise<void> {
  for (const { kind, path } of modules) {
    if (kind !== 'HierarchicalTokenPooling') continue;
    const { json, where } = await needJson(files, inFolder(path, 'config.json'));
    const { pool_factor: factor = 1 } = json;
    if (typeof factor === 'number' && factor <= 1) continue;
    const problem = `pool_factor is ${showJson(factor)}, supported: 1; take the module out of modules.json and give an index { pooling: ${showJson(factor)} }`;
    throw new LemurError(
      'unsupported',
      `${where}: ${problem}, which clusters by the distances of vectors instead of their cosines`,
      {
        where,
      },
    );
  }
}

/** The modules of modules.json in their order; undefined where there is none. */
async function readModules(files: CheckpointFiles): Promise<Module[] | undefined> {
  const found = await readJson(files, 'modules.json');
  if (!found) return undefined;
  const { where } = found;
  const list: unknown = found.json;
  const isModule = (value: unknown): value is { type: string; path: string } =>
    typeof value === 'object' &&
    value !== null &&
    ['type', 'path'].every((key) => typeof (value as Record<string, unknown>)[key] === 'string');
  if (!Array.isArray(list) || !list.every(isModule))
    throw new LemurError('bad-file', `${where}: expected an array of modules with type and path`, {
      where,
    });
  const outside = list.find(
    ({ path }) => path.startsWith('/') || /[\\:]/.test(path) || path.split('/').includes('..'),
  );
  if (outside)
    throw new LemurError(
      'bad-file',
      `${where}: a module at ${showJson(outside.path)}, expected a folder in the checkpoint`,
      { where },
    );
  const modules = list.map(({ type, path }) => ({ kind: type.split('.').at(-1) ?? type, path }));
  const unknown = modules.find(({ kind }) => !MODULES.includes(kind));
  if (unknown) {
    const message = `${where}: a module of type ${showJson(unknown.kind)}, supported: ${MODULES.join(', ')}`;
    throw new LemurError('unsupported', message, { where });
  }
  return modules;
}

async function settingsOf(
  files: CheckpointFiles,
  modules: Module[] | undefined,
  at: string,
  config: ParsedFile | undefined,
  exported: ParsedFile | undefined,
): Promise<{ layout: Layout; settings: Settings | undefined }> {
  const top = await readJson(files, 'config_sentence_transformers.json');
  const mask = modules?.find(({ kind }) => kind === 'MultiVectorMask');
  if (modules && mask) {
    const transformer = await needJson(files, inFolder(at, 'sentence_bert_config.json'));
    const of = (await readJson(files, inFolder(mask.path, 'config.json'))) ?? {
      json: {},
      where: mask.path,
    };
    await checkPooling(files, modules);
    const normalize = await normalizesTokens(files, modules);
    return {
      layout: 'sentence-transformers',
      settings: nativeSettings(transformer, of, top ?? { json: {}, where: files.name }, normalize),
    };
  }
  if (exported) return { layout: 'onnx', settings: pyLateSettings(exported.json, exported.where) };
  if (top && isPyLate(top.json)) {
    const transformer = await readJson(files, inFolder(at, 'sentence_bert_config.json'));
    return {
      layout: 'pylate',
      settings: pyLateSettings(
        { do_lower_case: transformer?.json.do_lower_case, ...top.json },
        top.where,
      ),
    };
  }
  const [architecture] = Array.isArray(config?.json.architectures) ? config.json.architectures : [];
  if (architecture === 'HF_ColBERT') {
    const metadata = (await readJson(files, 'artifact.metadata')) ?? {
      json: {},
      where: files.name,
    };
    return { layout: 'stanford', settings: stanfordSettings(metadata.json, metadata.where) };
  }
  return { layout: 'bert', settings: undefined };
}

/** Whether there is a graph of ours for it. */
function isKnown({ json }: ParsedFile): boolean {
  return BODIES.includes(json.model_type as string);
}

async function findOnnx(
  files: CheckpointFiles,
  at: string,
  precision: Precision,
): Promise<CheckpointFile | undefined> {
  for (const name of GRAPHS[precision]) {
    for (const folder of new Set([at, inFolder(at, 'onnx'), 'onnx'])) {
      const file = await files.find(inFolder(folder, name));
      if (file) return file;
    }
  }
  return undefined;
}

/** The layers of modules.json behind the body, in their order. */
async function denseLayers(
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
async function stanfordDense(
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

function sizeOf({ json, where }: ParsedFile, key: string): number {
  const value = json[key];
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new LemurError(
    'bad-file',
    `${where}: ${key} is ${showJson(value)}, expected a positive integer`,
    { where },
  );
}

function inFolder(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
