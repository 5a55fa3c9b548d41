import { isLemurError, LemurError } from '../errors.js';
import { eachChunk } from '../formats/byte-ranges.js';
import { crc32 } from '../formats/crc32.js';
import type { RunOptions } from '../run-options.js';
import type { Storage } from '../storage/storage.js';
import { type FileEntry, filesOf } from './manifest.js';
import type { Snapshot } from './snapshot.js';

/** What `verify` found. */
export interface Verification {
  files: number;
  bytes: number;
  /** One sentence for each file or document at fault; none: all is well. */
  problems: string[];
}

/** Reads every file of a state from end to end and compares lengths and checksums, and looks for ids that two documents have. */
export async function verifySnapshot(storage: Storage, snapshot: Snapshot, { signal, onProgress }: RunOptions): Promise<Verification> {
  const files = filesOf(snapshot.manifest);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const problems: string[] = [];
  let done = 0;
  onProgress?.({ stage: 'verify', done, total });
  for (const entry of files) {
    try {
      await verifyFile(storage, entry, signal, (bytes) => onProgress?.({ stage: 'verify', done: done + bytes, total }));
    } catch (error) {
      if (!isLemurError(error)) throw error;
      problems.push(error.message);
    }
    done += entry.bytes;
    onProgress?.({ stage: 'verify', done, total });
  }
  problems.push(...doubleIds(snapshot));
  return { files: files.length, bytes: total, problems };
}

async function verifyFile(
  storage: Storage,
  entry: FileEntry,
  signal: AbortSignal | undefined,
  report: (bytes: number) => void,
): Promise<void> {
  const where = `${storage.name}/${entry.name}`;
  const file = await storage.open(entry.name);
  try {
    if (file.size !== entry.bytes)
      throw new LemurError('bad-file', `${where}: ${file.size} bytes, expected ${entry.bytes}: the file is damaged`, { where });
    let sum = 0;
    await eachChunk(file, 0, file.size, where, signal, (chunk, at) => {
      sum = crc32(chunk, sum);
      report(at + chunk.length);
    });
    if (sum !== entry.crc32)
      throw new LemurError('bad-file', `${where}: checksum ${sum}, expected ${entry.crc32}: the file is damaged`, { where });
  } finally {
    await file.close();
  }
}

function doubleIds({ segments, find, firsts }: Snapshot): string[] {
  const problems: string[] = [];
  segments.forEach(({ segment, deleted }, i) => {
    for (let row = 0; row < segment.documents; row++) {
      if (deleted?.[row]) continue;
      const id = segment.ids.id(row);
      if (find(id) !== firsts[i] + row) problems.push(`two documents have the id ${JSON.stringify(id)}`);
    }
  });
  return problems;
}
