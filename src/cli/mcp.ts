import { readLines } from '../formats/json/jsonl.js';
import { createMcp } from '../server/mcp/create-mcp.js';
import { PARSE_ERROR, RpcError, rpcError } from '../server/mcp/json-rpc.js';
import { examples, shared } from './arguments.js';
import type { Context } from './context.js';
import { openServed } from './served-indexes.js';
import type { Command } from './vendor.js';

/** The command `mcp`: a server for assistants, on standard input and output. */
export function registerMcp(program: Command, context: Context): void {
  program
    .command('mcp')
    .summary('let an assistant search indexes (Model Context Protocol, on standard input)')
    .description(
      'Speaks the Model Context Protocol on standard input and output, with the tools search, ' +
        'read and list; with --write also add and delete. An assistant starts it by itself.',
    )
    .argument('<index...>', 'folders of indexes, or name=folder')
    .option('--write', 'let the assistant add and delete documents')
    .addOption(shared.threads())
    .addHelpText('after', examples('lemur mcp notes.lemur', 'lemur mcp notes.lemur --write'))
    .action(
      (folders: string[], { write = false, threads }: { write?: boolean; threads?: number }) =>
        answerAll(folders, { write, threads }, context),
    );
}

async function answerAll(
  folders: readonly string[],
  options: { write: boolean; threads: number | undefined },
  context: Context,
): Promise<void> {
  const opened = await openServed(folders, options, context);
  try {
    const mcp = createMcp(opened.indexes, { write: options.write });
    const { signal, printJson, openInput } = context;
    const underWay = new Set<Promise<void>>();
    for await (const { text } of readLines(openInput(), 'standard input')) {
      // as they come: a ping is answered while a search goes on
      const answered = answerLine(mcp, text, signal).then((answer) => {
        underWay.delete(answered);
        if (answer !== undefined) printJson(answer);
      });
      underWay.add(answered);
    }
    await Promise.all(underWay);
  } finally {
    await opened.close();
  }
}

async function answerLine(
  mcp: ReturnType<typeof createMcp>,
  line: string,
  signal: AbortSignal,
): Promise<unknown> {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return rpcError(new RpcError(PARSE_ERROR, 'not JSON'));
  }
  return mcp.answer(message, signal);
}
