import { crc32 } from '../../../src/bytes/crc32.js';
import { concat } from '../../mutations.js';

const encoder = new TextEncoder();

/** Bytes from numbers, texts (as UTF-8) and other bytes. */
export function bytes(...parts: (number | string | Uint8Array)[]): Uint8Array {
  return concat(
    ...parts.map((part) =>
      typeof part === 'number'
        ? Uint8Array.of(part)
        : typeof part === 'string'
          ? encoder.encode(part)
          : part,
    ),
  );
}

const little = (value: number, length: number): Uint8Array => {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value), true);
  return out.subarray(0, length);
};

/** A pickle of protocol 2 of these parts. */
export const pickle = (...parts: (number | string | Uint8Array)[]): Uint8Array =>
  bytes(0x80, 2, ...parts, '.');
export const text = (value: string): Uint8Array =>
  bytes('X', little(encoder.encode(value).length, 4), value);
export const integer = (value: number): Uint8Array => bytes('J', little(value, 4));
export const long = (value: number): Uint8Array => bytes(0x8a, 8, little(value, 8));
export const global = (module: string, name: string): Uint8Array =>
  bytes('c', `${module}\n${name}\n`);
export const tuple = (...items: Uint8Array[]): Uint8Array => bytes('(', ...items, 't');
export const ordered: Uint8Array = bytes(global('collections', 'OrderedDict'), ')R');
export const storage = (type: string, key: string, length: number): Uint8Array =>
  bytes(tuple(text('storage'), global('torch', type), text(key), text('cpu'), long(length)), 'Q');

/** A tensor as torch writes it. */
export function tensor(
  source: Uint8Array,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const args = [
    source,
    long(offset),
    tuple(...shape.map(long)),
    tuple(...strides.map(long)),
    bytes(0x89),
    ordered,
  ];
  return bytes(global('torch._utils', '_rebuild_tensor_v2'), tuple(...args), 'R');
}

export interface ZipOptions {
  /** Fields in the zip64 records and extra fields instead of the short ones. */
  zip64?: boolean;
  method?: number;
  flags?: number;
}

/** A zip file of stored entries, laid out as torch does: sizes and CRC behind the bytes. */
export function zip(
  entries: readonly (readonly [string, Uint8Array])[],
  { zip64 = false, method = 0, flags = 0x808 }: ZipOptions = {},
): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, data] of entries) {
    const crc = little(crc32(data), 4);
    const nameBytes = bytes(name);
    const size = little(data.length, 4);
    const head = bytes(little(0, 2), little(flags, 2), little(method, 2), new Uint8Array(4));
    const padding = bytes('FB', 5, 0, 'ZZZZZ');
    const local = bytes(
      'PK',
      3,
      4,
      head,
      new Uint8Array(12),
      little(nameBytes.length, 2),
      little(padding.length, 2),
      nameBytes,
      padding,
    );
    const file = bytes(local, data, 'PK', 7, 8, crc, size, size);
    const extra = zip64
      ? bytes(
          9,
          0,
          1,
          0,
          0,
          1,
          0,
          24,
          0,
          little(data.length, 8),
          little(data.length, 8),
          little(at, 8),
        )
      : bytes();
    const none = new Uint8Array(4).fill(255);
    const lengths = bytes(little(nameBytes.length, 2), little(extra.length, 2), new Uint8Array(10));
    const sizes = zip64
      ? bytes(crc, none, none, lengths, none)
      : bytes(crc, size, size, lengths, little(at, 4));
    directory.push(bytes('PK', 1, 2, 0, 0, head, sizes, nameBytes, extra));
    files.push(file);
    at += file.length;
  }
  const central = bytes(...directory);
  const n = entries.length;
  const long64 = bytes(
    new Uint8Array(12),
    little(n, 8),
    little(n, 8),
    little(central.length, 8),
    little(at, 8),
  );
  const end64 = bytes(
    'PK',
    6,
    6,
    little(44, 8),
    long64,
    'PK',
    6,
    7,
    new Uint8Array(4),
    little(at + central.length, 8),
    1,
    0,
    0,
    0,
  );
  const fields = zip64
    ? new Uint8Array(12).fill(255)
    : bytes(little(n, 2), little(n, 2), little(central.length, 4), little(at, 4));
  return bytes(...files, central, zip64 ? end64 : bytes(), 'PK', 5, 6, 0, 0, 0, 0, fields, 0, 0);
}

/** A dictionary as torch writes a model's state: ordered, with `_metadata` for its attribute. */
export const stateDict = (...items: readonly (readonly [string, Uint8Array])[]): Uint8Array => {
  const metadata = bytes(
    '}',
    text('_metadata'),
    ordered,
    text(''),
    bytes('}', text('version'), 'K', 1, 's'),
    's',
    's',
  );
  return bytes(ordered, dictItems(items), metadata, 'b');
};

/** A dictionary. */
export const dict = (...items: readonly (readonly [string, Uint8Array])[]): Uint8Array =>
  bytes('}', dictItems(items));

const dictItems = (items: readonly (readonly [string, Uint8Array])[]): Uint8Array =>
  bytes('(', ...items.flatMap(([name, value]) => [text(name), value]), 'u');

/** A torch file with these bytes for its pickle and its storages. */
export function torchFile(
  program: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  options: ZipOptions = {},
): Uint8Array {
  const files = Object.entries(storages).map(([key, data]) => [`x/data/${key}`, data] as const);
  return zip([['x/data.pkl', program], ...files, ['x/version', bytes('3\n')]], options);
}
