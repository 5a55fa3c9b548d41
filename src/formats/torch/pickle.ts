import { checkExtent } from './pickle-extent.js';
import { PickleReader } from './pickle-reader.js';
import {
  isSize,
  isSizes,
  isTuple,
  PickleGlobal,
  PickleStorage,
  type PickleValue,
  type RebuildTensor,
  STORAGES,
} from './pickle-values.js';

const DICTIONARY = 'collections.OrderedDict';
const TENSOR = 'torch._utils._rebuild_tensor_v2';
const KNOWN: readonly string[] = [DICTIONARY, TENSOR, ...STORAGES.map((type) => `torch.${type}`)];

/**
 * 768 KiB: 3,500 tensors fit into this. What an opcode can allocate is bounded, so this bounds the
 * memory, and the time that the thread is held.
 */
const MOST_BYTES = 3 << 18;
const MOST_VALUES = 1 << 16;
const MOST_MARKS = 1000;

/**
 * Raises `unsupported` for a pickle of more bytes than `unpickle` takes, so that they need not be
 * read.
 */
export function checkPickleLength(length: number, where: string): void {
  if (length > MOST_BYTES)
    throw new PickleReader(new Uint8Array(0), where).unsupported(
      `${length} bytes, expected at most ${MOST_BYTES}`,
    );
}

/**
 * Reads a pickle of protocol 2 as torch writes it into checkpoints. Nothing is executed or looked
 * up: of globals only those of tensors, storages and ordered dictionaries are known, and only as
 * names. What comes of it can be walked: it is at most 64 levels deep, without cycles, and 2^20
 * values at most are met in it, shared ones each time. Raises `unsupported` beyond that, for more
 * than 768 KiB, and for any other global or opcode (by name or number), `bad-file` for a pickle
 * that is damaged.
 */
export function unpickle(bytes: Uint8Array, where: string, rebuild: RebuildTensor): PickleValue {
  checkPickleLength(bytes.length, where);
  const reader = new PickleReader(bytes, where);
  if (reader.uint8() !== 0x80) throw reader.badFile('it does not begin with its protocol');
  const protocol = reader.uint8();
  if (protocol !== 2) throw reader.unsupported(`protocol ${protocol}, expected 2`);
  const value = new Unpickler(reader, rebuild).run();
  if (reader.at !== bytes.length)
    throw reader.badFile(`${bytes.length - reader.at} bytes behind its end`);
  checkExtent(value, reader);
  return value;
}

/** The stack machine that a pickle is a program for. */
class Unpickler {
  readonly #reader: PickleReader;
  readonly #rebuild: RebuildTensor;
  readonly #memo = new Map<number, PickleValue>();
  /** Values since the last mark, and those before each of the marks. */
  #stack: PickleValue[] = [];
  readonly #below: PickleValue[][] = [];

  constructor(reader: PickleReader, rebuild: RebuildTensor) {
    this.#reader = reader;
    this.#rebuild = rebuild;
  }

