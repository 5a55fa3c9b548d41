import type { TensorScope } from './with-tensors.js';

const forgotten = new FinalizationRegistry((kept: TensorScope) => kept.free());

/**
 * Frees what is kept when `owner` has been garbage-collected, or when the function returned is
 * called, whichever is first.
 */
export function freeWith(owner: object, kept: TensorScope): () => void {
  const token = {};
  forgotten.register(owner, kept, token);
  return () => {
    forgotten.unregister(token);
    kept.free();
  };
}
