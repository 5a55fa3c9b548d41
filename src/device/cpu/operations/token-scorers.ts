import type { DeviceTokens } from '../../device-tokens.js';
import { decodingScorer } from './decoding-scorer.js';
import { float32Scorer } from './float32-scorer.js';
import { int8Scorer } from './int8-scorer.js';
import { levelScorer } from './level-scorer.js';
import type { TokenScorer } from './token-scorer.js';

/** Encodings that are scored by a kernel of their own. */
const SCORERS: ReadonlyMap<string, TokenScorer> = new Map([
  ['float32', float32Scorer],
  ['int8', int8Scorer],
  ['int4', levelScorer(4)],
  ['int2', levelScorer(2)],
]);

/** Of the encoding of documents; what has no kernel of its own is decoded. */
export function scorerOf({ encoding }: DeviceTokens): TokenScorer {
  return SCORERS.get(encoding) ?? decodingScorer;
}
