import type { EncodeOptions, PoolingEncoder } from './encoder.js';

/**
 * An encoder that looks at so many tokens of a text where a call asks for no other number; null: at
 * as many as it does by itself. Its `id` says so.
 */
export function limitedEncoder(encoder: PoolingEncoder, maxTokens: number | null): PoolingEncoder {
  if (maxTokens === null) return encoder;
  // an option that is there and undefined asks for no number
  const limited = <T extends EncodeOptions>(options?: T): T & EncodeOptions => ({
    ...(options as T),
    maxTokens: options?.maxTokens ?? maxTokens,
  });
  return {
    ...encoder,
    id: limitedId(encoder.id, maxTokens),
    origin: encoder.origin && { ...encoder.origin, maxTokens },
    documentTokens: maxTokens,
    encodeQuery: (texts, options) => encoder.encodeQuery(texts, limited(options)),
    encodeDocument: (texts, options) => encoder.encodeDocument(texts, limited(options)),
    encodePooled: (texts, options) => encoder.encodePooled(texts, limited(options)),
    encode: (texts, options) => encoder.encode(texts, limited(options)),
  };
}

/** The `id` of an encoder that looks at so many tokens. */
export function limitedId(id: string, maxTokens: number | null): string {
  return maxTokens === null ? id : `${id}-${maxTokens}`;
}
