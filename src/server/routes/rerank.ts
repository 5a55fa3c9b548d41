import { rankTexts } from '../../adapters/rank-texts.js';
import { describeKind, showValue } from '../../value-kind.js';
import { encoderFor } from '../encoder-for.js';
import { bodyOf, type Exchange, json } from '../exchange.js';
import { badRequest } from '../problem.js';

/** Documents of one request. */
const MOST_DOCUMENTS = 1000;

/** What other services of this kind take, and those of their fields that change nothing here. */
interface Asked {
  readonly model: unknown;
  readonly query: string;
  readonly texts: readonly string[];
  readonly topN: number | undefined;
  readonly maxTokens: number | undefined;
  readonly returnsDocuments: boolean;
}

/**
 * Reranks texts that come along, by MaxSim, in the form of Cohere's version 2; version 1, Jina and
 * vLLM have the same with `return_documents`. Scores are divided by the query's tokens: 1 at most.
 * `model` may name a collection, whose encoder reads the texts then.
 */
export async function rerank(exchange: Exchange): Promise<Response> {
  const asked = askedIn(await bodyOf(exchange));
  const encoder = encoderFor(exchange.served, asked.model);
  const ranking = await exchange.served.work.pass(exchange.signal, () =>
    rankTexts(encoder, asked.query, asked.texts, { ...asked, signal: exchange.signal }),
  );
  const results = ranking.map(({ index, score }) => ({
    index,
    relevance_score: score,
    ...(asked.returnsDocuments && { document: { text: asked.texts[index] } }),
  }));
  const meta = { api_version: { version: '2' }, billed_units: { search_units: 1 } };
  return json({ id: exchange.id, model: encoder.id, results, meta });
}

function askedIn(body: Readonly<Record<string, unknown>>): Asked {
  const { model, query, documents, top_n: top, max_tokens_per_doc: maxTokens } = body;
  if (typeof query !== 'string' || query.trim() === '')
    throw badRequest(`query: expected a text, got ${describeKind(query)}`);
  if (!Array.isArray(documents) || documents.length === 0 || documents.length > MOST_DOCUMENTS) {
    const got = Array.isArray(documents) ? documents.length : describeKind(documents);
    throw badRequest(`documents: expected an array of 1 to ${MOST_DOCUMENTS} texts, got ${got}`);
  }
  const texts = documents.map(textOf);
  return {
    model,
    query,
    texts,
    topN: wholeNumber(top, 'top_n'),
    maxTokens: wholeNumber(maxTokens, 'max_tokens_per_doc'),
    returnsDocuments: body.return_documents === true,
  };
}

/** A text, or an object that has one, as version 1 takes it. */
function textOf(document: unknown, i: number): string {
  const text: unknown =
    Object(document) === document ? (document as { text: unknown }).text : document;
  if (typeof text === 'string') return text;
  throw badRequest(`documents[${i}]: expected a text, got ${describeKind(text)}`);
}

function wholeNumber(value: unknown, name: string): number | undefined {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= 1))
    return value as number | undefined;
  throw badRequest(`${name}: expected an integer of at least 1, got ${showValue(value)}`);
}
