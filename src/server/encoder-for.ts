import type { Encoder } from '../encoder/encoder.js';
import { Problem } from './problem.js';
import { encoderOf, type Served } from './served.js';

/**
 * The encoder for texts that belong to no collection: that of the collection which `model` names,
 * else the one that the server was given, else the first there is. Raises a problem (422).
 */
export function encoderFor({ collections, options }: Served, model: unknown): Encoder {
  const named = typeof model === 'string' ? collections.get(model) : undefined;
  const all = [...collections.values()].map(({ index }) => encoderOf(index));
  const encoder =
    (named && encoderOf(named.index)) ?? options.encoder ?? all.find((one) => one !== undefined);
  if (encoder) return encoder;
  const problem = 'no collection of this server has an encoder: texts cannot be read';
  throw new Problem(422, 'unsupported', problem);
}
