import { expect, test } from 'vitest';
import { describeFailure } from '../../src/cli/failure.js';
import { LemurError } from '../../src/errors.js';

const system = (code: string, errno: number, syscall: string, path?: string): Error =>
  Object.assign(new Error(`${code}: raw words, ${syscall}`), {
    code,
    errno,
    syscall,
    ...(path !== undefined && { path }),
  });

test.each([
  [
    system('EMFILE', -24, 'open', 'a\n\u001b[2J'),
    'lemur: a\\u000a\\u001b[2J: could not be read: too many files are open\n',
  ],
  [system('EACCES', -13, 'scandir', 'notes'), 'lemur: notes: could not be read: no permission\n'],
  [
    system('ENOSPC', -28, 'mkdir', 'out'),
    'lemur: out: could not be made: no space left on the device\n',
  ],
  [
    system('ENOSPC', -28, 'write'),
    'lemur: standard output: could not be written: no space left on the device\n',
  ],
  [new LemurError('closed', 'over\u009b', { where: 'x' }), 'lemur: over\\u009b\n'],
  [new TypeError('ours\u202e'), 'lemur: ours\\u202e\n(LEMUR_DEBUG=1 shows where)\n'],
  ['thrown\0', 'lemur: thrown\\u0000\n(LEMUR_DEBUG=1 shows where)\n'],
])('%s becomes one line in words, naming the path', (error, line) => {
  expect(describeFailure(error)).toEqual({ exitCode: 1, line });
});
