import type { Random } from '../../mutations.js';

/** The bytes in up to four chunks; the last is often empty. */
export async function* chunks(input: Uint8Array, random: Random): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (let i = 0; i < 3; i++) {
    const to = from + random.below(input.length - from + 1);
    yield input.subarray(from, to);
    from = to;
  }
  yield input.subarray(from);
}
