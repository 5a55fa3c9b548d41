import { join } from 'node:path';
import { whatLiesAt } from '../bytes/node-path-content.js';
import type { SearchOptions } from '../collection/options/options.js';
import type { PoolingEncoder } from '../entry/node-encoder.js';
import { createNpyFile, readFloats } from '../formats/npy/node-npy.js';
import type { BeirDocument } from '../formats/texts/beir.js';
import { folderStorage } from '../storage/node-folder.js';
import { addDocuments } from './add-documents.js';
import { ask, formatAnswer } from './answer.js';
import { examples, path, positiveInteger, shared } from './arguments.js';
import type { Context } from './context.js';
import { openForSource } from './create-index.js';
import { documentText } from './document-text.js';
import { evaluate, TABLE } from './evaluate.js';
import { OWN } from './given-queries.js';
import type { IndexEncoder } from './index-encoder.js';
import { hasIndex, type OpenedIndex, readManifest } from './open-index.js';
import { type PooledSearch, pooledSearch } from './pooled.js';
import { shown } from './print.js';
import { readModel } from './read-model.js';
import { createReport, formatReport } from './report.js';
import { readScifact, type ScifactTexts } from './scifact.js';
import { counted, duration, grouped } from './text-layout.js';
import { type Command, Option } from './vendor.js';

interface DemoArguments {
  /** How many documents; undefined: all. */
  documents: number;
  full?: true;
  /** Folder of the index; default: .lemur-demo/scifact-<documents>. */
  out?: string;
  model?: string;
  threads?: number;
}

const RESULTS = 3;
const POOLED = 'pooled.npy';
const QUESTIONS = [
  'Does a high birth weight make breast cancer more likely?',
  'Do statins lower blood cholesterol?',
  'Why do antibiotics make Clostridium difficile infections more likely?',
] as const;
const FEW_WORDS = 150;

/** The command `demo`: SciFact in an index: added, asked, fitted, evaluated, filtered. */
export function registerDemo(program: Command, context: Context): void {
  program
    .command('demo')
    .summary('encode, fit, evaluate and search SciFact')
    .description(
      'Adds abstracts of SciFact to an index, encoded by a small model, answers ' +
        'questions, fits, compares searches with exact ones on the judged queries, and ' +
        'filters. A second run opens what is there; one after Ctrl-C goes on with it.',
    )
    .addOption(
      new Option(
        '--documents <n>',
        'how many abstracts: the relevant ones first, then the first others',
      )
        .argParser(positiveInteger)
        .default(1000),
    )
    .addOption(new Option('--full', 'all 5,183 abstracts').conflicts('documents'))
    .option('--out <folder>', 'where the index goes (default: .lemur-demo/scifact-<n>)', path)
    .addOption(shared.model())
    .addOption(shared.threads())
    .addHelpText(
      'after',
      examples('lemur demo', 'lemur demo --full', 'lemur demo --documents 200 --out /tmp/small'),
    )
    .action((options: DemoArguments) => demo(options, context));
}

async function demo(options: DemoArguments, context: Context): Promise<void> {
  const { signal, reporter, print } = context;
  const started = performance.now();
  await readModel(options.model, undefined, context);
  const texts = await readScifact(options.full ? undefined : options.documents);
  const folder = options.out ?? join('.lemur-demo', `scifact-${texts.documents.length}`);
  print(introduction(texts, folder, await hasIndex(folder)));

  const it = await openFilled(folder, texts, options, context);
  const { index } = it;
  const encoder = it.encoder as IndexEncoder;
  const answer = async (question: string, more: SearchOptions = {}): Promise<string> => {
    const include = ['text', 'metadata', 'evidence'] as const;
    return formatAnswer(await ask(index, { question }, { k: RESULTS, include, signal, ...more }));
  };
  try {
    const first = await answer(QUESTIONS[0]);
    print(
      `\nThe first answer, ${duration((performance.now() - started) / 1000)} after the ` +
        `start, the words that matched marked:\n\n${first}\n`,
    );

    if (index.stats().fittedDocuments !== index.size)
      await reporter.step('fit', (onProgress) => index.fit({ signal, onProgress }));
    for (const question of QUESTIONS.slice(1)) print(`${await answer(question)}\n`);
    const filtered = await answer(QUESTIONS[1], { filter: { words: { $lt: FEW_WORDS } } });
    print(
      `The same among abstracts of fewer than ${FEW_WORDS} words, --filter ` +
        `'{"words":{"$lt":${FEW_WORDS}}}':\n\n${filtered}\n`,
    );

    const tokens = await encoder.encodeQuery(
      texts.queries.map(({ text }) => text),
      { signal },
    );
    const queries = {
      ids: texts.queries.map(({ id }) => id),
      texts: texts.queries.map(({ text }) => text),
      tokens,
      qrels: texts.qrels,
    };
    const pooled = await openPooled(folder, texts, encoder, context);
    const { value } = await reporter.step('evaluate', async (onProgress) =>
      evaluate(index, await readManifest(folder), queries, {
        ...TABLE,
        encoder,
        pooled,
        signal,
        onProgress,
      }),
    );
    print(`\n${formatReport(createReport(index.stats(), value, options.threads))}\n`);
    print(
      `Ask it yourself:\n  npx lemur search ${shown(folder)} "does exercise help ` +
        `against depression?" --evidence\n  npx lemur eval ${shown(folder)} --json`,
    );
  } finally {
    await it.close();
  }
}

