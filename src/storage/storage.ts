import type { ByteSource } from '../bytes/byte-source.js';

/**
 * A file that was opened: what it holds stays readable after it was deleted or replaced. `read`
 * gives fewer bytes, or none, where the file ends before, and rejects with 'closed'.
 */
export interface StoredFile extends ByteSource {
  /**
   * The number by which threads of this process can read the file from the system, until it is
   * closed; absent where there is none.
   */
  readonly descriptor?: number | undefined;
  /** Whether its bytes are in memory anyway, so that reading all of them costs little. */
  readonly inMemory?: boolean | undefined;
  /**
   * Resolves when the reads under way are done and the file is closed; calling it again is fine.
   * Threads that use the descriptor are not waited for.
   */
  close(): Promise<void>;
}

/** A lock that was taken. */
export interface StorageLock {
  /**
   * Resolves while it is held: rejects with 'locked' where another has it by now, and with
   * 'storage-failed' where it is gone, as when its folder was moved, replaced or removed. Optional;
   * a writer calls it before it changes anything.
   */
  confirm?(): Promise<void>;
  /** Gives it back; calling it again is fine. */
  release(): Promise<void>;
}

/**
 * Named files that can be read: what a collection needs that is only searched. Over HTTP, `open`
 * asks for a file's length and its `read` for ranges of it.
 */
export interface ReadableStorage {
  /** Its name in messages. */
  readonly name: string;
  /**
   * Of a folder its absolute path, from which `Index.mirror` notes where other folders are. Default
   * undefined: it has none.
   */
  readonly path?: string | undefined;
  /** A whole file. Rejects with 'not-found' when there is no such file. */
  read(file: string): Promise<Uint8Array>;
  /** Opens a file for reading in parts, many times. Rejects with 'not-found'. */
  open(file: string): Promise<StoredFile>;
}

/**
 * A flat folder of named files, in a file system, memory or elsewhere. What changes it rejects with
 * 'storage-failed' where that cannot be done: no space, no permission, a device that fails.
 */
export interface Storage extends ReadableStorage {
  /**
   * Writes a whole file, for all to read when it resolves; a loss of power may take it, or a part
   * of it, until `sync`. A file of that name must not be in use. When it rejects, nothing is left
   * of the file if that can be had. With `create` it rejects with 'already-exists' where there is a
   * file of that name, and leaves that alone; a storage that does not know the option may write
   * over it.
   */
  write(file: string, bytes: Uint8Array, options?: { create?: boolean }): Promise<void>;
  /**
   * Puts `bytes` in place of the file in one step: after a crash or a failure it has the old
   * content or the new, never a part. When it resolves, the new content survives a loss of power.
   * `check` is called as late as can be, when nothing but that step is left to do; when it rejects,
   * so does `replace`, with nothing changed. A storage may leave it out.
   */
  replace(file: string, bytes: Uint8Array, check?: () => Promise<void>): Promise<void>;
  /**
   * Names of all files, in no order. Locks, and what taking them leaves for a moment, may be among
   * them: their names begin with the lock's.
   */
  list(): Promise<string[]>;
  /**
   * No error when there is no such file. On Windows a file that somebody has open may stay, and is
   * then listed.
   */
  delete(file: string): Promise<void>;
  /**
   * Resolves when all that was written and deleted through this object so far survives a loss of
   * power, names included.
   */
  sync(): Promise<void>;
  /**
   * Takes a lock that one holder at a time has, across processes where there are any, for as long
   * as it is not released. Rejects with 'locked', naming the owner, at once. A lock whose holder
   * has died is taken over.
   */
  lock(file: string): Promise<StorageLock>;
}
