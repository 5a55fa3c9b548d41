import { bytesSource } from '../../src/bytes/byte-source.js';
import { withoutZeroRows } from '../../src/cli/zero-rows.js';
import { findInexactNumber } from '../../src/formats/json/inexact-numbers.js';
import { type JsonLine, readJsonLines } from '../../src/formats/json/jsonl.js';
import { type NpyData, readNpy, writeNpy } from '../../src/formats/npy/npy.js';
import { joinTensorFiles } from '../../src/formats/safetensors/join-tensor-files.js';
import {
  readSafetensors,
  type SafetensorsArray,
  toTypedArray,
  writeSafetensors,
} from '../../src/formats/safetensors/safetensors.js';
import {
  type BeirDocument,
  parseBeirDocuments,
  parseBeirQueries,
  parseQrels,
  type UnreadFields,
} from '../../src/formats/texts/beir.js';
import { parseTokenVectors } from '../../src/formats/token-vectors.js';
import { unpickle } from '../../src/formats/torch/pickle.js';
import type { PickleValue } from '../../src/formats/torch/pickle-values.js';
import { readTorchFile, type TorchValue } from '../../src/formats/torch/torch-file.js';
import { openTorchTensors } from '../../src/formats/torch/torch-tensors.js';
import { readZip } from '../../src/formats/zip/zip.js';
import {
  bytes,
  global,
  long,
  ordered,
  pickle,
  storage,
  tensor,
  text,
  torchFile,
  tuple,
  zip,
} from '../formats/torch/torch-bytes.js';
import { concat, mutateBytes, mutateJson, type Random } from '../mutations.js';
import { REFUSED, type Target } from './harness.js';
import { hostileNpy } from './hostile-npy.js';

const encoder = new TextEncoder();
const WHERE = 'input';

/** A reader of bytes; `read` also checks what must hold of what it accepts. */
function reader(
  name: string,
  make: (random: Random) => Uint8Array,
  read: (input: Uint8Array, random: Random) => unknown,
): Target {
  return {
    name,
    open: async () => ({
      once(random) {
        const input = make(random);
        return {
          size: input.length,
          read: () => read(input, random),
          show: () => Buffer.from(input).toString('base64'),
        };
      },
    }),
  };
}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(`accepted, but ${what}`);
}

const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((size, length) => size * length, 1);
const sameBytes = (a: ArrayBufferView, b: ArrayBufferView): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );

const arrays: NpyData[] = [
  Float32Array.of(1, -2, Number.NaN, 4, 5, 6),
  Int32Array.of(1, 2, 3),
  new Float64Array(0),
  Uint8Array.of(9),
];
const npySeeds = arrays.map((data, i) => writeNpy({ shape: [[2, 3], [3], [0, 4], []][i], data }));

const npy = reader(
  'npy',
  (random) => (random.oneIn(2) ? hostileNpy(random) : mutateBytes({ seeds: npySeeds }, random)),
  (input) => {
    const { shape, data, dtype } = readNpy(input, WHERE);
    hold(sizeOf(shape) === data.length, `${data.length} values for [${shape}]`);
    const again = readNpy(writeNpy({ shape, data }), WHERE);
    hold(
      sameBytes(again.data, data) && again.shape.join() === shape.join(),
      `${dtype} [${shape}] is not the same when written and read`,
    );
  },
);

const vectors = Float32Array.of(1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 7, 8);
const vectorSeeds = [
  writeNpy({ shape: [2, 3, 2], data: vectors }),
  writeSafetensors({
    tokens: { shape: [6, 2], data: vectors },
    counts: { shape: [3], data: Int32Array.of(1, 2, 3) },
  }),
  writeSafetensors({ vectors: { shape: [2, 3, 2], data: vectors } }),
  zip([['arr_0.npy', writeNpy({ shape: [1], data: Float32Array.of(1) })]]),
];

const tokenVectors = reader(
  'token-vectors',
  (random) => mutateBytes({ seeds: vectorSeeds }, random),
  async (input, random) => {
    const found = await parseTokenVectors(input, WHERE, { single: random.oneIn(2) });
    const before = found.vectors.length / found.dim;
    const notes: string[] = [];
    const reporter = {
      note: (line: string) => void notes.push(line),
      step: () => Promise.reject(new Error('a step')),
    };
    const {
      vectors: left,
      counts,
      offsets,
      dim,
    } = await withoutZeroRows(found, WHERE, { signal: new AbortController().signal, reporter });
    hold(
      left.length === offsets[counts.length] * dim && counts.every((count) => count > 0),
      'counts that do not add up',
    );
    hold(notes.length === (left.length / dim < before ? 1 : 0), `${notes.length} notes`);
    for (let row = 0; row < left.length; row += dim)
      hold(
        left.subarray(row, row + dim).some((value) => value !== 0),
        'a zero row',
      );
  },
);

