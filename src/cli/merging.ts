import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { userCache } from '../bytes/node-user-cache.js';
import { knowsKernels } from '../kernels/simd.js';
import { FINGERPRINT } from '../kernels/wasm-binary.js';
import { platform, providePlatform } from '../platform.js';
import { type Merging, whyUnmerged } from './merging-choice.js';
import { MERGING_FLAG, NO_MERGING_FLAG } from './merging-flag.js';

/** The engine compiles all at once, to the code that lasts. */
const AT_ONCE = ['--no-liftoff', '--no-wasm-lazy-compilation'];
/** A check that takes longer has hung. */
const CHECK_MS = 30_000;

let refusal: string | undefined;
let decided: Promise<Merging> | undefined;
let isOn = false;

/**
 * Kernels of this process are merged to 256 bits where that is known to be safe; decided when they
 * are needed first. For the command line's own process alone: flags hold for all of it.
 */
export function preferMerging(): void {
  providePlatform({ ...platform(), prepareKernels: mergeKernels });
}

/** What is compiled in this process from now on is not merged. */
export function refuseMerging(why: string): void {
  refusal ??= why;
  if (!decided) return;
  // engines that do not merge do not know the flag either, and say so
  if (isOn) setFlagsFromString(NO_MERGING_FLAG);
  isOn = false;
  decided = Promise.resolve({ on: false, why: refusal });
}

/** Decides once, and turns merging on. */
export function mergeKernels(): Promise<Merging> {
  decided ??= decide();
  return decided;
}

async function decide(): Promise<Merging> {
  const why = refusal ?? whyUnmerged({ ...facts(), knowsKernels: await knowsKernels() });
  if (why !== undefined) return { on: false, why };
  const kept = successFile();
  const isKept = existsSync(kept);
  const failure = isKept ? undefined : await checkKernels();
  if (failure !== undefined) return { on: false, why: failure };
  if (!isKept) await keepSuccess(kept);
  // asked not to, meanwhile
  if (refusal !== undefined) return { on: false, why: refusal };
  setFlagsFromString(MERGING_FLAG);
  isOn = true;
  return { on: true, why: `every kernel passed its check${isKept ? ', earlier' : ''}` };
}

function facts(): { v8: string; arch: string; isNode: boolean } {
  const { versions, arch } = process;
  return { v8: versions.v8, arch, isNode: !('bun' in versions) && !('Deno' in globalThis) };
}

/** Says what is wrong; undefined: nothing. */
async function checkKernels(): Promise<string | undefined> {
  const { execFile } = await import('node:child_process');
  const script = fileURLToPath(new URL('./check-kernels.js', import.meta.url));
  const env = { ...process.env, NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...AT_ONCE, script],
      { env, timeout: CHECK_MS, killSignal: 'SIGKILL', windowsHide: true },
      (error, wrong) => {
        if (error) resolve(`the check of the kernels failed (${error.signal ?? error.code})`);
        else resolve(wrong === '' ? undefined : `kernels failed their check: ${wrong}`);
      },
    );
  });
}

/** What is there says that these kernels passed with this engine on this processor. */
function successFile(): string {
  const { v8, arch } = facts();
  const all = JSON.stringify([v8, arch, cpus()[0]?.model, FINGERPRINT]);
  const name = createHash('sha256').update(all).digest('hex').slice(0, 24);
  return join(userCache(), 'merged-kernels', name);
}

/** Where it cannot be kept, the next process checks again. */
async function keepSuccess(file: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '');
  } catch {
    // a folder that may only be read
  }
}
