import { badFile, unsupported } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';
import { bertConfig } from '../architectures/bert-config.js';
import type { DenseLayer } from '../architectures/dense.js';
import { modernBertConfig } from '../architectures/modernbert-config.js';
import {
  type CheckpointFile,
  type CheckpointFiles,
  missing,
  type ParsedFile,
  readJson,
} from '../files/checkpoint-files.js';
import { findWeights } from '../files/weight-files.js';
import type { ProductPrecision } from '../graph/graph-builder.js';
import type { BodySource } from '../runtime/worker-protocol.js';
import { denseLayers, stanfordDense } from './dense-layers.js';
import { type Layout, layoutOf } from './layout.js';
import { inFolder, type Module, readModules } from './modules.js';
import type { Settings } from './settings.js';

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

/** Architectures whose graphs are made here. */
const BODIES = ['bert', 'roberta', 'xlm-roberta', 'modernbert'];
/** Names of ONNX files, the preferred one first. */
const GRAPHS: Readonly<Record<ProductPrecision, readonly string[]>> = {
  float32: ['model.onnx'],
  int8: ['model_int8.onnx', 'model_quantized.onnx'],
};
/**
 * Reads what kind of checkpoint it is and how it wants its texts, from its own configuration:
 * PyLate and Sentence Transformers 6 (modules.json), Stanford ColBERT (HF_ColBERT in config.json),
 * an ONNX export (onnx_config.json), or a body alone. Rejects with 'not-found', 'bad-file' and
 * 'unsupported'.
 */
export async function openCheckpoint(
  files: CheckpointFiles,
  precision: ProductPrecision,
): Promise<Checkpoint> {
  const rootConfig = await readJson(files, 'config.json');
  const modules = await readModules(files);
  const exported =
    (await readJson(files, 'onnx_config.json')) ??
    (modules ? undefined : await exporterSettings(files));
  const at = modules?.find(({ kind }) => kind === 'Transformer')?.path ?? '';
  const config = at === '' ? rootConfig : await readJson(files, inFolder(at, 'config.json'));
  const { layout, settings } = await layoutOf(files, modules, at, config, exported);
  const of: Described = { files, at, modules, layout, settings };
  const isOurs = config !== undefined && isKnown(config);
  // the hub's files are downloaded as they are asked for
  const graph = exported || !isOurs ? await findOnnx(files, at, precision) : undefined;
  if (exported && graph) return finishedGraph(of, graph, exported, config);
  if (!config)
    throw await missing(files, exported ? GRAPHS[precision][0] : inFolder(at, 'config.json'));
  if (isOurs) return ownBody(of, config);
  if (graph) return foreignGraph(of, graph, config);
  const problem =
    `model_type is ${showJson(config.json.model_type)}, supported: ` +
    `${BODIES.join(', ')}, and any other with its ONNX file`;
  const names = GRAPHS[precision].join(' or ');
  throw unsupported(config.where, `${problem} (${names})`);
}

/** A checkpoint whose layout is known. */
interface Described {
  readonly files: CheckpointFiles;
  /** The folder of its body. */
  readonly at: string;
  readonly modules: Module[] | undefined;
  readonly layout: Layout;
  readonly settings: Settings | undefined;
}

/** An ONNX file that gives finished token vectors. */
function finishedGraph(
  { layout, settings }: Described,
  file: CheckpointFile,
  exported: ParsedFile,
  config: ParsedFile | undefined,
): Checkpoint {
  const said = config?.json.max_position_embeddings;
  const lengths = [settings?.query.length ?? 0, settings?.document.length ?? 0];
  return {
    layout,
    settings,
    body: { kind: 'onnx', file, finished: true },
    dense: [],
    vocabulary: Infinity,
    positions: Math.max(...lengths, typeof said === 'number' ? said : 0),
    hidden: undefined,
    dim: sizeOf(exported, 'embedding_dim'),
  };
}

/** An ONNX file of a body, of whatever architecture. */
async function foreignGraph(
  { files, modules, layout, settings }: Described,
  file: CheckpointFile,
  config: ParsedFile,
): Promise<Checkpoint> {
  const { hidden_size: usual, dim: other } = config.json;
  const width = usual === undefined && other !== undefined ? 'dim' : 'hidden_size';
  const [hidden, vocabulary, positions] = [width, 'vocab_size', 'max_position_embeddings'].map(
    (key) => sizeOf(config, key),
  );
  const dense = await denseLayers(files, modules, hidden);
  const dim = dense.at(-1)?.outputs ?? hidden;
  const body: BodySource = { kind: 'onnx', file, finished: false };
  return { layout, settings, body, dense, vocabulary, positions, hidden, dim };
}

/** A body whose graph is made of its weights. */
async function ownBody(
  { files, at, modules, layout, settings }: Described,
  { json, where }: ParsedFile,
): Promise<Checkpoint> {
  const config =
    json.model_type === 'modernbert' ? modernBertConfig(json, where) : bertConfig(json, where);
  const { hidden, vocabulary, positions } = config;
  const weights = await findWeights(files, at);
  const dense =
    layout === 'stanford'
      ? [await stanfordDense(files, weights, hidden)]
      : await denseLayers(files, modules, hidden);
  const dim = dense.at(-1)?.outputs ?? hidden;
  const body: BodySource = { kind: 'weights', config, weights };
  return { layout, settings, body, dense, vocabulary, positions, hidden, dim };
}

/**
 * What the exporter wrote of an ONNX file where it wrote it beside Sentence Transformers' own
 * settings.
 */
async function exporterSettings(files: CheckpointFiles): Promise<ParsedFile | undefined> {
  const found = await readJson(files, 'config_sentence_transformers.json');
  return found && found.json.embedding_dim !== undefined ? found : undefined;
}

/** Whether there is a graph of ours for it. */
function isKnown({ json }: ParsedFile): boolean {
  return BODIES.includes(json.model_type as string);
}

async function findOnnx(
  files: CheckpointFiles,
  at: string,
  precision: ProductPrecision,
): Promise<CheckpointFile | undefined> {
  for (const name of GRAPHS[precision]) {
    for (const folder of new Set([at, inFolder(at, 'onnx'), 'onnx'])) {
      const file = await files.find(inFolder(folder, name));
      if (file) return file;
    }
  }
  return undefined;
}

function sizeOf({ json, where }: ParsedFile, key: string): number {
  const value = json[key];
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw badFile(where, `${key} is ${showJson(value)}, expected a positive integer`);
}
