import { LemurError } from '../errors.js';
import { ACTIVATIONS } from '../kernels/kernels.js';
import { checkOptions } from '../known-options.js';
import { isPrecision, precisionNames } from '../tokens/encodings.js';
import { showValue } from '../value-kind.js';
import {
  FIT_OPTIONS,
  type FitOptions,
  LEARN_DEFAULTS,
  type LearnOptions,
  type ResolvedLearnOptions,
} from './learn-options.js';

/** The widest layer: the Gram matrix of its features has 8 bytes for each pair of them. */
const MOST_WIDTH = 16_384;
/** Learning rates beyond it overflow float32 in a few steps. */
const MOST_RATE = 1e6;

/** A rule for an option: the values it takes in words, and whether a value is one of them. */
type Rule = readonly [name: keyof FitOptions, expected: string, holds: (value: unknown) => boolean];

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
const isNatural = (value: unknown): boolean =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const isPositive = (value: unknown): boolean => Number.isFinite(value) && (value as number) > 0;
const orNull =
  (holds: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || holds(value);
const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

const count = (name: keyof LearnOptions): Rule => [name, 'a positive integer', isCount];
const natural = (name: keyof LearnOptions): Rule => [name, 'an integer of at least 0', isNatural];
const atMost = (name: keyof LearnOptions, most: number): Rule => [
  name,
  `at most ${most}`,
  (value) => (value as number) <= most,
];
const oneOf = (name: keyof LearnOptions, expected: string, values: readonly string[]): Rule => [
  name,
  expected,
  (value) => values.includes(value as string),
];

/** In the order in which they are checked; the first that does not hold is told. */
const RULES: readonly Rule[] = [
  ['onEpoch', 'a function', (value) => !isGiven(value) || typeof value === 'function'],
  ['verbose', 'true or false', (value) => value === undefined || typeof value === 'boolean'],
  count('trainSubsetSize'),
  count('learnSubsetSize'),
  count('olsSampleSize'),
  count('numLayers'),
  atMost('numLayers', 64),
  count('hiddenDim'),
  atMost('hiddenDim', MOST_WIDTH),
  count('batchSize'),
  atMost('batchSize', 2 ** 24),
  [
    'finalHiddenDim',
    'a positive integer or null',
    orNull((value) => Number.isInteger(value) && (value as number) > 0),
  ],
  // null counts as 0
  atMost('finalHiddenDim', MOST_WIDTH),
  natural('epochs'),
  atMost('epochs', 1_000_000),
  natural('prefixDim'),
  ['lr', 'a positive number', isPositive],
  atMost('lr', MOST_RATE),
  ['gradClip', 'a positive number or null', orNull(isPositive)],
  natural('seed'),
  oneOf('activation', `one of ${ACTIVATIONS.join(', ')}`, ACTIVATIONS),
  ['precision', precisionNames(), isPrecision],
  oneOf('schedule', "'one-cycle' or 'constant'", ['one-cycle', 'constant']),
];

/**
 * Fills in defaults and checks every option; raises 'invalid-argument' with what was got and what
 * was expected.
 */
export function resolveLearnOptions(options: FitOptions): ResolvedLearnOptions {
  checkOptions(options, FIT_OPTIONS, 'fit');
  const given = Object.fromEntries(
    Object.entries(options).filter(
      ([name, value]) => value !== undefined && name in LEARN_DEFAULTS,
    ),
  );
  const resolved = { ...LEARN_DEFAULTS, ...given } as ResolvedLearnOptions;
  const all: FitOptions = { onEpoch: options.onEpoch, verbose: options.verbose, ...resolved };
  for (const [name, expected, holds] of RULES) {
    const value = all[name];
    if (holds(value)) continue;
    const message = `${name}: expected ${expected}, got ${showValue(value)}`;
    throw new LemurError('invalid-argument', message, { where: name });
  }
  return resolved;
}
