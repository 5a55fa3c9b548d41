import { ACTIVATIONS } from '../kernels/kernels.js';
import type { LearnOptions } from '../learn/learn-options.js';
import { positiveInteger, positiveNumber, seed, wholeNumber } from './arguments.js';
import { type Command, Option } from './vendor.js';

/** As commander gives them: the names are those of `LearnOptions`. */
export type LearnArguments = Omit<LearnOptions, 'gradClip'> & {
  gradClip?: number | 'none';
  randomFeatures?: true;
};

/** Adds the options of the learning, named as the library names them, with `-` for capitals. */
export function addLearnOptions(command: Command): Command {
  const count = (flags: string, description: string): void =>
    void command.addOption(
      new Option(flags, description).argParser(positiveInteger).helpGroup(GROUP),
    );
  const choice = (flags: string, description: string, choices: readonly string[]): void =>
    void command.addOption(new Option(flags, description).choices(choices).helpGroup(GROUP));
  count(
    '--train-subset-size <n>',
    'documents whose targets the network learns to predict (default: 512)',
  );
  count(
    '--learn-subset-size <n>',
    "learn tokens (default: an eighth of the corpus's, 8192 to 32768)",
  );
  count('--ols-sample-size <n>', 'tokens of the least squares (default: 16384)');
  count('--num-layers <n>', 'layers of the feature map (default: 1)');
  count('--hidden-dim <n>', 'width of the layers before the last (default: 512)');
  count('--final-hidden-dim <n>', 'latent dimension: numbers for each document (default: 1024)');
  choice('--activation <name>', 'activation of the feature map (default: gelu)', ACTIVATIONS);
  command.addOption(
    new Option('--epochs <n>', 'passes over the learn tokens (default: 10)')
      .argParser(wholeNumber)
      .helpGroup(GROUP),
  );
  command.addOption(
    new Option('--random-features', 'no training: --epochs 0').conflicts('epochs').helpGroup(GROUP),
  );
  command.addOption(
    new Option('--lr <x>', 'learning rate, with one-cycle its peak (default: 0.02)')
      .argParser(positiveNumber)
      .helpGroup(GROUP),
  );
  choice('--schedule <name>', 'of the learning rate (default: one-cycle)', [
    'one-cycle',
    'constant',
  ]);
  count('--batch-size <n>', 'learn tokens of a step (default: 256)');
  command.addOption(
    new Option('--grad-clip <x>', "largest norm of the gradient, or 'none' (default: 0.5)")
      .argParser((text) => (text === 'none' ? text : positiveNumber(text)))
      .helpGroup(GROUP),
  );
  command.addOption(
    new Option(
      '--prefix-dim <n>',
      'bytes of each document that the first scan reads; 0: all weights (default: 256)',
    )
      .argParser(wholeNumber)
      .helpGroup(GROUP),
  );
  command.addOption(
    new Option('--seed <n>', 'of all random draws (default: 0)').argParser(seed).helpGroup(GROUP),
  );
  return command;
}

const GROUP = 'Learning:';
const NAMES = [
  ...[
    'trainSubsetSize',
    'learnSubsetSize',
    'olsSampleSize',
    'numLayers',
    'hiddenDim',
    'finalHiddenDim',
    'activation',
  ],
  ...['epochs', 'lr', 'schedule', 'batchSize', 'gradClip', 'prefixDim', 'seed'],
];

/** Those that were given, in an order of their own; undefined where none was. */
export function learnOptionsOf(given: LearnArguments): LearnOptions | undefined {
  const named: Record<string, unknown> = {
    ...given,
    gradClip: given.gradClip === 'none' ? null : given.gradClip,
  };
  if (given.randomFeatures) named.epochs = 0;
  const chosen = Object.fromEntries(
    NAMES.filter((name) => named[name] !== undefined).map((name) => [name, named[name]]),
  );
  return Object.keys(chosen).length > 0 ? (chosen as LearnOptions) : undefined;
}
