import { LemurError } from '../errors.js';
import { Lemur } from '../lemur/lemur.js';
import { isSavedFile } from '../lemur/saved-manifest.js';
import { readTxtaiCenter, readTxtaiDim } from '../lemur/txtai-artefact.js';
import type { RunOptions } from '../run-options.js';
import { folderStorage } from '../storage/node-folder.js';
import { centerTokens } from '../tokens/center.js';
import { checkDim } from './check-source.js';
import type { Context } from './context.js';
import { checkFolderTarget } from './output.js';
import type { PathKind } from './path-kind.js';
import { openVectors } from './source.js';

/** Options beside an index of another system. */
export interface IndexOptions {
  /** Token vectors that the least squares are solved on. */
  sample?: string;
  /** Token vectors of the documents. */
  documents?: string;
  force?: true;
  keepZeros?: true;
  threads?: number;
}

interface Importing extends RunOptions {
  threads: number | undefined;
}

/**
 * How an index of another system becomes a Lemur: what it lacks is read before anything is
 * computed.
 */
interface Importer {
  /** The option that names what the index lacks. */
  needs: 'sample' | 'documents';
  why: string;
  open(
    from: string,
    vectors: string,
    context: Context & { keepZeros?: boolean | undefined },
  ): Promise<(options: Importing) => Promise<Lemur>>;
}

const IMPORTERS: Partial<Record<PathKind, Importer>> = {
  'index of the Python reference': {
    needs: 'sample',
    why:
      'the index does not say what its least squares were solved on; give token vectors, ' +
      'best of its corpus, with --sample',
    async open(from, sample, context) {
      const { tokens } = await openVectors(sample, context);
      return (options) => Lemur.importReference(from, { sample: tokens, ...options });
    },
  },
  'LEMUR artefact of txtai': {
    needs: 'documents',
    why: 'the artefact has no documents; give their token vectors with --documents',
    async open(from, path, context) {
      const dim = await readTxtaiDim(folderStorage(from));
      const center = await readTxtaiCenter(from);
      const { tokens } = await openVectors(path, context);
      checkDim(tokens.dim, dim, path);
      if (!center) return (options) => Lemur.importTxtai(from, { documents: tokens, ...options });
      const documents = await centerTokens(tokens, center, { signal: context.signal });
      context.reporter.note(
        `${from}: has a centre, so the documents' token vectors were centred; those of ` +
          'queries must be centred alike (centerTokens with readTxtaiCenter)',
      );
      return (options) => Lemur.importTxtai(from, { documents, centered: true, ...options });
    },
  },
};

/** How to import what is of this kind; undefined where it is no index of another system. */
export function importerOf(kind: PathKind): Importer | undefined {
  return IMPORTERS[kind];
}

/** Writes an index of another system as a saved Lemur. */
export async function convertIndex(
  importer: Importer,
  from: string,
  to: string,
  options: IndexOptions,
  context: Context,
): Promise<void> {
  const { signal, reporter } = context;
  const { needs, why } = importer;
  const needless = needs === 'sample' ? 'documents' : 'sample';
  if (options[needless] !== undefined)
    throw wrong(`--${needless}`, `--${needless}: ${from} takes --${needs} alone`);
  const vectors = options[needs];
  if (vectors === undefined) throw wrong(`--${needs}`, `${from}: ${why}`);
  await checkFolderTarget(to, options.force ?? false, isSavedFile);
  const run = await importer.open(from, vectors, { ...context, keepZeros: options.keepZeros });
  const { value: lemur } = await reporter.step('import the index', (onProgress) =>
    run({ threads: options.threads, signal, onProgress }),
  );
  signal.throwIfAborted();
  await lemur.save(to);
  lemur.close();
}

function wrong(where: string, message: string): LemurError {
  return new LemurError('invalid-argument', message, { where });
}
