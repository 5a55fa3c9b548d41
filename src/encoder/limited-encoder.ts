import type { PoolingEncoder } from './encoder.js';

/**
 * An encoder that looks at so many tokens of a text where a call asks for no other number; null: at
 * as many as it does by itself. Its `id` says so.
 */
export function limitedEncoder(encoder: PoolingEncoder, maxTokens: number | null): PoolingEncoder {
  if (maxTokens === null) return encoder;
  return {
    ...encoder,
    id: limitedId(encoder.id, maxTokens),
    origin: encoder.origin && { ...encoder.origin, maxTokens },
    documentTokens: maxTokens,
    encodeQuery: (texts, options) => encoder.encodeQuery(texts, { maxTokens, ...options }),
    encodeDocument: (texts, options) => encoder.encodeDocument(texts, { maxTokens, ...options }),
    encodePooled: (texts, options) => encoder.encodePooled(texts, { maxTokens, ...options }),
    encode: (texts, options) => encoder.encode(texts, { maxTokens, ...options }),
  };
}

/** The `id` of an encoder that looks at so many tokens. */
export function limitedId(id: string, maxTokens: number | null): string {
  return maxTokens === null ? id : `${id}-${maxTokens}`;
}
