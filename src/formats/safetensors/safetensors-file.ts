import {
  checkedSource,
  eachChunk,
  readBytes,
  type UnnamedSource,
} from '../../bytes/byte-source.js';
import { checkText } from '../../bytes/check-text.js';
import { ownBytes } from '../../bytes/typed-array.js';
import { badFile, LemurError } from '../../errors.js';
import { checkOptions, type OptionNames } from '../../known-options.js';
import { atOnce, inTurns, nextMacrotask } from '../../pacer.js';
import { showValue } from '../../value-kind.js';
import { floatsFromChunks } from './float-chunks.js';
import type { SafetensorsEntry } from './safetensors.js';
import {
  badSafetensors,
  elementSizes,
  HEADER_LIMITS,
  type HeaderLimits,
  headerLength,
  LENGTH_BYTES,
  type PlacedTensor,
  parseHeader,
  placeTensors,
  type SafetensorsTensor,
} from './safetensors-header.js';
import { checkRows, type TensorReadOptions } from './tensor-file.js';

/** Which part of a tensor is read. */
export interface SafetensorsReadOptions extends TensorReadOptions {}

/**
 * A safetensors file of which only the header has been read: a `TensorFile`. Every call reads what
 * it returns and no more, a few MiB at a time. Calls reject with 'bad-file' (no such tensor, a
 * short read), 'invalid-argument' (rows out of range), or the signal's reason.
 */
export interface SafetensorsFile {
  /** Types and shapes by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /** The strings that the file carries about itself. */
  readonly metadata: Readonly<Record<string, string>>;
  /** A tensor, or rows of it, as its bytes lie in the file. */
  read(name: string, options?: SafetensorsReadOptions): Promise<SafetensorsEntry>;
  /**
   * A tensor, or rows of it, as float32, whatever its floating-point type (F64 is rounded); other
   * types reject with 'bad-file'.
   */
  readFloats(name: string, options?: SafetensorsReadOptions): Promise<Float32Array>;
  /** Reads those bytes into `target`, which must have their length. */
  readInto(name: string, target: Uint8Array, options?: SafetensorsReadOptions): Promise<void>;
}

/** Bytes of a header that takes some time. */
const LONG_HEADER = 1 << 18;

const READ_OPTIONS: OptionNames<SafetensorsReadOptions> = { rows: true, signal: true };

/** A part of a tensor: where it lies in the file. */
type Part = SafetensorsTensor & { from: number; to: number };

/**
 * Opens a safetensors file of any size for reading in parts. Reads and checks the header: its
 * length before it is read, every tensor's place against the file's size. `where` names the file in
 * errors; by default its own name does. Rejects with 'bad-file' for anything that the format does
 * not allow.
 *
 * @example
 * const file = await openSafetensors({
 *   size: blob.size,
 *   read: async (offset, length) =>
 *     new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
 * });
 * const rows = await file.readFloats('tokens', { rows: [0, 1000] });
 */
export async function openSafetensors(
  source: UnnamedSource,
  where?: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<SafetensorsFile> {
  checkOptions(options, { signal: true }, 'openSafetensors');
  if (where !== undefined) checkText(where, 'openSafetensors: where');
  return openWithin(source, where, HEADER_LIMITS, options.signal);
}

/** `openSafetensors` of a file whose header may have other limits. */
export async function openWithin(
  source: UnnamedSource,
  where: string | undefined,
  limits: HeaderLimits,
  signal?: AbortSignal | undefined,
): Promise<SafetensorsFile> {
  const file = checkedSource(source, where, 'safetensors');
  const { name: at, size } = file;
  const first = await readBytes(file, 0, Math.min(LENGTH_BYTES, size), signal);
  const header = await readBytes(file, LENGTH_BYTES, headerLength(first, size, at, limits), signal);
  const body = LENGTH_BYTES + header.length;
  const isLong = header.length > LONG_HEADER;
  const parsing = parseHeader(header, at, limits);
  const parsed = isLong ? await inTurns(parsing) : atOnce(parsing);
  if (isLong) await nextMacrotask();
  const placing = placeTensors(parsed, size - body, at);
  const { tensors, metadata } = await (isLong ? inTurns(placing) : atOnce(placing));
  const place = (name: string, rows: readonly [number, number] | undefined): Part => {
    const tensor = tensors.get(name);
    if (!tensor) throw badFile(at, `no tensor '${showValue(name)}'`);
    return partOf(tensor, rows, body, `${at}: ${name}`);
  };
  const fill = (target: Uint8Array, begin: number, abort: AbortSignal | undefined): Promise<void> =>
    eachChunk(file, begin, begin + target.length, abort, (chunk, from) => target.set(chunk, from));
  return {
    tensors,
    metadata,
    async read(name, options = {}) {
      checkOptions(options, READ_OPTIONS, 'read');
      const { type, shape, from, to } = place(name, options.rows);
      const bytes = new Uint8Array(to - from);
      await fill(bytes, from, options.signal);
      return { type, shape, bytes };
    },
    async readFloats(name, options = {}) {
      checkOptions(options, READ_OPTIONS, 'readFloats');
      const { type, from, to } = place(name, options.rows);
      if (!type.includes('F'))
        throw badSafetensors(at, `tensor ${name} of type ${type}, expected a floating-point one`);
      const length = (to - from) / elementSizes[type];
      return floatsFromChunks(type, length, `${at}: ${name}`, (use) =>
        eachChunk(file, from, to, options.signal, use),
      );
    },
    async readInto(name, target, options = {}) {
      checkOptions(options, READ_OPTIONS, 'readInto');
      const { from, to } = place(name, options.rows);
      const bytes = ownBytes(target, `${at}: ${name}: target`);
      checkRoom(bytes.length, to - from, `${at}: ${name}`, at);
      await fill(bytes, from, options.signal);
    },
  };
}

function checkRoom(room: number, expected: number, what: string, where: string): void {
  if (room === expected) return;
  const message = `${what}: ${room} bytes of room, expected ${expected}`;
  throw new LemurError('invalid-argument', message, { where });
}

function partOf(
  { type, shape, begin, end }: PlacedTensor,
  rows: readonly [number, number] | undefined,
  body: number,
  where: string,
): Part {
  if (!rows) return { type, shape, from: body + begin, to: body + end };
  const [first, last] = checkRows(rows, shape, where);
  const count = shape[0];
  const width = count === 0 ? 0 : (end - begin) / count;
  const from = body + begin + first * width;
  return {
    type,
    shape: [last - first, ...shape.slice(1)],
    from,
    to: from + (last - first) * width,
  };
}
