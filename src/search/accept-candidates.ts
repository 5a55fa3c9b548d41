import { stepPacer } from '../pacer.js';
import { showValue } from '../value-kind.js';
import type { AllowedDocuments } from './allowed-documents.js';
import { badCandidates, candidateLists } from './candidate-lists.js';

/** Steps that a candidate counts as, between two turns of the event loop. */
const STEPS_A_CANDIDATE = 8;
const ITEMS = 'ids or document numbers';

/**
 * Numbers of the documents that a source answered for each query, in its order: the first k that
 * are there and allowed, each once. Raises 'invalid-argument', which says what was got, for what is
 * no list of ids or numbers for each query; gives way to other work. Rejects with the signal's
 * reason.
 */
export async function acceptCandidates(
  answer: unknown,
  queries: number,
  k: number,
  allowed: AllowedDocuments,
  signal?: AbortSignal | undefined,
): Promise<Int32Array[]> {
  const step = stepPacer(signal);
  const accepted: Int32Array[] = [];
  for (const [q, list] of candidateLists(answer, queries, ITEMS).entries()) {
    const numbers = new Set<number>();
    for (let i = 0; i < list.length && numbers.size < k; i++) {
      const number = allowedNumber(list[i], allowed);
      if (number === undefined)
        throw badCandidates(
          `candidates[${q}][${i}]`,
          `expected an id or a document number, got ${showValue(list[i])}`,
        );
      if (number >= 0) numbers.add(number);
      const wait = step(STEPS_A_CANDIDATE);
      if (wait) await wait;
    }
    accepted.push(Int32Array.from(numbers));
  }
  return accepted;
}

/** -1 for what is not there or not allowed; undefined for what is no candidate. */
function allowedNumber(candidate: unknown, allowed: AllowedDocuments): number | undefined {
  if (typeof candidate === 'string') return allowed.find(candidate);
  if (typeof candidate !== 'number' || !Number.isInteger(candidate)) return undefined;
  return allowed.has(candidate) ? candidate : -1;
}
