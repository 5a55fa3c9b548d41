import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ByteSink, writeWhole } from '../bytes/node-file.js';
import { writeError } from '../bytes/node-file-error.js';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { encodeTexts } from '../encoder/encode-texts.js';
import { LemurError } from '../errors.js';
import { writeNpy } from '../formats/npy/npy.js';
import { streamSafetensors } from '../formats/safetensors/safetensors-stream.js';
import type { BeirDocument } from '../formats/texts/beir.js';
import type { TokenSets } from '../tokens/token-sets.js';
import { examples, path, shared } from './arguments.js';
import { type Context, interruptible } from './context.js';
import { convertIndex, type IndexOptions, importerOf } from './convert-index.js';
import { documentText } from './document-text.js';
import { type IndexEncoder, openIndexEncoder } from './index-encoder.js';
import { findModel, openEncoder } from './model.js';
import { hasIndex, readManifest } from './open-index.js';
import { checkFileTarget, checkFolderTarget, STDOUT, writeOutput } from './output.js';
import { pathKind } from './path-kind.js';
import { collect, openSource, refuseTextOptions, STDIN } from './source.js';
import { type Command, Option } from './vendor.js';
import { writeDocuments, writeTokens } from './write-tokens.js';

interface ConvertOptions extends IndexOptions {
  format?: Format;
  model?: string;
  index?: string;
  kind: 'document' | 'query';
  maxTokens?: number;
  skipEmpty?: true;
}

type Format = 'folder' | 'npy' | 'safetensors';
const FORMATS: readonly Format[] = ['folder', 'npy', 'safetensors'];
/** Values that are written between two looks at Ctrl-C. */
const PIECE = 1 << 22;

/**
 * The command `convert`: other formats of the same vectors, vectors of texts, other systems'
 * indexes.
 */
export function addConvert(program: Command, context: Context): void {
  program
    .command('convert')
    .summary('turn token vectors, texts or an index of another system into another format')
    .description(
      'Converts token vectors from one format to another, texts to token vectors, an index folder of the Python reference (mlp.pt, w.pt; nothing in it is executed) or a LEMUR artefact of txtai (config.json, model.safetensors) to a saved Lemur.',
    )
    .argument(
      '<from>',
      'token vectors or texts as `lemur add` takes them, an index folder, or - for standard input',
      path,
    )
    .argument(
      '<to>',
      '*.npy (texts of equal length), *.safetensors, a folder (tokens.npy, counts.npy), or - for standard output',
      path,
    )
    .addOption(
      new Option(
        '--format <name>',
        "in place of what the target's name says; on standard output default: safetensors",
      ).choices(FORMATS),
    )
    .option('--force', 'replace what is there; a folder only if it holds nothing else')
    .option(
      '--sample <path>',
      "token vectors that an index's least squares are solved on, best of its corpus",
      path,
    )
    .option(
      '--documents <path>',
      "token vectors of the documents to search with txtai's artefact; centred where it has a centre",
      path,
    )
    .addOption(shared.model())
    .addOption(
      new Option('--index <folder>', "encode texts as this index's were, projection included")
        .conflicts('model')
        .argParser(path),
    )
    .addOption(
      new Option('--kind <name>', 'how texts are encoded')
        .choices(['document', 'query'])
        .default('document'),
    )
    .addOption(shared.maxTokens())
    .addOption(shared.skipEmpty())
    .addOption(shared.keepZeros())
    .addOption(shared.threads())
    .addHelpText(
      'after',
      examples(
        'lemur convert vectors/ vectors.safetensors',
        'lemur convert page.npy - --format safetensors | lemur add pages.lemur -',
        'lemur convert questions.jsonl questions.safetensors --kind query --index notes.lemur',
        'lemur convert python-index/ my-index --sample vectors.npy',
        'lemur convert txtai-lemur/ my-index --documents vectors/',
      ),
    )
    .action((from: string, to: string, options: ConvertOptions) =>
      convert(from, to, options, context),
    );
}

async function convert(
  from: string,
  to: string,
  options: ConvertOptions,
  context: Context,
): Promise<void> {
  const stream = from === STDIN || (await whatLiesAt(from)) === 'pipe';
  const importer = stream ? undefined : importerOf(await pathKind(from));
  if (importer) return convertIndex(importer, from, to, options, context);
  for (const name of ['sample', 'documents'] as const) {
    if (options[name] !== undefined)
      throw wrong(
        `--${name}`,
        `--${name}: ${from} is no index of another system, so there is no use for it`,
      );
  }
  const format = options.format ?? formatOf(to);
  const force = options.force ?? false;
  if (format === 'folder') await checkFolderTarget(to, force, isTokenFile);
  else await checkFileTarget(to, force);
  if (format === 'folder' && !stream && resolve(from) === resolve(to))
    throw wrong(to, `${to}: the source itself; name another folder`);
  // another format of the same vectors, padding included
  const source = await openSource(from, {
    ...context,
    skipEmpty: options.skipEmpty,
    keepZeros: true,
  });
  if (source.kind === 'vectors') refuseTextOptions(from, options);
  const documents =
    source.kind === 'vectors'
      ? source.documents
      : await interruptible(context.signal, collect(source.documents));
  const tokens =
    source.kind === 'vectors' ? source.tokens : await encode(documents, options, context);
  if (format === 'folder') return writeFolder(to, documents, tokens);
  if (format === 'npy') {
    const file = npyOf(tokens, from);
    await writeOutput(to, (append) => append(file));
  } else await writeOutput(to, (append) => writeSafetensors(tokens, append, context.signal));
  if (documents.some(({ id }, i) => id !== String(i)))
    context.reporter.note(`${to}: a file of this format has no room for the ids; a folder has`);
}