/** The index with all the documents in it. */
async function openFilled(
  folder: string,
  texts: ScifactTexts,
  options: DemoArguments,
  context: Context,
): Promise<OpenedIndex> {
  const { model, threads } = options;
  const { documents } = texts;
  const found = {
    kind: 'texts',
    areFiles: false,
    label: 'SciFact',
    documents: withWords(documents),
    total: documents.length,
  } as const;
  const { opened, source } = await openForSource(
    folder,
    found,
    { features: 'trained', model, threads },
    context,
  );
  try {
    if (opened.index.size < documents.length) {
      const pooled = keepPooled(opened.encoder as IndexEncoder);
      await addDocuments(opened, source, { onExisting: 'skip', fit: false }, context);
      if (pooled.rows === documents.length) await writePooled(folder, pooled.parts, pooled.dim);
    }
    // an interruption may have come when all documents were in
    if ((await whatLiesAt(join(folder, OWN.queries))) === undefined)
      await writeQueries(folder, texts);
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** With something to filter by. */
async function* withWords(
  documents: readonly BeirDocument[],
): AsyncGenerator<BeirDocument, void, undefined> {
  for (const document of documents)
    yield { ...document, metadata: { words: document.text.split(/\s+/).length } };
}

/**
 * Keeps the pooled vectors of the documents that are encoded from now on, which cost next to
 * nothing beside the others.
 */
function keepPooled(encoder: IndexEncoder): Pooled {
  const kept = { rows: 0, dim: 0, parts: [] as Float32Array[] };
  encoder.encodeDocument = async (texts, options) => {
    const { tokens, pooled } = await encoder.encode(texts, { kind: 'document', ...options });
    kept.parts.push(pooled.vectors);
    kept.rows += texts.length;
    kept.dim = pooled.dim;
    return tokens;
  };
  return kept;
}

/** Pooled vectors in the order of their texts, rows x dim in all. */
interface Pooled {
  readonly rows: number;
  readonly dim: number;
  readonly parts: readonly Float32Array[];
}

async function writePooled(
  folder: string,
  parts: readonly Float32Array[],
  dim: number,
): Promise<void> {
  const file = await createNpyFile(join(folder, POOLED), dim);
  try {
    for (const part of parts) await file.append(part);
    await file.finish();
  } finally {
    await file.discard();
  }
}

/** For `lemur eval`. */
async function writeQueries(folder: string, { queries, qrels }: ScifactTexts): Promise<void> {
  const storage = folderStorage(folder);
  const write = (name: string, lines: readonly string[]): Promise<void> =>
    storage.replace(name, new TextEncoder().encode(`${lines.join('\n')}\n`));
  const judgements = [...qrels].flatMap(([query, grades]) =>
    [...grades].map(([document, grade]) => `${query}\t${document}\t${grade}`),
  );
  await write(OWN.qrels, ['query-id\tcorpus-id\tscore', ...judgements]);
  await write(
    OWN.queries,
    queries.map(({ id, text }) => JSON.stringify({ _id: id, text })),
  );
}

/**
 * One vector for each text, kept while the documents were encoded, or made now where that was
 * interrupted.
 */
async function openPooled(
  folder: string,
  { documents, queries }: ScifactTexts,
  encoder: PoolingEncoder,
  { signal, reporter }: Context,
): Promise<PooledSearch> {
  const path = join(folder, POOLED);
  const asked = await encoder.encodePooled(
    queries.map(({ text }) => text),
    { signal },
  );
  const kept =
    (await whatLiesAt(path)) !== undefined
      ? await readFloats(path, [documents.length, asked.dim])
      : undefined;
  const encoded = async (): Promise<Float32Array> => {
    const { value } = await reporter.step(
      'encode one vector for each document, for comparison',
      (onProgress) => encoder.encodePooled(documents.map(documentText), { signal, onProgress }),
    );
    await writePooled(folder, [value.vectors], value.dim);
    return value.vectors;
  };
  return pooledSearch(
    kept ?? (await encoded()),
    documents.map(({ id }) => id),
    asked.vectors,
  );
}

function introduction(
  { documents, queries, relevant, judgedQueries }: ScifactTexts,
  out: string,
  goesOn: boolean,
): string {
  const rest = documents.length - relevant;
  const choice =
    rest === 0
      ? 'all judged relevant to a query'
      : `${grouped(relevant)} judged relevant to a query, then the first ${grouped(rest)} others`;
  return [
    `SciFact: ${counted(documents.length, 'abstract')} (${choice}), ` +
      `${grouped(queries.length)} of ${judgedQueries} judged queries have all their ` +
      'documents among them.',
    goesOn ? `Going on with what is in ${shown(out)}.` : `Everything goes to ${shown(out)}.`,
  ].join('\n');
}
