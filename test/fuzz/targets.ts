import { commandLine } from './command-line.js';
import { folders, runs } from './folders.js';
import { formats } from './formats.js';
import type { Target } from './harness.js';

/** Everything that reads what comes from outside. */
export const targets: readonly Target[] = [...formats, commandLine, folders, runs];