const header = {
  __metadata__: { format: 'pt', made: 'by hand' },
  weight: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  'layer.0.bias': { dtype: 'F16', shape: [4], data_offsets: [24, 32] },
  ids: { dtype: 'I64', shape: [1, 1], data_offsets: [32, 40] },
  empty: { dtype: 'U8', shape: [0, 5], data_offsets: [40, 40] },
};
const body = Uint8Array.from({ length: 40 }, (_, i) => i * 7);
const safetensorsFile = (json: Uint8Array): Uint8Array => {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return concat(length, json, body);
};
const safetensorsSeed = safetensorsFile(encoder.encode(JSON.stringify(header)));

const safetensors = reader(
  'safetensors',
  (random) =>
    random.oneIn(3)
      ? mutateBytes({ seeds: [safetensorsSeed] }, random)
      : safetensorsFile(mutateJson(header, random)),
  (input) => {
    const { tensors, metadata } = readSafetensors(input, WHERE);
    hold(
      Object.values(metadata).every((value) => typeof value === 'string'),
      'metadata that is no text',
    );
    let sum = 0;
    const arrays: [string, { shape: readonly number[]; data: SafetensorsArray }][] = [];
    for (const [name, entry] of tensors) {
      sum += entry.bytes.length;
      if (['F16', 'BF16', 'U64', 'U16', 'BOOL'].includes(entry.type)) continue;
      const data = toTypedArray(entry, WHERE);
      hold(sizeOf(entry.shape) === data.length, `${data.length} values for [${entry.shape}]`);
      arrays.push([name, { shape: entry.shape, data }]);
    }
    hold(sum <= input.length, `tensors of ${sum} bytes`);
    const again = readSafetensors(writeSafetensors(Object.fromEntries(arrays)), WHERE).tensors;
    hold(
      again.size === arrays.length,
      `${again.size} tensors when written and read, ${arrays.length} before`,
    );
    for (const [name, { data }] of arrays)
      hold(sameBytes(again.get(name)!.bytes, data), `tensor ${name} is not the same again`);
  },
);

const floats = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7).buffer);
const eight = storage('FloatStorage', '0', 8);
const state = pickle(
  bytes(
    '}q',
    0,
    '(',
    text('W'),
    tensor(eight, 1, [3, 2], [2, 1]),
    text('V'),
    tensor(storage('HalfStorage', '1', 16), 0, [2, 8], [1, 2]),
  ),
  bytes(
    text('state'),
    ordered,
    'q',
    1,
    '(',
    text('version'),
    'K',
    1,
    text('list'),
    ']q',
    2,
    '(',
    'K',
    1,
    'M',
    2,
    3,
    'e',
    'u',
  ),
  bytes(
    text('mean'),
    'G',
    0x3f,
    0xf8,
    0,
    0,
    0,
    0,
    0,
    0,
    text('none'),
    'N',
    text('t'),
    'K',
    1,
    0x85,
    'h',
    1,
    0x88,
    0x86,
    0x86,
    'u',
  ),
);
/** Opcodes, alone and in phrases. */
const pickleWords = [
  ...[
    '(',
    ')',
    ']',
    '}',
    'a',
    'e',
    's',
    'u',
    't',
    'b',
    'Q',
    'R',
    'N',
    '.',
    '0',
    '2',
    'h\0',
    'q\0',
    'h\x01',
    'q\x01',
  ].map((word) => encoder.encode(word)),
  ...[0x85, 0x86, 0x87, 0x88, 0x89].map((opcode) => Uint8Array.of(opcode)),
  ...[
    eight,
    ordered,
    long(2 ** 50),
    text('__proto__'),
    tuple(text('storage')),
    global('os', 'system'),
    global('torch', 'FloatStorage'),
  ],
  ...[
    tensor(eight, 0, [0, 2 ** 50], [0, 0]),
    tensor(eight, 0, [2 ** 26, 2 ** 26], [0, 0]),
    bytes('j', 255, 255, 255, 255),
  ],
];
const pickles = {
  seeds: [state, pickle(tensor(eight, 0, [8], [1])), pickle(ordered)],
  words: pickleWords,
};

