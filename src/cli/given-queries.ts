import { join } from 'node:path';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { LemurError } from '../errors.js';
import { path } from './arguments.js';
import { type Command, Option } from './vendor.js';

/** Beside an index: queries and judgements that commands take when they are told none. */
export const OWN = { queries: 'queries.jsonl', qrels: 'qrels.tsv' } as const;

/** Options of what is asked, and of what answers are judged by. */
export interface QueryArguments {
  queries?: string;
  qrels?: string;
  split?: string;
}

export function queriesOption(): Option {
  const text =
    'JSON lines ({"_id", "text"}), a BEIR folder (with its judgements) or token ' +
    `vectors (default: ${OWN.queries} in the index's folder)`;
  return new Option('--queries <path>', text).argParser(path);
}

export function qrelsOption(): Option {
  const text =
    `judgements: tab-separated query, document, grade (default: ${OWN.qrels} beside ` +
    `${OWN.queries})`;
  return new Option('--qrels <file>', text).argParser(path);
}

/** Ends the command where judgements are named and what they are of is not. */
export function checkQueryArguments({ queries, qrels }: QueryArguments, command: Command): void {
  if (qrels !== undefined && queries === undefined)
    command.error("error: option '--qrels <file>' needs '--queries <path>'");
}

/** What was named, or else what came with the index. Raises 'invalid-argument' where none did. */
export async function givenQueries(
  folder: string,
  { queries, qrels }: QueryArguments,
): Promise<{ queries: string; qrels: string | undefined }> {
  if (queries !== undefined) return { queries, qrels };
  const own = [join(folder, OWN.queries), join(folder, OWN.qrels)] as const;
  if ((await whatLiesAt(own[0])) !== undefined)
    return {
      queries: own[0],
      qrels: (await whatLiesAt(own[1])) === undefined ? undefined : own[1],
    };
  throw new LemurError(
    'invalid-argument',
    `${folder}: no queries came with it; name some with --queries`,
    { where: 'queries' },
  );
}
