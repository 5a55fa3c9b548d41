import { isNumberArray } from '../bytes/typed-array.js';
import { LemurError } from '../errors.js';
import { stepPacer } from '../pacer.js';
import { describeKind, showValue } from '../value-kind.js';
import type { TopK } from './top-documents.js';

/**
 * Candidates of each query: what `Lemur.candidates` returns, or lists of document numbers from
 * anywhere. Negative numbers are skipped.
 */
export type Candidates = Pick<TopK, 'indices' | 'k'> | readonly ArrayLike<number>[];

/** Items of lists that count as a step between two turns of the event loop. */
const ITEMS_A_STEP = 16;
const EXPECTED = 'expected { indices, k } or an array of lists';

/**
 * A list for each of so many queries; its items, which errors call `items`, are not looked at yet.
 * Raises 'invalid-argument' for anything else.
 */
export function candidateLists(
  candidates: unknown,
  queries: number,
  items = 'document numbers',
): readonly ArrayLike<unknown>[] {
  const lists = isTopK(candidates) ? rowsOf(candidates) : candidates;
  if (!Array.isArray(lists))
    throw badCandidates('candidates', `${EXPECTED}, got ${got(candidates)}`);
  for (let q = 0; q < lists.length; q++)
    if (!isNumberArray(lists[q]))
      throw badCandidates(
        `candidates[${q}]`,
        `expected an array of ${items}, got ${describeKind(lists[q])}`,
      );
  if (lists.length !== queries)
    throw badCandidates('candidates', `lists for ${lists.length} queries, expected ${queries}`);
  return lists;
}

/**
 * Document numbers of each query's candidates, without negative ones. Raises 'invalid-argument' for
 * what is no number below `documents`; gives way to other work. Rejects with the signal's reason.
 */
export async function candidateNumbers(
  candidates: Candidates,
  queries: number,
  documents: number,
  signal: AbortSignal | undefined,
): Promise<Int32Array[]> {
  const step = stepPacer(signal);
  const lists: Int32Array[] = [];
  for (const [q, list] of candidateLists(candidates, queries).entries()) {
    const numbers: number[] = [];
    for (let i = 0; i < list.length; i++) {
      const number = list[i] as number;
      if (!Number.isInteger(number) || number >= documents)
        throw badCandidates(
          `candidates[${q}][${i}]`,
          `expected a document number below ${documents}, got ${showValue(number)}`,
        );
      if (number >= 0) numbers.push(number);
      if (i % ITEMS_A_STEP === 0) await step();
    }
    lists.push(Int32Array.from(numbers));
  }
  return lists;
}

/** An error that says where candidates are wrong. */
export function badCandidates(where: string, problem: string): LemurError {
  return new LemurError('invalid-argument', `${where}: ${problem}`, { where: 'candidates' });
}

function isTopK(candidates: unknown): candidates is Pick<TopK, 'indices' | 'k'> {
  const { indices, k } = Object(candidates) as Partial<TopK>;
  return !Array.isArray(candidates) && isNumberArray(indices) && Number.isSafeInteger(k);
}

function rowsOf({ indices, k }: Pick<TopK, 'indices' | 'k'>): Int32Array[] {
  if (k > 0 && indices.length % k !== 0)
    throw badCandidates('candidates', `${indices.length} indices, expected a multiple of k, ${k}`);
  return Array.from({ length: k > 0 ? indices.length / k : 0 }, (_, i) =>
    indices.slice(i * k, (i + 1) * k),
  );
}

function got(candidates: unknown): string {
  const { indices, k } = Object(candidates) as Partial<TopK>;
  return indices === undefined || Array.isArray(candidates)
    ? describeKind(candidates)
    : `indices: ${describeKind(indices)}, k: ${describeKind(k)}`;
}
