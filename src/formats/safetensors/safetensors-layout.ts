import { checkTexts } from '../../bytes/check-text.js';
import { invalidArgument, LemurError } from '../../errors.js';
import { describeKind, showValue } from '../../value-kind.js';
import { showJson } from '../json/show-json.js';
import {
  elementSizes,
  isLengths,
  LENGTH_BYTES,
  MOST_HEADER_BYTES,
  MOST_TENSORS,
  type PlacedTensor,
  product,
  type SafetensorsTensor,
} from './safetensors-header.js';

/**
 * The beginning of a file with these tensors, up to and with the header, and where each of them
 * lies behind it. Their order is that given, except that wider elements come first, so that every
 * tensor is aligned. Raises `invalid-argument`.
 */
export function layOut(
  declared: Readonly<Record<string, SafetensorsTensor>>,
  metadata: Readonly<Record<string, string>>,
  where: string,
): { start: Uint8Array; tensors: Map<string, PlacedTensor>; size: number } {
  const invalid = (name: string, problem: string): LemurError =>
    new LemurError('invalid-argument', `${where}: ${name}: ${problem}`, {
      where: `${where}: ${name}`,
    });
  checkTensors(declared, where);
  const names = Object.keys(declared).length;
  if (names > MOST_TENSORS) throw tooMany(where, `${names} tensors`, MOST_TENSORS);
  checkTexts(metadata, `${where}: metadata`);
  for (const [name, { type, shape }] of Object.entries(declared)) {
    if (name === '__metadata__') throw invalid(name, 'the name is reserved');
    if (!Object.hasOwn(elementSizes, type))
      throw invalid(
        name,
        `type ${showValue(type)}, expected one of ${Object.keys(elementSizes).join(', ')}`,
      );
    if (!isLengths(shape))
      throw invalid(name, `shape ${showJson(shape)}, expected non-negative integers`);
  }
  const entries = Object.entries(declared).sort(
    ([, a], [, b]) => elementSizes[b.type] - elementSizes[a.type],
  );
  const tensors = new Map<string, PlacedTensor>();
  // without a prototype: a tensor may be called __proto__
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let length = 0;
  for (const [name, { type, shape }] of entries) {
    const end = length + product(shape) * elementSizes[type];
    if (!Number.isSafeInteger(end))
      throw invalid(name, `${type} [${shape}] is more than a file can hold`);
    header[name] = { dtype: type, shape, data_offsets: [length, end] };
    tensors.set(name, { type, shape, begin: length, end });
    length = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8; // the format allows trailing spaces
  if (padded > MOST_HEADER_BYTES)
    throw tooMany(where, `a header of ${padded} bytes`, MOST_HEADER_BYTES);
  const start = new Uint8Array(LENGTH_BYTES + padded);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.fill(0x20, LENGTH_BYTES);
  start.set(json, LENGTH_BYTES);
  return { start, tensors, size: start.length + length };
}

function tooMany(where: string, got: string, most: number): LemurError {
  return invalidArgument(where, `${got}, expected at most ${most}`);
}

/** Raises 'invalid-argument' for anything but an object of objects. */
export function checkTensors(tensors: unknown, where: string): void {
  const isObject = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value);
  const wrong = isObject(tensors)
    ? Object.entries(tensors as object).find(([, tensor]) => !isObject(tensor))
    : ['tensors', tensors];
  if (!wrong) return;
  const message = `${where}: ${wrong[0]}: expected an object, got ${describeKind(wrong[1])}`;
  throw new LemurError('invalid-argument', message, { where: `${where}: ${wrong[0]}` });
}
