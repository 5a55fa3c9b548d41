import { isLemurError } from '../errors.js';
import { escapeControls } from '../escape-controls.js';
import { CommanderError } from './vendor.js';

const USAGE = 2;

/** What a command that failed leaves with: its exit code, and the line for standard error where commander has not written one already. */
export function describeFailure(error: unknown): { exitCode: number; line: string } {
  // help and version end here as well
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : USAGE, line: '' };
  const message = error instanceof Error ? error.message : String(error);
  const hint = isLemurError(error) || isSystemError(error) || process.env.LEMUR_DEBUG === '1' ? '' : '(LEMUR_DEBUG=1 shows where)\n';
  return { exitCode: 1, line: `lemur: ${escapeControls(message)}\n${hint}` };
}

/** No permission, a full disk and the like: the message says it all. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