const pickled = reader(
  'pickle',
  (random) => mutateBytes(pickles, random),
  (input) => {
    let tensors = 0;
    const value = unpickle(input, WHERE, (_storage, offset, shape, strides) => {
      hold(
        [offset, ...shape, ...strides].every((n) => Number.isSafeInteger(n) && n >= 0),
        'a tensor of sizes that make no sense',
      );
      hold(shape.length === strides.length, 'a tensor without a stride for each length');
      tensors++;
      return { shape, data: new Float32Array(1) };
    });
    hold(tensors <= input.length, `${tensors} tensors`);
    hold(isPlain(value), 'a value of another kind');
  },
);

function isPlain(value: PickleValue): boolean {
  return (
    value === null ||
    ['boolean', 'number', 'string'].includes(typeof value) ||
    typeof value === 'object'
  );
}

const zipEntries = [
  ['x/data.pkl', state],
  ['x/data/0', floats],
  ['x/version', bytes('3\n')],
] as const;
const zips = {
  seeds: [zip(zipEntries), zip(zipEntries, { zip64: true }), zip([])],
  words: ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07', 'x/data/0'].map(
    (word) => encoder.encode(word),
  ),
};

const zipped = reader(
  'zip',
  (random) => mutateBytes(zips, random),
  async (input) => {
    const entries = await readZip(input, WHERE);
    let sum = 0;
    for (const data of entries.values()) sum += data.length;
    hold(sum <= input.length, `${sum} bytes of entries in a file of ${input.length}`);
  },
);

/** Damage within the pickle passes the checksums, since the file is made around it. */
function mutateTorch(random: Random): Uint8Array {
  const kind = random.below(4);
  if (kind === 0)
    return mutateBytes({ ...zips, seeds: [torchFile(state, { 0: floats, 1: floats })] }, random);
  if (kind === 1)
    return torchFile(state, { 0: mutateBytes({ seeds: [floats] }, random), 1: floats });
  return torchFile(mutateBytes(pickles, random), { 0: floats, 1: floats });
}

const torch = reader('torch', mutateTorch, async (input) => {
  const value = await readTorchFile(input, WHERE);
  const seen = new Set<unknown>();
  let values = 0;
  const visit = (found: PickleValue | undefined): void => {
    if (typeof found !== 'object' || found === null || seen.has(found)) return;
    seen.add(found);
    if (found instanceof Map || Array.isArray(found))
      for (const item of found.values()) visit(item);
    else if ('data' in found) {
      hold(
        found.data.length === sizeOf(found.shape),
        `${found.data.length} values for [${found.shape}]`,
      );
      values += found.data.length;
    }
  };
  visit(value);
  hold(4 * values <= 8 * input.length, `${values} values from ${input.length} bytes`);
});

/** The same files in parts. Where the whole file can be read, the values are those of it. */
const torchTensors = reader('torch-tensors', mutateTorch, async (input, random) => {
  const { tensors, readFloats } = await openTorchTensors(bytesSource(input), WHERE);
  const whole = await readTorchFile(input, WHERE).catch(() => undefined);
  let values = 0;
  for (const [name, { type, shape }] of tensors) {
    if (!type.includes('F')) continue;
    const data = await readFloats(name);
    hold(data.length === sizeOf(shape), `${data.length} values for [${shape}]`);
    values += data.length;
    const other = tensorNamed(whole, name);
    if (other) hold(sameBytes(other, data), `${name} has other values than in the whole file`);
    if (shape.length === 0) continue;
    const from = random.below(shape[0] + 1);
    const to = from + random.below(shape[0] + 1 - from);
    const width = sizeOf(shape.slice(1));
    const rows = await readFloats(name, { rows: [from, to] });
    hold(
      sameBytes(rows, data.subarray(from * width, to * width)),
      `rows [${from}, ${to}] of ${name} are not those of the tensor`,
    );
  }
  hold(4 * values <= 8 * input.length, `${values} values from ${input.length} bytes`);
});

/** Of the outermost dictionary. */
function tensorNamed(value: TorchValue | undefined, name: string): Float32Array | undefined {
  const found = value instanceof Map ? value.get(name) : undefined;
  return typeof found === 'object' && found !== null && 'data' in found ? found.data : undefined;
}

const shard = {
  tensors: new Map([['a', { type: 'F32', shape: [1] } as const]]),
  readFloats: async () => Float32Array.of(1),
};
const weightMap = {
  metadata: { total_size: 4 },
  weight_map: { a: 'model-00001-of-00002.safetensors' },
};

