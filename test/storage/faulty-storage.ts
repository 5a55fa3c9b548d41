import { LemurError, memoryStorage, type Storage } from '../../dist/entry/node.js';

/**
 * `fails`: rejects as a full disk does, with nothing done, but that a write leaves half of the
 * file. `truncates`: half is done: half of a file's bytes, half of the files that a sync has to do;
 * half of a replacement lies in `<file>.tmp`. `drops`: nothing is done. The last two claim success
 * if the process lives on. A lock or a deletion has no half: nothing is done. `late`: all is done,
 * and it rejects all the same.
 */
export type Fault = 'fails' | 'truncates' | 'drops' | 'late';

/**
 * A storage in memory that has faults on demand, and a state that survives a loss of power beside
 * the one that is read.
 */
export interface FaultyStorage extends Storage {
  /** Number of changing calls so far: write, replace, sync, delete, lock. */
  readonly operations: number;
  /**
   * The n-th changing call from now on (0 = next) goes wrong as said; `then: 'dead'`: it and every
   * later call reject, as if the process had died.
   */
  failAt(n: number, how: Fault, then: 'alive' | 'dead'): void;
  /**
   * What the next process sees: all that is durable. What was written but not synced is kept where
   * `random` gives less than 1/3, cut to a beginning below 2/3, else lost; a deletion that was not
   * synced lasts below 1/2, else it is undone. Asked once for each such file, in order of their
   * names. So `() => 0` is a process that was killed, and without `random` all that was not synced
   * is lost. Locks are gone. This storage stays as it is.
   */
  afterCrash(random?: () => number): FaultyStorage;
  /** What is read: changes of the map are writes that nobody counts. */
  files(): Map<string, Uint8Array>;
}

/** Begins with `files`, all durable. */
export function faultyStorage(
  files: ReadonlyMap<string, Uint8Array> = new Map(),
  name = 'faulty',
): FaultyStorage {
  const written = new Map(files);
  // the same array in both: synced
  let durable = new Map(files);
  const locks = memoryStorage(name);
  const faults = new Map<number, { how: Fault; then: 'alive' | 'dead' }>();
  let operations = 0;
  let dead = false;

  const failed = (what: string, reason: string): LemurError =>
    new LemurError('storage-failed', `${name}: ${what}: ${reason}`, { where: name });
  const checkAlive = (): void => {
    if (dead) throw failed('nothing could be done', 'the process is dead');
  };
  const get = (file: string): Uint8Array => {
    checkAlive();
    const bytes = written.get(file);
    if (!bytes)
      throw new LemurError('not-found', `${name}: no file ${file}`, { where: `${name}/${file}` });
    return bytes;
  };
  /**
   * A changing call: `change` as it should be, `half` in its place when it is cut short. True: it
   * was done as it should.
   */
  const operation = (
    what: string,
    change: () => void,
    half: () => void = () => {},
    halfOfFailed = false,
  ): boolean => {
    checkAlive();
    const fault = faults.get(operations);
    operations++;
    if (!fault) {
      change();
      return true;
    }
    if (fault.how === 'truncates' || (fault.how === 'fails' && halfOfFailed)) half();
    if (fault.how === 'late') change();
    dead = fault.then === 'dead';
    if (fault.how === 'fails' || fault.how === 'late')
      throw failed(what, 'no space left on the device');
    checkAlive();
    return false;
  };
  const halfOf = (bytes: Uint8Array): Uint8Array => bytes.slice(0, bytes.length >> 1);

  return {
    name,
    get operations() {
      return operations;
    },
    failAt: (n, how, then) => void faults.set(operations + n, { how, then }),
    files: () => written,
    afterCrash(random = () => 0.999) {
      const left = new Map<string, Uint8Array>();
      for (const file of [...new Set([...durable.keys(), ...written.keys()])].sort()) {
        const [before, after] = [durable.get(file), written.get(file)];
        const outcome = before === after ? before : chance(before, after, random());
        if (outcome) left.set(file, outcome);
      }
      return faultyStorage(left, name);
    },

    read: async (file) => get(file).slice(),
    async open(file) {
      const bytes = get(file);
      let closed = false;
      return {
        size: bytes.length,
        name: `${name}/${file}`,
        async read(offset, length) {
          checkAlive();
          if (closed)
            throw new LemurError('closed', `${name}/${file}: the file was closed`, {
              where: `${name}/${file}`,
            });
          return bytes.slice(offset, offset + length);
        },
        async close() {
          closed = true;
        },
      };
    },
    async write(file, bytes, { create = false } = {}) {
      checkAlive();
      if (create && written.has(file))
        throw new LemurError('already-exists', `${name}: a file ${file} is there`, { where: name });
      const copy = new Uint8Array(bytes);
      operation(
        `${file} could not be written`,
        () => written.set(file, copy),
        () => written.set(file, halfOf(copy)),
        true,
      );
    },
    async replace(file, bytes, check) {
      await check?.();
      const copy = new Uint8Array(bytes);
      const replaced = (): void => {
        written.set(file, copy);
        durable.set(file, copy);
      };
      operation(`${file} could not be replaced`, replaced, () =>
        written.set(`${file}.tmp`, halfOf(copy)),
      );
    },
    async list() {
      checkAlive();
      return [...written.keys()];
    },
    async delete(file) {
      operation(`${file} could not be deleted`, () => written.delete(file));
    },
    async sync() {
      const half = (): void => {
        const waiting = [...written].filter(([file, bytes]) => durable.get(file) !== bytes);
        for (const [file, bytes] of waiting.slice(0, waiting.length >> 1)) durable.set(file, bytes);
      };
      operation(
        'could not be synced',
        () => {
          durable = new Map(written);
        },
        half,
      );
    },
    async lock(file) {
      const done = operation(`${file} could not be locked`, () => {});
      return done ? locks.lock(file) : { release: async () => {} };
    },
  };
}

/**
 * What a loss of power leaves of a file that was `before` when it was last synced, and is `after`
 * now.
 */
function chance(
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
  random: number,
): Uint8Array | undefined {
  if (!after) return random < 1 / 2 ? undefined : before;
  if (random < 1 / 3) return after;
  return random < 2 / 3 ? after.slice(0, Math.floor((random * 3 - 1) * after.length)) : before;
}
