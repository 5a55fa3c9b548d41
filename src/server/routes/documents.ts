import type { Index } from '../../collection/index.js';
import type { IndexDocument } from '../../collection/metadata/document.js';
import type { Filter } from '../../collection/metadata/filter.js';
import type { AddOptions } from '../../collection/options/options.js';
import { checkOptions } from '../../known-options.js';
import { isLines, readJson } from '../body.js';
import { bodyOf, collectionIn, type Exchange, json, limitsOf, writableIn } from '../exchange.js';
import { badRequest, noSuch } from '../problem.js';
import { addLines } from './document-lines.js';

/** Ids of one request. */
const MOST_IDS = 1000;

type OnExisting = AddOptions['onExisting'];

/**
 * `Index.add`. A JSON body (an array of documents, or `{ documents, onExisting }`) goes in whole or
 * not at all; lines of JSON go in as they come.
 */
export async function addDocuments(exchange: Exchange): Promise<Response> {
  const { index, writes } = writableIn(exchange);
  const { request, url, signal } = exchange;
  const asked = (url.searchParams.get('onExisting') ?? undefined) as OnExisting;
  if (isLines(request)) return addLines(exchange, index, writes, asked);
  const body = await readJson(request, limitsOf(exchange), signal);
  const { documents, onExisting = asked } = documentsIn(body);
  const added = await writes.pass(signal, () => index.add(documents, { onExisting, signal }));
  return json(added);
}

function documentsIn(body: unknown): { documents: IndexDocument[]; onExisting?: OnExisting } {
  if (Array.isArray(body)) return { documents: body as IndexDocument[] };
  checkOptions(body, { documents: true, onExisting: true }, 'documents');
  const { documents, onExisting } = body as { documents: unknown; onExisting?: OnExisting };
  if (!Array.isArray(documents))
    throw badRequest('documents: expected an array of documents, or { documents: [...] }');
  return { documents: documents as IndexDocument[], ...(onExisting && { onExisting }) };
}

/** `Index.get` of one document. */
export async function getDocument(exchange: Exchange): Promise<Response> {
  const { index } = collectionIn(exchange);
  const document = await index.get(exchange.params.id);
  if (!document) throw noSuch('no document of this id');
  return json(document);
}

/** `Index.get` of many; null for ids that are not there. */
export async function getDocuments(exchange: Exchange): Promise<Response> {
  const { index } = collectionIn(exchange);
  const { ids } = await namedIds(exchange, { ids: true });
  if (ids === undefined) throw badRequest('ids: expected an array of ids');
  const documents = await exchange.served.work.pass(exchange.signal, () => index.get(ids));
  return json({ documents: documents.map((document) => document ?? null) });
}

/** `Index.delete` of one document. */
export async function deleteDocument(exchange: Exchange): Promise<Response> {
  const { index, writes } = writableIn(exchange);
  const deleted = await writes.pass(exchange.signal, () =>
    remove(exchange, index, [exchange.params.id]),
  );
  if (deleted === 0) throw noSuch('no document of this id');
  return json({ deleted });
}

/** `Index.delete` by ids or by a filter. */
export async function deleteDocuments(exchange: Exchange): Promise<Response> {
  const { index, writes } = writableIn(exchange);
  const { ids, filter } = await namedIds(exchange, { ids: true, filter: true });
  if ((ids === undefined) === (filter === undefined))
    throw badRequest('expected ids, an array, or filter, one of the two');
  const which = ids ?? { filter: filter as Filter };
  const deleted = await writes.pass(exchange.signal, () => remove(exchange, index, which));
  return json({ deleted });
}

function remove(
  { signal }: Exchange,
  index: Index,
  which: readonly string[] | { filter: Filter },
): Promise<number> {
  return index.delete(which, { signal });
}

async function namedIds(
  exchange: Exchange,
  known: Readonly<Record<string, true>>,
): Promise<{ ids?: string[]; filter?: Filter }> {
  const body = await bodyOf(exchange);
  checkOptions(body, known, 'documents');
  const { ids } = body as { ids?: unknown };
  if (Array.isArray(ids) && ids.length > MOST_IDS)
    throw badRequest(`ids: expected at most ${MOST_IDS}, got ${ids.length}`);
  if (ids !== undefined && !Array.isArray(ids)) throw badRequest('ids: expected an array of ids');
  return body as { ids?: string[]; filter?: Filter };
}
