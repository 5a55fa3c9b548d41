import type { RemoteStyle } from './remote-options.js';

/** What is asked for. */
export interface RemoteRequest {
  readonly texts: readonly string[];
  readonly kind: 'query' | 'document';
  readonly model: string;
  /** undefined where it is not known yet. */
  readonly dim: number | undefined;
}

/** The form of a service. */
export interface RemoteForm {
  readonly path: string;
  readonly body: (request: RemoteRequest) => object;
  /** The rows of each text, in their order; undefined or anything else where it is not the form. */
  readonly read: (answer: unknown) => unknown;
}

/** Items with a number each are brought into its order. */
function inOrder(answer: unknown, key: string): unknown {
  const { data } = Object(answer) as { data?: unknown };
  if (!Array.isArray(data)) return undefined;
  const out = new Array<unknown>(data.length);
  for (const [i, item] of data.entries()) {
    const { index = i, [key]: rows } = Object(item) as { index?: unknown; [key: string]: unknown };
    if (!Number.isInteger(index)) return undefined;
    out[index as number] = rows;
  }
  return out;
}

export const FORMS: Readonly<Record<RemoteStyle, RemoteForm>> = {
  jina: {
    path: '/v1/multi-vector',
    body: ({ texts, kind, model, dim }) => ({
      model,
      input: texts,
      input_type: kind,
      embedding_type: 'float',
      ...(dim !== undefined && { dimensions: dim }),
    }),
    read: (answer) => inOrder(answer, 'embeddings'),
  },
  vllm: {
    path: '/pooling',
    body: ({ texts, model }) => ({ model, input: texts, encoding_format: 'float' }),
    read: (answer) => inOrder(answer, 'data'),
  },
  pylate: {
    path: '/v1/embeddings',
    body: ({ texts, kind, model }) => ({ input: texts, is_query: kind === 'query', model }),
    read: (answer) => inOrder(answer, 'embedding'),
  },
  'next-plaid': {
    path: '/encode',
    body: ({ texts, kind }) => ({ texts, input_type: kind }),
    read: (answer) => (Object(answer) as { embeddings?: unknown }).embeddings,
  },
};
