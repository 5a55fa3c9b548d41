import type { CheckpointFile, CheckpointFiles } from './checkpoint-files.js';

/** The hub said that there is no such file, so many milliseconds ago. */
export interface Absence {
  readonly age: number;
}

/** What is kept of one model's files at one revision. */
export interface HubCache extends Pick<CheckpointFiles, 'open' | 'names'> {
  /** Where it is kept, for messages. */
  readonly where: string;
  /** Whether an answer that leads elsewhere is seen; pages follow it unseen. */
  readonly seesRedirects: boolean;
  /** undefined: nothing is known. */
  find(name: string): Promise<CheckpointFile | Absence | undefined>;
  /**
   * Keeps a file when all of it has come and `check` has nothing against it; where the chunks or
   * the check fail, nothing is left of it and the failure goes on. Several may keep the same file
   * at once. Rejects with 'storage-failed'.
   */
  keep(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    check: (file: CheckpointFile) => Promise<void>,
  ): Promise<CheckpointFile>;
  /** Where that is not possible it is asked for again. */
  keepAbsent(name: string): Promise<void>;
  /** Keeps a file no longer; it may not be there. */
  forget(name: string): Promise<void>;
  /**
   * Of some bytes and the file behind them, in hexadecimal digits; undefined where there are no
   * hashes.
   */
  hash(
    kind: 'sha1' | 'sha256',
    before: Uint8Array,
    file: CheckpointFile,
  ): Promise<string | undefined>;
}
