import { LemurError } from '../errors.js';
import type { AnyFilter } from '../index/filter.js';
import { Index } from '../index/index.js';
import type { FitIndexOptions } from '../index/options.js';
import { examples, shared } from './arguments.js';
import type { Context } from './context.js';
import { openIndexEncoder } from './index-encoder.js';
import { counted, megabytes } from './text-layout.js';
import { type Command, InvalidArgumentError } from './vendor.js';

interface Shared {
  model?: string | undefined;
  threads?: number | undefined;
  json?: true | undefined;
}

/** The commands `delete`, `verify`, `compact` and `tune`: what is done with an index besides adding and asking. */
export function addIndexCommands(program: Command, context: Context): void {
  const { signal, reporter, print } = context;

  program
    .command('delete')
    .summary('delete documents from an index')
    .argument('<index>', "the index's folder")
    .argument('[id...]', 'ids of documents')
    .option('--filter <json>', 'those whose metadata passes, such as {"year":{"$lt":2000}}', filterJson)
    .addOption(shared.threads())
    .addHelpText('after', examples('lemur delete notes.lemur old.md', `lemur delete pages.lemur --filter '{"lang":"de"}'`))
    .action(async (folder: string, ids: string[], options: Shared & { filter?: AnyFilter }, command: Command) => {
      const { filter, threads } = options;
      if (ids.length > 0 === (filter !== undefined)) command.error('error: expected either ids or --filter');
      await withIndex(folder, { write: true, threads }, async (index) => {
        const deleted = await index.delete(filter ? { filter } : ids, { signal });
        const missing = filter ? 0 : new Set(ids).size - deleted;
        print(
          `${folder}: ${counted(deleted, 'document')} deleted${missing > 0 ? `, ${missing} not there` : ''}; ${counted(index.size, 'document')} left`,
        );
      });
    });

  program
    .command('verify')
    .summary('read all of an index and compare its checksums')
    .argument('<index>', "the index's folder")
    .addOption(shared.json())
    .action(async (folder: string, options: Shared) => {
      await withIndex(folder, {}, async (index) => {
        const { value } = await reporter.step('verify', (onProgress) => index.verify({ signal, onProgress }));
        if (options.json) print(JSON.stringify(value, null, 2));
        else if (value.problems.length === 0)
          print(`${folder}: ${counted(value.files, 'file')}, ${megabytes(value.bytes)}: all as they were written`);
        else for (const problem of value.problems) print(problem);
        if (value.problems.length > 0)
          throw new LemurError('bad-file', `${folder}: ${counted(value.problems.length, 'problem')}`, { where: folder });
      });
    });

  program
    .command('compact')
    .summary("give deleted documents' place back")
    .argument('<index>', "the index's folder")
    .addOption(shared.threads())
    .action(async (folder: string, { threads }: Shared) => {
      await withIndex(folder, { write: true, threads }, async (index) => {
        const before = index.stats();
        const { value } = await reporter.step('compact', (onProgress) => index.compact({ signal, onProgress }));
        print(
          `${folder}: ${counted(before.segments, 'segment')} and ${megabytes(before.bytes)} before, ${counted(value.segments, 'segment')} and ${megabytes(value.bytes)} now`,
        );
      });
    });

  program
    .command('tune')
    .summary('measure how many candidates a recall takes')
    .argument('<index>', "the index's folder")
    .option('--recall <x>', 'share of the exact best that searches aim at from now on', share, 0.95)
    .addOption(shared.json())
    .addOption(shared.threads())
    .action(async (folder: string, { recall, threads, ...options }: Shared & { recall: number }) => {
      await withIndex(folder, { write: true, threads }, async (index) => {
        const { value } = await reporter.step('tune', (onProgress) => index.tune({ recall, signal, onProgress }));
        if (options.json) return print(JSON.stringify(value, null, 2));
        for (const [candidates, found] of value.points) print(`${String(candidates).padStart(6)} candidates: recall ${found.toFixed(3)}`);
        print(
          value.numCandidates === null
            ? `no number of candidates that was tried finds ${recall}: searches are exact`
            : `${value.numCandidates} candidates find ${recall} of the exact ${value.k} best, on ${value.queries} queries drawn from the collection`,
        );
      });
    });
}

/** The command `fit` on an index: learns in place. */
export async function fitIndexFolder(
  folder: string,
  options: FitIndexOptions & Shared,
  { signal, reporter, print }: Context,
): Promise<void> {
  const { threads, json: asJson, model: _, ...learn } = options;
  await withIndex(folder, { write: true, threads }, async (index) => {
    const { value } = await reporter.step('fit', (onProgress) => index.fit({ ...learn, signal, onProgress }));
    print(
      asJson
        ? JSON.stringify(value, null, 2)
        : `${folder}: ${counted(value.documents, 'document')}, features: ${value.features}. ${value.refit.why}.`,
    );
  });
}

/** The command `search` on an index. */
export async function searchIndex(
  folder: string,
  questions: readonly string[] | AsyncIterable<{ text: string }>,
  options: Shared & { k: number; numCandidates?: number | undefined; exact?: boolean | undefined; filter?: AnyFilter | undefined },
  { signal, print }: Context,
): Promise<void> {
  const { k, numCandidates, exact, filter, ...rest } = options;
  const encoder = await openIndexEncoder(folder, rest);
  try {
    if (!encoder)
      throw new LemurError('invalid-argument', `${folder} was made from token vectors, so questions must come as vectors too`, {
        where: folder,
      });
    const index = await Index.open(folder, { encoder, threads: rest.threads });
    try {
      const single = Array.isArray(questions);
      for await (const entry of questions) {
        const question = typeof entry === 'string' ? entry : entry.text;
        const result = await index.search(question, { k, numCandidates, exact, filter, include: ['text', 'metadata', 'evidence'], signal });
        print(options.json ? JSON.stringify({ question, ...result }, null, single ? 2 : 0) : formatResult(result));
      }
    } finally {
      await index.close();
    }
  } finally {
    await encoder?.close();
  }
}

function formatResult({ hits, how }: Awaited<ReturnType<Index['search']>>): string {
  const lines = hits.map(({ id, score, text = '', evidence = [] }, i) => {
    const best = [...evidence].sort((a, b) => b.score - a.score).flatMap(({ span }) => (span ? text.slice(...span) : []));
    const start = text.length > 160 ? `${text.slice(0, 160)}…` : text;
    return `${i + 1}. ${id}  ${score.toFixed(3)}\n   ${start.replace(/\s+/g, ' ')}\n   matched: ${[...new Set(best)].slice(0, 8).join(', ')}`;
  });
  const way = how.method === 'exact' ? 'all scored exactly' : `${how.candidates} candidates scored exactly`;
  return [...lines, `${way}, of ${how.passing} that pass among ${counted(how.documents, 'document')}`].join('\n');
}

async function withIndex(
  folder: string,
  { write = false, threads }: { write?: boolean; threads?: number | undefined },
  use: (index: Index) => Promise<void>,
): Promise<void> {
  const index = await Index.open(folder, { write, threads });
  try {
    await use(index);
  } finally {
    await index.close();
  }
}

/** A filter; the index checks what it says. */
export function filterJson(text: string): AnyFilter {
  try {
    return JSON.parse(text) as AnyFilter;
  } catch {
    throw new InvalidArgumentError('Expected JSON.');
  }
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number above 0 and at most 1.');
}
