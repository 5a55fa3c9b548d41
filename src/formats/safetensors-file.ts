import { LemurError } from '../errors.js';
import { type ByteRanges, eachChunk } from './byte-ranges.js';
import { type SafetensorsEntry, toFloat32 } from './safetensors.js';
import {
  badFile,
  elementSizes,
  headerLength,
  LENGTH_BYTES,
  type PlacedTensor,
  readHeader,
  type SafetensorsTensor,
} from './safetensors-header.js';

/** Which part of a tensor is read. */
export interface SafetensorsReadOptions {
  /** Rows along the first dimension, from the first number up to before the second; default: all. */
  rows?: readonly [number, number] | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * A safetensors file of which only the header has been read. Every call reads what it returns and no more, a few MiB at a time. Calls reject
 * with 'bad-file' (no such tensor, a short read), 'invalid-argument' (rows out of range), or the signal's reason.
 */
export interface SafetensorsFile {
  /** Types and shapes by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /** The strings that the file carries about itself. */
  readonly metadata: Readonly<Record<string, string>>;
  /** A tensor, or rows of it, as its bytes lie in the file. */
  read(name: string, options?: SafetensorsReadOptions): Promise<SafetensorsEntry>;
  /** The same as float32, whatever its floating-point type (F64 is rounded); other types reject with 'bad-file'. */
  readFloats(name: string, options?: SafetensorsReadOptions): Promise<Float32Array>;
  /** The same bytes into `target`, which must have their length. */
  readInto(name: string, target: Uint8Array, options?: SafetensorsReadOptions): Promise<void>;
}

/** A part of a tensor: where it lies in the file. */
type Part = SafetensorsTensor & { from: number; to: number };

/**
 * Opens a safetensors file of any size for reading in parts. Reads and checks the header: its length before it is read, every tensor's
 * place against the file's size. `where` names the file in errors. Rejects with 'bad-file' for anything that the format does not allow.
 */
export async function openSafetensors(
  source: ByteRanges,
  where = 'safetensors',
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<SafetensorsFile> {
  const { size } = source;
  if (!Number.isSafeInteger(size) || size < 0)
    throw new LemurError('invalid-argument', `${where}: size ${size}, expected a non-negative integer`, { where });
  const fill = (target: Uint8Array, begin: number, abort: AbortSignal | undefined): Promise<void> =>
    eachChunk(source, begin, begin + target.length, where, abort, (chunk, at) => target.set(chunk, at));

  const first = new Uint8Array(Math.min(LENGTH_BYTES, size));
  await fill(first, 0, signal);
  const header = new Uint8Array(headerLength(first, size, where));
  await fill(header, LENGTH_BYTES, signal);
  const body = LENGTH_BYTES + header.length;
  const { tensors, metadata } = readHeader(header, size - body, where);

  const place = (name: string, rows: readonly [number, number] | undefined): Part => {
    const tensor = tensors.get(name);
    if (!tensor) throw new LemurError('bad-file', `${where}: no tensor '${name}'`, { where });
    return partOf(tensor, rows, body, `${where}: ${name}`);
  };

  return {
    tensors,
    metadata,
    async read(name, options = {}) {
      const { type, shape, from, to } = place(name, options.rows);
      const bytes = new Uint8Array(to - from);
      await fill(bytes, from, options.signal);
      return { type, shape, bytes };
    },
    async readFloats(name, options = {}) {
      const { type, shape, from, to } = place(name, options.rows);
      if (!type.includes('F')) throw badFile(where, `tensor ${name} of type ${type}, expected a floating-point one`);
      const width = elementSizes[type];
      const out = new Float32Array((to - from) / width);
      if (type === 'F32') await fill(new Uint8Array(out.buffer), from, options.signal);
      else {
        await eachChunk(source, from, to, where, options.signal, (bytes, at) =>
          out.set(toFloat32({ type, shape, bytes }, where), at / width),
        );
      }
      return out;
    },
    async readInto(name, target, options = {}) {
      const { from, to } = place(name, options.rows);
      if (target.length !== to - from)
        throw new LemurError('invalid-argument', `${where}: ${name}: ${target.length} bytes of room, expected ${to - from}`, { where });
      await fill(target, from, options.signal);
    },
  };
}

function partOf({ type, shape, begin, end }: PlacedTensor, rows: readonly [number, number] | undefined, body: number, where: string): Part {
  if (!rows) return { type, shape, from: body + begin, to: body + end };
  const [first, last] = rows;
  const count = shape.length === 0 ? 0 : shape[0];
  if (shape.length === 0 || !Number.isInteger(first) || !Number.isInteger(last) || first < 0 || last < first || last > count) {
    throw new LemurError('invalid-argument', `${where}: rows [${rows}], expected [from, to] within the ${count} of shape [${shape}]`, {
      where,
    });
  }
  const width = count === 0 ? 0 : (end - begin) / count;
  const from = body + begin + first * width;
  return { type, shape: [last - first, ...shape.slice(1)], from, to: from + (last - first) * width };
}
