/** A flat folder of named files, in a file system, memory or elsewhere. */
export interface Storage {
  /** What to call it in messages. */
  readonly name: string;
  /** Rejects with 'not-found' when there is no such file. */
  read(file: string): Promise<Uint8Array>;
  /** The `length` bytes of a file from `offset` on; fewer, or none, where the file ends before. Rejects with 'not-found'. */
  readRange(file: string, offset: number, length: number): Promise<Uint8Array>;
  /** A file's length in bytes. Rejects with 'not-found'. */
  size(file: string): Promise<number>;
  /** Writes a whole file and resolves when it is safely stored. A file of that name must not be in use. */
  write(file: string, bytes: Uint8Array): Promise<void>;
  /** Puts `bytes` in place of the file in one step: after a crash it has the old content or the new, never a part. */
  replace(file: string, bytes: Uint8Array): Promise<void>;
  list(): Promise<string[]>;
  /** No error when there is no such file. */
  delete(file: string): Promise<void>;
}
