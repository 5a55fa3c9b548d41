import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkRegular, openRegular } from '../bytes/node-regular-file.js';
import { escapeControls } from '../escape-controls.js';

const { O_APPEND, O_CREAT, O_WRONLY } = constants;
// Windows has neither
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0;
const O_NONBLOCK = constants.O_NONBLOCK ?? 0;

/**
 * At most so many, the latest first; none where they cannot be read, and none that would steer the
 * terminal.
 */
export async function readQuestions(path: string, most: number): Promise<string[]> {
  try {
    const file = await openRegular(path);
    const text = await file.readFile('utf8').finally(() => file.close());
    const isPlain = (line: string): boolean => line !== '' && escapeControls(line) === line;
    return text.split('\n').filter(isPlain).slice(-most).reverse();
  } catch {
    return [];
  }
}

/**
 * Keeps a question for the next time, for this user's eyes alone. A cache that is full or shut
 * keeps none: nobody asked for it.
 */
export async function keepQuestion(path: string, question: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      checkRegular(await file.stat());
      await file.write(`${question}\n`);
    } finally {
      await file.close();
    }
  } catch {}
}
