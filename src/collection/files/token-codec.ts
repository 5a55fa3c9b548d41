import { unlearnedCodec } from '../../tokens/encode-tokens.js';
import type { TokenCodec } from '../../tokens/encoding.js';
import { encodingOf } from '../../tokens/encodings.js';
import type { IndexManifest } from './manifest.js';

/** Of what the encoding of a collection draws when it learns. */
export const CODEC_SEED = 0;

/**
 * How a collection stores its token vectors; null before the first document, where the encoding
 * learns from documents.
 */
export function codecOf(manifest: IndexManifest): TokenCodec | null {
  const { dim, precision } = manifest;
  const encoding = encodingOf(precision);
  const stored = manifest[encoding.parametersName];
  if (stored) return { encoding, dim, parameters: Float32Array.from(stored) };
  return encoding.parameterCount(dim) === 0 ? unlearnedCodec(precision, dim) : null;
}

/** A manifest that says so. */
export function withCodec(
  manifest: IndexManifest,
  { encoding, dim, parameters }: TokenCodec,
): IndexManifest {
  if (parameters.length === 0) return { ...manifest, dim };
  return { ...manifest, dim, [encoding.parametersName]: [...parameters] };
}
