import { isLemurError, LemurError } from '../errors.js';
import { inCommands } from './text-layout.js';

/** Rejects with what a search said, in the words of the command: the library's are its methods'. */
export function inOwnWords(error: unknown): never {
  if (isLemurError(error, 'unsupported') && error.fields.where === 'mode')
    throw new LemurError('unsupported', inCommands(`--${error.message}`), { where: 'mode' });
  if (!isLemurError(error, 'unsupported') || error.fields.where !== 'recall') throw error;
  const problem = 'how many candidates it takes has not been measured: run `lemur tune` once';
  throw new LemurError('unsupported', `--recall: ${problem}`, { where: 'recall' });
}
