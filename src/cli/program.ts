import { readFileSync } from 'node:fs';
import { escapeControls } from '../escape-controls.js';
import { registerAdd } from './add.js';
import { examples } from './arguments.js';
import { registerBench } from './bench.js';
import { registerCompact } from './compact.js';
import type { Context } from './context.js';
import { registerConvert } from './convert.js';
import { registerDelete } from './delete.js';
import { registerDemo } from './demo.js';
import { registerEval } from './eval.js';
import { registerFit } from './fit.js';
import { registerInfo } from './info.js';
import { registerMcp } from './mcp.js';
import { refuseMerging } from './merging.js';
import { registerSearch } from './search.js';
import { registerServe } from './serve.js';
import { registerTune } from './tune.js';
import { Command } from './vendor.js';
import { registerVerify } from './verify.js';

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed; one line on standard error says why
  2    wrong usage
  130  interrupted by Ctrl-C; what is complete stays, nothing is half-written
  143  ended by SIGTERM; the same`;

/** The commands, each with its options beside it. */
export function createProgram(context: Context): Command {
  const program = new Command('lemur')
    .description(
      'Late-interaction (ColBERT-style) search: a collection on disk, a learned ' +
        'reduction to single vectors, exact reranking.',
    )
    .version(version())
    .option('--no-wide', 'compute with 128 bits at a time (`lemur info --device` says what runs)')
    .configureHelp({ showGlobalOptions: true })
    .hook('preAction', (program) => {
      if (program.opts<{ wide: boolean }>().wide === false) refuseMerging('--no-wide was given');
    })
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageLines(text)) })
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText(
      'after',
      `${examples(
        'lemur demo',
        'lemur add notes.lemur notes/',
        'lemur search notes.lemur "what did we decide about caching?"',
        'lemur serve notes.lemur',
        'lemur eval .lemur-demo/scifact-1000',
        'lemur info vectors.npy',
        'lemur convert vectors/ vectors.safetensors',
      )}\n${EXIT_CODES}`,
    );
  for (const add of [
    registerAdd,
    registerSearch,
    registerServe,
    registerMcp,
    registerFit,
    registerTune,
    registerDelete,
    registerCompact,
    registerVerify,
    registerEval,
    registerBench,
    registerInfo,
    registerConvert,
    registerDemo,
  ])
    add(program, context);
  return program;
}

/** A message about wrong usage, which quotes arguments; commander's suggestion is a line below. */
function usageLines(text: string): string {
  const [, problem, suggestion = ''] = /^(.*?)((?:\n\(Did you mean [^\n]*\))?\n?)$/s.exec(text) ?? [
    text,
    text,
  ];
  return `${escapeControls(problem)}${suggestion}`;
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
