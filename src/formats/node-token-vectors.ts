import { join } from 'node:path';
import { fileKind } from '../bytes/file-kind.js';
import { readHead, readShared, readWhole } from '../bytes/node-file.js';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { badFile, type LemurError } from '../errors.js';
import { type TokenSets, tokenSets } from '../tokens/token-sets.js';
import { readNpyFloats } from './npy/node-npy.js';
import { readNpy } from './npy/npy.js';
import { parseTokenVectors, type TokenVectorOptions, tokensOfShape } from './token-vectors.js';

/**
 * Token vectors, read once and into shared memory: a folder with `tokens.npy` (rows x dim) and
 * `counts.npy`, a `.npy` file of texts x tokens x dim, or a safetensors file. float16 becomes
 * float32. Raises 'not-found', 'bad-file' and whatever `tokenSets` finds, naming the file.
 */
export async function readTokenVectors(
  path: string,
  options: TokenVectorOptions = {},
): Promise<TokenSets> {
  if ((await whatLiesAt(path)) === 'folder') return readTokenFolder(path, options);
  const { head } = await readHead(path, 16);
  if (fileKind(head) === 'npy') return tokensOfShape(await readNpyFloats(path), path, options);
  return parseTokenVectors(await readShared(path), path, options);
}

async function readTokenFolder(folder: string, { signal }: TokenVectorOptions): Promise<TokenSets> {
  const path = join(folder, 'tokens.npy');
  const countsPath = join(folder, 'counts.npy');
  const counts = readNpy(await readWhole(countsPath), countsPath);
  if (counts.shape.length !== 1) throw badShape(countsPath, counts.shape, '[texts]');
  const { shape, data } = await readNpyFloats(path);
  if (shape.length !== 2) throw badShape(path, shape, '[rows, dim]');
  return tokenSets({ vectors: data, counts: counts.data, dim: shape[1] }, folder, signal);
}

function badShape(path: string, shape: readonly number[], expected: string): LemurError {
  return badFile(path, `an array of shape [${shape.join(', ')}], expected ${expected}`);
}
