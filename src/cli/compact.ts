import { examples, path, shared } from './arguments.js';
import type { Context } from './context.js';
import { withIndex } from './open-index.js';
import { shown } from './print.js';
import { counted, megabytes } from './text-layout.js';
import type { Command } from './vendor.js';

interface CompactArguments {
  keywords?: boolean;
  json?: true;
  threads?: number;
}

/** The command `compact`: gives the place of deleted documents back. */
export function registerCompact(
  program: Command,
  { signal, reporter, print, printJson }: Context,
): void {
  program
    .command('compact')
    .summary('rewrite small segments and those with deleted documents')
    .description(
      'Rewrites small segments and those with deleted documents, in one step; searches ' +
        'go on meanwhile.',
    )
    .argument('<index>', 'folder of the index', path)
    .option('--keywords', 'from now on words of texts can be looked for; makes what that needs')
    .option('--no-keywords', 'drops what searches by keywords need')
    .addOption(shared.json())
    .addOption(shared.threads())
    .addHelpText('after', examples('lemur compact notes.lemur'))
    .action(async (folder: string, { json, threads, keywords }: CompactArguments) => {
      await withIndex(folder, { write: true, threads }, async ({ index }) => {
        const before = index.stats();
        const { value: after } = await reporter.step('compact', (onProgress) =>
          index.compact({ keywords, signal, onProgress }),
        );
        if (json) return printJson({ index: folder, before, after }, 2);
        const show = ({ segments, bytes }: typeof after): string =>
          `${counted(segments, 'segment')}, ${megabytes(bytes)}`;
        print(`${shown(folder)}: ${show(before)} before; ${show(after)} now`);
      });
    });
}
