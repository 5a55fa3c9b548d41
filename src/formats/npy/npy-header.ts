import { badFile, unsupported } from '../../errors.js';
import { parseHeader } from './npy-dictionary.js';

/** Element types that can be read: the header's names without byte order; `b1` is bool. */
export type NpyDtype =
  | 'f2'
  | 'f4'
  | 'f8'
  | 'i1'
  | 'u1'
  | 'i2'
  | 'u2'
  | 'i4'
  | 'u4'
  | 'i8'
  | 'u8'
  | 'b1';

/** A .npy file's description of its data, and where that lies. */
export interface NpyHeader {
  readonly dtype: NpyDtype;
  /** Row-major (C order); `[]` for a single value. */
  readonly shape: readonly number[];
  /** Number of values: the product of `shape`. */
  readonly length: number;
  /** Bytes in front of the data. */
  readonly dataOffset: number;
  /** Bytes of data: `length` times the size of a value. */
  readonly dataBytes: number;
}

const dtypes: ReadonlySet<string> = new Set<NpyDtype>([
  'f2',
  'f4',
  'f8',
  'i1',
  'u1',
  'i2',
  'u2',
  'i4',
  'u4',
  'i8',
  'u8',
  'b1',
]);

/** `\x93NUMPY` */
const magic: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Reads the header alone, so `bytes` may be the beginning of a file that is read in ranges (a few
 * hundred bytes are enough in practice). Versions 1.0, 2.0 and 3.0. `where` names the file in
 * errors. Raises `bad-file` when the header is cut off or malformed, `unsupported` for big-endian,
 * structured, complex, string and object types, and for Fortran order with more than one dimension.
 */
export function readNpyHeader(bytes: Uint8Array, where = 'npy'): NpyHeader {
  if (bytes.length < 10)
    throw badFile(
      where,
      `${bytes.length} bytes, expected at least the 10 in front of a .npy header`,
    );
  if (!magic.every((byte, i) => bytes[i] === byte)) {
    const got = Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, '0')).join(
      ' ',
    );
    throw badFile(
      where,
      `begins with the bytes ${got}, expected those of a .npy file: 93 4e 55 4d 50 59`,
    );
  }
  const [major, minor] = bytes.subarray(6, 8);
  if (major < 1 || major > 3 || minor !== 0) {
    throw unsupported(where, `.npy version ${major}.${minor}, expected 1.0, 2.0 or 3.0`);
  }
  // the length has 2 bytes in version 1, 4 since
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start)
    throw badFile(
      where,
      `${bytes.length} bytes, expected at least ${start}: the header is cut off`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dataOffset = start + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.length < dataOffset)
    throw badFile(
      where,
      `${bytes.length} bytes, expected at least ${dataOffset}: the header is cut off`,
    );
  // latin1 before version 3, UTF-8 since; they differ only in names of fields, which are refused
  const text = new TextDecoder('latin1').decode(bytes.subarray(start, dataOffset));

  const { descr, fortranOrder, shape } = parseHeader(text, where);
  const dtype = plainDtype(descr, where);
  if (fortranOrder && shape.length > 1) {
    throw unsupported(
      where,
      `[${shape}] in Fortran order, expected C order (numpy.ascontiguousarray)`,
    );
  }
  const size = Number(dtype.slice(1));
  const length = shape.reduce((product, n) => product * n, 1);
  if (!Number.isSafeInteger(length * size))
    throw badFile(where, `shape [${shape}] has more values than any file can hold`);
  return { dtype, shape, length, dataOffset, dataBytes: length * size };
}

function plainDtype(descr: string, where: string): NpyDtype {
  const order = descr[0];
  const dtype = descr.slice(1);
  const swapped = order === '>' && !dtype.endsWith('1');
  if ((order !== '<' && order !== '|' && order !== '>') || swapped || !dtypes.has(dtype)) {
    const expected = `expected one of ${[...dtypes].join(', ')} in little-endian order`;
    throw unsupported(
      where,
      `values of type '${descr}'${swapped ? ' (big-endian)' : ''}, ${expected}`,
    );
  }
  return dtype as NpyDtype;
}
