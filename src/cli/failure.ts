import { writeError } from '../bytes/node-file-error.js';
import { isLemurError } from '../errors.js';
import { escapeControls } from '../escape-controls.js';
import { CommanderError } from './vendor.js';

const USAGE = 2;
/** The deed that failed, by the system's name of it; anything else is reading. */
const DONE: Readonly<Record<string, string>> = {
  write: 'written',
  fsync: 'written',
  ftruncate: 'written',
  mkdir: 'made',
  rename: 'replaced',
  unlink: 'deleted',
  rmdir: 'deleted',
};

/**
 * The end of a command that failed: its exit code, and the line for standard error where
 * commander has not written one already.
 */
export function describeFailure(error: unknown): { exitCode: number; line: string } {
  // help and version end here as well
  if (error instanceof CommanderError)
    return { exitCode: error.exitCode === 0 ? 0 : USAGE, line: '' };
  const found = inWords(error);
  const message = found instanceof Error ? found.message : String(found);
  const hint =
    isLemurError(found) || process.env.LEMUR_DEBUG === '1' ? '' : '(LEMUR_DEBUG=1 shows where)\n';
  return { exitCode: 1, line: `lemur: ${escapeControls(message)}\n${hint}` };
}

/**
 * No permission, a full disk and the like, wherever they come from: an error of ours that names the
 * path.
 */
function inWords(error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const { path, syscall } = error as NodeJS.ErrnoException;
  const done = DONE[String(syscall)] ?? 'read';
  return writeError(
    path ?? (done === 'written' ? 'standard output' : 'standard input'),
    done,
    error,
  );
}
