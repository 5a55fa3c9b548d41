import { isHubId } from '../../encoder/files/hub-options.js';
import { badFile, type LemurError } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';
import { isFeatureMapDescription } from '../../learn/feature-map-description.js';
import { arePassageRules } from '../../passages/passage-rules.js';
import { encodingOf, isPrecision } from '../../tokens/encodings.js';
import type { IndexManifest } from './manifest.js';

type Test = (value: unknown) => boolean;
/** Fields that an object must have, with what they must be. */
type Shape = { readonly [field: string]: Test | Shape };

const count: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const positive: Test = (value) => count(value) && value !== 0;
const finite: Test = (value) => Number.isFinite(value);
const optionalLength: Test = (value) =>
  value === undefined || (finite(value) && (value as number) > 0);
const text: Test = (value) => typeof value === 'string';
const sum: Test = (value) => count(value) && (value as number) < 2 ** 32;
const dataFile: Test = (value) => text(value) && DATA_FILE.test(value as string);
const oneOf =
  (...values: readonly unknown[]): Test =>
  (value) =>
    values.includes(value);
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
const object: Test = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names of data files: a manifest reaches nothing outside its folder. */
export const DATA_FILE: RegExp =
  /^(segment|codes|deleted|keywords|model|projection)\.\d{1,16}\.safetensors$/;

const FILE: Shape = { name: dataFile, bytes: count, crc32: sum, headerCrc32: sum };
const RESIDUAL: Shape = { documents: count, mean: finite };
const ENCODER: Shape = { id: text, dim: positive };
const ORIGIN: Shape = {
  model: isModel,
  files: (value) => object(value) && Object.values(value as object).every(text),
  precision: oneOf('float32', 'int8'),
  hidden: positive,
  projection: (value) => value === null || text(value),
  maxTokens: (value) => value === null || positive(value),
  narrowTo: (value) => value === undefined || positive(value),
};
const SEGMENT: Shape = {
  file: FILE,
  documents: positive,
  tokens: positive,
  quantizationError: finite,
  fitted: count,
};
const DELETED: Shape = { file: FILE, count: positive };
const KEYWORDS: Shape = { file: FILE, texts: positive, words: positive };
const CURVE: Shape = {
  ...{
    k: positive,
    queries: positive,
    source: oneOf('given', 'collection'),
    documents: count,
    target: finite,
  },
  points: listOf((point) => listOf(finite)(point) && (point as unknown[]).length === 3),
};
const MODEL: Shape = {
  ...{
    file: FILE,
    features: oneOf('random', 'trained'),
    mean: finite,
    std: finite,
    documents: count,
    residual: RESIDUAL,
  },
  ...{
    featureMap: (value) => object(value) && isFeatureMapDescription(value as object),
    prefix: { dim: count, step: finite },
  },
  ...{ options: object, length: optionalLength },
};
const MANIFEST: Shape = {
  ...{
    generation: count,
    next: count,
    dim: positive,
    precision: isPrecision,
    pooling: positive,
  },
  ...{ features: oneOf('auto', 'exact', 'random', 'trained'), segments: listOf(object) },
  passages: (value) => value === undefined || arePassageRules(value),
  keywords: (value) => value === undefined || value === false,
  tokenMean: (value) => value === null || listOf(finite)(value),
  roots: (value) => value === undefined || listOf(isRoot)(value),
};

/**
 * Raises 'bad-file', naming the field, for a manifest that lacks what is relied on, or has it of
 * another kind.
 */
export function checkManifest(manifest: unknown, where: string): asserts manifest is IndexManifest {
  const wrong = (field: string, value: unknown): LemurError =>
    badFile(where, `"${field}" is ${showJson(value)}, which makes no sense: the file is damaged`);
  const check = (value: unknown, shape: Shape, name: string): void => {
    if (!object(value)) throw wrong(name, value);
    for (const [field, expected] of Object.entries(shape)) {
      const item = (value as Record<string, unknown>)[field];
      const path = name === 'index' ? field : `${name}.${field}`;
      if (typeof expected !== 'function') check(item, expected, path);
      else if (!expected(item)) throw wrong(path, item);
    }
  };
  const optional = (value: unknown, shape: Shape, name: string): void => {
    if (value !== null) check(value, shape, name);
  };
  check(manifest, MANIFEST, 'index');
  const { encoder, model, segments, dim, precision, unfit } = manifest as IndexManifest;
  optional(encoder, ENCODER, 'encoder');
  if (encoder?.origin !== undefined) check(encoder.origin, ORIGIN, 'encoder.origin');
  if (encoder?.projection !== undefined) check(encoder.projection, FILE, 'encoder.projection');
  optional(model, MODEL, 'model');
  if (model) optional(model.curve, CURVE, 'model.curve');
  if (unfit !== undefined) check(unfit, { documents: count, why: text }, 'unfit');
  if (model && model.featureMap.inputDim !== dim)
    throw wrong('model.featureMap.inputDim', model.featureMap.inputDim);
  const { parametersName, parameterCount } = encodingOf(precision);
  const parameters = (manifest as IndexManifest)[parametersName] ?? null;
  if (
    parameters !== null &&
    !(listOf(finite)(parameters) && parameters.length === parameterCount(dim))
  )
    throw wrong(parametersName, parameters);
  segments.forEach((segment, i) => {
    const name = `segments[${i}]`;
    check(segment, SEGMENT, name);
    optional(segment.codes, FILE, `${name}.codes`);
    optional(segment.deleted, DELETED, `${name}.deleted`);
    if (segment.keywords !== undefined) optional(segment.keywords, KEYWORDS, `${name}.keywords`);
    optional(segment.residual, RESIDUAL, `${name}.residual`);
    if (model && !segment.codes) throw wrong(`${name}.codes`, segment.codes);
    if (segment.deleted && segment.deleted.count > segment.documents)
      throw wrong(`${name}.deleted.count`, segment.deleted.count);
  });
}

function isRoot(value: unknown): boolean {
  const { root, prefix } = Object(value) as Record<string, unknown>;
  return text(root) && text(prefix);
}

/** A model's name, which leads nowhere else: a package's, an id of the hub, or a folder's. */
function isModel(value: unknown): boolean {
  if (!object(value)) return false;
  const { package: name, version, hub, revision, folder } = value as Record<string, unknown>;
  if (name !== undefined)
    return text(version) && /^(@[\w-][\w.-]*\/)?[\w-][\w.-]*$/.test(String(name));
  if (hub !== undefined) return isHubId(String(hub)) && (revision === undefined || text(revision));
  return text(folder);
}
