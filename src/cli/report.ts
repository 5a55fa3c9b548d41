import { availableParallelism, cpus, totalmem } from 'node:os';
import type { SearchMode } from '../collection/options/options.js';
import type { IndexStats } from '../collection/query/stats.js';
import type { Evaluation } from './evaluate.js';
import { alignColumns, counted, grouped, inCommands } from './text-layout.js';

/** What something was measured on. */
export interface Machine {
  cpu: string;
  threads: number;
  memoryBytes: number;
  platform: string;
}

/** The output of `eval --json`: the table and everything needed to understand it later. */
export interface Report extends Evaluation {
  machine: Machine;
  node: string;
  index: IndexStats;
}

export function createReport(
  index: IndexStats,
  evaluation: Evaluation,
  threads: number | undefined,
): Report {
  return { machine: machineOf(threads), node: process.version, index, ...evaluation };
}

/** This one, with so many threads; without a number all that it has. */
export function machineOf(threads: number | undefined): Machine {
  return {
    cpu: cpus()[0]?.model ?? process.arch,
    threads: threads ?? availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
  };
}

/** One line for people. */
export function describeMachine({ cpu, threads }: Machine, node: string): string {
  return `${cpu}, ${counted(threads, 'thread')}, Node ${node.slice(1)}`;
}

/** A report for people. */
export function formatReport({
  machine,
  node,
  index,
  k,
  rows,
  queries,
  judged,
  encoding,
  mode,
}: Report): string {
  const head = ['method', `nDCG@${k}`, `recall@${k}`, 'median ms', 'p95 ms', 'first pass, B/doc'];
  const cells = rows.map(({ method, ndcg, recall, latency, scannedBytes }) => [
    method,
    ndcg?.toFixed(3) ?? '-',
    recall.toFixed(3),
    latency.median.toFixed(2),
    latency.p95.toFixed(2),
    scannedBytes === null ? '-' : grouped(scannedBytes),
  ]);
  const asked = judged === queries ? ['judged query', 'judged queries'] : ['query', 'queries'];
  const judgedOnly =
    judged === queries
      ? ''
      : judged === 0
        ? ' (there are none)'
        : ` of ${counted(judged, 'query', 'queries')}`;
  const isExact = rows.every(({ numCandidates }) => numCandidates === null);
  const exact = isExact && mode !== 'keywords' ? [whyExact(index)] : [];
  const [noun, found] = index.passages
    ? ['passage', 'documents by their best passages']
    : ['document', 'documents'];
  return [
    `${counted(index.documents, noun)}, ${counted(index.tokens, 'token vector')} ` +
      `of ${index.dim} (${index.precision}), ${counted(queries, asked[0], asked[1])}`,
    describeMachine(machine, node),
    '',
    alignColumns([head, ...cells]),
    '',
    `nDCG@${k}: of the final ${k} results against the judgements${judgedOnly}. ` +
      `recall@${k}: share of the top ${k} of ${rows[0].method} that is found. Ranked are ${found}.`,
    `ms: one query at a time, ${timeOf(mode, encoding)}.`,
    ...exact,
  ].join('\n');
}

/** What the milliseconds of a mode are those of. */
function timeOf(mode: SearchMode, encoding: Report['encoding']): string {
  if (mode === 'keywords') return 'after a warm-up';
  if (mode === 'hybrid') return 'keywords and meaning, after a warm-up, with encoding the question';
  const more = encoding ? `takes ${encoding.median.toFixed(1)} ms more` : 'comes on top';
  const what = 'features, scan and reranking by MaxSim, after a warm-up';
  return `${what}; encoding the question ${more}`;
}

function whyExact({ features, refit: { why } }: IndexStats): string {
  if (features !== 'exact')
    return 'Few documents are all scored exactly, whatever number of candidates is asked for.';
  return `${why[0].toUpperCase()}${inCommands(why.slice(1))}.`;
}
