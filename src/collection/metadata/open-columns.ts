import { abortable } from '../../abortable.js';
import { badFile, type LemurError } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';
import { type SafetensorsEntry, toTypedArray } from '../../formats/safetensors/safetensors.js';
import { product } from '../../formats/safetensors/safetensors-header.js';
import { stepPacer } from '../../pacer.js';
import {
  ABSENT,
  ARRAY,
  type Column,
  NUMBER,
  OBJECT,
  PARTS,
  type Part,
  parseTensorName,
  STRING,
  tensorName,
  type Values,
} from './column.js';

/** The columns of a segment, each read when it is first asked for, and kept. */
export interface Columns {
  /** Documents in the segment. */
  readonly rows: number;
  /** Every path that leads to anything in any of them. */
  readonly paths: Iterable<string>;
  /**
   * The documents' values at a path; undefined: none of them has anything there. Rejects with
   * 'bad-file' for anything that `buildColumns` does not write, and with what reading rejects with;
   * the next call reads again then. So it does where the signal aborted while it was read: what
   * never answers is not waited for twice.
   */
  column(path: string, signal?: AbortSignal | undefined): Promise<Column | undefined>;
}

/** Why a column is no column. */
type Refuse = (problem: string) => LemurError;

/**
 * The columns among the tensors of a file: `names` are those of all its tensors, `rows` is the
 * number of documents, `read` gives a tensor by its name. Nothing is read yet. `where` names the
 * file in errors. Raises 'bad-file' for a tensor's name that begins like a column's and is none.
 */
export function openColumns(
  names: Iterable<string>,
  rows: number,
  read: (name: string) => Promise<SafetensorsEntry>,
  where = 'columns',
): Columns {
  const partsOf = new Map<string, Set<Part>>();
  for (const name of names) {
    const parsed = parseTensorName(name);
    if (parsed === undefined) continue;
    const { path, part } = parsed;
    if (!isPart(part)) throw badFile(where, `tensor ${showJson(name)} is no part of a column`);
    if (!partsOf.has(path)) partsOf.set(path, new Set());
    partsOf.get(path)!.add(part);
  }

  const load = async (path: string, present: ReadonlySet<Part>): Promise<Column> => {
    const refuse: Refuse = (problem) => badFile(where, `column ${showJson(path)}: ${problem}`);
    const parts = {} as Record<Part, SafetensorsEntry | undefined>;
    await Promise.all(
      [...present].map(async (part) => (parts[part] = await read(tensorName(path, part)))),
    );
    return columnOf(parts, rows, refuse);
  };

  const loaded = new Map<string, Promise<Column>>();
  const forget = (path: string, column: Promise<Column>): void => {
    if (loaded.get(path) === column) loaded.delete(path);
  };
  return {
    rows,
    get paths() {
      return partsOf.keys();
    },
    async column(path, signal) {
      const present = partsOf.get(path);
      if (present === undefined) return undefined;
      const column = loaded.get(path) ?? load(path, present);
      loaded.set(path, column);
      try {
        return await abortable(column, signal);
      } catch (error) {
        forget(path, column);
        throw error;
      }
    },
  };
}

function isPart(part: string): part is Part {
  return Object.hasOwn(PARTS, part);
}

async function columnOf(
  parts: Readonly<Record<Part, SafetensorsEntry | undefined>>,
  count: number,
  refuse: Refuse,
): Promise<Column> {
  const array = <T>(part: Part): T => typedArray(part, parts[part], refuse) as T;
  const rows = parts.rows && array<Int32Array>('rows');
  const values: Values = {
    kinds: array('kinds'),
    numbers: array('numbers'),
    codes: array('codes'),
  };
  const elements: Values = {
    kinds: array('element-kinds'),
    numbers: array('element-numbers'),
    codes: array('element-codes'),
  };
  const elementOffsets = array<Int32Array>('element-offsets');
  const dictionary = await readDictionary(array('dictionary'), array('dictionary-offsets'), refuse);

  const expected = rows === undefined ? count : rows.length;
  if (values.kinds.length !== expected)
    throw refuse(`${values.kinds.length} kinds, expected ${expected}`);
  if (rows !== undefined) checkRows(rows, count, refuse);
  const arrays = checkValues(
    values,
    rows === undefined ? ABSENT : ABSENT + 1,
    OBJECT,
    dictionary.length,
    refuse,
  );
  checkValues(elements, ABSENT + 1, STRING, dictionary.length, refuse);
  checkOffsets(elementOffsets, arrays, elements.kinds.length, 'element-offsets', refuse);
  return { rows, values, elementOffsets, elements, dictionary };
}

