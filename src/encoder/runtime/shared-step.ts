import { eachChunk } from '../../bytes/byte-source.js';
import type { OpenFile } from '../files/checkpoint-files.js';
import type { ProductPrecision } from '../graph/graph-builder.js';
import type { BodySource } from './worker-protocol.js';

/**
 * How the names of ONNX's operators begin that quantise their inputs by one step, found over the
 * whole of them.
 */
const OPERATORS = 'DynamicQuantize';

/**
 * Whether the texts of a batch, and their padding, share the steps that they are rounded to: then
 * what becomes of one depends on the others, and each must be computed alone. That is so in our own
 * int8 graphs and in anybody's file that names such an operator.
 */
export async function sharesSteps(
  open: OpenFile,
  body: BodySource,
  precision: ProductPrecision,
): Promise<boolean> {
  if (body.kind === 'weights') return precision === 'int8';
  const source = await open(body.file);
  const name = Array.from(OPERATORS, (letter) => letter.charCodeAt(0));
  let found = false;
  /** The end of the chunk before, where a name may have begun. */
  let rest = new Uint8Array(0);
  await eachChunk(source, 0, source.size, undefined, (chunk) => {
    if (found) return;
    const joined = new Uint8Array([...rest, ...chunk.subarray(0, name.length)]);
    found = contains(joined, name) || contains(chunk, name);
    rest = chunk.slice(-name.length);
  });
  return found;
}

function contains(bytes: Uint8Array, word: readonly number[]): boolean {
  for (let at = bytes.indexOf(word[0]); at >= 0; at = bytes.indexOf(word[0], at + 1)) {
    if (word.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}
