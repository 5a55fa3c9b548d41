import { nextMacrotask } from '../../pacer.js';
import type { TypedArray } from '../memory.js';
import { folded, type GpuQueue } from './gpu-queue.js';

/** Bytes written or read before the event loop gets its turn. */
const SLICE = 8 * 2 ** 20;

/** Values in a buffer, the first of them at number `at`. */
export interface Span {
  readonly buffer: GPUBuffer;
  readonly at: number;
}

/** Writes values from number `at` on; what lies beside them stays. */
export async function writeValues(
  queue: GpuQueue,
  { buffer, at }: Span,
  data: TypedArray,
): Promise<void> {
  const bytes = bytesOf(data);
  const start = at * data.BYTES_PER_ELEMENT;
  const end = start + bytes.length;
  const [low, high] = [wordsDown(start), wordsUp(end)];
  if (low === start && high === end) {
    await writeWords(queue, buffer, start, bytes);
    return;
  }
  const whole = new Uint8Array(await queue.read(buffer, low, high));
  whole.set(bytes, start - low);
  await writeWords(queue, buffer, low, whole);
}

/** Writes values to the beginning of a buffer whose rest does not matter. */
export async function fillBuffer(
  queue: GpuQueue,
  buffer: GPUBuffer,
  data: TypedArray,
): Promise<void> {
  const bytes = bytesOf(data);
  const whole = 4 * Math.floor(bytes.length / 4);
  await writeWords(queue, buffer, 0, bytes.subarray(0, whole));
  if (whole === bytes.length) return;
  const last = new Uint8Array(4);
  last.set(bytes.subarray(whole));
  queue.write(buffer, whole, last);
}

/** Reads values from number `at` on. */
export async function readValues(
  queue: GpuQueue,
  { buffer, at }: Span,
  out: TypedArray,
): Promise<void> {
  const bytes = bytesOf(out);
  const start = at * out.BYTES_PER_ELEMENT;
  for (let from = 0; from < bytes.length; from += SLICE) {
    const to = Math.min(bytes.length, from + SLICE);
    const low = wordsDown(start + from);
    const read = new Uint8Array(await queue.read(buffer, low, wordsUp(start + to)));
    bytes.set(read.subarray(start + from - low, start + to - low), from);
  }
}

/** Copies values of so many bytes each on the device; values of one byte go to zeros. */
export async function copyValues(
  queue: GpuQueue,
  from: Span,
  to: Span,
  length: number,
  bytes: number,
): Promise<void> {
  const [source, target, size] = [from.at * bytes, to.at * bytes, length * bytes];
  if ((source | target | size) % 4 === 0) {
    queue.copy(from.buffer, source, to.buffer, target, size);
    return;
  }
  const groups = folded(Math.ceil((size + 4) / 256));
  await queue.dispatch('copyBytes', [source, target, size], [from.buffer, to.buffer], groups);
}

async function writeWords(
  queue: GpuQueue,
  buffer: GPUBuffer,
  start: number,
  bytes: Uint8Array,
): Promise<void> {
  for (let from = 0; from < bytes.length; from += SLICE) {
    if (from > 0) await nextMacrotask();
    queue.write(buffer, start + from, bytes.subarray(from, from + SLICE));
  }
}

function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function wordsDown(byte: number): number {
  return 4 * Math.floor(byte / 4);
}

function wordsUp(byte: number): number {
  return 4 * Math.ceil(byte / 4);
}
