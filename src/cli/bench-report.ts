import type { Advice } from '../advise/advise.js';
import { describeMachine, type Machine } from './report.js';
import { alignColumns, counted, grouped } from './text-layout.js';

/** The table of `bench` and its advice, for people. */
export function formatAdvice(advice: Advice, machine: Machine): string {
  const { k, rows, documents, total, dim, precision, queries, judged, seed, text } = advice;
  const head = ['search', "k'", `recall@${k}`, `nDCG@${k}`, 'median ms', 'p95 ms'];
  const cells = rows.map((row) => [
    row.name,
    row.numCandidates === null ? '-' : grouped(row.numCandidates),
    row.recall.toFixed(3),
    row.ndcg?.toFixed(3) ?? '-',
    row.latency.median.toFixed(2),
    row.latency.p95.toFixed(2),
    bytesOf(row.stageBytes),
    bytesOf(row.tokenBytes),
  ]);
  const sampled =
    documents < total ? ` of ${grouped(total)}, chosen at random (--seed ${seed})` : '';
  const judgedOnly = judged === queries ? '' : `, ${grouped(judged)} of them judged`;
  return [
    `${counted(documents, 'document')}${sampled}, vectors of ${dim} (${precision}), ` +
      `${counted(queries, 'query', 'queries')}${judgedOnly}`,
    describeMachine(machine, process.version),
    '',
    alignColumns([[...head, 'B/document', 'B/token'], ...cells]),
    '',
    `recall@${k}: share of the top ${k} of ${rows[0].name} that is found. k': documents that are ` +
      'scored exactly. ms: one query at a time, all searches in turns, after a warm-up, without ' +
      'encoding the question. B/document: what candidates are found by.',
    ...roundedTwice(precision),
    '',
    `Advice: ${text}.`,
  ].join('\n');
}

/** Encodings are made of what is stored, whose own loss nothing here can tell. */
function roundedTwice(precision: string): string[] {
  if (precision === 'float32') return [];
  return [
    `The index stores ${precision}: what that has lost does not show, and the other encodings ` +
      'are made of it.',
  ];
}

function bytesOf(bytes: number | null): string {
  return bytes === null ? '-' : grouped(bytes);
}