  /** Up to STOP; the value that is left. */
  run(): PickleValue {
    for (;;) {
      const opcode = this.#reader.uint8();
      if (opcode === 0x2e /* STOP */) break;
      const value = this.#valueOf(opcode);
      if (value === undefined) this.#act(opcode);
      else if (this.#stack.length === MOST_VALUES)
        throw this.#reader.unsupported(`more than ${MOST_VALUES} values at a time`);
      else this.#stack.push(value);
    }
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#below.length > 0)
      throw this.#reader.badFile('more than one value is left at its end');
    return value;
  }

  /** The value that an opcode pushes; undefined for those that push nothing. */
  #valueOf(opcode: number): PickleValue | undefined {
    const reader = this.#reader;
    switch (opcode) {
      case 0x4e: // NONE
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x4b: // BININT1
        return reader.uint8();
      case 0x4d: // BININT2
        return reader.uint16();
      case 0x4a: // BININT
        return reader.int32();
      case 0x8a: // LONG1
        return reader.long();
      case 0x47: // BINFLOAT
        return reader.float64();
      case 0x58: // BINUNICODE
        return reader.text(reader.uint32());
      case 0x7d: // EMPTY_DICT
        return new Map();
      case 0x5d: // EMPTY_LIST
        return [];
      case 0x29: // EMPTY_TUPLE
        return Object.freeze([]);
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        if (this.#stack.length < opcode - 0x84)
          throw reader.badFile('values are missing for a tuple');
        return Object.freeze(this.#stack.splice(0x84 - opcode));
      case 0x74: // TUPLE
        return Object.freeze(this.#popToMark());
      case 0x68: // BINGET
        return this.#recall(reader.uint8());
      case 0x6a: // LONG_BINGET
        return this.#recall(reader.uint32());
      case 0x63: // GLOBAL
        return this.#global();
      case 0x51: // BINPERSID
        return this.#storage(this.#pop());
      case 0x52: // REDUCE
        return this.#reduce(this.#pop(), this.#pop());
      default:
        return undefined;
    }
  }

  #act(opcode: number): void {
    const reader = this.#reader;
    switch (opcode) {
      case 0x28: // MARK
        if (this.#below.length === MOST_MARKS)
          throw reader.unsupported(`more than ${MOST_MARKS} levels`);
        this.#below.push(this.#stack);
        this.#stack = [];
        break;
      case 0x71: // BINPUT
        this.#memo.set(reader.uint8(), this.#top());
        break;
      case 0x72: // LONG_BINPUT
        this.#memo.set(reader.uint32(), this.#top());
        break;
      case 0x61: // APPEND
        this.#append(this.#pop());
        break;
      case 0x65: // APPENDS
        for (const value of this.#popToMark()) this.#append(value);
        break;
      case 0x73: // SETITEM
        this.#setItems([this.#pop(), this.#pop()].reverse());
        break;
      case 0x75: // SETITEMS
        this.#setItems(this.#popToMark());
        break;
      case 0x62: // BUILD: attributes of a dictionary, such as torch's _metadata, are left out
        if (!(this.#pop() instanceof Map && this.#top() instanceof Map))
          throw reader.badFile('attributes of what is no dictionary');
        break;
      default:
        throw reader.unsupported(
          `opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${reader.at - 1}`,
        );
    }
  }

  #global(): PickleGlobal {
    const name = `${this.#reader.line()}.${this.#reader.line()}`;
    if (!KNOWN.includes(name))
      throw this.#reader.unsupported(`it asks for ${name}, which tensors have no need of`);
    return new PickleGlobal(name);
  }

  #storage(id: PickleValue): PickleStorage {
    if (!isTuple(id) || id.length !== 5)
      throw this.#reader.badFile('a storage that is not described by five values');
    const [kind, type, key, device, length] = id;
    const found =
      type instanceof PickleGlobal && STORAGES.find((name) => type.name === `torch.${name}`);
    if (
      kind !== 'storage' ||
      !found ||
      typeof key !== 'string' ||
      typeof device !== 'string' ||
      !isSize(length)
    ) {
      throw this.#reader.badFile('a storage whose type, key, device or length makes no sense');
    }
    return new PickleStorage(found, key, length);
  }

  #reduce(args: PickleValue, called: PickleValue): PickleValue {
    if (!(called instanceof PickleGlobal) || !isTuple(args))
      throw this.#reader.badFile('a call of something that is no function');
    if (called.name === DICTIONARY && args.length === 0) return new Map();
    if (called.name !== TENSOR || args.length < 4)
      throw this.#reader.unsupported(`it calls ${called.name} with ${args.length} values`);
    const [storage, offset, shape, strides] = args;
    const whole =
      storage instanceof PickleStorage && isSize(offset) && isSizes(shape) && isSizes(strides);
    if (!whole || shape.length !== strides.length)
      throw this.#reader.badFile('a tensor whose storage, offset, shape or strides make no sense');
    return this.#rebuild(storage, offset, shape, strides);
  }

  #append(value: PickleValue): void {
    const list = this.#top();
    if (!Array.isArray(list) || Object.isFrozen(list))
      throw this.#reader.badFile('an item for something that is no list');
    list.push(value);
  }

  #setItems(items: readonly PickleValue[]): void {
    const map = this.#top();
    if (!(map instanceof Map) || items.length % 2 !== 0)
      throw this.#reader.badFile('items for what is no dictionary, or keys without values');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (typeof key !== 'string' && typeof key !== 'number')
        throw this.#reader.badFile('a key that is neither a string nor a number');
      map.set(key, items[i + 1]);
    }
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#reader.badFile(`nothing was kept under number ${index}`);
    return value;
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.#reader.badFile('a value is missing');
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popToMark(): PickleValue[] {
    const values = this.#stack;
    const below = this.#below.pop();
    if (!below) throw this.#reader.badFile('a mark is missing');
    this.#stack = below;
    return values;
  }
}
