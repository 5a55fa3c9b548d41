import { readFileSync } from 'node:fs';
import { addAdd } from './add.js';
import { examples } from './arguments.js';
import type { Context } from './context.js';
import { addConvert } from './convert.js';
import { addDemo } from './demo.js';
import { addEval } from './eval.js';
import { addFit } from './fit.js';
import { addIndexCommands } from './index-commands.js';
import { addInfo } from './info.js';
import { addSearch } from './search.js';
import { Command } from './vendor.js';

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed; one line on standard error says why
  2    wrong usage
  130  interrupted by Ctrl-C; what is finished stays, nothing is half-written`;

/** The commands, each with its options beside it. */
export function createProgram(context: Context): Command {
  const program = new Command('lemur')
    .description('Late-interaction (ColBERT-style) search with a learned reduction to single vectors.')
    .version(version())
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText(
      'after',
      `${examples(
        'lemur demo',
        'lemur fit notes/ --out notes.lemur',
        'lemur add pages.lemur pages.jsonl',
        'lemur search notes.lemur "what did we decide about caching?"',
        'lemur eval .lemur-demo/scifact-1000',
        'lemur info vectors.npy',
        'lemur convert vectors/ vectors.safetensors',
      )}\n${EXIT_CODES}`,
    );
  for (const add of [addFit, addAdd, addIndexCommands, addSearch, addEval, addInfo, addConvert, addDemo]) add(program, context);
  return program;
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
