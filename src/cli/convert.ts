import { resolve } from 'node:path';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { encodeTexts } from '../encoder/encode-texts.js';
import { LemurError } from '../errors.js';
import type { BeirDocument } from '../formats/texts/beir.js';
import type { TokenSets } from '../tokens/token-sets.js';
import { examples, path, shared } from './arguments.js';
import { refuseTextOptions } from './check-source.js';
import { collect } from './collect.js';
import { type Context, interruptible } from './context.js';
import { convertIndex, type IndexOptions, importerOf } from './convert-index.js';
import { documentText } from './document-text.js';
import { type IndexEncoder, openIndexEncoder } from './index-encoder.js';
import { findModel, openEncoder } from './model.js';
import { hasIndex, readManifest } from './open-index.js';
import { checkFileTarget, checkFolderTarget, STDOUT, writeOutput } from './output.js';
import { pathKind } from './path-kind.js';
import { openSource, STDIN } from './source.js';
import { encodeTokensNpy, writeTokensSafetensors } from './token-file.js';
import { isTokenFile, writeTokenFolder } from './token-folder.js';
import { type Command, Option } from './vendor.js';

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
/**
 * The command `convert`: other formats of the same vectors, vectors of texts, other systems'
 * indexes.
 */
export function registerConvert(program: Command, context: Context): void {
  const command = program
    .command('convert')
    .summary('turn token vectors, texts or an index of another system into another format')
    .description(
      'Converts token vectors from one format to another, texts to token vectors, an index ' +
        'folder of the Python reference (mlp.pt, w.pt; nothing in it is executed) or a LEMUR ' +
        'artefact of txtai (config.json, model.safetensors) to a saved Lemur.',
    )
    .argument(
      '<from>',
      'token vectors or texts as `lemur add` takes them, an index folder, or - for standard input',
      path,
    )
    .argument(
      '<to>',
      '*.npy (texts of equal length), *.safetensors, a folder (tokens.npy, counts.npy), or - for ' +
        'standard output',
      path,
    );
  addConvertOptions(command)
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

function addConvertOptions(command: Command): Command {
  return command
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
      "token vectors of the documents to search with txtai's artefact; centred where it has a " +
        'centre',
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
    .addOption(shared.threads());
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
    if (options[name] === undefined) continue;
    const problem = `${from} is no index of another system, so there is no use for it`;
    throw wrong(`--${name}`, `--${name}: ${problem}`);
  }
  const format = options.format ?? formatOf(to);
  const force = options.force ?? false;
  if (format === 'folder') await checkFolderTarget(to, force, isTokenFile);
  else await checkFileTarget(to, force);
  if (format === 'folder' && !stream && resolve(from) === resolve(to))
    throw wrong(to, `${to}: the source itself; name another folder`);
  const { documents, tokens } = await readTokens(from, options, context);
  if (format === 'folder') return writeTokenFolder(to, documents, tokens);
  if (format === 'npy') {
    const file = encodeTokensNpy(tokens, from);
    await writeOutput(to, (append) => append(file));
  } else await writeOutput(to, (append) => writeTokensSafetensors(tokens, append, context.signal));
  if (documents.some(({ id }, i) => id !== String(i)))
    context.reporter.note(`${to}: a file of this format has no room for the ids; a folder has`);
}

/** The source's token vectors, or those of its texts. */
async function readTokens(
  from: string,
  options: ConvertOptions,
  context: Context,
): Promise<{ documents: readonly BeirDocument[]; tokens: TokenSets }> {
  // another format of the same vectors, padding included
  const read = { ...context, skipEmpty: options.skipEmpty, keepZeros: true };
  const source = await openSource(from, read);
  if (source.kind === 'vectors') {
    refuseTextOptions(from, options);
    return source;
  }
  const documents = await interruptible(context.signal, collect(source.documents));
  return { documents, tokens: await encode(documents, options, context) };
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
      ? await openEncoder(await findModel(model), undefined, threads)
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

function wrong(where: string, message: string): LemurError {
  return new LemurError('invalid-argument', message, { where });
}
