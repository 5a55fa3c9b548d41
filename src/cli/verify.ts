import type { Verification } from '../collection/files/verify.js';
import { encoderOf, readProjection } from '../encoder/node-described-encoder.js';
import { badFile, isLemurError } from '../errors.js';
import { examples, path, shared } from './arguments.js';
import type { Context } from './context.js';
import { readManifest, withIndex } from './open-index.js';
import { shown } from './print.js';
import { counted, megabytes } from './text-layout.js';
import type { Command } from './vendor.js';

/** The command `verify`: reads all files and compares their checksums. */
export function registerVerify(
  program: Command,
  { signal, reporter, print, printJson }: Context,
): void {
  program
    .command('verify')
    .summary('read all files of an index and compare their checksums')
    .description(
      'Reads all files of an index and compares their checksums. Exits with 1 where ' +
        'something is wrong, and says what.',
    )
    .argument('<index>', 'folder of the index', path)
    .addOption(shared.json())
    .addOption(shared.threads())
    .addHelpText('after', examples('lemur verify notes.lemur'))
    .action(async (folder: string, { json, threads }: { json?: true; threads?: number }) => {
      const { value } = await reporter.step('verify', (onProgress) =>
        withIndex(folder, { threads }, ({ index }) => index.verify({ signal, onProgress })),
      );
      const found: Verification = {
        ...value,
        problems: [...value.problems, ...(await encoderProblems(folder))],
      };
      const { files, bytes, problems } = found;
      if (json) printJson(found, 2);
      else for (const problem of problems) print(shown(problem));
      if (problems.length > 0) throw badFile(folder, counted(problems.length, 'problem'));
      if (!json)
        print(`${shown(folder)}: all is well: ${counted(files, 'file')}, ${megabytes(bytes)}`);
    });
}

/** Of the files that earlier versions kept beside the index's own. */
async function encoderProblems(folder: string): Promise<string[]> {
  try {
    const { encoder, dim } = await readManifest(folder);
    const info = encoder && !encoder.origin && (await encoderOf(folder, dim));
    if (info) await readProjection(folder, info);
    return [];
  } catch (error) {
    if (isLemurError(error)) return [error.message];
    throw error;
  }
}