/** By the encoder that is named, or as an index's texts were. */
async function encode(
  documents: readonly BeirDocument[],
  options: ConvertOptions,
  { signal, reporter }: Context,
): Promise<TokenSets> {
  const { index, model, kind, maxTokens, threads } = options;
  const encoder =
    index === undefined
      ? await openEncoder((await findModel(model)).name, undefined, threads)
      : await encoderOfIndex(index, threads);
  const texts = documents.map(documentText);
  try {
    const { value } = await reporter.step('encode', (onProgress) => {
      const nameOf = (text: number): string => `document ${JSON.stringify(documents[text].id)}`;
      const progress = { ...(maxTokens !== undefined && { maxTokens }), signal, onProgress };
      return encodeTexts(encoder, kind === 'query' ? 'query' : 'document', texts, {
        dim: encoder.dim,
        nameOf,
        ...progress,
      });
    });
    return value;
  } finally {
    await encoder.close();
  }
}

async function encoderOfIndex(index: string, threads: number | undefined): Promise<IndexEncoder> {
  const encoder = (await hasIndex(index))
    ? await openIndexEncoder(index, await readManifest(index), { model: undefined, threads })
    : undefined;
  if (encoder) return encoder;
  throw wrong('--index', `--index ${index}: no index of texts there, so it has no encoder`);
}

function formatOf(to: string): Format {
  if (to === STDOUT || to.endsWith('.safetensors')) return 'safetensors';
  return to.endsWith('.npy') ? 'npy' : 'folder';
}

/** Vectors, counts, and the texts or ids where they say more than a number. */
async function writeFolder(
  folder: string,
  documents: readonly BeirDocument[],
  tokens: TokenSets,
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    // what --force leaves must not outlive the vectors that it described
    for (const name of ['tokens.npy', 'documents.jsonl', 'ids.txt'])
      await rm(join(folder, name), { force: true });
  } catch (cause) {
    throw writeError(folder, 'made', cause);
  }
  // a line is an id, unless an id is not a line
  const lines = documents.every(({ id }) => id.trim() !== '' && !/[\r\n\ufeff]/.test(id));
  if (!lines || documents.some(({ title, text }) => title !== '' || text !== ''))
    await writeDocuments(folder, documents);
  else if (documents.some(({ id }, i) => id !== String(i))) {
    await writeWhole(
      join(folder, 'ids.txt'),
      new TextEncoder().encode(`${documents.map(({ id }) => id).join('\n')}\n`),
    );
  }
  await writeTokens(folder, tokens);
}

function isTokenFile(name: string): boolean {
  return ['tokens.npy', 'counts.npy', 'ids.txt', 'documents.jsonl'].includes(
    name.replace(/(\.[0-9a-f]{16})?\.tmp$/, ''),
  );
}

function npyOf({ vectors, counts, dim }: TokenSets, from: string): Uint8Array {
  const [tokens] = counts;
  const other = counts.findIndex((count) => count !== tokens);
  if (other < 0) return writeNpy({ shape: [counts.length, tokens, dim], data: vectors });
  throw wrong(
    from,
    `${from}: text ${other} has ${counts[other]} token vectors, text 0 ${tokens}: an array of 3 dimensions needs texts of equal length; convert to safetensors or a folder`,
  );
}

/** From the vectors where they lie: the file is never in memory. */
async function writeSafetensors(
  { vectors, counts, dim }: TokenSets,
  append: ByteSink,
  signal: AbortSignal,
): Promise<void> {
  const shapes = {
    tokens: { type: 'F32', shape: [vectors.length / dim, dim] },
    counts: { type: 'I32', shape: [counts.length] },
  } as const;
  const file = await streamSafetensors(shapes, append);
  for (let at = 0; at < vectors.length; at += PIECE) {
    signal.throwIfAborted();
    await file.write('tokens', vectors.subarray(at, at + PIECE));
  }
  await file.write('counts', counts);
  await file.end();
}

function wrong(where: string, message: string): LemurError {
  return new LemurError('invalid-argument', message, { where });
}
