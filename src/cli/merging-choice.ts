/** Whether kernels are merged to 256 bits in this process, and the reason. */
export interface Merging {
  on: boolean;
  why: string;
}

/**
 * V8 versions with which the tests have found every kernel right when merged: those of Node 24, 25
 * and 26. What follows the dash in a version counts Node's own changes.
 */
export const CHECKED_V8: readonly string[] = ['13.6.233.17', '14.1.146.11', '14.6.202.34'];

/** What is known of a process before its kernels are checked. */
export interface MergingFacts {
  /** As in `process.versions`. */
  v8: string;
  arch: string;
  /** Not another runtime that calls itself that. */
  isNode: boolean;
  /** Whether the engine runs the kernels in WebAssembly. */
  knowsKernels: boolean;
}

/** Why merging is out of the question; undefined: it is worth a check. */
export function whyUnmerged({ v8, arch, isNode, knowsKernels }: MergingFacts): string | undefined {
  if (!isNode) return 'this runtime is not Node';
  if (!knowsKernels) return 'the plain kernels compute';
  if (arch !== 'x64') return `expected an x64 processor, got ${arch}`;
  if (CHECKED_V8.includes(v8.replace(/-.*/, ''))) return undefined;
  return `V8 ${v8} is not among those that were tested: ${CHECKED_V8.join(', ')}`;
}
