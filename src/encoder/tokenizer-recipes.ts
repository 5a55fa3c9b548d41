import { badFile } from '../errors.js';
import { resolveRecipes } from './checkpoint/resolve-recipes.js';
import type { Settings } from './checkpoint/settings.js';
import type { EncoderParts } from './pooling-encoder.js';
import { extraTokens, PLAIN, type TextRecipe } from './text/recipe.js';
import { idsOf, PUNCTUATION, type TextTokenizer } from './text/tokenizer.js';

/** A tokenizer with what its tokenizer_config.json says; `where` names its file in errors. */
export interface ConfiguredTokenizer {
  readonly tokenizer: TextTokenizer;
  readonly config: Readonly<Record<string, unknown>>;
  readonly where: string;
}

/**
 * How queries and documents are read, and what of that the tokenizer's configuration alone says:
 * undefined where it says nothing beyond what is usual. Without settings nobody has trained the
 * body for late interaction. Raises 'bad-file'.
 */
export function recipesOf(
  { tokenizer, config, where }: ConfiguredTokenizer,
  settings: Settings | undefined,
  positions: number,
): { recipes: EncoderParts['recipes']; said: object | undefined } {
  // what the tokenizer says counts where the settings give no length
  const unsaid = Math.min(positions, lengthOf(config.model_max_length) ?? positions);
  const longest = { positions, unsaid };
  const mask = maskToken(config, tokenizer);
  const said = settings && tokenizerSays(settings, longest, mask, maskToken({}, tokenizer));
  const recipes = settings
    ? resolveRecipes(settings, tokenizer, mask, longest, where)
    : plainRecipes(tokenizer);
  for (const recipe of Object.values(recipes)) checkRoom(recipe, positions, where);
  return { recipes, said };
}

/**
 * A body that nobody has trained for late interaction: its texts' own tokens, in documents without
 * punctuation.
 */
function plainRecipes(tokenizer: TextTokenizer): EncoderParts['recipes'] {
  return { query: PLAIN, document: { ...PLAIN, skip: idsOf(tokenizer, PUNCTUATION) } };
}

/** Raises 'bad-file' where a text has no room for a token of its own. */
function checkRoom(recipe: TextRecipe, positions: number, where: string): void {
  const [length, extra] = [Math.min(recipe.length ?? positions, positions), extraTokens(recipe)];
  if (length > extra) return;
  const problem =
    `texts of ${length} tokens at most (model_max_length, ` +
    `max_position_embeddings), expected more than the ${extra} around each`;
  throw badFile(where, problem);
}

/** A number of tokens; undefined for none, and for the number that stands for no limit. */
function lengthOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}

/** The token that queries are filled up with, as tokenizer_config.json names it. */
function maskToken(
  config: Readonly<Record<string, unknown>>,
  tokenizer: TextTokenizer,
): string | undefined {
  const named = config.mask_token;
  const name =
    typeof named === 'string'
      ? named
      : (named as { content?: unknown } | null | undefined)?.content;
  if (typeof name === 'string') return name;
  return ['[MASK]', '<mask>'].find((token) => tokenizer.id(token) !== undefined);
}

/**
 * What vectors depend on that the tokenizer's configuration alone says; undefined where it says
 * nothing beyond what is usual.
 */
function tokenizerSays(
  { query, document }: Settings,
  { positions, unsaid }: { readonly positions: number; readonly unsaid: number },
  mask: string | undefined,
  usual: string | undefined,
): { longest?: number; mask?: string | undefined } | undefined {
  const isShorter =
    unsaid < positions && (query.length === undefined || document.length === undefined);
  const isOther =
    usual !== undefined &&
    mask !== usual &&
    query.expansion !== undefined &&
    query.expansion.token === undefined;
  return isShorter || isOther
    ? { ...(isShorter && { longest: unsaid }), ...(isOther && { mask }) }
    : undefined;
}
