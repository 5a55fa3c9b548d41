import { LemurError } from '../../errors.js';

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

/** What a .npy file says about its data, and where that lies. */
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
    throw new LemurError(
      'unsupported',
      `${where}: .npy version ${major}.${minor}, expected 1.0, 2.0 or 3.0`,
      { where },
    );
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

  const { descr, fortranOrder, shape } = parseDict(text, where);
  const dtype = plainDtype(descr, where);
  if (fortranOrder && shape.length > 1) {
    throw new LemurError(
      'unsupported',
      `${where}: [${shape}] in Fortran order, expected C order (numpy.ascontiguousarray)`,
      { where },
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
    throw new LemurError(
      'unsupported',
      `${where}: values of type '${descr}'${swapped ? ' (big-endian)' : ''}, ${expected}`,
      { where },
    );
  }
  return dtype as NpyDtype;
}

/**
 * `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` and white space behind it; the keys
 * in any order, each once.
 */
function parseDict(
  text: string,
  where: string,
): { descr: string; fortranOrder: boolean; shape: number[] } {
  let at = 0;
  let descr: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;

  expect('{');
  while (!skip('}')) {
    const key = string();
    expect(':');
    if (key === 'descr' && descr === undefined) descr = type();
    else if (key === 'fortran_order' && fortranOrder === undefined) fortranOrder = boolean();
    else if (key === 'shape' && shape === undefined) shape = tuple();
    else throw malformed(`each of 'descr', 'fortran_order' and 'shape' once`, `'${key}'`);
    if (!skip(',') && peek() !== '}') throw malformed(`',' or '}'`);
  }
  if (peek() !== '') throw malformed('nothing behind the dictionary');
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    throw malformed(`each of 'descr', 'fortran_order' and 'shape' once`, 'less');
  }
  return { descr, fortranOrder, shape };

  /** The next character that is not white space; empty at the end. */
  function peek(): string {
    while (at < text.length && ' \t\r\n'.includes(text[at])) at++;
    return text.charAt(at);
  }

  function skip(char: string): boolean {
    const found = peek() === char;
    if (found) at++;
    return found;
  }

  function expect(char: string): void {
    if (!skip(char)) throw malformed(`'${char}'`);
  }

  /** A quoted string; escapes are refused, since nothing that is supported needs them. */
  function string(): string {
    const quote = peek();
    if (quote !== "'" && quote !== '"') throw malformed('a quoted string');
    const end = text.indexOf(quote, at + 1);
    if (end < 0) throw malformed(`a closing ${quote}`, 'none');
    const value = text.slice(at + 1, end);
    if (value.includes('\\')) throw malformed('a string without escapes');
    at = end + 1;
    return value;
  }

  function type(): string {
    if (peek() === '[')
      throw new LemurError('unsupported', `${where}: a structured type, expected plain numbers`, {
        where,
      });
    return string();
  }

  function boolean(): boolean {
    peek();
    for (const word of ['True', 'False']) {
      if (!text.startsWith(word, at)) continue;
      at += word.length;
      return word === 'True';
    }
    throw malformed('True or False');
  }

  /** `()`, `(3,)`, `(3, 4)` or `(3, 4,)`; Python 2 wrote `3L`. */
  function tuple(): number[] {
    const items: number[] = [];
    expect('(');
    while (!skip(')')) {
      items.push(integer());
      if (skip(',')) continue;
      if (peek() !== ')') throw malformed(`',' or ')'`);
      if (items.length === 1) throw malformed(`',': (3) is no tuple`);
    }
    return items;
  }

  function integer(): number {
    peek();
    const start = at;
    while (text[at] >= '0' && text[at] <= '9') at++;
    if (at === start) throw malformed('a non-negative integer');
    const value = Number(text.slice(start, at));
    if (!Number.isSafeInteger(value))
      throw malformed('a length that a file can have', text.slice(start, Math.min(at, start + 40)));
    if (text[at] === 'L') at++;
    return value;
  }

  function malformed(expected: string, got?: string): LemurError {
    const found = got ?? (at < text.length ? `'${text.slice(at, at + 20).trimEnd()}'` : 'the end');
    return badFile(
      where,
      `malformed .npy header at character ${at}: expected ${expected}, got ${found}`,
    );
  }
}

function badFile(where: string, what: string): LemurError {
  return new LemurError('bad-file', `${where}: ${what}`, { where });
}
