import { existsSync, readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isLemurError } from '../../src/errors.js';
import { type Random, randomOf } from '../mutations.js';

/** Something that reads what comes from outside. */
export interface Target {
  readonly name: string;
  /** Makes what the runs need, once. */
  open(): Promise<Run>;
}

export interface Run {
  /** One input, made of nothing but these draws. */
  once(random: Random): Attempt;
  close?(): Promise<void>;
}

export interface Attempt {
  /** Bytes of the input, which its memory is measured by. */
  readonly size: number;
  /**
   * Reads the input. Rejects with a `LemurError` where it is refused, or says so; with any other
   * error where something is wrong, which also covers what must hold of an input that is accepted.
   */
  read(): unknown;
  /** The input, for whoever looks into a failure. */
  show(): string;
}

/** What `read` gives for an input that was refused by other means than an error. */
export const REFUSED: unique symbol = Symbol('refused');

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** The first input's number. */
  readonly from?: number;
  /** Told the number of each input before it is read. */
  readonly onInput?: (number: number) => void;
}

export interface Report {
  readonly name: string;
  readonly inputs: number;
  readonly refused: number;
  readonly accepted: number;
  readonly slowestMs: number;
  /** Largest growth of heap and buffers over one input, in bytes. */
  readonly peakBytes: number;
  /** What they had grown by at the end, after a collection. */
  readonly keptBytes: number;
}

/** Of the process, so that a machine busy with other things makes nothing fail. */
const MOST_CPU_MS = 2000;
/**
 * One input may take this much and `TIMES` its size; what it leaves for the collector counts as
 * well.
 */
const MOST_BYTES = 16 * 2 ** 20;
const TIMES = 64;
/** After a collection this much may be left more than at the beginning. */
const MOST_KEPT = 32 * 2 ** 20;
/** So many files may be open more than at the beginning. */
const MOST_FILES = 30;
/** Inputs between two collections. */
const COLLECT = 5000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Reads `inputs` mutated inputs. Rejects at the first that raises what is not ours, takes too long
 * or too much memory; its message says how to run it again.
 */
export async function fuzz(
  target: Target,
  { inputs, seed, from = 0, onInput }: FuzzOptions,
): Promise<Report> {
  const run = await target.open();
  const stray: unknown[] = [];
  const keep = (error: unknown): void => void stray.push(error);
  process.on('unhandledRejection', keep);
  let refused = 0;
  let slowestMs = 0;
  let peakBytes = 0;
  let number = from;
  const last = from + inputs;
  const fail = (what: string, attempt?: Attempt, cause?: unknown): never => {
    const again = `npm run fuzz -- ${target.name} --seed ${seed} --only ${number}`;
    throw new Error(
      `${target.name}: input ${number} of seed ${seed} ${what}\n  again: ${again}\n  input: ` +
        `${attempt?.show().slice(0, 400) ?? ''}`,
      { cause },
    );
  };
  try {
    const before = await memoryAfterCollection();
    const files = openFiles();
    let kept = 0;
    for (; number < last; number++) {
      onInput?.(number);
      const attempt = run.once(randomOf(seed, number));
      const memory = memoryNow();
      const started = performance.now();
      const cpu = process.cpuUsage();
      try {
        if ((await attempt.read()) === REFUSED) refused++;
      } catch (error) {
        if (!isLemurError(error)) fail(`raised ${String(error)}`, attempt, error);
        refused++;
      }
      const ms = performance.now() - started;
      const { user, system } = process.cpuUsage(cpu);
      const cpuMs = (user + system) / 1000;
      const bytes = memoryNow() - memory;
      slowestMs = Math.max(slowestMs, ms);
      peakBytes = Math.max(peakBytes, bytes);
      if (cpuMs > MOST_CPU_MS)
        fail(`took ${cpuMs.toFixed(0)} ms, expected at most ${MOST_CPU_MS}`, attempt);
      const allowed = MOST_BYTES + TIMES * attempt.size;
      if (bytes > allowed)
        fail(
          `of ${attempt.size} bytes took ${bytes} bytes of memory, expected at most ${allowed}`,
          attempt,
        );
      if ((number + 1) % COLLECT === 0 || number === last - 1) {
        // before the collection, which closes what was forgotten
        if (openFiles() > files + MOST_FILES)
          fail(`or one before it left ${openFiles() - files} files open`);
        kept = (await memoryAfterCollection()) - before;
        if (stray.length > 0)
          fail(
            `or one before it left a rejection that nothing handled: ${String(stray[0])}`,
            undefined,
            stray[0],
          );
        if (kept > MOST_KEPT)
          fail(`or one before it is still held: ${kept} bytes, expected at most ${MOST_KEPT}`);
      }
    }
    return {
      name: target.name,
      inputs,
      refused,
      accepted: inputs - refused,
      slowestMs,
      peakBytes,
      keptBytes: kept,
    };
  } finally {
    process.off('unhandledRejection', keep);
    await run.close?.();
  }
}

export function formatReport({
  name,
  inputs,
  refused,
  accepted,
  slowestMs,
  peakBytes,
  keptBytes,
}: Report): string {
  const count = (n: number): string => n.toLocaleString('en-US');
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return (
    `${name}: ${count(inputs)} inputs, ${count(refused)} refused, ` +
    `${count(accepted)} accepted, slowest ${slowestMs.toFixed(1)} ms, ` +
    `peak ${mebibytes(peakBytes)} for one input, ${mebibytes(keptBytes)} kept`
  );
}

/**
 * Shared buffers are in the last of the three alone, others in the last two, so these count twice.
 */
function memoryNow(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

/** 0 where the system does not tell. */
function openFiles(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

/** Twice, with a pause for finalizers in between. */
async function memoryAfterCollection(): Promise<number> {
  for (let i = 0; i < 2; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return memoryNow();
}
