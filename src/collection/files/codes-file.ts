import { crc32 } from '../../bytes/crc32.js';
import type { SearchDevice } from '../../device/device.js';
import type { DeviceCodes } from '../../device/device-codes.js';
import type { Tensor } from '../../device/memory.js';
import { TensorScope } from '../../device/with-tensors.js';
import type { ReadableStorage, StoredFile } from '../../storage/storage.js';
import { joinArrays } from '../../tokens/join.js';
import { bytesOf, type EncodedFile, encodeCheckedFile, openCheckedFile } from './checked-file.js';
import { CheckedParts } from './checked-parts.js';
import type { FileEntry } from './manifest.js';
import { openRows } from './open-rows.js';
import type { StoredRows } from './row-cache.js';

export const CODES = 'lemur-codes';

/** Codes of documents' weights, as files hold them. */
export interface CodeRows {
  /** documents x prefixDim. */
  prefix: Int8Array;
  /** documents x d'. */
  full: Int8Array;
  /** What a code of each row of `full` is worth; `factors` in files. */
  scales: Float32Array;
  /**
   * How many times as long as a typical document's the vectors of each are, `scales` in files;
   * null: all are alike.
   */
  lengths: Float32Array | null;
}

/**
 * Codes of a segment, open: prefixes in memory, full codes in the file where the platform can read
 * files.
 */
export interface SegmentCodes {
  /** As it was opened. */
  readonly stored: StoredFile;
  readonly prefix: Tensor<'i8'>;
  /** null: they are fetched. */
  readonly full: Tensor<'i8'> | null;
  /** `full`, as a cache takes them. */
  readonly fullRows: StoredRows;
  readonly scales: Float32Array;
  readonly lengths: Float32Array | null;
  /** CRC-32 of each row of `full`. */
  readonly checks: Int32Array;
  /** Full codes of ascending rows, rows x d', in few reads. Rejects with 'bad-file'. */
  fetchFull(rows: Int32Array, signal: AbortSignal | undefined): Promise<Int8Array>;
  /** All of them, in memory. */
  all(): Promise<CodeRows>;
  close(): Promise<void>;
}

/** Reads codes off the device. */
export async function readCodes(
  device: SearchDevice,
  { prefix, full, scales }: DeviceCodes,
): Promise<Omit<CodeRows, 'lengths'>> {
  return {
    prefix: await device.read(prefix),
    full: await device.read(full),
    scales: await device.read(scales),
  };
}

export async function encodeCodes(
  name: string,
  { prefix, full, scales, lengths }: CodeRows,
): Promise<EncodedFile> {
  const documents = scales.length;
  const dim = full.length / documents;
  const checks = Int32Array.from(scales, (_, i) =>
    crc32(bytesOf(full.subarray(i * dim, (i + 1) * dim))),
  );
  return encodeCheckedFile(name, CODES, {
    prefix: { shape: [documents, prefix.length / documents], data: prefix },
    codes: { shape: [documents, dim], data: full },
    factors: { shape: [documents], data: scales },
    checks: { shape: [documents], data: checks },
    ...(lengths ? { scales: { shape: [documents], data: lengths } } : {}),
  });
}

/**
 * Full codes are held in memory too where `resident` says so. Rejects with 'not-found' and
 * 'bad-file'.
 */
export async function openCodes(
  storage: ReadableStorage,
  device: SearchDevice,
  entry: FileEntry,
  documents: number,
  { latentDim, prefixDim, resident }: { latentDim: number; prefixDim: number; resident: boolean },
): Promise<SegmentCodes> {
  const file = await openCheckedFile(storage, entry, CODES);
  const scope = new TensorScope(device);
  const close = async (): Promise<void> => {
    scope.free();
    await file.stored.close();
  };
  try {
    const scales = await file.array<Float32Array>('factors', 'F32', [documents]);
    const lengths = file.sections.has('scales')
      ? await file.array<Float32Array>('scales', 'F32', [documents])
      : null;
    const checks = await file.array<Int32Array>('checks', 'I32', [documents]);
    const prefix = await scope.upload(
      'i8',
      await file.array<Int8Array>('prefix', 'I8', [documents, prefixDim]),
      { resident: true },
    );
    const full = await openRows(device, file, 'codes', 'i8', documents * latentDim, resident);
    if (full) scope.own(full);
    const rows = new CheckedParts(file, 'codes', (row) => row * latentDim, checks);
    const fetchFull: SegmentCodes['fetchFull'] = async (wanted, signal) => {
      const out = new Int8Array(wanted.length * latentDim);
      const parts = await rows.fetch(wanted, signal);
      for (const [at, part] of parts.entries())
        out.set(new Int8Array(part.buffer, part.byteOffset, latentDim), at * latentDim);
      return out;
    };
    const all = async (): Promise<CodeRows> => ({
      prefix: await file.array<Int8Array>('prefix', 'I8', [documents, prefixDim]),
      full: await file.array<Int8Array>('codes', 'I8', [documents, latentDim]),
      scales,
      lengths,
    });
    const bytes = documents * (latentDim + 1);
    const fullRows = { tensor: full, rowLength: latentDim, bytes };
    const arrays = { prefix, full, fullRows, scales, lengths, checks };
    return { stored: file.stored, ...arrays, fetchFull, all, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Codes of some documents after those of others. */
export function joinCodes(parts: readonly CodeRows[]): CodeRows {
  const bytes = (length: number): Int8Array => new Int8Array(length);
  return {
    prefix: joinArrays(
      parts.map(({ prefix }) => prefix),
      bytes,
    ),
    full: joinArrays(
      parts.map(({ full }) => full),
      bytes,
    ),
    scales: joinArrays(
      parts.map(({ scales }) => scales),
      (length) => new Float32Array(length),
    ),
    lengths: parts.some(({ lengths }) => lengths)
      ? joinArrays(
          parts.map(({ lengths, scales }) => lengths ?? new Float32Array(scales.length).fill(1)),
          (length) => new Float32Array(length),
        )
      : null,
  };
}
