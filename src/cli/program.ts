import { readFileSync } from 'node:fs';
import { escapeControls } from '../escape-controls.js';
import { addAdd } from './add.js';
import { examples } from './arguments.js';
import { addCompact } from './compact.js';
import type { Context } from './context.js';
import { addConvert } from './convert.js';
import { addDelete } from './delete.js';
import { addDemo } from './demo.js';
import { addEval } from './eval.js';
import { addFit } from './fit.js';
import { addInfo } from './info.js';
import { addSearch } from './search.js';
import { addTune } from './tune.js';
import { Command } from './vendor.js';
import { addVerify } from './verify.js';

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
        'lemur eval .lemur-demo/scifact-1000',
        'lemur info vectors.npy',
        'lemur convert vectors/ vectors.safetensors',
      )}\n${EXIT_CODES}`,
    );
  for (const add of [
    addAdd,
    addSearch,
    addFit,
    addTune,
    addDelete,
    addCompact,
    addVerify,
    addEval,
    addInfo,
    addConvert,
    addDemo,
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
