import { badFile, LemurError } from '../../errors.js';
import {
  type CheckedForm,
  encodeCheckedJson,
  readCheckedJson,
} from '../../formats/json/checked-json.js';
import { showJson } from '../../formats/json/show-json.js';
import { checkManifest } from './check-manifest.js';
import type { IndexManifest } from './manifest.js';

const VERSION = 1;
const FORM: CheckedForm = { format: 'lemur-index', key: 'index' };

/** JSON in one line, in this order: format, version, CRC-32 of the text of `index`, `index`. */
export function encodeManifest(manifest: IndexManifest): Uint8Array {
  return encodeCheckedJson(FORM, VERSION, manifest);
}

/** Raises 'bad-file', or 'unsupported' for a version that is newer. */
export function decodeManifest(bytes: Uint8Array, where: string): IndexManifest {
  const bad = (problem: string, cause?: unknown): LemurError => badFile(where, problem, cause);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw bad('not valid UTF-8: not the manifest of an index, or damaged', cause);
  }
  const found = readCheckedJson(text, FORM);
  if (!found)
    throw bad(
      `not the manifest of an index, or damaged: it begins with ${showJson(text.slice(0, 40))}`,
    );
  const { version, json, expected, actual } = found;
  if (version > VERSION) {
    throw new LemurError(
      'unsupported',
      `${where}: an index of version ${version}; this lemur reads up to ${VERSION}: ` +
        'install a newer one',
      { where },
    );
  }
  if (!found.intact) throw bad(`checksum ${actual}, expected ${expected}: the file is damaged`);
  let manifest: unknown;
  try {
    manifest = JSON.parse(json);
  } catch (cause) {
    throw bad('not JSON', cause);
  }
  checkManifest(manifest, where);
  return manifest;
}
