import type { Encoder } from '../../encoder/encoder.js';
import type { Call, Calls } from './calls.js';
import { watchOf } from './watch.js';

/** An encoder that a call waits for no longer than until its signal aborts. */
export function watchedEncoder<E extends Encoder | undefined>(
  encoder: E,
  calls: Calls,
  call: Call,
): E {
  if (!encoder) return encoder;
  const watch = watchOf(calls, call);
  return {
    id: encoder.id,
    dim: encoder.dim,
    documentTokens: encoder.documentTokens,
    ...(encoder.countTokens && {
      countTokens: (texts, options) =>
        watch(async () => encoder.countTokens?.(texts, options) ?? []),
    }),
    encodeQuery: (texts, options) => watch(() => encoder.encodeQuery(texts, options)),
    encodeDocument: (texts, options) => watch(() => encoder.encodeDocument(texts, options)),
    close: () => encoder.close(),
  } satisfies Encoder as E;
}
