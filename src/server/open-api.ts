import { list, object, ref, SCHEMAS, type Schema } from './open-api-schemas.js';

/** Something that can be done, as OpenAPI 3.1 has it. */
export interface Operation {
  readonly summary: string;
  readonly parameters?: readonly Schema[];
  readonly requestBody?: Schema;
  readonly responses: Readonly<Record<string, Schema>>;
  readonly security?: readonly Schema[];
}

type Methods = { readonly [M in 'get' | 'post' | 'delete']?: Operation };

interface OpenApi {
  readonly openapi: string;
  readonly info: Readonly<Record<'title' | 'version' | 'description', string>>;
  readonly security: readonly Schema[];
  readonly paths: Readonly<Record<string, Methods>>;
  readonly components: {
    readonly securitySchemes: Schema;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}

const JSON_TYPE = 'application/json';

function body(schema: Schema, types: readonly string[] = [JSON_TYPE], required = true): Schema {
  return { required, content: Object.fromEntries(types.map((type) => [type, { schema }])) };
}

/** What is answered, and problems of these statuses. */
function answers(
  schema: Schema,
  problems: readonly number[] = [],
  { status = 200, type = JSON_TYPE }: { status?: number; type?: string } = {},
): Operation['responses'] {
  const problem = {
    description: 'A problem',
    content: { 'application/problem+json': { schema: ref('Problem') } },
  };
  const all = [401, 403, 421, 503, ...problems].sort();
  return {
    [status]: { description: 'Done', content: { [type]: { schema } } },
    ...Object.fromEntries(all.map((one) => [one, problem])),
  };
}

/** Problems of what has a body. */
const BODY = [400, 408, 413, 415, 422, 500];
const OPEN: readonly Schema[] = [{}];

function inPath(name: string): Schema {
  return { name, in: 'path', required: true, schema: { type: 'string', minLength: 1 } };
}

const NAME = inPath('name');
const ID = inPath('id');

function job(kind: string): Methods {
  return {
    post: {
      summary: `Begin a job: Index.${kind}`,
      parameters: [NAME],
      requestBody: body(ref('JobOptions'), [JSON_TYPE], false),
      responses: answers(ref('Job'), [404, 409, ...BODY], { status: 202 }),
    },
  };
}

const RERANK: Methods = {
  post: {
    summary: 'Rerank texts that come along, in the form of Cohere, Jina and vLLM',
    requestBody: body(ref('Rerank')),
    responses: answers(ref('Reranked'), BODY),
  },
};

function encode(form: string): Methods {
  return {
    post: {
      summary: `Token vectors of texts, in the form of ${form}`,
      requestBody: body(ref('Encode')),
      responses: answers(ref('Encoded'), BODY),
    },
  };
}

const PATHS: Readonly<Record<string, Methods>> = {
  '/health': {
    get: { summary: 'Whether the process answers', responses: answers(object({})), security: OPEN },
  },
  '/ready': {
    get: { summary: 'Whether it takes requests', responses: answers(object({})), security: OPEN },
  },
  '/metrics': {
    get: {
      summary: 'Counts and times, for Prometheus',
      responses: answers({ type: 'string' }, [], { type: 'text/plain' }),
    },
  },
  '/openapi.json': {
    get: { summary: 'This document', responses: answers(object({})), security: OPEN },
  },
  '/collections': {
    get: {
      summary: 'All collections',
      responses: answers(object({ collections: list(ref('Collection')) }, 'collections')),
    },
  },
  '/collections/{name}': {
    get: {
      summary: 'Facts of a collection: Index.stats',
      parameters: [NAME],
      responses: answers(ref('Collection'), [404]),
    },
  },
  '/collections/{name}/fields': {
    get: {
      summary: 'Fields of the metadata: ranges of numbers and dates, strings of which are few',
      parameters: [NAME],
      responses: answers(object({ fields: list(ref('Field')) }, 'fields'), [404, 500]),
    },
  },
  '/collections/{name}/search': {
    post: {
      summary: 'The best documents for a query, or for each of several',
      parameters: [NAME],
      requestBody: body(ref('Search')),
      responses: answers(
        object({ hits: list(ref('Hit')), how: object({}), results: list(object({})) }),
        [404, ...BODY],
      ),
    },
  },
  '/collections/{name}/rerank': {
    post: {
      summary: 'Exact scores of documents that were found elsewhere, by their ids',
      parameters: [NAME],
      requestBody: body(ref('RerankIds')),
      responses: answers(object({ hits: list(ref('Hit')) }, 'hits'), [404, ...BODY]),
    },
  },
  '/collections/{name}/documents': {
    post: {
      summary: 'Add documents: an array at once, or JSON lines with a line back for each commit',
      parameters: [
        NAME,
        {
          name: 'onExisting',
          in: 'query',
          schema: { type: 'string', enum: ['error', 'skip', 'replace'] },
        },
      ],
      requestBody: {
        required: true,
        content: {
          [JSON_TYPE]: {
            schema: {
              oneOf: [list(ref('Document')), object({ documents: list(ref('Document')) })],
            },
          },
          'application/x-ndjson': { schema: ref('Document') },
        },
      },
      responses: answers(ref('Added'), [404, 409, ...BODY]),
    },
  },
  '/collections/{name}/documents/get': {
    post: {
      summary: 'Documents by their ids; null for those that are not there',
      parameters: [NAME],
      requestBody: body(ref('Which')),
      responses: answers(object({ documents: list({ type: ['object', 'null'] }) }), [404, ...BODY]),
    },
  },
  '/collections/{name}/documents/delete': {
    post: {
      summary: 'Delete documents by their ids, or those that pass a filter',
      parameters: [NAME],
      requestBody: body(ref('Which')),
      responses: answers(ref('Deleted'), [404, 409, ...BODY]),
    },
  },
  '/collections/{name}/documents/{id}': {
    get: {
      summary: 'A document',
      parameters: [NAME, ID],
      responses: answers(ref('StoredDocument'), [400, 404, 500]),
    },
    delete: {
      summary: 'Delete a document',
      parameters: [NAME, ID],
      responses: answers(ref('Deleted'), [400, 404, 409, 500]),
    },
  },
  '/collections/{name}/fit': job('fit'),
  '/collections/{name}/tune': job('tune'),
  '/collections/{name}/compact': job('compact'),
  '/jobs': {
    get: {
      summary: 'Jobs, the oldest first',
      responses: answers(object({ jobs: list(ref('Job')) })),
    },
  },
  '/jobs/{id}': {
    get: {
      summary: 'How far a job is',
      parameters: [ID],
      responses: answers(ref('Job'), [400, 404]),
    },
    delete: {
      summary: 'Stop a job',
      parameters: [ID],
      responses: answers(ref('Job'), [400, 404], { status: 202 }),
    },
  },
  '/jobs/{id}/events': {
    get: {
      summary: 'A job as server-sent events: progress, then done, failed or cancelled',
      parameters: [ID],
      responses: answers({ type: 'string' }, [400, 404], { type: 'text/event-stream' }),
    },
  },
  '/v2/rerank': RERANK,
  '/v1/rerank': RERANK,
  '/rerank': RERANK,
  '/v1/multi-vector': encode('Jina'),
  '/pooling': encode('vLLM'),
  '/mcp': {
    post: {
      summary: 'A message of the Model Context Protocol',
      requestBody: body(object({ jsonrpc: { const: '2.0' }, method: { type: 'string' } })),
      responses: answers(object({}), [400, 408, 413, 415]),
    },
  },
};

/** The routes as OpenAPI 3.1 has them; a test holds it to the router. */
export const OPEN_API: OpenApi = {
  openapi: '3.1.0',
  info: {
    title: 'Lemur',
    version: '0.1.0',
    description: 'Late-interaction search. Problems are told as RFC 9457 has them.',
  },
  security: [{ key: [] }],
  paths: PATHS,
  components: {
    securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
    schemas: SCHEMAS,
  },
};
