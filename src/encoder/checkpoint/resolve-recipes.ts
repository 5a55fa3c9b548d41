import { badFile } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';
import type { TextRecipe } from '../text/recipe.js';
import { idsOf, type TextTokenizer } from '../text/tokenizer.js';
import type { KindSettings, Settings } from './settings.js';

/**
 * Settings in the tokenizer's numbers. `mask` is its mask token, `unsaid` the length of texts where
 * the settings give none, `where` names its file in errors. Raises 'bad-file' where a token is
 * missing.
 */
export function resolveRecipes(
  { query, document }: Settings,
  tokenizer: TextTokenizer,
  mask: string | undefined,
  { positions, unsaid }: { readonly positions: number; readonly unsaid: number },
  where: string,
): { query: TextRecipe; document: TextRecipe } {
  const recipeOf = ({
    marker,
    prompt,
    strip,
    length,
    expansion,
    skip,
  }: KindSettings): TextRecipe => {
    const filler = expansion && (expansion.token ?? mask);
    const token = filler === undefined ? undefined : tokenizer.id(filler);
    if (expansion && token === undefined) {
      const problem = filler === undefined ? 'no mask token' : `no token ${showJson(filler)}`;
      throw badFile(where, `${problem}, which queries are filled up with`);
    }
    const isMarker = marker === '' && /^(\[.*\]|<.*>) ?$/.test(prompt);
    const markerId = markerIdOf(isMarker ? prompt : marker, tokenizer);
    const before = markerId === undefined ? marker + prompt : isMarker ? '' : prompt;
    return {
      marker: markerId,
      prompt: before,
      promptTokens: before === '' ? 0 : tokenizer.tokenize(before, positions).ids.length,
      strip,
      length: Math.min(length ?? unsaid, positions),
      expansion: expansion && {
        to: Math.min(expansion.to, positions),
        token: token as number,
        attended: expansion.attended,
      },
      skip: idsOf(tokenizer, skip),
      special: true,
    };
  };
  return { query: recipeOf(query), document: recipeOf(document) };
}

/** The token that a marker is, with or without the space behind it; undefined: it is text. */
function markerIdOf(marker: string, tokenizer: TextTokenizer): number | undefined {
  return marker === '' ? undefined : (tokenizer.id(marker) ?? tokenizer.id(marker.trimEnd()));
}
