import { LemurError } from '../errors.js';
import { showValue } from '../value-kind.js';
import type { TokenEncoding } from './encoding.js';
import { float32Encoding } from './float32-encoding.js';
import { int8Encoding } from './int8-encoding.js';
import { levelEncoding } from './level-encoding.js';

/** Names of the encodings that come with the library. */
export type Precision = 'float32' | 'int8' | 'int4' | 'int2';

/** Every way of storing token vectors, by its name. */
export const encodings: Map<string, TokenEncoding> = new Map(
  [float32Encoding, int8Encoding, levelEncoding(4), levelEncoding(2)].map((encoding) => [
    encoding.name,
    encoding,
  ]),
);

/** Whether a value names an encoding. */
export function isPrecision(value: unknown): value is Precision {
  return typeof value === 'string' && encodings.has(value);
}

/** Their names for messages: 'float32', 'int8', 'int4' or 'int2'. */
export function precisionNames(): string {
  const names = Array.from(encodings.keys(), (name) => `'${name}'`);
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** Raises 'invalid-argument' for what names no encoding. */
export function checkPrecision(value: unknown): asserts value is Precision {
  if (isPrecision(value)) return;
  const message = `precision: expected ${precisionNames()}, got ${showValue(value)}`;
  throw new LemurError('invalid-argument', message, { where: 'precision' });
}

/** The encoding of a checked name. Raises 'unsupported' for one that is not known. */
export function encodingOf(name: string): TokenEncoding {
  const encoding = encodings.get(name);
  if (encoding) return encoding;
  throw new LemurError('unsupported', `no token encoding has the name ${showValue(name)}`, {
    where: 'precision',
  });
}