/** A copy in memory of its own; empty where there is no such tensor. */
function typedArray(
  part: Part,
  entry: SafetensorsEntry | undefined,
  refuse: Refuse,
): Uint8Array | Int32Array | Float64Array {
  const type = PARTS[part];
  const { type: got, shape, bytes } = entry ?? { type, shape: [0], bytes: new Uint8Array() };
  const width = { U8: 1, I32: 4, F64: 8 }[type];
  if (got !== type) throw refuse(`${part} of type ${showJson(got)}, expected ${type}`);
  if (shape.length !== 1 || product(shape) * width !== bytes.length) {
    const found = `${part} of shape [${shape}] with ${bytes.length} bytes`;
    throw refuse(`${found}, expected one dimension of ${width} bytes each`);
  }
  return toTypedArray({ type, shape, bytes }, part) as Uint8Array | Int32Array | Float64Array;
}

function checkRows(rows: Int32Array, count: number, refuse: Refuse): void {
  for (let i = 0, before = -1; i < rows.length; before = rows[i++]) {
    if (rows[i] <= before || rows[i] >= count)
      throw refuse(`row ${rows[i]} behind ${before}, expected ascending rows of ${count}`);
  }
}

/**
 * How many of them are arrays. Refuses kinds that are not from `first` to `last`, and numbers and
 * codes that do not fit the kinds.
 */
function checkValues(
  { kinds, numbers, codes }: Values,
  first: number,
  last: number,
  entries: number,
  refuse: Refuse,
): number {
  const counts = new Int32Array(256);
  for (let i = 0; i < kinds.length; i++) counts[kinds[i]]++;
  const wrong = counts.findIndex((many, kind) => many > 0 && (kind < first || kind > last));
  if (wrong >= 0) throw refuse(`kind ${wrong}, expected ${first} to ${last}`);
  if (numbers.length !== counts[NUMBER])
    throw refuse(`${numbers.length} numbers, expected ${counts[NUMBER]}`);
  if (codes.length !== counts[STRING])
    throw refuse(`${codes.length} codes, expected ${counts[STRING]}`);
  for (let i = 0; i < numbers.length; i++)
    if (!Number.isFinite(numbers[i])) throw refuse(`number ${numbers[i]}`);
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] < 0 || codes[i] >= entries)
      throw refuse(`code ${codes[i]} in a dictionary of ${entries}`);
  }
  return counts[ARRAY];
}

/** `items` of them, one behind the other up to `end`; none for no item. */
function checkOffsets(
  offsets: Int32Array,
  items: number,
  end: number,
  part: Part,
  refuse: Refuse,
): void {
  const expected = items === 0 ? 0 : items + 1;
  if (offsets.length !== expected) throw refuse(`${offsets.length} ${part}, expected ${expected}`);
  const last = items === 0 ? 0 : offsets[items];
  if (last !== end || (items > 0 && offsets[0] !== 0))
    throw refuse(`${part} from ${offsets[0] ?? 0} to ${last}, expected 0 to ${end}`);
  for (let i = 0; i < items; i++)
    if (offsets[i + 1] < offsets[i]) throw refuse(`${part} ${offsets[i + 1]} behind ${offsets[i]}`);
}

async function readDictionary(
  bytes: Uint8Array,
  offsets: Int32Array,
  refuse: Refuse,
): Promise<string[]> {
  const entries = Math.max(0, offsets.length - 1);
  checkOffsets(offsets, entries, bytes.length, 'dictionary-offsets', refuse);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const texts = new Array<string>(entries);
  const step = stepPacer();
  const decode = (part: Uint8Array): string => {
    try {
      return decoder.decode(part);
    } catch {
      throw refuse('a dictionary that is not UTF-8');
    }
  };
  // in ASCII, most often, bytes are characters
  const all = decode(bytes);
  const ascii = all.length === bytes.length;
  for (let i = 0; i < entries; i++) {
    const [begin, end] = [offsets[i], offsets[i + 1]];
    texts[i] = ascii ? all.slice(begin, end) : decode(bytes.subarray(begin, end));
    if (i > 0 && !(texts[i - 1] < texts[i]))
      throw refuse(`dictionary entry ${showJson(texts[i])} behind ${showJson(texts[i - 1])}`);
    const wait = step();
    if (wait) await wait;
  }
  return texts;
}
