import type { OptionNames } from './known-options.js';

/** One report of a long job: `done` of `total` steps of `stage`. */
export interface Progress {
  /** What is being done, as `encode`, `targets` or `training`. */
  stage: string;
  /** Steps that are done. */
  done: number;
  /** Steps in all; 0 while it is not known. */
  total: number;
}

/** What every long call takes. */
export interface RunOptions {
  /** Called now and then, at least at the start and the end of each stage; it must not throw. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Stops the call, which then rejects with the signal's reason; nothing half-done stays behind.
   */
  signal?: AbortSignal | undefined;
}

export const RUN_OPTIONS: OptionNames<RunOptions> = { onProgress: true, signal: true };