const shards = reader(
  'shards',
  (random) => mutateJson(weightMap, random),
  async (input) => {
    let index: unknown;
    try {
      index = JSON.parse(new TextDecoder().decode(input));
    } catch {
      return REFUSED;
    }
    const { tensors } = await joinTensorFiles(index, WHERE, async (file) => {
      hold(!/[/\\]|\.\./.test(file), `${file} was asked for`);
      return shard;
    });
    hold(
      [...tensors.keys()].every((name) => name === 'a'),
      'a tensor that is in no file',
    );
  },
);

/** The bytes in up to four chunks; the last is often empty. */
async function* chunks(input: Uint8Array, random: Random): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (let i = 0; i < 3; i++) {
    const to = from + random.below(input.length - from + 1);
    yield input.subarray(from, to);
    from = to;
  }
  yield input.subarray(from);
}

const beirLines = [
  {
    _id: 'd1',
    title: 'Statins',
    text: 'lower cholesterol',
    metadata: { year: 2011, tags: ['a', 'b'] },
  },
  { _id: 17, text: 'ünïcode \u{1f600} text', title: null },
  { _id: 'd3', text: '' },
];
const textSeeds = [
  '{"_id":"1","text":"one"}\n{"_id":"2","text":"two"}\n',
  '\ufeff[1,2,{"a":null}]\r\n\r\n"x"\n3',
  '\n',
].map((lines) => encoder.encode(lines));
const textWords = [
  '\ufeff',
  '\r\n',
  '\n',
  '\u2028',
  '\ud800',
  '\\u',
  '{"',
  '"}',
  'null',
  '__proto__',
  '9007199254740993',
  '[1e999,',
  ':-12345678901234567',
].map((word) => encoder.encode(word));

function mutateLines(random: Random): Uint8Array {
  const newline = encoder.encode(random.pick(['\n', '\r\n', '\n\n']));
  if (random.oneIn(3)) return mutateBytes({ seeds: textSeeds, words: textWords }, random);
  const hostile = random.below(beirLines.length);
  return concat(
    ...beirLines.flatMap((line, i) => [
      i === hostile ? mutateJson(line, random) : encoder.encode(JSON.stringify(line)),
      newline,
    ]),
  );
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

const jsonl = reader('jsonl', mutateLines, async (input, random) => {
  const found: JsonLine[] = await all(readJsonLines(chunks(input, random), WHERE));
  hold(
    found.every(({ line }, i) => line > (found[i - 1]?.line ?? 0)),
    'lines without an order',
  );
  // the same, taken apart by other means
  const lines = new TextDecoder().decode(input).split('\n');
  for (const { line, value, text } of found) {
    const inexact = findInexactNumber(text);
    hold(!inexact || text.includes(inexact.literal), `line ${line}: a number that is not there`);
    const expected: unknown = JSON.parse(lines[line - 1]);
    hold(typeof expected === typeof value, `line ${line} is ${typeof value}`);
  }
});

const beir = reader('beir', mutateLines, async (input, random) => {
  const unread: UnreadFields = new Map();
  const read = random.oneIn(2)
    ? all(parseBeirDocuments(chunks(input, random), WHERE, unread))
    : (parseBeirQueries(chunks(input, random), WHERE, unread) as Promise<BeirDocument[]>);
  const found = await read;
  hold(new Set(found.map(({ id }) => id)).size === found.length, 'an id twice');
  hold(
    found.every(
      ({ id, text, title = '' }) =>
        id !== '' && [id, text, title].every((value) => typeof value === 'string'),
    ),
    'an id, title or text that is no text',
  );
  hold(
    [...unread.values()].every((lines) => lines <= found.length + 1),
    'fields of more lines than there are',
  );
});

const qrelsSeeds = [
  'query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq2\td1\t-1\n',
  'q1\td1\t2\r\nq1\td1\t2',
].map((lines) => encoder.encode(lines));
const qrelsWords = ['\t', '\n', '\r', '1e9', '999999999', '__proto__', '\u00a0', 'q1\td1\t'].map(
  (word) => encoder.encode(word),
);

const qrels = reader(
  'qrels',
  (random) => mutateBytes({ seeds: qrelsSeeds, words: qrelsWords }, random),
  async (input, random) => {
    for (const judgements of (await parseQrels(chunks(input, random), WHERE)).values()) {
      for (const grade of judgements.values()) hold(Number.isInteger(grade), `grade ${grade}`);
    }
  },
);

/** Readers of bytes. */
export const formats: readonly Target[] = [
  npy,
  tokenVectors,
  safetensors,
  zipped,
  torch,
  torchTensors,
  shards,
  pickled,
  jsonl,
  beir,
  qrels,
];
