import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeManifest, encodeManifest } from '../../dist/collection/files/manifest-file.js';
import { readProjection } from '../../dist/collection/files/projection-file.js';
import { writeNpy } from '../../dist/formats/npy/npy.js';
import { folderStorage } from '../../dist/storage/node-folder.js';

/**
 * Turns an index of the command line into one as its first version left it: nothing of the encoder
 * in the manifest but its id, `encoder.json` and perhaps `projection.npy` beside it. Returns what
 * `encoder.json` says.
 */
export async function makeEarlier(
  folder: string,
  model: Record<string, string>,
): Promise<Record<string, unknown>> {
  const path = join(folder, 'index.json');
  const manifest = decodeManifest(await readFile(path), path);
  const made = manifest.encoder;
  if (!made?.origin) throw new Error(`${path}: no origin of an encoder`);
  const { maxTokens, hidden, narrowTo } = made.origin;
  const matrix = await readProjection(folderStorage(folder), made);
  const npy = matrix && writeNpy({ shape: [hidden, made.dim], data: matrix });
  const projection = npy ? createHash('sha256').update(npy).digest('hex') : null;
  const info = {
    ...{ format: 'lemur-encoder', version: 1, model, maxTokens, hidden, dim: made.dim },
    ...{ projection, narrowTo },
  };
  if (npy) await writeFile(join(folder, 'projection.npy'), npy);
  if (made.projection) await rm(join(folder, made.projection.name));
  await writeFile(join(folder, 'encoder.json'), JSON.stringify(info));
  const encoder = { id: made.id, dim: made.dim };
  await writeFile(path, encodeManifest({ ...manifest, encoder }));
  return info;
}
