import type { StoredText } from '../collection/get.js';
import type { SearchMode } from '../collection/options/options.js';
import type { Field } from '../collection/query/describe-fields.js';
import type { IndexStats } from '../collection/query/stats.js';
import { type About, AskError, type Asker, type AskProblem, type Found } from './asker.js';

/** UTF-16 code units of a passage that are shown at first. */
const SHOWN = 420;
/** Codes of problems of an encoder that is not to be had. */
const LACKING = ['missing-package', 'offline', 'not-found'];

type Ask = <T>(path: string, signal: AbortSignal, body?: unknown) => Promise<T>;

/** Asks the server below an address; `keyOf` gives the key, where one is known. */
export function serverAsker(base: string, keyOf: () => string | undefined): Asker {
  const ask: Ask = async (path, signal, body) => {
    const key = keyOf();
    const headers = {
      accept: 'application/json',
      // authorization may be a proxy's
      ...(key !== undefined && { 'x-api-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(new URL(path, base), { ...sent, headers, signal }).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        throw error instanceof TypeError ? new AskError('unreachable', error.message) : error;
      },
    );
    if (!response.ok) throw await problemOf(response);
    return response.json();
  };
  const at = (collection: string, rest = ''): string =>
    `collections/${encodeURIComponent(collection)}${rest}`;
  return {
    async collections(signal) {
      const { collections } = await ask<{ collections: { name: string }[] }>('collections', signal);
      return collections.map(({ name }) => name);
    },
    async about(collection, signal) {
      const [stats, { fields }] = await Promise.all([
        ask<IndexStats>(at(collection), signal),
        ask<{ fields: Field[] }>(at(collection, '/fields'), signal),
      ]);
      return aboutOf(stats, fields);
    },
    async ask(query, { collection, k, mode, filter, bySource, texts, signal }) {
      const { hits } = await ask<{ hits: Found[] }>(at(collection, '/search'), signal, {
        query,
        k,
        mode,
        filter,
        include: texts ? ['text', 'metadata'] : ['metadata'],
        ...(bySource && { groupBy: 'source' }),
        // without marks the text is told from its parts
        highlight: { length: SHOWN, open: '' },
      });
      return hits;
    },
    async read(collection, ids, signal) {
      const path = at(collection, '/documents/get');
      const { documents } = await ask<{ documents: (StoredText | null)[] }>(path, signal, { ids });
      return documents;
    },
  };
}

function aboutOf(stats: IndexStats, fields: readonly Field[]): About {
  const { documents, sources, passages, encoder, keywords } = stats;
  const words = keywords !== null && keywords.missing === 0;
  const modes: SearchMode[] = encoder ? ['meaning'] : [];
  if (words && encoder) modes.unshift('hybrid');
  if (words) modes.push('keywords');
  return { documents, sources, isCut: passages !== null, modes, fields };
}

/** A problem as RFC 9457 has it, or what a proxy says in its own way. */
async function problemOf(response: Response): Promise<AskError> {
  const { status } = response;
  const { code, detail } = await response.json().then(
    (body: unknown) => Object(body) as { code?: unknown; detail?: unknown },
    () => ({ code: undefined, detail: undefined }),
  );
  const said = typeof detail === 'string' ? detail : `status ${status}`;
  return new AskError(kindOf(status, code), said);
}

function kindOf(status: number, code: unknown): AskProblem {
  if (status === 401) return 'key';
  if (status === 503 && LACKING.includes(code as string)) return 'lacking';
  return [429, 502, 503, 504].includes(status) ? 'busy' : 'other';
}
