import { availableParallelism, cpus, totalmem } from 'node:os';
import type { CollectionInfo } from './collection.js';
import type { Evaluation, Row } from './evaluate.js';
import { describeTime, type StepTime } from './progress.js';
import { alignColumns, counted, duration, grouped, megabytes } from './text-layout.js';

/** What `eval --json` prints: the table and everything needed to understand it later. */
export interface Report extends Evaluation {
  machine: { cpu: string; threads: number; memoryBytes: number; platform: string };
  node: string;
  collection: { plan: CollectionInfo['plan']; counts: CollectionInfo['counts'] };
  encoder: CollectionInfo['encoder'];
  /** Seconds of the stages that made the collection. */
  stages: Record<string, StepTime>;
}

export function createReport(
  { plan, counts, encoder, stages }: CollectionInfo,
  evaluation: Evaluation,
  threads: number | undefined,
): Report {
  const machine = {
    cpu: cpus()[0]?.model ?? process.arch,
    threads: threads ?? availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
  };
  return { machine, node: process.version, collection: { plan, counts }, encoder, stages, ...evaluation };
}

/** The same for people. */
export function formatReport(report: Report): string {
  const { machine, node, collection, encoder, k, rows, judged, pooledDeeper, encoding, latentDims } = report;
  const { documents, tokens } = collection.counts;
  const rescores = rows.some(({ rescoredBytes }) => rescoredBytes > 0);
  const head = [
    ...['method', `nDCG@${k}`, `recall@${k}`, 'median ms', 'p95 ms', 'scanned B/doc'],
    ...[...(rescores ? ['rescored B/doc'] : []), 'in all B/doc', 'in all'],
  ];
  const cells = rows.map(({ method, ndcg, recall, latency, scannedBytes, rescoredBytes, totalBytes }) => [
    method,
    ndcg?.toFixed(3) ?? '-',
    recall.toFixed(3),
    latency.median.toFixed(2),
    latency.p95.toFixed(2),
    grouped(scannedBytes / documents),
    ...(rescores ? [grouped(rescoredBytes / documents)] : []),
    grouped(totalBytes / documents),
    megabytes(totalBytes),
  ]);
  const encodingTime = encoding
    ? `encoding the question takes ${encoding.median.toFixed(1)} ms more (p95 ${encoding.p95.toFixed(1)})`
    : encoder
      ? "encoding the question comes on top and was not measured, since the encoder's weights or runtime are not at hand"
      : 'encoding the question comes on top';
  const allJudged = judged === report.queries;
  const queries = counted(report.queries, allJudged ? 'judged query' : 'query', allJudged ? 'judged queries' : 'queries');
  const deeper = pooledDeeper
    ? `; for the pooled vector among its own top ${k} (among its first ${pooledDeeper.depth}: ${pooledDeeper.recall.toFixed(3)})`
    : '';
  const weights = `${latentDims.trained} trained${latentDims.random === null ? '' : ` or ${latentDims.random} random`} features`;
  const judgedOnly = allJudged ? '' : judged === 0 ? ' (there are none)' : ` of ${counted(judged, 'query', 'queries')}`;
  return [
    `${counted(documents, 'document')}, ${counted(tokens, 'token vector')}${encoder ? ` of ${encoder.dim}` : ''}, ${queries}`,
    `${machine.cpu}, ${counted(machine.threads, 'thread')}, Node ${node.slice(1)}`,
    '',
    alignColumns([head, ...cells]),
    '',
    `nDCG@${k}: of the final ${k} results against the judgements${judgedOnly}.`,
    `recall@${k}: share of exact MaxSim's top ${k} among the k' candidates before reranking${deeper}.`,
    `ms: one query at a time, all of it (features, scan, rerank by MaxSim), after a warm-up; ${encodingTime}.`,
    describeBytes(rows, weights, pooledDeeper !== null),
  ].join('\n');
}

function describeBytes(rows: readonly Row[], weights: string, pooled: boolean): string {
  const others = `tokens${pooled ? ', pooled vectors' : ''}`;
  const reduced = rows.filter(({ numCandidates }) => numCandidates !== null);
  const byPrefix = reduced.filter(({ rescoredBytes }) => rescoredBytes > 0);
  if (byPrefix.length === 0)
    return `bytes: float32; scanned is what the first pass reads (weights of ${weights}, ${others}), in all adds the tokens that reranking needs.`;
  const rest = byPrefix.length < reduced.length ? '; where nothing is rescored the weights themselves, in float32' : '';
  return [
    `bytes: scanned is what the first pass reads (int8 prefixes of the weights of ${weights}${rest}; float32 ${others}),`,
    'rescored the int8 codes of all features, of the documents with the best prefixes, spread over all documents; in all has the codes of all documents',
    'and the tokens that reranking needs, not the float32 weights, which stay in memory for saving and for --scan full.',
  ].join(' ');
}

/** `encode 31.2 s, fit 40.1 s (targets …), …, total …`. */
export function formatStages(stages: Readonly<Record<string, StepTime>>): string {
  const total = Object.values(stages).reduce((sum, { seconds }) => sum + seconds, 0);
  return [...Object.entries(stages).map(([name, time]) => `${name} ${describeTime(time)}`), `total ${duration(total)}`].join(', ');
}
