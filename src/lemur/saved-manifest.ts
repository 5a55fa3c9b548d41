import { badFile, isLemurError, LemurError } from '../errors.js';
import {
  type CheckedForm,
  encodeCheckedJson,
  readCheckedJson,
} from '../formats/json/checked-json.js';
import { showJson } from '../formats/json/show-json.js';
import {
  type FeatureMapDescription,
  isFeatureMapDescription,
} from '../learn/feature-map-description.js';
import type { ResolvedLearnOptions } from '../learn/learn-options.js';
import { resolveLearnOptions } from '../learn/resolve-learn-options.js';
import type { Storage } from '../storage/storage.js';

export const MANIFEST = 'lemur.json';
/**
 * 1: without a checksum of its own, and data files with names that those of a collection may have.
 */
const VERSION = 2;
const FORM: CheckedForm = { format: 'lemur', key: 'lemur' };
/**
 * Names of data files, since version 2 with `lemur-` before them; the number is that of the save.
 */
const DATA_FILE = /^(lemur-)?(model|weights|solver|prefix)\.\d+\.safetensors$/;
/** Held while a save is under way. */
export const LOCK = 'lemur.lock';

/**
 * Whether a file of this name belongs to a saved Lemur: the manifest, data files of any save, and
 * what a crash may leave of them.
 */
export function isSavedFile(name: string): boolean {
  return (
    name === MANIFEST ||
    /^lemur\.json(\.[0-9a-f]{16})?\.tmp$/.test(name) ||
    name.startsWith(LOCK) ||
    DATA_FILE.test(name)
  );
}

/** A data file as the manifest knows it. */
export interface FileEntry {
  name: string;
  bytes: number;
  crc32: number;
}

/** `lemur.json`. */
export interface Manifest {
  format: 'lemur';
  version: number;
  /**
   * Counts the saves; data files carry it in their names, so that a new save never touches those of
   * the last.
   */
  save: number;
  documents: number;
  mean: number;
  std: number;
  featureMap: FeatureMapDescription;
  options: ResolvedLearnOptions;
  /** Of the first stage; absent where there is none. */
  prefix?: { dim: number; step: number } | undefined;
  /**
   * Whether the feature map takes vectors of length 1; absent where an earlier version fitted it.
   */
  unit?: boolean | undefined;
  files: {
    model: FileEntry;
    weights: FileEntry;
    solver: FileEntry;
    prefix?: FileEntry | undefined;
  };
}

/** One line: format, version, CRC-32 of the text of `lemur`, `lemur`. */
export function encodeManifest({ format: _, version: __, ...lemur }: Manifest): Uint8Array {
  return encodeCheckedJson(FORM, VERSION, lemur);
}

/** A new one, to be encoded. */
export function newManifest(of: Omit<Manifest, 'format' | 'version'>): Manifest {
  return { format: 'lemur', version: VERSION, ...of };
}

/** Reads and checks `lemur.json` alone. Rejects with 'not-found', 'bad-file' or 'unsupported'. */
export async function readManifest(storage: Storage): Promise<Manifest> {
  const where = `${storage.name}/${MANIFEST}`;
  const bytes = await storage.read(MANIFEST).catch(async (cause: unknown) => {
    // it may be there, and be no file
    if (!isLemurError(cause, 'not-found') || (await storage.list()).includes(MANIFEST)) throw cause;
    throw new LemurError(
      'not-found',
      `${storage.name}: no saved model here (${MANIFEST} is missing)`,
      { where },
      { cause },
    );
  });
  return decodeManifest(bytes, where);
}

/** Raises 'bad-file' or 'unsupported'. */
export function decodeManifest(bytes: Uint8Array, where: string): Manifest {
  const bad = (problem: string, cause?: unknown): LemurError => badFile(where, problem, cause);
  const text = new TextDecoder().decode(bytes);
  const checked = readCheckedJson(text, FORM);
  if (checked && checked.version <= VERSION && !checked.intact)
    throw bad(`checksum ${checked.actual}, expected ${checked.expected}: the file is damaged`);
  let found: Partial<Manifest> | null;
  try {
    found = JSON.parse(text) as Partial<Manifest> | null;
  } catch (cause) {
    throw bad('not JSON, the file is damaged or truncated', cause);
  }
  if (found?.format !== 'lemur') throw bad('not the manifest of a saved Lemur');
  const { version } = found;
  if (version !== 1 && version !== VERSION)
    throw new LemurError(
      'unsupported',
      `${where}: format version ${showJson(version)}, this version of the package reads up to ` +
        `${VERSION}`,
      {
        where,
      },
    );
  if (version === VERSION && !checked) throw bad('not as it was written, the file is damaged');
  const manifest = (
    checked ? { format: 'lemur', version, ...(found as { lemur?: object }).lemur } : found
  ) as Manifest;
  if (!isWhole(manifest)) throw bad('fields are missing or make no sense, the file is damaged');
  return manifest;
}

/** Whether all that loading relies on is there and of its kind. */
function isWhole({
  save,
  documents,
  mean,
  std,
  featureMap,
  options,
  prefix,
  unit,
  files,
}: Manifest): boolean {
  return (
    isSize(save) &&
    isFeatureMapDescription(featureMap) &&
    Number.isSafeInteger(documents) &&
    documents >= 0 &&
    Number.isFinite(mean) &&
    Number.isFinite(std) &&
    std > 0 &&
    areOptions(options) &&
    [undefined, false, true].includes(unit) &&
    (prefix === undefined ||
      (isSize(prefix?.dim) && Number.isFinite(prefix.step) && prefix.step > 0)) &&
    [files?.model, files?.weights, files?.solver, ...(prefix ? [files?.prefix] : [])].every(
      isFileEntry,
    )
  );
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isFileEntry(file: FileEntry | null | undefined): boolean {
  return (
    typeof file?.name === 'string' &&
    DATA_FILE.test(file.name) &&
    Number.isSafeInteger(file.bytes) &&
    Number.isSafeInteger(file.crc32)
  );
}

/**
 * Whether these are the options of a fit, each with a value that it takes; saves before the first
 * stage lack its option.
 */
function areOptions(options: ResolvedLearnOptions): boolean {
  try {
    return Object.keys(resolveLearnOptions(options)).every(
      (name) => name === 'prefixDim' || Object.hasOwn(options, name),
    );
  } catch {
    return false;
  }
}
