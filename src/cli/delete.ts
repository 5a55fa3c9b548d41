import type { Filter } from '../collection/metadata/filter.js';
import { examples, path, shared } from './arguments.js';
import { contentsOf, documentsIn } from './contents.js';
import type { Context } from './context.js';
import { withIndex } from './open-index.js';
import { shown } from './print.js';
import { grouped } from './text-layout.js';
import type { Command } from './vendor.js';

interface DeleteArguments {
  filter?: Filter;
  json?: true;
  threads?: number;
}

/** The command `delete`: documents by their ids, or by their metadata. */
export function registerDelete(program: Command, { signal, print, printJson }: Context): void {
  const command = program
    .command('delete')
    .summary('delete documents by id or by metadata')
    .description('Deletes documents. `lemur compact` gives their place back.')
    .argument('<index>', 'folder of the index', path)
    .argument('[id...]', 'ids; those that are not there are passed over')
    .addOption(shared.filter())
    .addOption(shared.json())
    .addOption(shared.threads())
    .addHelpText(
      'after',
      examples(
        'lemur delete notes.lemur old.md drafts/plan.md',
        'lemur delete papers.lemur --filter \'{"year":{"$lt":2000}}\'',
      ),
    );
  command.action(
    async (folder: string, ids: string[], { filter, json, threads }: DeleteArguments) => {
      if (ids.length > 0 === (filter !== undefined))
        command.error('error: expected ids or --filter <json>, one of the two');
      await withIndex(folder, { write: true, threads }, async ({ index }) => {
        const found = filter === undefined ? await index.get([...new Set(ids)]) : [];
        const absent = found.filter((one) => one === undefined).length;
        const { sources, passages } = index.stats();
        const rows = await index.delete(filter === undefined ? ids : { filter }, { signal });
        const documents = index.stats().sources;
        const deleted = sources - documents;
        const cut = passages ? { passages: rows } : {};
        if (json) return printJson({ index: folder, deleted, ...cut, documents });
        const gone = passages ? documentsIn(deleted, rows) : grouped(deleted);
        const more = absent > 0 ? `, ${grouped(absent)} not there` : '';
        print(`${shown(folder)}: ${gone} deleted${more}; ${contentsOf(index)}`);
      });
    },
  );
}
