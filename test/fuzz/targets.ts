import { commandLine } from './command-line.js';
import { folders } from './folders.js';
import { formats } from './formats.js';
import type { Target } from './harness.js';
import { manifest } from './manifest.js';

/** Everything that reads what comes from outside. */
export const targets: readonly Target[] = [...formats, commandLine, folders, manifest];
