import { readFile } from 'node:fs/promises';
import { invalidArgument } from '../errors.js';
import { createHandler } from '../server/handler.js';
import type { AnsweredRequest } from '../server/handler-options.js';
import { type ListeningServer, serve as listen } from '../server/node-serve.js';
import { examples, positiveInteger, shared, wholeNumber } from './arguments.js';
import type { Context } from './context.js';
import { type OpenedIndexes, openServed } from './served-indexes.js';
import { type Command, Option } from './vendor.js';

interface ServeArguments {
  port: number;
  host: string;
  readOnly?: true;
  apiKeyFile?: string;
  cors?: string[];
  maxBody?: number;
  page: boolean;
  mcp: boolean;
  mcpWrite?: true;
  log?: true;
  threads?: number;
}

/** Names of this machine that only this machine reaches. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** The command `serve`: indexes over HTTP. */
export function registerServe(program: Command, context: Context): void {
  const command = program
    .command('serve')
    .summary('serve indexes over HTTP')
    .description(
      'Serves indexes over HTTP until Ctrl-C or SIGTERM, which end what is under way. An index ' +
        'is called as its folder, without .lemur, or as name=folder says. Without a key only ' +
        'this machine may ask: for other hosts set LEMUR_API_KEY, or give --api-key-file.',
    )
    .argument('<index...>', 'folders of indexes')
    .option('--port <n>', 'port; 0: one that is free', wholeNumber, 8080)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--read-only', 'only read, and follow what the writer of an index commits');
  command
    .option('--api-key-file <path>', 'file with keys, one a line; requests must have one of them')
    .option('--cors <origin...>', 'origins of pages that may ask, or *')
    .option('--max-body <bytes>', 'bytes of a body, or of a line of JSON', positiveInteger)
    .option('--no-page', 'leave out the search page')
    .option('--no-mcp', 'leave out /mcp')
    .addOption(new Option('--mcp-write', 'tools of /mcp may add and delete').conflicts('readOnly'))
    .option('--log', 'a line of JSON on standard error for each request')
    .addOption(shared.threads())
    .addHelpText(
      'after',
      examples(
        'lemur serve notes.lemur',
        'lemur serve notes.lemur papers=archive/2024.lemur --port 7000',
        'LEMUR_API_KEY=... lemur serve notes.lemur --host 0.0.0.0 --read-only',
      ),
    )
    .action((folders: string[], options: ServeArguments) => serve(folders, options, context));
}

async function serve(
  folders: readonly string[],
  options: ServeArguments,
  context: Context,
): Promise<void> {
  const apiKey = await keysOf(options);
  const isLocal = /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(options.host);
  if (!isLocal && apiKey.length === 0)
    throw invalidArgument(
      `--host ${options.host}`,
      'others than this machine may ask then: set LEMUR_API_KEY, or give --api-key-file',
    );
  const { readOnly = false, threads } = options;
  const opened = await openServed(folders, { write: !readOnly, threads }, context);
  try {
    await serveOpened(opened, apiKey, isLocal, options, context);
  } finally {
    await opened.close();
  }
}

async function serveOpened(
  { indexes }: OpenedIndexes,
  apiKey: readonly string[],
  isLocal: boolean,
  { port, host, readOnly, cors, maxBody, page, mcp, mcpWrite, log }: ServeArguments,
  { signal, reporter, print }: Context,
): Promise<void> {
  const handler = createHandler(indexes, {
    apiKey: apiKey.length > 0 ? apiKey : undefined,
    cors: cors?.includes('*') ? '*' : cors,
    // a page could point a name of its own at this machine
    hosts: isLocal ? [...LOOPBACK, host] : undefined,
    readOnly,
    page,
    mcp: mcpWrite ? 'write' : mcp,
    maxBodyBytes: maxBody,
    onRequest: (request) => {
      if (log || request.error !== undefined) reporter.note(lineOf(request));
    },
  });
  const server: ListeningServer = await listen(handler, { port, host });
  print(`${server.url} serves ${Object.keys(indexes).join(', ')}; Ctrl-C ends it`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  reporter.note('closing; again to end at once');
  await server.close();
}

function lineOf({ error, milliseconds, ...request }: AnsweredRequest): string {
  const time = Math.round(milliseconds);
  const message = error instanceof Error ? { error: error.message } : {};
  return JSON.stringify({ ...request, milliseconds: time, ...message });
}

/** Of the file, or of the environment: on a command line everybody would see them. */
async function keysOf({ apiKeyFile }: ServeArguments): Promise<string[]> {
  const { LEMUR_API_KEY: key } = process.env;
  if (apiKeyFile === undefined) return key ? [key] : [];
  const text = await readFile(apiKeyFile, 'utf8');
  const keys = text.split('\n').flatMap((line) => line.trim() || []);
  if (keys.length === 0) throw invalidArgument(apiKeyFile, 'no key in it, expected one a line');
  return keys;
}
