import { invalidArgument, isLemurError, LemurError } from '../../errors.js';
import { acceptCandidates } from '../../search/accept-candidates.js';
import type { CandidateSource } from '../../search/candidate-source.js';
import { describeKind } from '../../value-kind.js';
import type { Watch } from '../calls/watch.js';
import type { Filter } from '../metadata/filter.js';

/** Raises 'invalid-argument' for what is no candidate source. */
export function checkCandidateSource(source: unknown): void {
  const { name, candidates } = Object(source) as Partial<CandidateSource>;
  if (typeof name === 'string' && typeof candidates === 'function') return;
  const expected = 'expected a source, with a name and the method candidates';
  const got =
    typeof candidates === 'function' ? `name: ${describeKind(name)}` : describeKind(source);
  throw invalidArgument('candidates', `${expected}, got ${got}`);
}

/**
 * A caller's source, which is waited for no longer than until the call ends, and whose answers are
 * made to be right: numbers of documents that are there and allowed. Rejects with 'source-failed',
 * which has the source's error as its cause, and with 'invalid-argument' for what is no answer.
 */
export function givenSource(source: CandidateSource<Filter>, watch: Watch): CandidateSource {
  const { name } = source;
  return {
    name,
    async candidates(queries, k, { filter, allowed, signal }) {
      const asked = {
        tokens: queries.tokens,
        text: queries.text,
        features: () => queries.features(),
      };
      const request = { filter: filter as Filter | undefined, allowed, signal };
      const failed = (cause: unknown): never => {
        signal?.throwIfAborted();
        throw sourceFailed(name, cause);
      };
      const answer = await watch(async () => source.candidates(asked, k, request)).catch(failed);
      try {
        return await acceptCandidates(answer, queries.tokens.counts.length, k, allowed, signal);
      } catch (error) {
        // an answer may compute what it holds when that is read
        if (isLemurError(error)) throw error;
        return failed(error);
      }
    },
  };
}

function sourceFailed(name: string, cause: unknown): LemurError {
  const why = cause instanceof Error ? cause.message : describeKind(cause);
  const message = `candidates: the source ${name} failed: ${why}`;
  return new LemurError('source-failed', message, { where: 'candidates' }, { cause });
}
