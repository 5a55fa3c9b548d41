import { LemurError } from '../errors.js';
import type { IndexDocument } from '../index/document.js';
import { Index } from '../index/index.js';
import type { CreateOptions } from '../index/options.js';
import { examples, positiveInteger, shared } from './arguments.js';
import type { Context } from './context.js';
import { documentText } from './encode-texts.js';
import { hasEncoder, makeIndexEncoder, openIndexEncoder } from './index-encoder.js';
import { isIndex } from './path-kind.js';
import { openSource, refuseTextOptions, type Source } from './source.js';
import { counted } from './text-layout.js';
import { type Command, Option } from './vendor.js';

/** Texts that the projection is made from. */
const SAMPLE = 210;

interface AddArguments {
  model?: string;
  maxTokens?: number;
  dim?: number;
  precision: 'int8' | 'float32';
  pooling: number;
  features: CreateOptions['features'];
  replace?: true;
  skipEmpty?: true;
  threads?: number;
}

/** The command `add`: puts documents into an index, which it makes where there is none. */
export function addAdd(program: Command, context: Context): void {
  program
    .command('add')
    .summary('add texts or token vectors to an index, making it where there is none')
    .description(
      'Adds documents to an index, made where there is none. What is in it already is skipped, so that the same command goes on after Ctrl-C or a crash.',
    )
    .argument('<index>', "the index's folder")
    .argument('<source>', 'as for `fit`: texts, JSON lines (with "metadata" to filter by), a BEIR folder, token vectors, or -')
    .option('--replace', 'replace documents that are there instead of skipping them')
    .addOption(shared.model())
    .addOption(shared.maxTokens())
    .option(
      '--dim <n>',
      "of a new index: dimensions of the token vectors made of texts (default: 128, at most the encoder's)",
      positiveInteger,
    )
    .addOption(
      new Option('--precision <name>', 'of a new index: how token vectors are stored').choices(['int8', 'float32']).default('int8'),
    )
    .option('--pooling <n>', 'of a new index: merge token vectors into this part of them', positiveInteger, 1)
    .addOption(
      new Option('--features <name>', 'of a new index: how candidates are found')
        .choices(['auto', 'exact', 'random', 'trained'])
        .default('auto'),
    )
    .addOption(shared.skipEmpty())
    .addOption(shared.threads())
    .addHelpText('after', examples('lemur add notes.lemur notes/', 'lemur add pages.lemur pages.jsonl --replace', 'lemur fit notes.lemur'))
    .action((folder: string, source: string, options: AddArguments) => add(folder, source, options, context));
}

async function add(folder: string, path: string, options: AddArguments, context: Context): Promise<void> {
  const { signal, reporter, print } = context;
  const there = await isIndex(folder);
  const source = await openSource(path, { ...context, ...options });
  if (source.kind === 'vectors') refuseTextOptions(path, options);
  if (!there && source.kind === 'texts' && !hasEncoder(folder)) {
    const { documents } = source.texts;
    const count = Math.min(documents.length, SAMPLE);
    const sample = Array.from({ length: count }, (_, i) => documentText(documents[Math.floor((i * documents.length) / count)]));
    await reporter.step('encode a sample, find the projection', (onProgress) =>
      makeIndexEncoder(folder, sample, { ...options, signal, onProgress }),
    );
  }
  const encoder = source.kind === 'texts' || there ? await openIndexEncoder(folder, options) : undefined;
  try {
    if (source.kind === 'texts' && !encoder)
      throw new LemurError('invalid-argument', `${folder} was made from token vectors: add token vectors, not texts`, { where: path });
    const { threads, precision, pooling, features } = options;
    const dim = source.kind === 'vectors' ? source.tokens.dim : undefined;
    const index = there
      ? await Index.open(folder, { write: true, encoder, threads })
      : await Index.create(folder, { encoder, dim, threads, precision, pooling, features });
    try {
      const onExisting = options.replace ? 'replace' : 'skip';
      const { value } = await reporter.step('add documents', (onProgress) =>
        index.add(documentsOf(source), { onExisting, signal, onProgress, total: source.texts.documents.length }),
      );
      const parts = [`${counted(value.added, 'document')} added`];
      if (value.replaced > 0) parts.push(`${value.replaced} replaced`);
      if (value.skipped > 0) parts.push(`${value.skipped} skipped, which are in it already`);
      print(`${folder}: ${parts.join(', ')}; ${counted(index.size, 'document')} in all. ${index.stats().refit.why}.`);
    } finally {
      await index.close();
    }
  } finally {
    await encoder?.close();
  }
}

function* documentsOf(source: Source): Generator<IndexDocument> {
  let row = 0;
  for (const [i, document] of source.texts.documents.entries()) {
    const { id, title, text } = document;
    const metadata = { ...document.metadata, ...(title === '' ? {} : { title }) };
    const known = { id, metadata: Object.keys(metadata).length > 0 ? metadata : undefined };
    if (source.kind === 'texts') {
      yield { ...known, text: documentText(document) };
      continue;
    }
    const { vectors, counts, dim } = source.tokens;
    const tokens = { data: vectors.slice(row * dim, (row + counts[i]) * dim), dims: [counts[i], dim] };
    yield { ...known, tokens, ...(text === '' ? {} : { text: documentText(document) }) };
    row += counts[i];
  }
}
