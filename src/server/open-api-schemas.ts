/** A JSON Schema, or a reference to one. */
export type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const count: Schema = { type: 'integer', minimum: 0 };
const positive: Schema = { type: 'integer', minimum: 1 };
const flag: Schema = { type: 'boolean' };
const vectors: Schema = {
  type: 'array',
  items: { type: 'array', items: { type: 'number' } },
  description: 'Token vectors, a row each.',
};

type SchemaName =
  | 'Problem'
  | 'Document'
  | 'StoredDocument'
  | 'Search'
  | 'Hit'
  | 'RerankIds'
  | 'Added'
  | 'Deleted'
  | 'Which'
  | 'Collection'
  | 'Field'
  | 'Job'
  | 'JobOptions'
  | 'Rerank'
  | 'Reranked'
  | 'Encode'
  | 'Encoded';

export function ref(name: SchemaName): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function object(
  properties: Readonly<Record<string, Schema>>,
  ...required: string[]
): Schema {
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

const query: Schema = { oneOf: [text, vectors], description: 'A text, or token vectors.' };
const metadata: Schema = { type: 'object', description: 'JSON of your own, for filters.' };
const filter: Schema = {
  type: 'object',
  description: 'Only documents whose metadata passes, as {"year":{"$gte":2000}}.',
};
const include: Schema = {
  type: 'array',
  items: { type: 'string', enum: ['text', 'metadata', 'evidence'] },
  description: 'What hits carry besides id and score. Default: text and metadata.',
};

/** What bodies are made of. */
export const SCHEMAS: Readonly<Record<SchemaName, Schema>> = {
  Problem: object(
    {
      type: text,
      title: text,
      status: { type: 'integer' },
      detail: text,
      message: { type: 'string', description: 'The same as detail.' },
      code: { type: 'string', description: 'For programs: what went wrong.' },
      requestId: text,
    },
    'type',
    'title',
    'status',
    'detail',
    'message',
    'code',
    'requestId',
  ),
  Document: object({ id: { type: 'string', minLength: 1 }, text, tokens: vectors, metadata }, 'id'),
  StoredDocument: object(
    { id: text, text, metadata, passages: list(object({})), passage: object({}) },
    'id',
  ),
  Search: object({
    query,
    queries: { type: 'array', items: query, minItems: 1, maxItems: 64 },
    k: { ...positive, maximum: 1000, description: 'Hits at most. Default 10.' },
    mode: { type: 'string', enum: ['meaning', 'keywords', 'hybrid'] },
    numCandidates: positive,
    recall: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
    filter,
    include,
    groupBy: { type: 'string', enum: ['source'] },
    exact: flag,
    highlight: {
      oneOf: [flag, object({ length: positive, open: text, close: text })],
      description: 'Adds to each hit the part of its text that matched.',
    },
  }),
  Hit: object(
    {
      id: text,
      score: { type: 'number' },
      similarity: { type: 'number' },
      text,
      metadata,
      evidence: list(object({})),
      highlight: object({ text, parts: list(object({})), span: list(count) }),
      passage: object({}),
      passages: list(object({})),
    },
    'id',
    'score',
    'similarity',
  ),
  RerankIds: object(
    { query, ids: { type: 'array', items: text, maxItems: 10000 }, k: positive, include },
    'query',
    'ids',
  ),
  Added: object(
    { added: count, replaced: count, skipped: count, passages: count },
    'added',
    'replaced',
    'skipped',
  ),
  Deleted: object({ deleted: count }, 'deleted'),
  Which: object({ ids: { type: 'array', items: text, maxItems: 1000 }, filter }),
  Collection: object({ name: text, documents: count, dim: positive }, 'name', 'documents', 'dim'),
  Field: object(
    {
      path: text,
      type: { type: 'string', enum: ['number', 'date', 'string', 'boolean'] },
      min: { type: ['number', 'string'] },
      max: { type: ['number', 'string'] },
      values: list(text),
    },
    'path',
    'type',
  ),
  Job: object(
    {
      id: text,
      kind: { type: 'string', enum: ['fit', 'tune', 'compact'] },
      collection: text,
      state: { type: 'string', enum: ['running', 'done', 'failed', 'cancelled'] },
      progress: { type: ['object', 'null'] },
      created: text,
      ended: { type: ['string', 'null'] },
      result: {},
      problem: { type: ['object', 'null'] },
    },
    'id',
    'kind',
    'collection',
    'state',
  ),
  JobOptions: { type: 'object', description: 'Options of Index.fit, Index.tune, Index.compact.' },
  Rerank: object(
    {
      model: { type: 'string', description: 'May name a collection, whose encoder is used then.' },
      query: text,
      documents: {
        type: 'array',
        items: { oneOf: [text, object({ text }, 'text')] },
        minItems: 1,
        maxItems: 1000,
      },
      top_n: positive,
      max_tokens_per_doc: positive,
      return_documents: flag,
    },
    'query',
    'documents',
  ),
  Reranked: object(
    { id: text, results: list(object({ index: count, relevance_score: { type: 'number' } })) },
    'id',
    'results',
  ),
  Encode: object(
    {
      model: text,
      input: { oneOf: [text, { type: 'array', items: text, minItems: 1, maxItems: 256 }] },
      input_type: { type: 'string', enum: ['query', 'document'] },
      dimensions: positive,
      embedding_type: { type: 'string', enum: ['float'] },
      encoding_format: { type: 'string', enum: ['float'] },
    },
    'input',
  ),
  Encoded: object({ id: text, model: text, data: list(object({})), usage: object({}) }, 'data'),
};
