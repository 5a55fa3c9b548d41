import type { Encoder } from '../encoder/encoder.js';
import { type KnownEncoder, providedEncoders } from '../encoder/provided-encoders.js';
import { invalidArgument } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import type { IndexManifest } from './files/manifest.js';
import { readProjection } from './files/projection-file.js';
import { checkEncoder } from './options/check-options.js';
import { isModelName } from './options/model-name.js';
import type { OpenOptions } from './options/options.js';
import { RestoredEncoder } from './restored-encoder.js';

/** Where a collection is, and what its caller says of its encoder. */
export interface EncoderChoice extends Pick<OpenOptions, 'threads' | 'encoder'> {
  readonly storage: Storage;
  /** Its folder's path; undefined: it lies in another storage. */
  readonly folder: string | undefined;
}

/**
 * The encoder for a collection's texts: the caller's, or the one that it was made with, of which
 * nothing is loaded yet. undefined: there is none. Raises 'invalid-argument', 'encoder-mismatch'
 * and 'dimension-mismatch'.
 */
export function chooseEncoder(choice: EncoderChoice, manifest: IndexManifest): Encoder | undefined {
  const { encoder: given, storage } = choice;
  if (given === false) return undefined;
  if (given && !isModelName(given)) return checkEncoder(storage, manifest, given);
  const { encoder: made } = manifest;
  if (made) return restored(choice, made, given || undefined);
  if (given)
    throw invalidArgument(
      'encoder',
      `${String(given)}, and ${storage.name} was made without an encoder: give one that is loaded`,
    );
  return undefined;
}

function restored(
  { storage, folder, threads }: EncoderChoice,
  made: NonNullable<IndexManifest['encoder']>,
  model: string | URL | undefined,
): Encoder | undefined {
  const encoders = providedEncoders();
  const known: KnownEncoder = { id: made.id, dim: made.dim, origin: made.origin, folder };
  if (!encoders?.knows(known) && model === undefined) return undefined;
  if (!encoders)
    throw invalidArgument('encoder', `${String(model)}: expected an encoder that is loaded here`);
  return new RestoredEncoder(made, async (run) => {
    const projection = await readProjection(storage, made);
    const encoder = await encoders.restore({ ...known, projection }, { model, threads, ...run });
    if (model !== undefined && encoder.origin) await encoders.remember(encoder.origin);
    return encoder;
  });
}
