import { eachChunk } from '../../bytes/byte-source.js';
import { crc32 } from '../../bytes/crc32.js';
import { badFile, isLemurError } from '../../errors.js';
import { stepPacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import type { ReadableStorage, StoredFile } from '../../storage/storage.js';
import { type FileEntry, filesOf, MANIFEST } from './manifest.js';
import { decodeManifest } from './manifest-file.js';
import { type Snapshot, STEPS_AN_ID } from './snapshot.js';

/** The findings of `verify`. */
export interface Verification {
  /** Files that were read. */
  files: number;
  /** Bytes that were read. */
  bytes: number;
  /** One sentence for each file or document at fault; none: all is well. */
  problems: string[];
}

/**
 * Reads every file of a state from end to end and compares lengths and checksums, and looks for ids
 * that two documents have. What a later state does not refer to any more may be gone by now, which
 * is no fault: of that it reads what this state has open.
 */
export async function verifySnapshot(
  storage: ReadableStorage,
  snapshot: Snapshot,
  { signal, onProgress }: RunOptions,
): Promise<Verification> {
  const files = filesOf(snapshot.manifest);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const problems: string[] = [];
  let done = 0;
  onProgress?.({ stage: 'verify', done, total });
  for (const entry of files) {
    const report = (bytes: number): void =>
      onProgress?.({ stage: 'verify', done: done + bytes, total });
    const problem = await problemOf(async () => {
      const file = await storage.open(entry.name);
      try {
        await verifyFile(storage, file, entry, signal, report);
      } finally {
        await file.close();
      }
    });
    if (problem !== undefined && (await isPresent(storage, entry))) problems.push(problem);
    else if (problem !== undefined) {
      const open = openFileOf(snapshot, entry);
      const own = open && (await problemOf(() => verifyFile(storage, open, entry, signal, report)));
      if (own !== undefined) problems.push(own);
    }
    done += entry.bytes;
    onProgress?.({ stage: 'verify', done, total });
  }
  problems.push(...(await doubleIds(snapshot, signal)));
  return { files: files.length, bytes: total, problems };
}

async function problemOf(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (!isLemurError(error)) throw error;
    return error.message;
  }
}

/** Whether the state of now refers to this very file; so it is taken where there is no telling. */
async function isPresent(storage: ReadableStorage, entry: FileEntry): Promise<boolean> {
  try {
    const now = decodeManifest(await storage.read(MANIFEST), storage.name);
    return filesOf(now).some(
      (file) =>
        file.name === entry.name &&
        file.crc32 === entry.crc32 &&
        file.headerCrc32 === entry.headerCrc32,
    );
  } catch {
    return true;
  }
}

function openFileOf({ segments }: Snapshot, { name }: FileEntry): StoredFile | undefined {
  for (const { entry, segment, codes, keywords } of segments) {
    if (entry.file.name === name) return segment.stored;
    if (entry.codes?.name === name) return codes?.stored;
    if (entry.keywords?.file.name === name) return keywords?.stored;
  }
  return undefined;
}

async function verifyFile(
  storage: ReadableStorage,
  file: StoredFile,
  entry: FileEntry,
  signal: AbortSignal | undefined,
  report: (bytes: number) => void,
): Promise<void> {
  const where = `${storage.name}/${entry.name}`;
  if (file.size !== entry.bytes)
    throw badFile(where, `${file.size} bytes, expected ${entry.bytes}: the file is damaged`);
  let sum = 0;
  await eachChunk(file, 0, file.size, signal, (chunk, at) => {
    sum = crc32(chunk, sum);
    report(at + chunk.length);
  });
  if (sum !== entry.crc32)
    throw badFile(where, `checksum ${sum}, expected ${entry.crc32}: the file is damaged`);
}

async function doubleIds(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<string[]> {
  const { segments, firsts } = snapshot;
  const step = stepPacer(signal);
  const steps = STEPS_AN_ID + segments.length;
  const problems: string[] = [];
  for (const [i, { segment, deleted }] of segments.entries()) {
    for (let row = 0; row < segment.documents; row++) {
      if (deleted?.[row]) continue;
      const id = segment.ids.id(row);
      if (snapshot.find(id) !== firsts[i] + row)
        problems.push(`two documents have the id ${JSON.stringify(id)}`);
      const wait = step(steps);
      if (wait) await wait;
    }
  }
  return problems;
}
